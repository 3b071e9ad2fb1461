import { type RawBuilder, type SelectQueryBuilder, type SqlBool, sql } from 'kysely';
import { type Columns, withColumns } from './columns.ts';
import type { Db } from './db.ts';
import { isAnyOf, isOneOf, tableBy } from './dialect.ts';
import type { Subtree } from './path.ts';
import {
  actualPath,
  isBelow,
  isInPart,
  type PathMoves,
  partsBelow,
  withActualPath,
} from './path-move.ts';
import type { Database, NodeRow } from './table.ts';

/**
 * The nodes that a reader may see, and with them their files. Every list and read of nodes and files takes one. This
 * file holds the whole rule, once as SQL and once as JavaScript: a test compares the two.
 */
export interface Scope {
  /** Limits the scope to nodes that are marked as public. */
  publicOnly: boolean;
  /** Null: the whole tree. */
  within: Limits | null;
  /** Subtrees that jobs are deleting. Their nodes count as deleted. Almost always empty. */
  excluding: readonly Subtree[];
  /** Moves whose rows a job is still rewriting. Almost always empty. */
  moved: PathMoves;
}

/** Limits the scope to these subtrees, and to the unfiled nodes of the owner. */
export interface Limits {
  subtrees: readonly Subtree[];
  owner: string;
}

/**
 * All rows, also of nodes that are being deleted: the scope of sweeps and of deletions themselves. Other work of the
 * server uses `existing` of the domain.
 */
export const EVERYTHING: Scope = { publicOnly: false, within: null, excluding: [], moved: [] };

/** The columns of a node that decide its visibility. */
export type ScopeColumns = Pick<NodeRow, 'id' | 'parent_id' | 'path' | 'owner' | 'is_public'>;

/** Tells whether a node is in a scope. Reads by key use it: their SQL is then the same for every viewer. */
export function isInScope(scope: Scope, stored: ScopeColumns): boolean {
  const { publicOnly, within, excluding, moved } = scope;
  const node = withActualPath(moved, stored);
  if (publicOnly && node.is_public !== 1) return false;
  if (excluding.some((subtree) => isIn(subtree, node))) return false;
  if (within === null || (node.parent_id === null && node.owner === within.owner)) return true;
  return within.subtrees.some((subtree) => isIn(subtree, node));
}

// Identifies a subtree by the id of its top, which stays the same when the subtree moves.
function isIn({ id }: Subtree, node: ScopeColumns): boolean {
  return node.id === id || node.path.includes(`/${id}/`);
}

/** Tells whether a scope contains all rows: a query then needs no condition. */
export function isUnlimited({ publicOnly, within, excluding }: Scope): boolean {
  return !publicOnly && within === null && excluding.length === 0;
}

const SCOPE_COLUMNS = ['id', 'parent_id', 'path', 'owner', 'is_public'] as const;

/** Returns the columns and those that `isInScope` needs; none of those if every node is in the scope. */
export function withScopeColumns(columns: Columns<NodeRow>, scope: Scope): Columns<NodeRow> {
  return isUnlimited(scope) ? columns : withColumns<NodeRow>(columns, SCOPE_COLUMNS);
}

/** Returns the node that a query finds by key; undefined if it is not in the scope. */
export async function findInScope(query: NodeQuery, scope: Scope): Promise<NodeRow | undefined> {
  const node = await query.executeTakeFirst();
  return node && isInScope(scope, node) ? withActualPath(scope.moved, node) : undefined;
}

/** Returns those of the nodes that a query finds by key that are in the scope. */
export async function listInScope(query: NodeQuery, scope: Scope): Promise<NodeRow[]> {
  const nodes = await query.execute();
  return nodes.flatMap((node) =>
    isInScope(scope, node) ? [withActualPath(scope.moved, node)] : [],
  );
}

type NodeQuery = Pick<
  SelectQueryBuilder<Database, 'media', NodeRow>,
  'execute' | 'executeTakeFirst'
