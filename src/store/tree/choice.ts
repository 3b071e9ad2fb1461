import { type RawBuilder, type SqlBool, sql } from 'kysely';
import { type Keyset, type PageRequest, type Position, pageClause } from '../cursor.ts';
import type { Db } from '../db.ts';
import { hasWordsOfMany, idsReadPerNode, valuesOf, type WordMatch } from '../plan.ts';
import type { Condition } from './condition.ts';
import { frequencyOf } from './frequency.ts';
import {
  boundsOf,
  type Ids,
  idsAmong,
  idsOnWalk,
  orderOf,
  partsOf,
  rangeOf,
  refsOf,
} from './selection.ts';
import { type Walk, walkOf } from './walk.ts';

/**
 * The maximum number of candidates that are sorted. With more of them, a walk in the order of the list finds a page
 * sooner: among a million nodes, it passes 13,000 on average.
 */
export const CANDIDATES_MAX = 4000;

/** Number of nodes that a walk passes before other plans are considered. */
const WALK_MAX = 12_000;

/** The least of that number for a search, where comparing the words of a node takes longer. */
const SEARCH_WALK_MIN = 1000;

/** Maximum number of candidates for which reading all of them is considered instead of a long walk. */
const LONG_WALK = 30_000;

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
  const list: List = { db, walk, conditions, keyset, request };
  const words = conditions.find(({ match }) => match);
  if (words?.match) return idsOfSearch(list, words, words.match);
  const others = candidatesBeside(walk, conditions, keyset);
  const few = await fewestOf(db, others, CANDIDATES_MAX);
  if (few !== undefined) return idsAmong(db, few, conditions, keyset, request);
  if (others.length === 0) return idsOnWalk(db, walk, conditions, keyset, request);
  const nearby = await idsNearby(list, WALK_MAX);
  if (nearby !== undefined) return nearby;
  const fewest = await fewestOf(db, withWalked(walk, others), LONG_WALK);
  return fewest === undefined
    ? idsOnWalk(db, walk, conditions, keyset, request)
    : idsAmong(db, fewest, conditions, keyset, request);
}

/** A list, and the part of it that is requested. */
interface List {
  db: Db;
  walk: Walk;
  conditions: readonly Condition[];
  keyset: Keyset;
  request: PageRequest;
}

/**
 * Returns the selection of one page of a search. The fewer media have its words, the more a walk passes. Of few, all are
 * read and sorted. Of more, only the ids are read: a walk looks each node up there, which takes a fifth of reading a
 * media item. Of many, a short walk compares the words of each node.
 */
async function idsOfSearch(list: List, words: Condition, match: WordMatch): Promise<Ids> {
  const { db, walk, conditions, keyset, request } = list;
  const { hits, read, total, candidates } = await frequencyOf(db, words, match);
  const others = withWalked(walk, candidatesBeside(walk, conditions, keyset));
  const few = await fewestOf(db, others, Math.min(CANDIDATES_MAX, hits));
  if (few !== undefined && few === walk.by) return idsOnWalk(db, walk, conditions, keyset, request);
  if (few !== undefined) return idsAmong(db, few, conditions, keyset, request);
  const passed = ((request.limit + 1 + (request.offset ?? 0)) * total) / hits;
  if (read <= passed / 5) return idsAmong(db, candidates, conditions, keyset, request);
  const isLookedUp = read <= passed * idsReadPerNode(db, orderOf(keyset) === 'id');
  const nearby = await idsNearby(
    isLookedUp ? { ...list, walk: withIdsOf(walk, words) } : list,
    Math.max(SEARCH_WALK_MIN, Math.ceil(3 * passed)),
  );
  if (nearby !== undefined) return nearby;
  const fewest = await fewestOf(db, others, Math.min(LONG_WALK, hits));
  if (fewest === undefined && hits <= LONG_WALK)
    return idsAmong(db, candidates, conditions, keyset, request);
  const checked = withWordsAtOnce(db, conditions);
  return fewest === undefined || fewest === walk.by
    ? idsOnWalk(db, walk, checked, keyset, request)
    : idsAmong(db, fewest, checked, keyset, request);
}

/** Returns the walk with a condition as the first one that it checks, by the ids that meet it. */
function withIdsOf(walk: Walk, { part, ids = sql`` }: Condition): Walk {
  const check = sql<SqlBool>`${walk.columns.id} in (${ids})`;
  return { ...walk, meets: new Map([...walk.meets, [part, check]]) };
}

function withWalked({ by }: Walk, others: readonly Condition[]): readonly Condition[] {
  return by?.ids ? [by, ...others] : others;
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

/** Returns a page that a short walk finds; undefined if the list may have further nodes for it. */
async function idsNearby(
  { db, walk, conditions, keyset, request }: List,
  length: number,
): Promise<Ids | undefined> {
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
