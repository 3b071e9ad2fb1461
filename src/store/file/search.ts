import { type RawBuilder, type SqlBool, sql } from 'kysely';
import type { Condition, Search } from '../../lib/search.ts';
import {
  countSelection,
  DEEP_OFFSET,
  type ListedTable,
  type Narrowing,
  orderOf,
  type Selection,
  selectUuids,
} from '../access-path.ts';
import { type RowPage, toRowPage } from '../cursor.ts';
import type { Db } from '../db.ts';
import { selectedFrom, tableBy } from '../dialect.ts';
import { type HiddenRows, rowOf, rowsByKey } from '../index-scan.ts';
import {
  type Hiding,
  hidesOnly,
  idsWithin,
  isOutside,
  isPrivateOfOthers,
  isShown,
  isWithin,
  type Scope,
  VISIBILITY,
} from '../scope.ts';
import type { Column } from '../search.ts';
import type { FileRow } from '../table.ts';
import type { FileOfMediaRow } from './file.ts';

/** Each field that files can be searched and ordered by. `name` is the uuid without hyphens, with the extension. */
export const FILE_COLUMNS = {
  name: {
    ...column('name', 'text'),
    value: sql`replace(file.uuid, '-', '') || coalesce('.' || file.extension, '')`,
    index: 'file_name',
  },
  resource: column('resource', 'text'),
  // An expression, so that planners do not search for originals in this index: nine of ten keys are empty.
  key: {
    ...column('key', 'text'),
    value: sql`(file.key || '')`,
    ofOneValue: { indexes: { size_bytes: 'file_variant_size' }, isIn: sql`file.key <> ''` },
  },
  filename: column('filename', 'text'),
  size_bytes: column('size_bytes', 'integer'),
  mime_type: column('mime_type', 'text'),
  created_by: column('created_by', 'text', true),
  created_role: column('created_role', 'text', true),
  is_public: {
    ...column('is_public', 'flag'),
    value: sql`(case when file.is_public > 0 then 1 else 0 end)`,
  },
  created_at: column('created_at', 'time'),
  updated_at: column('updated_at', 'time'),
  project_id: {
    ...column('project_id', 'text', true),
    ofOneValue: {
      indexes: {
        size_bytes: 'file_project_size',
        created_at: 'file_project_created',
        updated_at: 'file_project_updated',
      },
      isIn: sql`file.project_id is not null`,
    },
  },
  md5: column('md5', 'text'),
  // The index that SQLite has made for `unique`. PostgreSQL needs no name.
  uuid: { ...column('uuid', 'uuid'), isUnique: true, index: 'sqlite_autoindex_file_1' },
} satisfies Record<string, Column>;
export type FileField = keyof typeof FILE_COLUMNS;

const FILES: ListedTable<FileField> = { name: 'file', columns: FILE_COLUMNS };

/** Returns a window of the files that meet all conditions. */
export async function searchFiles(
  db: Db,
  scope: Scope,
  { conditions, order, limit, offset }: Search<FileField>,
): Promise<RowPage<FileOfMediaRow>> {
  // One more than the limit, which tells whether more follow.
  const slice = { order, limit: limit + 1, offset };
  const uuids = await selectUuids(db, FILES, inSight(db, scope, conditions, offset), slice);
  const page = rowsByKey(
    db,
    'file',
    FILE_COLUMNS.uuid,
    sql`select uuid as key from (${uuids}) page`,
  );
  const mediaId = { value: sql.ref('media.id'), index: null };
  const { rows } = await sql<FileOfMediaRow>`
    select file.*, media.parent_id, media.path, media.owner, media.is_public
    from ${page} ${rowOf(db, 'media', mediaId, sql.ref('file.media_id'))}
    order by ${orderOf(FILES, order)}`.execute(db);
  return toRowPage(rows, { limit, backward: false });
}

/**
 * Returns the number of files that meet all conditions. Counts the private ones, which are few, on their own: otherwise
 * each file would be looked at.
 */
export async function countMatchingFiles(
  db: Db,
  scope: Scope,
  conditions: readonly Condition<FileField>[],
): Promise<number> {
  const { hiding } = scope;
  if (hiding === null) return countSelection(db, FILES, inSight(db, scope, conditions));
  const all = await countMatchingFiles(db, { ...scope, hiding: null }, conditions);
  const hidden = and(inSight(db, { ...scope, hiding: null }, conditions), {
    test: sql`(file.is_public = ${sql.lit(VISIBILITY.private)} and ${isOfMedia(isPrivateOfOthers(hiding))})`,
    reference: MEDIA_ID,
    ids: (limit) => sql`select media_id as key from ${tableBy(db, 'file', 'file_private')}
      where is_public = ${sql.lit(VISIBILITY.private)} limit ${limit}`,
  });
  // The second count is the later one: a file that has become private meanwhile is not counted.
  return Math.max(0, all - (await countSelection(db, FILES, hidden)));
}

