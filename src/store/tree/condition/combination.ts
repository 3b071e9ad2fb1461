import { type RawBuilder, type SqlBool, sql } from 'kysely';
import type { Condition, Part } from './condition.ts';

/**
 * Returns the conditions `the node meets all conditions of one or more of these lists`. If an index serves each list, the
 * nodes of all of them together are candidates; the check of the rest is a condition of its own.
 */
export function anyOf(lists: readonly (readonly Condition[])[]): Condition[] {
  const checks = lists.map(allOf);
  const check = checks.length === 0 ? sql<SqlBool>`1 = 0` : sql<SqlBool>`(${or(checks)})`;
  const parts = lists.map(bestOf);
  if (parts.includes(undefined)) return [{ part: 'or', check }];
  const samples = parts.map((part) => sql`select id from (${part?.sample ?? part?.ids}) branch`);
  const sample =
    samples.length === 0
      ? sql`select id from media where 1 = 0`
      : sql.join(samples, sql` union all `);
  const ids = sql`select distinct id from (${sample}) part`;
  return [
    { part: 'or', check },
    { part: 'or', check: null, ids, sample, ...(samples.length === 0 && { isSmall: true }) },
  ];
}

/** Returns the condition `the node does not meet all of these`. What is unknown is not met. */
export function noneOf(conditions: readonly Condition[]): Condition {
  return { part: 'not', check: sql`not ${allOf(conditions)}` };
}

/** Returns `all of these hold`, which is never null. */
function allOf(conditions: readonly Condition[]): RawBuilder<SqlBool> {
  const checks = conditions.flatMap(({ check }) => (check === null ? [] : [check]));
  if (checks.length === 0) return sql`(1 = 1)`;
  return sql`coalesce(${sql.join(checks, sql` and `)}, false)`;
}

function or(checks: readonly RawBuilder<SqlBool>[]): RawBuilder<SqlBool> {
  return sql`${sql.join(checks, sql` or `)}`;
}

/** From the condition that has the fewest nodes in most libraries to the one that has the most. */
const RAREST_FIRST: readonly Part[] = [
  'ids',
  'md5',
  'metadata',
  'near',
  'tag',
  'folderId',
  'anyTagIds',
  'or',
  'ownedBy',
  'below',
  'extensions',
  'takenAt',
  'createdAt',
  'updatedAt',
  'sizeBytes',
  'width',
  'height',
  'durationMs',
  'mimeTypes',
  'types',
  'unfiled',
  'hasAltText',
  'visibility',
  'tagged',
];

/** Returns the condition of a list whose nodes an index is likely to find soonest; undefined if none serves it. */
function bestOf(conditions: readonly Condition[]): Condition | undefined {
  return conditions
    .filter(({ ids }) => ids)
    .toSorted((a, b) => RAREST_FIRST.indexOf(a.part) - RAREST_FIRST.indexOf(b.part))[0];
}
