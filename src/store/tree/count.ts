import { type RawBuilder, sql } from 'kysely';
import { type Keyset, keysetBy } from '../cursor.ts';
import type { Db } from '../db.ts';
import { tableBy } from '../dialect.ts';
import { candidatesBeside, fewestOf, withWordsAtOnce } from './choice.ts';
import type { Condition } from './condition.ts';
import { candidatesOf, checkOf, partsOf } from './selection.ts';
import { type Walk, walkOf } from './walk.ts';

const BY_ID = keysetBy('id', { name: 'id', type: 'number' });

/** Returns the number of nodes that meet all conditions, in SQL. The counts of one condition read an index only. */
export async function countOf(
  db: Db,
  conditions: readonly Condition[],
): Promise<RawBuilder<number>> {
  const hiding = conditions.find(({ opposite }) => opposite);
  // The index of paths has nothing else, so that each row is read anyway.
  const readsRows = conditions.some(({ part }) => part === 'below');
  if (hiding?.opposite && !readsRows) return countWithout(db, conditions, hiding, hiding.opposite);
  const isOfMedia = conditions.some(({ kind }) => kind === 'media');
  const others = conditions.filter(({ part }) => part !== 'kind');
  if (isOfMedia && others.length === 0) return countOfMedia(db);
  const [only] = others;
  // The index of words has media only, and so has one of types.
  const isExact = only?.part === 'search' || only?.part === 'types';
  if (isOfMedia && only?.ids && others.length === 1 && isExact) {
    return sql`(select count(*) from (${only.ids}) counted)`;
  }
  const range = conditions.find(({ rangeOf }) => rangeOf)?.rangeOf;
  const keyset = range ? keysetBy('range', { name: range, type: 'number' }) : BY_ID;
  const walk = walkOf(db, conditions, range ?? 'id');
  const selective = await selectiveOf(db, walk, conditions, keyset);
  return selective === undefined
    ? countOnWalk(db, walk, conditions, keyset)
    : countAmong(db, selective, conditions);
}

/**
 * Returns the condition whose nodes are read and checked to visit all nodes of a list; undefined if the walk is
 * cheaper.
 */
export async function selectiveOf(
  db: Db,
  walk: Walk,
  conditions: readonly Condition[],
  keyset: Keyset,
): Promise<Condition | undefined> {
  const candidates = candidatesBeside(walk, conditions, keyset);
  const words = conditions.find(({ part }) => part === 'search');
  const isRange = conditions.some(({ rangeOf }) => rangeOf);
  const [only, ...others] = candidates;
  const isOnlyWay = others.length === 0 && !words && !walk.by && !isRange;
  if (only && isOnlyWay) return only;
  const few = await fewestOf(db, candidates);
  return few ?? words ?? (walk.by || isRange ? undefined : widest(conditions));
}

/** Subtracts the few nodes that a condition hides: the number of all is cheaper than that of almost all. */
async function countWithout(
  db: Db,
  conditions: readonly Condition[],
  hiding: Condition,
  hidden: Condition,
): Promise<RawBuilder<number>> {
  const others = conditions.filter((condition) => condition !== hiding);
  const all = await countOf(db, others);
  const isOfAll = others.every(({ part }) => part === 'kind');
  const few =
    isOfAll && hidden.ids
      ? sql`(select count(*) from (${hidden.ids}) counted)`
      : await countOf(db, [...others, hidden]);
  return sql`(${all} - ${few})`;
}

/** Returns the number of nodes on a walk that meet all conditions. */
export function countOnWalk(
  db: Db,
  walk: Walk,
  conditions: readonly Condition[],
  keyset: Keyset = BY_ID,
): RawBuilder<number> {
  const { from, where } = partsOf(db, walk, conditions, keyset);
  const narrowed = where.length === 0 ? sql`` : sql`where ${sql.join(where, sql` and `)}`;
  return sql`(select count(*) from ${from} ${narrowed})`;
}

/** The number of all rows is cheaper than that of a part of them: SQLite does not look at each row. */
function countOfMedia(db: Db): RawBuilder<number> {
  const folders = sql`select count(*) from ${tableBy(db, 'media', 'media_type')} where type = 'folder'`;
  return sql`((select count(*) from media) - (${folders}))`;
}

function countAmong(
  db: Db,
  candidates: Condition,
  conditions: readonly Condition[],
): RawBuilder<number> {
  return sql`(select count(*) from ${candidatesOf(db, candidates)}
    where ${checkOf(db, withWordsAtOnce(db, conditions, candidates), candidates)})`;
}

/** Returns a condition whose nodes an index has together, of those that many nodes meet. */
function widest(conditions: readonly Condition[]): Condition | undefined {
  return conditions.find(({ ids }) => ids);
}