/** Adds a narrowing. Of two that select ids, this one's rows are fewer. */
function and(
  { conditions, narrowing }: Selection<FileField>,
  other: Narrowing,
): Selection<FileField> {
  if (!narrowing) return { conditions, narrowing: other };
  return {
    conditions,
    narrowing: { ...other, test: sql`(${narrowing.test} and ${other.test})` },
  };
}

/** Narrows the conditions to a scope. `offset`: the number of rows that the list passes. */
function inSight(
  db: Db,
  scope: Scope,
  conditions: readonly Condition<FileField>[],
  offset = 0,
): Selection<FileField> {
  const { publicOnly, hiding, within, excluding, moved } = scope;
  const shown = publicOnly
    ? [...conditions, { field: 'is_public', test: 'any', values: [1] } as const]
    : conditions;
  const limits = [
    ...excluding.map((subtree) => isOutside(moved, subtree)),
    ...(within ? [isWithin(db, moved, within)] : []),
  ];
  const tests = [
    ...(hiding && !publicOnly
      ? [offset < DEEP_OFFSET ? isListed(db, hiding) : isNotHidden(db, hiding)]
      : []),
    ...(limits.length > 0 ? [isOfMedia(sql.join(limits, sql` and `))] : []),
  ];
  if (tests.length === 0) return { conditions: shown };
  return {
    conditions: shown,
    narrowing: {
      test: sql`(${sql.join(tests, sql` and `)})`,
      reference: MEDIA_ID,
      ...(hiding && hidesOnly(scope) && { opposite: hiddenFiles(db, hiding, ORDERED_BY) }),
      ...(within && {
        ids: (limit) =>
          sql`select id as key from (${idsWithin(db, moved, within)}) part limit ${limit}`,
      }),
    },
  };
}

// The index that SQLite has made for `unique (media_id, key)`.
const MEDIA_ID = { value: sql.ref('file.media_id'), index: 'sqlite_autoindex_file_3' };

/** Returns `the media item of the file meets a condition`. Not `exists`, which both planners may turn into a join. */
function isOfMedia(condition: RawBuilder<unknown>): RawBuilder<SqlBool> {
  return sql`((select 1 from media where media.id = file.media_id and ${condition}) = 1)`;
}

/**
 * Returns `the file is not a private one of others`, by a set of those: every index has the uuid, and not every index the
 * visibility. With one private file in 500, row 100,000 took 240 ms on SQLite, which looked each row up.
 */
function isNotHidden(db: Db, hiding: Hiding): RawBuilder<SqlBool> {
  return sql`(file.uuid not in (${hiddenFiles(db, hiding, ['uuid']).rows}))`;
}

/** The columns that `FILE_COLUMNS` reads. On SQLite, the index of private files has them. */
const ORDERED_BY: readonly (keyof FileRow)[] = [
  'uuid',
  'resource',
  'key',
  'filename',
  'extension',
  'size_bytes',
  'mime_type',
  'created_by',
  'created_role',
  'is_public',
  'created_at',
  'updated_at',
  'project_id',
  'md5',
];

/** Returns the private files of others. */
function hiddenFiles(db: Db, hiding: Hiding, columns: readonly (keyof FileRow)[]): HiddenRows {
  const mediaId = { value: sql.ref('media.id'), index: null };
  const rows = sql`select ${selectedFrom('file', columns)} from ${tableBy(db, 'file', 'file_private')}
    ${rowOf(db, 'media', mediaId, sql.ref('file.media_id'))}
    where file.is_public = ${sql.lit(VISIBILITY.private)} and ${isPrivateOfOthers(hiding)}`;
  return { columns, rows };
}

/**
 * Returns `the file is not private, or one of the viewer`. Without any private file, SQLite then reads no row of the
 * table: the first part is computed once.
 */
function isListed(db: Db, hiding: Hiding): RawBuilder<SqlBool> {
  const isOwn = isOfMedia(isShown(hiding));
  const isPrivate = sql`is_public = ${sql.lit(VISIBILITY.private)}`;
  const some = sql`select 1 from ${tableBy(db, 'file', 'file_private')} where ${isPrivate} limit 1`;
  return sql`((select count(*) from (${some}) private) = 0
    or file.is_public >= ${sql.lit(VISIBILITY.unlisted)} or ${isOwn})`;
}

function column(name: string, kind: Column['kind'], isNullable = false) {
  const value: RawBuilder<unknown> = sql.ref(`file.${name}`);
  return { value, kind, isNullable, isUnique: false, index: `file_by_${name}` };
}
