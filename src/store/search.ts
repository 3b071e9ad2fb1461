import { type RawBuilder, type SqlBool, sql } from 'kysely';
import type { Condition, FieldType, FieldValue } from '../lib/search.ts';
import type { Db } from './db.ts';
import { escapeLike, isAnyOf, isLike, isoTime } from './dialect.ts';

/** A column, or a value computed from columns. */
export interface Column extends FieldType {
  value: RawBuilder<unknown>;
  /** No two rows have the same value. */
  isUnique: boolean;
  /** The index of the column, in which ties are in the order of the uuids. Null: the table itself, for its id. */
  index: string | null;
  /** Whether the value depends on the viewer: no index has it, and conditions on it are only tested. */
  isComputed?: true;
  /** Another index of the column, in which ties are in the order of the ids. */
  indexById?: string;
  /** Indexes of the rows with one value of the column, none of them blank, by the other column that they order by. */
  ofOneValue?: { indexes: Readonly<Record<string, string>>; isIn: RawBuilder<SqlBool> };
  /** What the index holds instead of values that may be too long for it: their first characters. */
  stem?: { value: RawBuilder<unknown>; length: number };
}

/** The columns of a list, by the names of its fields. */
export type Columns<Field extends string> = Readonly<Record<Field, Column>>;

/** Returns a condition as SQL. */
export function toSql<Field extends string>(
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
      // A range, because SQLite's indexes do not serve `is not null`.
      return isText(column) ? sql`${value} >= ''` : sql`${value} is not null`;
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

/** Tells whether the rows that meet a condition are one range of an index, or one for each of its values. */
export function isRange<Field extends string>(
  column: Column,
  condition: Condition<Field>,
): boolean {
  const { test } = condition;
  if (column.isComputed) return false;
  if (column.stem && test !== 'any' && test !== 'absent') return false;
  switch (test) {
    case 'any':
      return condition.values.length < 2 || !condition.values.includes(null);
    case 'exists':
      return isText(column);
    case 'none':
    case 'prefix':
    case 'suffix':
    case 'substring':
      return false;
    default:
      return true;
  }
}

/** Returns a condition that `isRange` as SQL on what the index of the column holds. */
export function toRangeSql<Field extends string>(
  db: Db,
  column: Column,
  condition: Condition<Field>,
): RawBuilder<SqlBool> {
  const { stem } = column;
  if (stem === undefined) return toSql(db, column, condition);
  const onStem = { ...column, value: stem.value };
  if (condition.test !== 'any') return toSql(db, onStem, condition);
  const values = condition.values.map((value) =>
    typeof value === 'string' ? [...value].slice(0, stem.length).join('') : value,
  );
  return toSql(db, onStem, { ...condition, values });
}

/** Returns the values of which the column equals one; null for another condition, or if only one value is given. */
export function valuesOf<Field extends string>(
  condition: Condition<Field>,
): readonly FieldValue[] | null {
  return condition.test === 'any' && condition.values.length !== 1 ? condition.values : null;
}

function isAny(db: Db, column: RawBuilder<unknown>, values: readonly FieldValue[]) {
  const [only, ...others] = values;
  // With a single value, the rows are in the order of the index's next column.
  if (only !== undefined && others.length === 0) {
    return only === null ? sql<SqlBool>`${column} is null` : sql<SqlBool>`${column} = ${only}`;
  }
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

function isText({ kind }: Column): boolean {
  return kind === 'text' || kind === 'uuid';
}

function textOf(db: Db, { value, kind }: Column): RawBuilder<unknown> {
  if (kind === 'time') return isoTime(db, value);
  if (kind === 'flag') return sql`case ${value} when 1 then 'true' else 'false' end`;
  return kind === 'integer' || kind === 'real' ? sql`cast(${value} as text)` : value;
}
