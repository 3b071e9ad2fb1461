import { type RawBuilder, type SqlBool, sql } from 'kysely';
import { type Keyset, orderClause, type PageRequest, pageClause, rowsToRead } from '../cursor.ts';
import type { Db } from '../db.ts';
import { rowById, selectedFrom } from '../dialect.ts';
import { asOwnQuery, checkedOnly } from '../plan.ts';
import type { Condition, OrderColumn } from './condition.ts';
import type { Walk } from './walk.ts';

/** A selection of the ids of a list, in SQL. */
export type Ids = RawBuilder<{ id: number }>;

/** Returns the column that a keyset orders by before the id. */
export function orderOf({ columns }: Keyset): OrderColumn {
  return columns[0]?.name as OrderColumn;
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

/**
 * Selects a page on a walk that passes at most a number of nodes: fewer ids than a page if no more are found. Each node
 * is checked as a column, so that the index alone is read if it has what is checked, and no node after the page is.
 */
export function idsAmongFirst(
  db: Db,
  walk: Walk,
  conditions: readonly Condition[],
  keyset: Keyset,
  { offset, ...request }: PageRequest,
  passedMax: number,
): Ids {
  const { range, source, checks } = splitOf(db, walk, conditions, keyset);
  const passed = { ...request, limit: passedMax, looksAhead: false };
  return sql`(select id from (select ${walk.columns.id} as id, ${checks[0] ?? sql`1 = 1`} as is_listed from ${source}
    ${pageClause(refsOf(walk, keyset), keyset, passed, range, walk.leading)}) passed
    where is_listed limit ${rowsToRead(request)} offset ${offset ?? 0})`;
}

/** Returns the table of a walk, and the conditions of its statement. */
export function partsOf(
  db: Db,
  walk: Walk,
  conditions: readonly Condition[],
  keyset?: Keyset,
): { from: RawBuilder<unknown>; where: RawBuilder<SqlBool>[] } {
  const { range, source, checks } = splitOf(db, walk, conditions, keyset);
  return { from: source, where: [...range, ...checks] };
}

/** Returns the part of the index, and what is checked for each node in it: one check at most. */
function splitOf(
  db: Db,
  walk: Walk,
  conditions: readonly Condition[],
  keyset?: Keyset,
): { range: RawBuilder<SqlBool>[]; source: RawBuilder<unknown>; checks: RawBuilder<SqlBool>[] } {
  const { where, columns, by, meets } = walk;
  const range = keyset && rangeOf(conditions, keyset);
  const unmet = conditions.filter(
    (condition) =>
      condition !== by && condition !== range && !meets.has(condition.part) && condition.check,
  );
  const own = conditions.flatMap(({ part }) => meets.get(part) ?? []);
  const checks = [...own, ...unmet.flatMap(({ check }) => check ?? [])];
  return {
    range: [...where, ...(keyset ? boundsOf(columns.first, conditions, keyset) : [])],
    source: unmet.every(({ isOfId }) => isOfId) ? walk.source : withMedia(db, walk),
    checks: checks.length === 0 ? [] : [checkedOnly(db, checks)],
  };
}

/** Returns the table of a walk with the row of `media`. */
export function withMedia(db: Db, { name, source, columns }: Walk): RawBuilder<unknown> {
  return name === 'media' ? source : sql`${source} ${rowById(db, 'media', columns.id)}`;
}

/** Returns the part of a walk outside which no node meets the conditions. */
export function boundsOf(
  column: RawBuilder<unknown>,
  conditions: readonly Condition[],
  keyset: Keyset,
): RawBuilder<SqlBool>[] {
  const order = orderOf(keyset);
  return conditions.flatMap(({ bounds }) => bounds?.[order]?.(column) ?? []);
}

/** Returns the condition that limits a list to a part of its order. */
export function rangeOf(conditions: readonly Condition[], keyset: Keyset): Condition | undefined {
  const order = orderOf(keyset);
  return conditions.find(({ rangeOf }) => rangeOf === order);
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
