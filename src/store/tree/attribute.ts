import { type RawBuilder, type SqlBool, sql } from 'kysely';
import type { Db } from '../db.ts';
import { escapeLike, isAnyOf, isLike, tableBy } from '../dialect.ts';
import type { Bounds, Condition, MetadataMatch, NodeFilter, Range, Span } from './condition.ts';
import { metadataValue } from './metadata.ts';
import { visibilityOf } from './visibility.ts';

/** Less than every time that a file can name: `taken_sort` of media that were taken at an unknown time. */
const UNKNOWN_TIME = -8_640_000_000_000_000;

/** No folder is in the indexes of the orders of media. */
const IS_MEDIA = sql<SqlBool>`type <> 'folder'`;

/** Returns the conditions on the columns of a node and on its custom fields. */
export function columnsOf(db: Db, filter: NodeFilter): Condition[] {
  const { types, visibility, ownedBy, hasAltText, nameContains, metadata } = filter;
  return [
    ...(types === undefined ? [] : [typeOf(db, types)]),
    ...(visibility === undefined ? [] : [visibilityOf(db, visibility)]),
    ...(ownedBy === undefined ? [] : [ownerOf(db, ownedBy)]),
    ...rangesOf(db, filter),
    ...(hasAltText === undefined ? [] : [altTextOf(db, hasAltText)]),
    ...(nameContains ? [nameOf(db, nameContains)] : []),
    ...(metadata === undefined ? [] : [metadataOf(db, metadata)]),
  ];
}

function typeOf(db: Db, types: readonly string[]): Condition {
  const sorted = [...new Set(types)].sort();
  const [first, last] = [sorted[0], sorted.at(-1)];
  return {
    part: 'types',
    check: isAnyOf(db, 'media.type', types),
    ids: sql`select id from ${tableBy(db, 'media', 'media_type')} where ${isAnyOf(db, 'type', types)}`,
    ...(first !== undefined && {
      ...(sorted.length === 1 && { value: sql`= ${first}` }),
      bounds: { type: (column) => sql`${column} >= ${first} and ${column} <= ${last}` },
    }),
  };
}

function ownerOf(db: Db, owner: string): Condition {
  return {
    part: 'ownedBy',
    check: sql`media.owner = ${owner}`,
    ids: sql`select id from ${tableBy(db, 'media', 'media_owner')} where owner = ${owner}`,
    value: sql`= ${owner}`,
  };
}

function rangesOf(db: Db, filter: NodeFilter): Condition[] {
  const { createdAt, updatedAt, takenAt, sizeBytes, durationMs } = filter;
  const created = rangeOf(db, 'createdAt', 'created_at', timesOf(createdAt));
  const { from } = createdAt ?? {};
  return [
    // No time of a change is before the creation.
    ...created.map((range) => (from ? withBounds(range, { updated_at: isFrom(from) }) : range)),
    ...rangeOf(db, 'updatedAt', 'updated_at', timesOf(updatedAt)),
    ...rangeOf(db, 'takenAt', 'taken_sort', above(UNKNOWN_TIME, timesOf(takenAt))),
    ...rangeOf(db, 'sizeBytes', 'size_bytes', above(-1, sizeBytes)),
    ...durationOf(db, durationMs),
  ];
}

const isFrom = (from: Date) => (column: RawBuilder<unknown>) =>
  sql<SqlBool>`${column} >= ${from.getTime()}`;

function withBounds(condition: Condition, bounds: Bounds): Condition {
  return { ...condition, bounds: { ...condition.bounds, ...bounds } };
}

function timesOf({ from, to }: Span = {}): Range<number> {
  return { min: from?.getTime(), max: to?.getTime() };
}

/** Returns the range of the values that are known: a column that is never null has a lower value for the others. */
function above(unknown: number, { min, max }: Range<number> = {}): Range<number> {
  return min === undefined && max === undefined ? {} : { min: min ?? unknown + 1, max };
}

/** The index of each column that the nodes of a range are together in. */
const INDEXES = {
  created_at: { index: 'media_created', isIn: [] },
  updated_at: { index: 'media_updated', isIn: [] },
  taken_sort: { index: 'media_taken', isIn: [IS_MEDIA] },
  size_bytes: { index: 'media_size', isIn: [IS_MEDIA] },
} as const;

function rangeOf(
  db: Db,
  part: Condition['part'],
  column: keyof typeof INDEXES,
  range: Range<number>,
): Condition[] {
  const test = testOf(range);
  if (test === null) return [];
  const { index, isIn } = INDEXES[column];
  const found = sql.join([...isIn, test(sql.ref(column))], sql` and `);
  return [
    {
      part,
      check: test(sql.ref(`media.${column}`)),
      ids: sql`select id from ${tableBy(db, 'media', index)} where ${found}`,
      rangeOf: column,
      bounds: { [column]: test },
    },
  ];
}

/** Returns the test of a range; null for one without ends. */
export function testOf({ min, max }: Range<number>) {
  if (min === undefined && max === undefined) return null;
  return (column: RawBuilder<unknown>) => {
    const first = min === undefined ? undefined : sql`${column} >= ${min}`;
    const last = max === undefined ? undefined : sql`${column} <= ${max}`;
    return sql<SqlBool>`${sql.join([first, last].filter(Boolean), sql` and `)}`;
  };
}

function durationOf(db: Db, range: Range<number> = {}): Condition[] {
  const test = testOf(range);
  if (test === null) return [];
  const byDuration = tableBy(db, 'media', 'media_duration');
  return [
    {
      part: 'durationMs',
      check: test(sql.ref('media.duration_ms')),
      ids: sql`select id from ${byDuration} where ${test(sql.ref('duration_ms'))}`,
    },
  ];
}

/** An index has the media that have one. With the range of ids, SQLite seeks its beginning as in other indexes. */
function altTextOf(db: Db, hasAltText: boolean): Condition {
  if (!hasAltText) return { part: 'hasAltText', check: sql`coalesce(media.alt_text, '') = ''` };
  return {
    part: 'hasAltText',
    check: sql`media.alt_text <> ''`,
    ids: sql`select id from ${tableBy(db, 'media', 'media_alt_text')} where id > 0 and alt_text <> ''`,
  };
}

/** No index finds a part of a text. To read all rows as they are stored takes a fifth of reading them in another order. */
function nameOf(db: Db, text: string): Condition {
  const isMatch = isLike(db, sql.ref('media.name'), `%${escapeLike(text)}%`);
  return {
    part: 'nameContains',
    check: isMatch,
    scan: sql`select id from ${tableBy(db, 'media')} where ${isMatch} order by id`,
  };
}

function metadataOf(db: Db, { key, equals, exists = true }: MetadataMatch): Condition {
  const hasValue = equals === undefined ? sql`` : sql`and value = ${metadataValue(equals)}`;
  const count = sql`(select count(*) from media_metadata
    where media_id = media.id and key = ${key} ${hasValue})`;
  if (!exists) return { part: 'metadata', check: sql`${count} = 0` };
  const byKey = tableBy(db, 'media_metadata', 'media_metadata_key');
  return {
    part: 'metadata',
    check: sql`${count} > 0`,
    ids: sql`select media_id as id from ${byKey} where key = ${key} ${hasValue}`,
  };
}