>;

/** Narrows a query over `media` to a scope. Each part of the condition is a range of an index. */
export function inScope<Table extends keyof Database, Row>(
  db: Db,
  query: SelectQueryBuilder<Database, Table, Row>,
  { publicOnly, within, excluding, moved }: Scope,
): SelectQueryBuilder<Database, Table, Row> {
  let shown = publicOnly ? query.where(sql<boolean>`media.is_public = 1`) : query;
  for (const subtree of excluding) shown = shown.where(isOutside(moved, subtree));
  return within === null ? shown : shown.where(isWithin(db, moved, within));
}

/** Returns `the node is not the top of this subtree, nor below it`. */
export function isOutside(moved: PathMoves, { id, below }: Subtree): RawBuilder<boolean> {
  return sql`(media.id <> ${id} and not ${isBelow(moved, actualPath(moved, below))})`;
}

/** Returns `the node is within these limits`. */
export function isWithin(
  db: Db,
  moved: PathMoves,
  { subtrees, owner }: Limits,
): RawBuilder<boolean> {
  const isOwn = sql`(media.parent_id is null and media.owner = ${owner})`;
  if (subtrees.length === 0) return sql<boolean>`${isOwn}`;
  const ids = subtrees.map(({ id }) => id);
  const ranges = subtrees.map(({ below }) => isBelow(moved, actualPath(moved, below)));
  const parts = [isOwn, isAnyOf(db, 'media.id', ids), ...ranges, isInMoved(db, moved, subtrees)];
  return sql<boolean>`(${sql.join(parts, sql` or `)})`;
}

/**
 * Selects the contents of start nodes that have been moved since the viewer's credential was checked, because `below`
 * dates from that check. Ranges of known paths select the others: with ranges read from the database, SQLite's planner
 * cannot use its statistics, and a page of 50 out of 200,000 media took 130 ms instead of 0.2.
 */
function isInMoved(db: Db, moved: PathMoves, subtrees: readonly Subtree[]): RawBuilder<SqlBool> {
  return isOneOf(db, 'media.id', idsInMoved(db, moved, subtrees));
}

function idsInMoved(db: Db, moved: PathMoves, subtrees: readonly Subtree[]): RawBuilder<unknown> {
  const below = sql`(start.path || start.id || '/')`;
  const ids = subtrees.map(({ id }) => id);
  const paths = subtrees.flatMap(({ below }) =>
    partsBelow(moved, actualPath(moved, below)).map(({ prefix }) => prefix),
  );
  // The ranges of known paths select the rows that a job has not rewritten yet.
  const isCurrent = moved.map(
    ({ stored }) => sql` and not ${isInPart({ prefix: stored, except: [] }, sql`node.path`)}`,
  );
  return sql`select node.id from media start
    cross join media node where node.path >= ${below} and node.path < start.path || start.id || '0'
    and ${isAnyOf(db, 'start.id', ids)} and not (${isAnyOf(db, below, paths)})${sql.join(isCurrent, sql``)}`;
}

/** Selects the ids of the nodes within these limits, each part by its index: an id may be in several. */
export function idsWithin(
  db: Db,
  moved: PathMoves,
  { subtrees, owner }: Limits,
): RawBuilder<unknown> {
  const byPath = tableBy(db, 'media', 'media_path');
  const parts = [
    sql`select id from ${tableBy(db, 'media', 'media_unfiled_owner')} where parent_id is null and owner = ${owner}`,
    sql`select id from media where ${isAnyOf(
      db,
      'id',
      subtrees.map(({ id }) => id),
    )}`,
    ...subtrees.flatMap(({ below }) =>
      partsBelow(moved, actualPath(moved, below)).map(
        (part) => sql`select id from ${byPath} where ${isInPart(part, sql`path`)}`,
      ),
    ),
    idsInMoved(db, moved, subtrees),
  ];
  return sql.join(parts, sql` union all `);
}
