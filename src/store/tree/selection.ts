import { type RawBuilder, type SqlBool, sql } from 'kysely';
import { type Keyset, orderClause, type PageRequest, pageClause } from '../cursor.ts';
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
