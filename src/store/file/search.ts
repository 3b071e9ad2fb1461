import { type RawBuilder, sql } from 'kysely';
import type { RowPage } from '../cursor.ts';
import type { Db } from '../db.ts';
import { type Column, type Condition, matching, partOf, type Search } from '../search.ts';
import { isWithin, type MediaFilter } from '../tree/media-filter.ts';
import type { FileOfMediaRow } from './file.ts';

/** What files can be searched and ordered by: columns of their own, and `resource`, `is_public` of their media. */
export type FileField =
  | 'uuid'
  | 'name'
  | 'resource'
  | 'key'
  | 'filename'
  | 'size_bytes'
  | 'mime_type'
  | 'md5'
  | 'created_by'
  | 'created_role'
  | 'is_public'
  | 'created_at'
  | 'updated_at'
  | 'project_id';

/** A file with what its media says of it. */
export interface FileInResourceRow extends FileOfMediaRow {
  is_public: number;
}

const RESOURCE = sql<string>`coalesce(media.resource, media.uuid)`;

/** Each field, and what it holds; `name` is the uuid without hyphens, and the extension. */
export const FILE_COLUMNS: Readonly<Record<FileField, Column>> = {
  uuid: column(sql.ref('file.uuid'), 'uuid'),
  name: column(sql`replace(file.uuid, '-', '') || coalesce('.' || file.extension, '')`, 'text'),
  resource: column(RESOURCE, 'text'),
  key: column(sql.ref('file.key'), 'text'),
  filename: column(sql.ref('file.filename'), 'text'),
  size_bytes: column(sql.ref('file.size_bytes'), 'integer'),
  mime_type: column(sql.ref('file.mime_type'), 'text'),
  md5: column(sql.ref('file.md5'), 'text'),
  created_by: column(sql.ref('file.created_by'), 'text', true),
  created_role: column(sql.ref('file.created_role'), 'text', true),
  is_public: column(sql.ref('media.is_public'), 'flag'),
  created_at: column(sql.ref('file.created_at'), 'time'),
  updated_at: column(sql.ref('file.updated_at'), 'time'),
  project_id: column(sql.ref('file.project_id'), 'text', true),
};

/** Which files a viewer may see: those of the media that these fields let through. */
export type FileScope = Pick<MediaFilter, 'publicOnly' | 'within'>;

/** A part of the files that all conditions let through. */
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

/** How many files all conditions let through. */
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
