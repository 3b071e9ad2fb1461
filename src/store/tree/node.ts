import { type RawBuilder, sql } from 'kysely';
import type { Window } from '../../lib/search.ts';
import { type Columns, type RowOf, withColumns, withSortKey } from '../columns.ts';
import {
  type Keyset,
  keysetBy,
  type PageRequest,
  pageKey,
  pageSlots,
  type RowPage,
  toRowPage,
} from '../cursor.ts';
import type { Db } from '../db.ts';
import { isAnyOf, lockRow, lockRowsById } from '../dialect.ts';
import { inline } from '../inline.ts';
import { withActualPath, withActualPaths } from '../path-move.ts';
import { compilable, insertion, prepared } from '../prepared.ts';
import { onlyRow } from '../result.ts';
import { findInScope, inScope, listInScope, type Scope } from '../scope.ts';
import type { NewNodeRow, NodeColumns, NodeRow } from '../table.ts';
import { idsOfPage } from './choice.ts';
import type { NodeFilter } from './condition.ts';
import { countOf } from './count.ts';
import { conditionsOf } from './filter.ts';
import { ROOT_ID } from './folder.ts';
import { insertMetadata, writeMetadata } from './metadata.ts';
import { isPlain, plainConditions, plainKey, plainRows } from './plain.ts';
import { isByRelevance, pageByRelevance } from './relevance.ts';
import { rowsOfPage } from './selection.ts';
import { TEXT_COLUMNS, writeWords } from './words.ts';

/** Returns the folder or media item, which is never the root. Uuids are stored in lower case. */
export function findNodeByUuid(db: Db, scope: Scope, uuid: string) {
  return findInScope(nodes(db).where('uuid', '=', uuid), scope);
}

/** Returns the nodes that exist, unordered and without the root. */
export function listNodesByIds(db: Db, scope: Scope, ids: readonly number[]) {
  return listInScope(nodes(db, ids.length).where(isAnyOf(db, 'id', ids)), scope);
}

/** Returns the nodes that exist, unordered and without the root. Uuids are stored in lower case. */
export function listNodesByUuids(db: Db, scope: Scope, uuids: readonly string[]) {
  return listInScope(nodes(db, uuids.length).where(isAnyOf(db, 'uuid', uuids)), scope);
}

interface ListArgs {
  scope: Scope;
  filter: NodeFilter;
  keyset: Keyset;
  page: PageRequest;
  columns: Columns<NodeRow>;
  /** See `conditionsOf`. */
  rank?: number;
}

