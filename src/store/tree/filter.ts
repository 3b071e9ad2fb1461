import { sql } from 'kysely';
import { toWords } from '../../lib/word.ts';
import type { Db } from '../db.ts';
import { hasWords, isAnyOf } from '../dialect.ts';
import { endOfPath } from '../path.ts';
import { inScope, type Scope } from '../scope.ts';
import { ROOT_ID } from './folder.ts';

/** The filter of a list of nodes: a node has to match every given field. */
export interface NodeFilter {
  /** Default: media, without folders. */
  kind?: 'media' | 'folder' | 'any' | undefined;
  ids?: readonly number[] | undefined;
  types?: readonly string[] | undefined;
  /** The node is directly in this folder. */
  folderId?: number | undefined;
  /** True: the node is in no folder. */
  unfiled?: boolean | undefined;
  /** The node is anywhere below a folder, given by the `path` of the nodes directly in it. */
  below?: string | undefined;
  /** The node has all of these tags. */
  tagIds?: readonly number[] | undefined;
  /**
   * Words, each from its beginning, in name, title, description, keywords and tags. Blank: no limit. Text without a
   * letter or digit matches nothing.
   */
  search?: string | undefined;
  /** `Viewer.id` of the creator. */
  ownedBy?: string | undefined;
  /** Both ends included. */
  createdAt?: { from?: Date | undefined; to?: Date | undefined } | undefined;
  /** MIME types of the original. */
  mimeTypes?: readonly string[] | undefined;
  /** MD5 of any of the files: 32 hex digits, in either case. */
  md5?: string | undefined;
}

/** Starts a query over the nodes in a scope that match a filter, without the root. An index serves each field. */
export function filteredNodes(db: Db, scope: Scope, filter: NodeFilter) {
  let query = inScope(db, ofKind(db, filter.kind), scope);
  const { ids, types, folderId, unfiled, below, ownedBy, createdAt } = filter;
  if (ids !== undefined) query = query.where(isAnyOf(db, 'media.id', ids));
  if (types !== undefined) query = query.where(isAnyOf(db, 'media.type', types));
  if (unfiled) query = query.where('parent_id', 'is', null);
  if (folderId !== undefined) query = query.where('parent_id', '=', folderId);
  if (below !== undefined) {
    query = query.where('path', '>=', below).where('path', '<', endOfPath(below));
  }
  if (ownedBy !== undefined) query = query.where('owner', '=', ownedBy);
  if (createdAt?.from) query = query.where('created_at', '>=', createdAt.from.getTime());
  if (createdAt?.to) query = query.where('created_at', '<=', createdAt.to.getTime());
  return narrowedByText(db, narrowedByRelated(db, query, filter), filter);
}

function ofKind(db: Db, kind: NodeFilter['kind'] = 'media') {
  const nodes = db.selectFrom('media');
  if (kind === 'media') return nodes.where('type', '!=', 'folder');
  const shown = nodes.where('media.id', '!=', ROOT_ID);
  return kind === 'folder' ? shown.where('type', '=', 'folder') : shown;
}

type NodeQuery = ReturnType<typeof ofKind>;

/** Narrows a query by rows of other tables. */
function narrowedByRelated(
  db: Db,
  query: NodeQuery,
  { tagIds = [], mimeTypes, md5 }: NodeFilter,
): NodeQuery {
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
    const isOfFile = sql<boolean>`media.id in (select media_id from file where md5 = ${md5.toLowerCase()})`;
    query = query.where(isOfFile);
  }
  return query;
}

function narrowedByText(db: Db, query: NodeQuery, { search }: NodeFilter): NodeQuery {
  if (!search?.trim()) return query;
  const [first, ...rest] = toWords(search);
  return first === undefined
    ? query.where(sql<boolean>`1 = 0`)
    : query.where(hasWords(db, 'media.id', [first, ...rest]));
}
