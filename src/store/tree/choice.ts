import { type RawBuilder, type SqlBool, sql } from 'kysely';
import {
  type Keyset,
  orderClause,
  type PageRequest,
  type Position,
  pageClause,
} from '../cursor.ts';
import type { Db } from '../db.ts';
import { rowById, selectedFrom } from '../dialect.ts';
import { asOwnQuery, checkedOnly, hasWordsOfMany, valuesOf } from '../plan.ts';
import type { Condition } from './filter.ts';
import { type OrderColumn, type Walk, walkOf } from './walk.ts';

/**
 * The maximum number of candidates that are sorted. With more of them, a walk in the order of the list finds a page
 * sooner: among a million nodes, it passes 13,000 on average.
 */
export const CANDIDATES_MAX = 4000;

/** Number of nodes that a walk passes before other plans are considered. */
const WALK_MAX = 12_000;

/** The same number for a search, where comparing the words of a node takes longer. */
const SEARCH_WALK_MAX = 2000;

/** Maximum number of candidates for which reading all of them is considered instead of a long walk. */
const LONG_WALK = 30_000;

/** A selection of the ids of a list, in SQL. */
export type Ids = RawBuilder<{ id: number }>;

/**
 * Returns the selection of one page. Each statement of a list has a single plan: the choice between plans is made here,
 * by the number of candidates, and not by the statistics of the database, which can be missing or wrong.
 *
 * 1. If an index has the list in its order, a walk on it ends after a page.
 * 2. If a condition has few nodes, these are the candidates: all are read, checked and sorted.
 * 3. Most lists have a page among the first nodes of a walk that checks each.
 * 4. Otherwise few nodes meet all conditions, or they are last in this order. The condition with the fewest nodes
 *    selects the candidates, if it has not more than a long walk passes.
 */
export async function idsOfPage(
  db: Db,
  conditions: readonly Condition[],
  keyset: Keyset,
  request: PageRequest,
): Promise<Ids> {
  const walk = walkOf(db, conditions, orderOf(keyset));
  const words = conditions.find(({ part }) => part === 'search');
  const others = candidatesBeside(walk, conditions, keyset);
  const few = await fewestOf(db, others, CANDIDATES_MAX);
  if (few !== undefined) return idsAmong(db, few, conditions, keyset, request);
  if (others.length === 0 && !words) return idsOnWalk(db, walk, conditions, keyset, request);
  const nearby = await idsNearby(db, walk, conditions, keyset, request);
  if (nearby !== undefined) return nearby;
  const all = [walk.by, ...others, words].filter((condition) => !!condition);
  const fewest = await fewestOf(db, all, LONG_WALK);
  const checked = withWordsAtOnce(db, conditions, fewest);
  return fewest === undefined
    ? idsOnWalk(db, walk, checked, keyset, request)
    : idsAmong(db, fewest, checked, keyset, request);
}

/** Returns the conditions for a statement that checks the words of many nodes. */
export function withWordsAtOnce(
  db: Db,
  conditions: readonly Condition[],
  met?: Condition,
): Condition[] {
  return conditions.map((condition) =>
    condition !== met && condition.part === 'search' && condition.ids && condition.check
      ? { ...condition, check: hasWordsOfMany(db, condition.check, condition.ids) }
      : condition,
  );
}

/** Returns the column that a keyset orders by before the id. */
export function orderOf({ columns }: Keyset): OrderColumn {
  return columns[0]?.name as OrderColumn;
}

/** Returns the conditions that a walk checks node by node and whose nodes an index can select. */
export function candidatesBeside(
  walk: Walk,
  conditions: readonly Condition[],
  keyset: Keyset,
): Condition[] {
  const range = rangeOf(conditions, keyset);
  // The index of words reads all matches, however few are requested.
  const others = conditions.filter(
    (condition) =>
      condition.ids && condition !== walk.by && condition !== range && condition.part !== 'search',
  );
  // An index of one folder, tag or owner has the visibility of each node.
  return walk.by === null ? others : others.filter(({ part }) => part !== 'publicOnly');
}

