import { type RawBuilder, sql } from 'kysely';
import type { Condition, Search } from '../../lib/search.ts';
import type { RowPage } from '../cursor.ts';
import type { Db } from '../db.ts';
import { type Column, matching, partOf } from '../search.ts';
import { isWithin, type MediaFilter } from '../tree/media-filter.ts';
import type { FileOfMediaRow } from './file.ts';

/** A file with what its media says of it. */
export interface FileInResourceRow extends FileOfMediaRow {
  is_public: number;
}

const RESOURCE = sql<string>`coalesce(media.resource, media.uuid)`;

/**
 * Each field that files can be searched and ordered by: columns of their own, and `resource` and `is_public` of their media item.
 * `name` is the uuid without hyphens, and the extension.
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

/** Which files a viewer may see: those of the media that these fields let through. */
export type FileScope = Pick<MediaFilter, 'publicOnly' | 'within'>;

/** Lists a part of the files that match all conditions. */
export async function searchFiles(
  db: Db,
  scope: FileScope,
  search: Search<FileField>,
): Promise<RowPage<FileInResourceRow>> {
  const found = matching(db, filesIn(db, scope), FILE_COLUMNS, search.conditions)
    .selectAll('file')
    .select([RESOURCE.as('resource'), 'media.is_public']);
  const rows = await partOf(found, FILE_COLUMNS, search).execute();
  return { rows: rows.slice(0, search.limit), hasMore: rows.length > search.limit };
}

/** Counts the files that match all conditions. */
export async function countMatchingFiles(
  db: Db,
  scope: FileScope,
  conditions: readonly Condition<FileField>[],
): Promise<number> {
  const { count } = await matching(db, filesIn(db, scope), FILE_COLUMNS, conditions)
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  return count;
}

function filesIn(db: Db, { publicOnly, within }: FileScope) {
  let files = db.selectFrom('file').innerJoin('media', 'media.id', 'file.media_id');
  if (publicOnly) files = files.where('media.is_public', '=', 1);
  return within === undefined ? files : files.where(isWithin(within));
}

function column(value: RawBuilder<unknown>, kind: Column['kind'], isNullable = false): Column {
  return { value, kind, isNullable };
}
