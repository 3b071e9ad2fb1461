import { type RawBuilder, type SqlBool, sql } from 'kysely';
import { type Keyset, type PageRequest, pageClause, rowsToRead } from '../cursor.ts';
import type { Db } from '../db.ts';
import {
  hasWordsOfMany,
  idsInMemory,
  idsInMemoryMax,
  idsReadPerNode,
  valuesOf,
  type WordMatch,
} from '../plan.ts';
import type { Condition } from './condition.ts';
import { frequencyOf } from './frequency.ts';
import {
  boundsOf,
  type Ids,
  idsAmong,
  idsAmongFirst,
  idsOnWalk,
  orderOf,
  rangeOf,
  refsOf,
} from './selection.ts';
import { type Walk, walkOf } from './walk.ts';

/**
 * The maximum number of candidates that are sorted. With more of them, a walk in the order of the list finds a page
 * sooner: among a million nodes, it passes 13,000 on average.
 */
export const CANDIDATES_MAX = 4000;

/** Up to this many candidates are sorted at once: a page is hardly found sooner on a walk. */
const FEW_MAX = 1000;

/** Number of nodes that a walk passes before more candidates than that are counted. */
const SHORT_WALK = 6000;

/** Number of nodes that a walk passes before other plans are considered. */
const WALK_MAX = 12_000;

/** The least of that number for a search, where comparing the words of a node takes longer. */
const SEARCH_WALK_MIN = 1000;

/** What is tried first: both numbers grow, because most lists need few of both. */
const STEPS = [
  { candidatesMax: FEW_MAX, length: SHORT_WALK },
  { candidatesMax: CANDIDATES_MAX, length: WALK_MAX },
];

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
 *    selects the candidates, if it has not more than a long walk passes; if it has more, a walk looks each node up among
 *    their ids.
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
  if (others.length === 0) return idsOfAll(list);
  for (const { candidatesMax, length } of STEPS) {
    const few = await fewestOf(db, others, candidatesMax);
    if (few !== undefined) return idsAmong(db, few, conditions, keyset, request);
    const nearby = await idsNearby(list, length, length === WALK_MAX);
    if (nearby !== undefined) return nearby;
  }
  const fewest = await fewestOf(db, withWalked(walk, others), LONG_WALK);
  if (fewest !== undefined) return idsAmong(db, fewest, conditions, keyset, request);
  const many = await fewestOf(db, others, idsInMemoryMax(db));
  const inMemory = many?.ids && { ...many, ids: idsInMemory(db, many.ids) };
  const checked = inMemory ? withIdsOf(walk, conditions, inMemory) : conditions;
  return idsOnWalk(db, walk, checked, keyset, request);
}

/** A list, and the part of it that is requested. */
interface List {
  db: Db;
  walk: Walk;
  conditions: readonly Condition[];
  keyset: Keyset;
  request: PageRequest;
}

/** Returns the selection of one page of a list that no index narrows but the one of the walk. */
async function idsOfAll(list: List): Promise<Ids> {
  const { db, walk, conditions, keyset, request } = list;
  const onWalk = idsOnWalk(db, walk, conditions, keyset, request);
  const scanned = conditions.find(({ scan }) => scan);
  if (!scanned?.scan || walk.by !== null || orderOf(keyset) === 'id') return onWalk;
  const nearby = await idsNearby(list, WALK_MAX);
  if (nearby !== undefined) return nearby;
  const found = { ...scanned, ids: scanned.scan };
  const unmet = conditions.map((condition) => (condition === scanned ? found : condition));
  return idsAmong(db, found, unmet, keyset, request);
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
    isLookedUp ? { ...list, conditions: withIdsOf(walk, conditions, words) } : list,
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

/**
 * Returns the conditions with one of them first, checked by the ids that meet it: to look a node up among them takes a
 * tenth of reading its row.
 */
function withIdsOf({ columns }: Walk, conditions: readonly Condition[], met: Condition) {
  const { ids = sql`` } = met;
  const byId = { ...met, check: sql<SqlBool>`${columns.id} in (${ids})`, isOfId: true };
  return [
    byId,
    ...conditions.filter(({ part, check }) => part !== met.part || check !== met.check),
  ];
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

/**
 * Returns a page that a walk finds among its first nodes; undefined if it finds less, and the list may have further nodes
 * for it. `looksForEnd`: whether it is checked that the list has further ones.
 */
async function idsNearby(list: List, length: number, looksForEnd = true): Promise<Ids | undefined> {
  const { db, walk, conditions, keyset, request } = list;
  const nearby = idsAmongFirst(db, walk, conditions, keyset, request, length);
  const { rows } = await sql<{ id: number }>`select id from ${nearby} page`.execute(db);
  const isShort = rows.length < rowsToRead(request);
  if (isShort && !(looksForEnd && (await endsWithin(list, length)))) return undefined;
  const ids = valuesOf(
    db,
    rows.map(({ id }) => id),
  );
  return sql`(select value as id from (${ids}) found)`;
}

/** Tells whether a walk has at most a number of nodes. */
async function endsWithin(
  { db, walk, conditions, keyset, request }: List,
  length: number,
): Promise<boolean> {
  const where = [...walk.where, ...boundsOf(walk.columns.first, conditions, keyset)];
  const next = { ...request, limit: 1, looksAhead: false, offset: length };
  const page = pageClause(refsOf(walk, keyset), keyset, next, where, walk.leading);
  const further = sql`select ${walk.columns.id} as further from ${walk.source} ${page}`;
  return (await further.execute(db)).rows.length === 0;
}