/** Returns the condition with the fewest nodes, if these are at most a given number. */
export async function fewestOf(
  db: Db,
  conditions: readonly Condition[],
  max = CANDIDATES_MAX,
): Promise<Condition | undefined> {
  const small = conditions.find(({ isSmall }) => isSmall);
  if (small !== undefined || conditions.length === 0) return small;
  const queries = conditions.map(({ ids, sample }) => sample ?? ids ?? sql``);
  const counts = await countUpTo(db, queries, max + 1);
  const fewest = Math.min(...counts);
  return fewest > max ? undefined : conditions[counts.indexOf(fewest)];
}

/** Returns the number of rows of each query, or `max` if there are more. */
async function countUpTo(
  db: Db,
  queries: readonly RawBuilder<unknown>[],
  max: number,
): Promise<number[]> {
  const counts = queries.map(
    (query, index) =>
      sql`(select count(*) from (${query} limit ${max}) candidates) as ${sql.ref(`c${index}`)}`,
  );
  const { rows } = await sql<Record<string, number>>`select ${sql.join(counts)}`.execute(db);
  return queries.map((_, index) => rows[0]?.[`c${index}`] ?? 0);
}

/** Selects a page among the nodes of one condition, which are all read and sorted. */
export function idsAmong(
  db: Db,
  candidates: Condition,
  conditions: readonly Condition[],
  keyset: Keyset,
  request: PageRequest,
): Ids {
  const id = sql.ref('candidate.id');
  const refs = keyset.columns.map(({ name }) => (name === 'id' ? id : sql.ref(`media.${name}`)));
  return sql`(select media.id as id from ${candidatesOf(db, candidates)}
    ${pageClause(refs, keyset, request, [checkOf(db, conditions, candidates)])})`;
}

/** Returns the nodes of one condition, as a table with the row of `media`. */
export function candidatesOf(db: Db, { ids = sql`` }: Condition): RawBuilder<unknown> {
  return sql`${asOwnQuery(db, ids)} candidate ${rowById(db, 'media', sql.ref('candidate.id'))}`;
}

/** Returns the check of all conditions beside one that is met. */
export function checkOf(
  db: Db,
  conditions: readonly Condition[],
  met: Condition,
): RawBuilder<SqlBool> {
  const checks = conditions.flatMap((condition) =>
    condition === met || condition.check === null ? [] : [condition.check],
  );
  return checkedOnly(db, checks);
}

/** Selects a page on a walk. */
export function idsOnWalk(
  db: Db,
  walk: Walk,
  conditions: readonly Condition[],
  keyset: Keyset,
  request: PageRequest,
): Ids {
  const { from, where } = partsOf(db, walk, conditions, keyset);
  return sql`(select ${walk.columns.id} as id from ${from}
    ${pageClause(refsOf(walk, keyset), keyset, request, where, walk.leading)})`;
}

/** Returns the references to the columns of a keyset on a walk. */
export function refsOf({ columns }: Walk, keyset: Keyset): RawBuilder<unknown>[] {
  return keyset.columns.map(({ name }) => (name === 'id' ? columns.id : columns.first));
}

/** Returns the table of a walk, and the conditions of its statement. */
export function partsOf(
  db: Db,
  { from, where, columns, by, meets }: Walk,
  conditions: readonly Condition[],
  keyset?: Keyset,
): { from: RawBuilder<unknown>; where: RawBuilder<SqlBool>[] } {
  const range = keyset && rangeOf(conditions, keyset);
  const unmet = conditions.filter(
    (condition) =>
      condition !== by && condition !== range && !meets.has(condition.part) && condition.check,
  );
  const own = conditions.flatMap(({ part }) => meets.get(part) ?? []);
  const checks = [...own, ...unmet.flatMap(({ check }) => check ?? [])];
  return {
    from: from(unmet.length > 0),
    where: [
      ...where,
      ...(keyset ? boundsOf(columns.first, conditions, keyset) : []),
      ...(checks.length === 0 ? [] : [checkedOnly(db, checks)]),
    ],
  };
}

