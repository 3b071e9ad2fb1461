import { sql } from 'kysely';
import type { Db } from '../db.ts';
import { hasWords, isAnyOf } from '../dialect.ts';
import { ROOT_ID } from './folder.ts';

/** What a list of nodes is narrowed to; everything absent means no limit. */
export interface MediaFilter {
  /** Default: media, and no folder. */
  kind?: 'media' | 'folder' | 'any' | undefined;
  publicOnly?: boolean | undefined;
  /** Only these branches, the node itself included, and what the owner has in no folder. */
  within?: { branches: readonly { id: number; below: string }[]; owner: string } | undefined;
  ids?: readonly number[] | undefined;
  types?: readonly string[] | undefined;
  /** Directly in this folder; null: unfiled. */
  parentId?: number | null | undefined;
  /** `path` of a folder with the folder itself: anywhere below it. */
  below?: string | undefined;
  /** With all of these tags. */
  tagIds?: readonly number[] | undefined;
  /** See `hasWords`. Empty: nothing is found. */
  words?: readonly string[] | undefined;
  owner?: string | undefined;
  /** Milliseconds since 1970, both ends included. */
  createdFrom?: number | undefined;
  createdTo?: number | undefined;
  /** Of the original. */
  mimeTypes?: readonly string[] | undefined;
  /** Of any file. */
  md5?: string | undefined;
}

/** The nodes that a filter lets through; each of its fields has an index that serves it. Never the root. */
export function filteredNodes(db: Db, filter: MediaFilter) {
  let query = ofKind(db, filter.kind);
  const { ids, types, parentId, below, owner, createdFrom, createdTo } = filter;
  if (filter.publicOnly) query = query.where('is_public', '=', 1);
  if (filter.within !== undefined) query = query.where(isWithin(filter.within));
  if (ids !== undefined) query = query.where(isAnyOf(db, 'media.id', ids));
  if (types !== undefined) query = query.where(isAnyOf(db, 'media.type', types));
  if (parentId === null) query = query.where('parent_id', 'is', null);
  else if (parentId !== undefined) query = query.where('parent_id', '=', parentId);
  if (below !== undefined) {
    query = query.where('path', '>=', below).where('path', '<', endOfPath(below));
  }
  if (owner !== undefined) query = query.where('owner', '=', owner);
  if (createdFrom !== undefined) query = query.where('created_at', '>=', createdFrom);
  if (createdTo !== undefined) query = query.where('created_at', '<=', createdTo);
  return narrowedByRelated(db, query, filter);
}

/** Each part of it is a range of an index. */
export function isWithin({ branches, owner }: NonNullable<MediaFilter['within']>) {
  const isIn = branches.map(
    ({ id, below }) =>
      sql`media.id = ${id} or (media.path >= ${below} and media.path < ${endOfPath(below)})`,
  );
  const isOwn = sql`(media.parent_id is null and media.owner = ${owner})`;
  return sql<boolean>`(${sql.join([isOwn, ...isIn], sql` or `)})`;
}

/** What comes after all paths that begin like this: they end in `/`, and `0` is the character after it. */
export function endOfPath(below: string): string {
  return `${below.slice(0, -1)}0`;
}

function ofKind(db: Db, kind: MediaFilter['kind'] = 'media') {
  const nodes = db.selectFrom('media');
  if (kind === 'media') return nodes.where('type', '!=', 'folder');
  const shown = nodes.where('media.id', '!=', ROOT_ID);
  return kind === 'folder' ? shown.where('type', '=', 'folder') : shown;
}

type MediaQuery = ReturnType<typeof ofKind>;

/** By rows of other tables. */
function narrowedByRelated(
  db: Db,
  query: MediaQuery,
  { tagIds = [], words, mimeTypes, md5 }: MediaFilter,
): MediaQuery {
  for (const tagId of new Set(tagIds)) {
    query = query.where(
      sql<boolean>`media.id in (select media_id from media_tag where tag_id = ${tagId})`,
    );
  }
  if (mimeTypes !== undefined) {
    const isOne = isAnyOf(db, 'mime_type', mimeTypes);
    query = query.where(
      sql<boolean>`media.id in (select media_id from file where ${isOne} and key = '')`,
    );
  }
  if (md5 !== undefined) {
    query = query.where(sql<boolean>`media.id in (select media_id from file where md5 = ${md5})`);
  }
  if (words === undefined) return query;
  const [first, ...rest] = words;
  return first === undefined
    ? query.where(sql<boolean>`1 = 0`)
    : query.where(hasWords(db, 'media.id', [first, ...rest]));
}
