import { type RawBuilder, type SqlBool, sql } from 'kysely';
import type { Db } from '../db.ts';
import { tableBy } from '../dialect.ts';
import type { Condition, OrderColumn, Part } from './condition.ts';

/**
 * A way through the nodes in the order of a list, by one index. The nodes that are found first are the first ones of
 * the list, so that nothing is sorted.
 */
export interface Walk {
  /** The table of the index. Of another one than `media`, conditions that `meets` does not check need the row of `media`. */
  name: 'media' | 'media_tag' | 'file';
  /** The table, to be read by the index. */
  source: RawBuilder<unknown>;
  /** The part of the index. */
  where: RawBuilder<SqlBool>[];
  columns: Readonly<Record<'first' | 'id', RawBuilder<unknown>>>;
  /**
   * Columns that the index begins with and whose value is null. PostgreSQL knows that an index is in an order after a
   * column that equals a value, but not after one that is null.
   */
  leading?: readonly RawBuilder<unknown>[];
  /** The condition whose nodes the index has together. */
  by: Condition | null;
  /** Other conditions that the index meets, or checks of its own columns that replace theirs. */
  meets: ReadonlyMap<Part, RawBuilder<SqlBool> | null>;
}

type Way = Readonly<Partial<Record<OrderColumn, string | null>>>;

/** The index of each order, for the nodes that meet a condition. Null: the table itself. */
const INDEXES = {
  folderId: {
    id: 'media_parent_id',
    created_at: 'media_parent_created',
    updated_at: 'media_parent_updated',
    name_sort: 'media_parent_name',
    sort_order: 'media_parent',
    size_bytes: 'media_parent_size',
    title_sort: 'media_parent_title',
    taken_sort: 'media_parent_taken',
    type: 'media_parent_type',
  },
  mimeTypes: { id: 'file_original_type' },
  ownedBy: {
    id: 'media_owner',
    created_at: 'media_owner_created',
    updated_at: 'media_owner_updated',
    name_sort: 'media_owner_name',
    size_bytes: 'media_owner_size',
    title_sort: 'media_owner_title',
    type: 'media_owner_type',
  },
  tag: { id: 'media_tag_tag', created_at: 'media_tag_created' },
  types: { id: 'media_type', created_at: 'media_type_created', type: 'media_type' },
  publicOnly: { id: 'media_public', created_at: 'media_public_created' },
  all: {
    id: null,
    created_at: 'media_created',
    updated_at: 'media_updated',
    name_sort: 'media_name',
    sort_order: 'media_sort',
    size_bytes: 'media_size',
    title_sort: 'media_title',
    taken_sort: 'media_taken',
    type: 'media_type',
  },
} as const satisfies Record<string, Way>;

/** The indexes of orders that only lists of media have: no folder is in them. */
const OF_MEDIA: readonly (string | null)[] = [
  'media_size',
  'media_title',
  'media_taken',
  'media_parent_size',
  'media_parent_title',
  'media_parent_taken',
  'media_parent_type',
  'media_owner_size',
  'media_owner_title',
];

/** The index of each order of folders, which has no media; of those in a folder, by its id. */
const FOLDER_INDEXES: Readonly<Record<'all' | 'inFolder', Way>> = {
  all: { id: 'media_type', created_at: 'media_type_created', name_sort: 'media_folder_sort' },
  inFolder: {
    created_at: 'media_parent_folder_created',
    name_sort: 'media_parent_folder_sort',
    sort_order: 'media_parent_folder',
  },
};

/** The column that the index of a condition begins with. */
const FIRST_COLUMN = {
  folderId: 'parent_id',
  unfiled: 'parent_id',
  ownedBy: 'owner',
  types: 'type',
} as const;

/**
 * Returns the walk for an order. If several conditions have an index in this order, the first one of this list is
 * chosen: it is likely to have the fewest nodes.
 */
