import { type RawBuilder, type SelectQueryBuilder, type SqlBool, sql } from 'kysely';
import type { Condition, FieldType, FieldValue, Search } from '../lib/search.ts';
import { type RowPage, toRowPage } from './cursor.ts';
import type { Db } from './db.ts';
import { escapeLike, isAnyOf, isLike, isoTime } from './dialect.ts';
import type { Database } from './table.ts';

/** A column, or a value computed from columns. */
export interface Column extends FieldType {
  value: RawBuilder<unknown>;
}

type Columns<Field extends string> = Readonly<Record<Field, Column>>;

/** Narrows a query to the rows that meet all conditions. */
export function matching<Table extends keyof Database, Row, Field extends string>(
  db: Db,
  query: SelectQueryBuilder<Database, Table, Row>,
  columns: Columns<Field>,
  conditions: readonly Condition<Field>[],
): SelectQueryBuilder<Database, Table, Row> {
  return conditions.reduce(
    (query, condition) => query.where(toSql(db, columns[condition.field], condition)),
    query,
  );
}

/** Returns a window of a list, in order. */
export async function listWindow<Table extends keyof Database, Row, Field extends string>(
  query: SelectQueryBuilder<Database, Table, Row>,
  columns: Columns<Field>,
  search: Omit<Search<Field>, 'conditions'>,
): Promise<RowPage<Row>> {
  const rows = await windowOf(query, columns, search).execute();
  return toRowPage(rows, { limit: search.limit, backward: false });
}

/** Selects one row more than the limit, which tells whether more follow. */
function windowOf<Table extends keyof Database, Row, Field extends string>(
  query: SelectQueryBuilder<Database, Table, Row>,
  columns: Columns<Field>,
  { order, limit, offset }: Omit<Search<Field>, 'conditions'>,
): SelectQueryBuilder<Database, Table, Row> {
  const ordered = order.reduce((query, { field, descending }) => {
    const { value, isNullable } = columns[field];
    return query.orderBy(value, (step) => {
      if (!isNullable) return descending ? step.desc() : step.asc();
      return descending ? step.desc().nullsFirst() : step.asc().nullsLast();
    });
  }, query);
  return ordered.limit(limit + 1).offset(offset);
}

function toSql<Field extends string>(
  db: Db,
  column: Column,
  condition: Condition<Field>,
): RawBuilder<SqlBool> {
  const { value } = column;
  switch (condition.test) {
    case 'any':
      return isAny(db, value, condition.values);
    case 'none':
      return isNone(db, value, condition.values);
    case 'exists':
      return sql`${value} is not null`;
    case 'absent':
      return sql`${value} is null`;
    case 'prefix':
      return isLike(db, textOf(db, column), `${escapeLike(condition.text)}%`);
    case 'suffix':
      return isLike(db, textOf(db, column), `%${escapeLike(condition.text)}`);
    case 'substring':
      return isLike(db, textOf(db, column), `%${escapeLike(condition.text)}%`);
    default:
      return sql`${value} ${sql.raw(condition.test)} ${condition.value}`;
  }
}

function isAny(db: Db, column: RawBuilder<unknown>, values: readonly FieldValue[]) {
  const known = values.filter((value) => value !== null);
  const isOne = isAnyOf(db, column, known);
  if (known.length === values.length) return isOne;
  return sql<SqlBool>`(${isOne} or ${column} is null)`;
}

function isNone(db: Db, column: RawBuilder<unknown>, values: readonly FieldValue[]) {
  const known = values.filter((value) => value !== null);
  // `not (null = any('{}'))` is true on PostgreSQL, and so is `null not in ()` on SQLite.
  const isOther = sql<SqlBool>`not (${isAnyOf(db, column, known)})`;
  if (known.length === values.length) return isOther;
  return sql<SqlBool>`(${isOther} and ${column} is not null)`;
}

function textOf(db: Db, { value, kind }: Column): RawBuilder<unknown> {
  if (kind === 'time') return isoTime(db, value);
  if (kind === 'flag') return sql`case ${value} when 1 then 'true' else 'false' end`;
  return kind === 'integer' || kind === 'real' ? sql`cast(${value} as text)` : value;
}