const plainPage = prepared<ListArgs, NodeRow>({
  keyOf: ({ scope, filter, keyset, page, columns }) =>
    `${plainKey(scope, filter)} ${pageKey(keyset, page)} ${columns}`,
  lookupsOf: ({ page }) => page.limit + 1,
  build: (db, { scope, filter, keyset, page, columns }, slot) => {
    const conditions = plainConditions(db, scope, filter, slot);
    return compilable(db, plainRows(db, conditions, keyset, pageSlots(page, slot), columns));
  },
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
  const args = { scope, filter, keyset, page, columns };
  const found = isByRelevance(keyset)
    ? await pageByRelevance({ filter, keyset, page }, (part) => readPage(db, { ...args, ...part }))
    : await readPage(db, args);
  return found as RowPage<NodeRow> as RowPage<RowOf<NodeRow, C>>;
}

async function readPage(db: Db, list: ListArgs): Promise<RowPage<NodeRow>> {
  const { scope, filter, keyset, page } = list;
  const ordering = keyset.columns.map(({ name }) => name as keyof NodeRow);
  const args = { ...list, columns: withColumns(list.columns, ordering) };
  const rows = isPlain(scope, filter) ? await plainPage(db, args) : await chosenPage(db, args);
  return toRowPage(withActualPaths(scope.moved, rows), page);
}

async function chosenPage(
  db: Db,
  { scope, filter, keyset, page, columns, rank }: ListArgs,
): Promise<NodeRow[]> {
  const ids = await idsOfPage(db, conditionsOf(db, scope, filter, rank), keyset, page);
  const { rows } = await rowsOfPage<NodeRow>(db, ids, keyset, page, columns).execute(db);
  return rows;
}

const BY_POSITION = keysetBy('nodes by position', { name: 'sort_order', type: 'number' });

/** Returns the nodes that match the filter, by their position in their folder: a window of them, or all. */
export async function listNodesInOrder(
  db: Db,
  scope: Scope,
  filter: NodeFilter,
  { limit, offset }: Window = { limit: ALL, offset: 0 },
): Promise<NodeRow[]> {
  const page = { limit: limit - 1, offset, backward: false };
  const ids = await idsOfPage(db, conditionsOf(db, scope, filter), BY_POSITION, page);
  const { rows } = await rowsOfPage<NodeRow>(db, ids, BY_POSITION, page).execute(db);
  return withActualPaths(scope.moved, rows);
}

/** A limit that no list reaches. */
const ALL = 2 ** 31;

/** Returns the number of nodes that match the filter. */
export async function countNodes(db: Db, scope: Scope, filter: NodeFilter): Promise<number> {
  const count = await countOf(db, conditionsOf(db, scope, filter));
  const { rows } = await sql<{ count: number }>`select ${count} as count`.execute(db);
  return rows[0]?.count ?? 0;
}

/**
 * The insertion of a node `withSortKey`, which returns the row as stored. A `resource` that exists already is a unique
 * violation. The caller writes the words of a media item.
 */
export const nodeInsertion = insertion<NewNodeRow, NodeRow>((db, node) =>
  db.insertInto('media').values(node).returningAll(),
);

/** Inserts a node with its words and its custom fields. Returns the row as stored. A `resource` that exists already is a unique violation. */
export async function insertNode(db: Db, node: NewNodeRow): Promise<NodeRow> {
  const row = onlyRow(await nodeInsertion(db, withSortKey(node)));
  await writeWords(db, [row]);
  if (row.metadata !== null) await insertMetadata(db, [row]);
  return row;
}

/** Sets the given columns. Returns the row; throws if there is none: the caller has locked it. */
export async function updateNode(
  db: Db,
  { moved }: Scope,
  id: number,
  { updated_at, ...columns }: NodeColumns,
): Promise<NodeRow> {
  const values = withSortKey(columns);
  const row = await db
    .updateTable('media')
    .set(updated_at === undefined ? values : { ...values, updated_at: changedAt(updated_at) })
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow();
  if (TEXT_COLUMNS.some((column) => columns[column] !== undefined)) await writeWords(db, [row]);
  if (columns.metadata !== undefined) await writeMetadata(db, [row]);
  return withActualPath(moved, row);
}

/** Sets the same columns of many nodes, at most a thousand. Returns their rows, unordered. */
export async function updateNodes(
  db: Db,
  { moved }: Scope,
  ids: readonly number[],
  { updated_at, ...columns }: NodeColumns & { updated_at: number },
): Promise<NodeRow[]> {
  const rows = await db
    .updateTable('media')
    .set({ ...withSortKey(columns), updated_at: changedAt(updated_at) })
    .where(isAnyOf(db, 'id', ids))
    .returningAll()
    .execute();
  if (TEXT_COLUMNS.some((column) => columns[column] !== undefined)) await writeWords(db, rows);
  if (columns.metadata !== undefined) await writeMetadata(db, rows);
  return withActualPaths(moved, rows);
}

/**
 * Returns the time of a change of a node. It is never before its creation, on which lists rely: if the clock was ahead
 * when the node was created, it is the time of the creation.
 */
export function changedAt(now: number): RawBuilder<number> {
  return sql`case when created_at > ${now} then created_at else ${now} end`;
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
  const { last } = await inline(db)
    .selectFrom('media')
    .where('parent_id', '=', parentId)
    .select((eb) => eb.fn.max<number | null>('sort_order').as('last'))
    .executeTakeFirstOrThrow();
  return last === null ? 0 : Math.min(last + 1, SORT_ORDER_MAX);
}

/** Tells whether a folder holds any node of a scope. */
export async function hasNodesIn(db: Db, scope: Scope, folderId: number): Promise<boolean> {
  const found = inScope(db, db.selectFrom('media').where('parent_id', '=', folderId), scope);
  return (await found.select('media.id').limit(1).executeTakeFirst()) !== undefined;
}

function nodes(db: Db, lookups = 1) {
  return inline(db, lookups).selectFrom('media').where('id', '!=', ROOT_ID).selectAll();
}