export function walkOf(db: Db, conditions: readonly Condition[], order: OrderColumn): Walk {
  const parts = ['unfiled', 'folderId', 'mimeTypes', 'ownedBy', 'tag', 'types'] as const;
  const kind = conditions.find(({ part }) => part === 'kind')?.kind;
  const folders = kind === 'folder' ? walkOfFolders(db, conditions, order) : null;
  if (folders !== null) return folders;
  for (const part of parts) {
    const by = conditions.find((condition) => condition.part === part && condition.value);
    if (by === undefined) continue;
    if (part === 'tag' && order in INDEXES.tag) return walkOfTag(db, by, order, conditions);
    if (part === 'mimeTypes' && order === 'id') return walkOfMimeType(db, by, kind);
    if (part === 'tag' || part === 'mimeTypes') continue;
    const way: Way = INDEXES[part === 'unfiled' ? 'folderId' : part];
    const index = way[order];
    if (typeof index !== 'string') continue;
    // Nor are unfiled media in those of folders.
    if (part === 'unfiled' && OF_MEDIA.includes(index)) continue;
    const isMet = sql<SqlBool>`media.${sql.ref(FIRST_COLUMN[part])} ${by.value}`;
    const walk = walkOfMedia(db, by, order, index, [isMet]);
    return part === 'unfiled' ? { ...walk, leading: [sql.ref('media.parent_id')] } : walk;
  }
  return walkOfAll(db, conditions, order);
}

/**
 * Returns the walk by an index that has folders only; null if there is none in this order, or for conditions that have
 * an index of their own.
 */
function walkOfFolders(db: Db, conditions: readonly Condition[], order: OrderColumn): Walk | null {
  const isFolder = sql<SqlBool>`media.type = 'folder'`;
  const [by = null, ...others] = conditions.filter(({ value }) => value);
  if (others.length > 0 || (by && by.part !== 'folderId')) return null;
  const index = FOLDER_INDEXES[by ? 'inFolder' : 'all'][order];
  if (!index) return null;
  const isIn = by ? [sql<SqlBool>`media.parent_id ${by.value}`] : [];
  return walkOfMedia(db, by, order, index, [...isIn, isFolder]);
}

function walkOfAll(db: Db, conditions: readonly Condition[], order: OrderColumn): Walk {
  const shown = conditions.find(({ part }) => part === 'publicOnly') ?? null;
  const index = (INDEXES.publicOnly as Way)[order];
  const isOfMedia = conditions.some(({ kind }) => kind === 'media');
  if (shown !== null && typeof index === 'string' && isOfMedia) {
    const isShown = sql<SqlBool>`media.is_public = 1 and media.type <> 'folder'`;
    return walkOfMedia(db, shown, order, index, [isShown]);
  }
  return walkOfMedia(db, null, order, INDEXES.all[order], []);
}

function walkOfMedia(
  db: Db,
  by: Condition | null,
  order: OrderColumn,
  index: string | null,
  where: RawBuilder<SqlBool>[],
): Walk {
  const isOfMedia = OF_MEDIA.includes(index);
  return {
    name: 'media',
    source: tableBy(db, 'media', index ?? undefined),
    where: isOfMedia ? [...where, sql`media.type <> 'folder'`] : where,
    columns: { first: sql.ref(`media.${order}`), id: sql.ref('media.id') },
    by,
    meets: new Map(isOfMedia ? [['kind', null]] : []),
  };
}

/** Only media have tags. */
function walkOfTag(
  db: Db,
  by: Condition,
  order: OrderColumn,
  conditions: readonly Condition[],
): Walk {
  const kind = conditions.find(({ part }) => part === 'kind')?.kind;
  const { checkOnTag } = conditions.find(({ part }) => part === 'hiding') ?? {};
  const isCreated = order === 'created_at';
  const id = sql.ref('media_tag.media_id');
  return {
    name: 'media_tag',
    source: tableBy(db, 'media_tag', isCreated ? 'media_tag_created' : 'media_tag_tag'),
    where: [sql`media_tag.tag_id ${by.value}`],
    columns: { first: isCreated ? sql.ref('media_tag.created_at') : id, id },
    by,
    meets: new Map<Part, RawBuilder<SqlBool> | null>([
      ...(kind === 'media' ? [['kind', null] as const] : []),
      ['publicOnly', sql`media_tag.is_public = 1`],
      ...(checkOnTag ? [['hiding', checkOnTag] as const] : []),
    ]),
  };
}

/** Only media have files. */
function walkOfMimeType(db: Db, by: Condition, kind: Condition['kind']): Walk {
  const id = sql.ref('file.media_id');
  return {
    name: 'file',
    source: tableBy(db, 'file', 'file_original_type'),
    where: [sql`file.mime_type ${by.value}`, sql`file.key = ''`],
    columns: { first: id, id },
    by,
    meets: new Map<Part, RawBuilder<SqlBool> | null>([
      ...(kind === 'media' ? [['kind', null] as const] : []),
    ]),
  };
}
