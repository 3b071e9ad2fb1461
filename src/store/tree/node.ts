import type { Window } from '../../lib/search.ts';
import { type Columns, type RowOf, selectColumns, withColumns } from '../columns.ts';
import {
  countRows,
  type Keyset,
  type PageRequest,
  pageKey,
  pageOf,
  pageSlots,
  type RowPage,
  toRowPage,
} from '../cursor.ts';
import type { Db } from '../db.ts';
import { isAnyOf, lockRow, lockRowsById } from '../dialect.ts';
import { prepared } from '../prepared.ts';
import { findInScope, listInScope, type Scope } from '../scope.ts';
import type { NewNodeRow, NodeColumns, NodeRow } from '../table.ts';
import { filteredNodes, type NodeFilter } from './filter.ts';
import { ROOT_ID } from './folder.ts';
import { isPlain, plainKey, plainSlots } from './plain.ts';

/** Returns the folder or media item, which is never the root. Uuids are stored in lower case. */
export function findNodeByUuid(db: Db, scope: Scope, uuid: string) {
  return findInScope(nodes(db).where('uuid', '=', uuid), scope);
}

/** Returns the nodes that exist, unordered and without the root. */
export function listNodesByIds(db: Db, scope: Scope, ids: readonly number[]) {
  return listInScope(nodes(db).where(isAnyOf(db, 'id', ids)), scope);
}

/** Returns the nodes that exist, unordered and without the root. Uuids are stored in lower case. */
export function listNodesByUuids(db: Db, scope: Scope, uuids: readonly string[]) {
  return listInScope(nodes(db).where(isAnyOf(db, 'uuid', uuids)), scope);
}

interface ListArgs {
  scope: Scope;
  filter: NodeFilter;
  keyset: Keyset;
  page: PageRequest;
  columns: Columns<NodeRow>;
}

function pageOfNodes(db: Db, { scope, filter, keyset, page, columns }: ListArgs) {
  const nodes = filteredNodes(db, scope, filter);
  return pageOf(selectColumns(nodes, 'media', columns), keyset, page);
}

const inFolder = prepared<ListArgs, NodeRow>({
  keyOf: ({ scope, filter, keyset, page, columns }) =>
    `${plainKey(scope, filter)} ${pageKey(keyset, page)} ${columns}`,
  build: (db, args, slot) =>
    pageOfNodes(db, {
      ...args,
      filter: plainSlots(args.filter, slot),
      page: pageSlots(args.page, slot),
    }),
});

/** Returns one page of the nodes that match the filter. */
export async function listNodes<C extends Columns<NodeRow> = undefined>(
  db: Db,
  scope: Scope,
  filter: NodeFilter,
  keyset: Keyset,
  page: PageRequest,
  columns?: C,
): Promise<RowPage<RowOf<NodeRow, C>>> {
  const ordering = keyset.columns.map(({ name }) => name as keyof NodeRow);
  const args = { scope, filter, keyset, page, columns: withColumns(columns, ordering) };
  const rows = isPlain(scope, filter)
    ? await inFolder(db, args)
    : await pageOfNodes(db, args).execute();
  return toRowPage(rows as RowOf<NodeRow, C>[], page);
}

/** Returns the nodes that match the filter, by their position in their folder: a window of them, or all. */
export function listNodesInOrder(
  db: Db,
  scope: Scope,
  filter: NodeFilter,
  window?: Window,
): Promise<NodeRow[]> {
  const ordered = filteredNodes(db, scope, filter).selectAll().orderBy('sort_order').orderBy('id');
  return (window ? ordered.limit(window.limit).offset(window.offset) : ordered).execute();
}

/** Returns the number of nodes that match the filter. */
export function countNodes(db: Db, scope: Scope, filter: NodeFilter): Promise<number> {
  return countRows(filteredNodes(db, scope, filter));
}

/** Returns the row as stored. A `resource` that exists already is a unique violation. */
export function insertNode(db: Db, node: NewNodeRow): Promise<NodeRow> {
  return db.insertInto('media').values(node).returningAll().executeTakeFirstOrThrow();
}

/** Sets the given columns. Returns the row as stored; throws if there is none: the caller has locked it. */
export function updateNode(db: Db, id: number, columns: NodeColumns): Promise<NodeRow> {
  return db
    .updateTable('media')
    .set(columns)
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow();
}

/** Blocks other transactions that lock this node, until the end of this one. */
export async function lockNode(db: Db, id: number): Promise<void> {
  await lockRow(db, 'media', id);
}

/** Locks many nodes in id order, so that two callers cannot deadlock. */
export async function lockNodes(db: Db, ids: readonly number[]): Promise<void> {
  await lockRowsById(db, 'media', ids);
}

/** The greatest value of GraphQL's `Int`. Nodes beyond it share the last position and are ordered by id. */
export const SORT_ORDER_MAX = 2 ** 31 - 1;

/** Returns the position after the last child of a folder: 0 in an empty one. */
export async function nextSortOrder(db: Db, parentId: number): Promise<number> {
  const { last } = await db
    .selectFrom('media')
    .where('parent_id', '=', parentId)
    .select((eb) => eb.fn.max<number | null>('sort_order').as('last'))
    .executeTakeFirstOrThrow();
  return last === null ? 0 : Math.min(last + 1, SORT_ORDER_MAX);
}

/** Tells whether a folder holds any node. */
export async function hasNodesIn(db: Db, folderId: number): Promise<boolean> {
  const found = db.selectFrom('media').where('parent_id', '=', folderId).select('id').limit(1);
  return (await found.executeTakeFirst()) !== undefined;
}

function nodes(db: Db) {
  return db.selectFrom('media').where('id', '!=', ROOT_ID).selectAll();
}