/** Returns the part of a walk outside which no node meets the conditions. */
function boundsOf(
  column: RawBuilder<unknown>,
  conditions: readonly Condition[],
  keyset: Keyset,
): RawBuilder<SqlBool>[] {
  const order = orderOf(keyset);
  return conditions.flatMap(({ range, since }) => {
    if (order === 'created_at' && range) return [range(column)];
    return order === 'updated_at' && since ? [since(column)] : [];
  });
}

/** Returns the condition that limits a list to a part of its order. */
function rangeOf(conditions: readonly Condition[], keyset: Keyset): Condition | undefined {
  return conditions.find(({ range }) => range && orderOf(keyset) === 'created_at');
}

/** Returns a page that a short walk finds; undefined if the list may have further nodes for it. */
async function idsNearby(
  db: Db,
  walk: Walk,
  conditions: readonly Condition[],
  keyset: Keyset,
  request: PageRequest,
): Promise<Ids | undefined> {
  const isSearch = conditions.some(({ part }) => part === 'search');
  const length = isSearch ? SEARCH_WALK_MAX : WALK_MAX;
  const end = await endOfWalk(db, walk, conditions, keyset, {
    ...request,
    limit: 0,
    looksAhead: true,
    offset: length,
  });
  const { from, where } = partsOf(db, walk, conditions, keyset);
  const refs = refsOf(walk, keyset);
  const isNearby = end && isUpTo(refs, keyset, request, end);
  const parts = isNearby ? [...where, isNearby] : where;
  const page = pageClause(refs, keyset, request, parts, walk.leading);
  const nearby = sql<{ id: number }>`select ${walk.columns.id} as id from ${from} ${page}`;
  const { rows } = await nearby.execute(db);
  const { limit, looksAhead = true } = request;
  if (rows.length < limit + Number(looksAhead) && end !== undefined) return undefined;
  const ids = valuesOf(
    db,
    rows.map(({ id }) => id),
  );
  return sql`(select value as id from (${ids}) found)`;
}

/** Returns the place of the node at an offset of a walk; undefined if the list ends before it. */
async function endOfWalk(
  db: Db,
  walk: Walk,
  conditions: readonly Condition[],
  keyset: Keyset,
  request: PageRequest,
): Promise<Position | undefined> {
  const refs = refsOf(walk, keyset);
  const columns = refs.map((ref, index) => sql`${ref} as ${sql.ref(`k${index}`)}`);
  const where = [...walk.where, ...boundsOf(walk.columns.first, conditions, keyset)];
  const page = pageClause(refs, keyset, request, where, walk.leading);
  const { rows } = await sql<
    Record<string, string | number>
  >`select ${sql.join(columns)} from ${walk.from(false)} ${page}`.execute(db);
  const [last] = rows;
  return last && refs.map((_, index) => last[`k${index}`] as string | number);
}

function isUpTo(
  refs: readonly RawBuilder<unknown>[],
  { descending }: Keyset,
  { backward }: PageRequest,
  end: Position,
): RawBuilder<SqlBool> {
  const operator = sql.raw(descending === backward ? '<=' : '>=');
  return sql`(${sql.join(refs)}) ${operator} (${sql.join(end)})`;
}

/** Returns the rows of a page, in the order of the list, with some columns or all. */
export function rowsOfPage<Row>(
  db: Db,
  ids: Ids,
  keyset: Keyset,
  { backward }: Pick<PageRequest, 'backward'>,
  columns?: readonly string[],
): RawBuilder<Row> {
  const refs = keyset.columns.map(({ name }) => sql.ref(`media.${name}`));
  return sql`select ${selectedFrom('media', columns)} from ${ids} page ${rowById(db, 'media', sql.ref('page.id'))}
    ${orderClause(refs, keyset, backward)}`;
}
