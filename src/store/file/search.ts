import { type RawBuilder, sql } from 'kysely';
import type { Condition, Search } from '../../lib/search.ts';
import { countRows, type RowPage } from '../cursor.ts';
import type { Db } from '../db.ts';
import { inScope, type Scope } from '../scope.ts';
import { type Column, listWindow, matching } from '../search.ts';
import type { FileOfMediaRow } from './file.ts';

const RESOURCE = sql<string>`coalesce(media.resource, media.uuid)`;

/**
 * Each field that files can be searched and ordered by: columns of their own, and `resource` and `is_public` of their
 * media item. `name` is the uuid without hyphens, with the extension.
 */
export const FILE_COLUMNS = {
  name: column(sql`replace(file.uuid, '-', '') || coalesce('.' || file.extension, '')`, 'text'),
  resource: column(RESOURCE, 'text'),
  key: column(sql.ref('file.key'), 'text'),
  filename: column(sql.ref('file.filename'), 'text'),
  size_bytes: column(sql.ref('file.size_bytes'), 'integer'),
  mime_type: column(sql.ref('file.mime_type'), 'text'),
  created_by: column(sql.ref('file.created_by'), 'text', true),
  created_role: column(sql.ref('file.created_role'), 'text', true),
  is_public: column(sql.ref('media.is_public'), 'flag'),
  created_at: column(sql.ref('file.created_at'), 'time'),
  updated_at: column(sql.ref('file.updated_at'), 'time'),
  project_id: column(sql.ref('file.project_id'), 'text', true),
  md5: column(sql.ref('file.md5'), 'text'),
  uuid: column(sql.ref('file.uuid'), 'uuid'),
};
export type FileField = keyof typeof FILE_COLUMNS;

/** Returns a window of the files that meet all conditions. */
export function searchFiles(
  db: Db,
  scope: Scope,
  search: Search<FileField>,
): Promise<RowPage<FileOfMediaRow>> {
  const found = matching(db, filesIn(db, scope), FILE_COLUMNS, search.conditions)
    .selectAll('file')
    .select(['media.parent_id', 'media.path', 'media.owner', 'media.is_public'])
    .select(RESOURCE.as('resource'));
  return listWindow(found, FILE_COLUMNS, search);
}

/** Returns the number of files that meet all conditions. */
export async function countMatchingFiles(
  db: Db,
  scope: Scope,
  conditions: readonly Condition<FileField>[],
): Promise<number> {
  return countRows(matching(db, filesIn(db, scope), FILE_COLUMNS, conditions));
}

function filesIn(db: Db, scope: Scope) {
  return inScope(db, db.selectFrom('file').innerJoin('media', 'media.id', 'file.media_id'), scope);
}

function column(value: RawBuilder<unknown>, kind: Column['kind'], isNullable = false): Column {
  return { value, kind, isNullable };
}
