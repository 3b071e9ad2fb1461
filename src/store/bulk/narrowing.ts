import { toSearchWords } from '../../lib/search-text.ts';
import { type Keyset, keysetBy } from '../cursor.ts';
import type { Db } from '../db.ts';
import { EVERYTHING, type Scope, VISIBILITIES } from '../scope.ts';
import type { NodeFilter } from '../tree/condition.ts';
import { conditionsOf } from '../tree/filter.ts';
import { listNodes } from '../tree/node.ts';

/**
 * Tells whether a filter excludes any media that could exist, judged by its fields alone. `everyType`: all types of media.
 */
export function isNarrowed(db: Db, filter: NodeFilter, everyType: readonly string[]): boolean {
  return truthOf(db, filter, everyType) !== true;
}

/** Whether every node matches a filter (true) or none does (false); null if it depends on the node. */
type Truth = boolean | null;

function truthOf(db: Db, filter: NodeFilter, everyType: readonly string[]): Truth {
  const inner = (nested: NodeFilter) => truthOf(db, nested, everyType);
  const { kind: _, and = [], or, not, ...own } = filter;
  const all: Record<string, readonly unknown[]> = { types: everyType, visibility: VISIBILITIES };
  const truths = Object.entries(own).map(([field, value]): Truth => {
    if (!isCondition(db, { [field]: value })) return true;
    if (field === 'search') return toSearchWords(String(value)).length > 0 && null;
    // A list holds alternatives, so that an empty one matches nothing.
    if (Array.isArray(value) && value.length === 0) return false;
    return all[field]?.every((one) => (value as unknown[]).includes(one)) || null;
  });
  truths.push(...and.map(inner));
  if (or !== undefined) truths.push(negate(conjunction(or.map(inner).map(negate))));
  if (not !== undefined) truths.push(negate(inner(not)));
  return conjunction(truths);
}

function isCondition(db: Db, filter: NodeFilter): boolean {
  return conditionsOf(db, EVERYTHING, filter).length > conditionsOf(db, EVERYTHING, {}).length;
}

function conjunction(truths: readonly Truth[]): Truth {
  if (truths.includes(false)) return false;
  return truths.includes(null) ? null : true;
}

function negate(truth: Truth): Truth {
  return truth === null ? null : !truth;
}

const BY_ID: Keyset = keysetBy('nodes by id', { name: 'id', type: 'number' });

/** A part of a list in the order of the ids. */
export interface IdRange {
  /** The last id before it. */
  after: number;
  /** Its last possible id. */
  upTo: number;
  limit: number;
}

/** Returns the first ids of a range that match a filter, in their order. */
export async function listIds(
  db: Db,
  scope: Scope,
  filter: NodeFilter,
  { after, upTo, limit }: IdRange,
): Promise<number[]> {
  const page = { limit, looksAhead: false, backward: false, after: [after], before: [upTo + 1] };
  const { rows } = await listNodes(db, scope, filter, BY_ID, page, ['id'] as const);
  return rows.flatMap(({ id }) => id ?? []);
}

/** Returns the highest id of all nodes. Later nodes get higher ones. */
export async function findLastId(db: Db): Promise<number> {
  const { last } = await db
    .selectFrom('media')
    .select((eb) => eb.fn.max<number>('id').as('last'))
    .executeTakeFirstOrThrow();
  return Number(last);
}
