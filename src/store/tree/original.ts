import { type RawBuilder, type SqlBool, sql } from 'kysely';
import type { Db } from '../db.ts';
import { isAnyOf, tableBy } from '../dialect.ts';
import { unindexed } from '../plan.ts';
import { testOf } from './attribute.ts';
import type { Bounds, Circle, Condition, NodeFilter, Orientation, Range } from './condition.ts';

/**
 * Returns the conditions on the files of a media item: on its original, where it was taken, and on the MD5 of any of
 * its files.
 */
export function filesOf(db: Db, filter: NodeFilter): Condition[] {
  const { mimeTypes, extensions, width, height, orientations, md5, near } = filter;
  const ofOriginals: Condition[] = [
    ...(mimeTypes === undefined ? [] : [mimeTypeOf(db, mimeTypes)]),
    ...(extensions === undefined ? [] : [extensionOf(db, extensions)]),
    ...extentOf(db, 'width', width),
    ...extentOf(db, 'height', height),
    ...(orientations === undefined ? [] : [shapeOf(orientations)]),
  ];
  return [
    ...ofOriginals.map((condition) => ({ ...condition, bounds: HAS_SIZE })),
    ...(md5 === undefined ? [] : [digestOf(db, md5)]),
    ...(near === undefined ? [] : [nearOf(db, near)]),
  ];
}

/** Media that have an original have its size: -1 stands for none. */
const HAS_SIZE: Bounds = { size_bytes: (column) => sql`${column} >= 0` };

/** Returns `the original of media meets this`. */
function hasOriginal(test: RawBuilder<SqlBool>): RawBuilder<SqlBool> {
  return sql`(select count(*) from file where media_id = media.id and key = '' and ${test}) > 0`;
}

/** Selects the ids of media whose original meets this, from an index. */
function idsOfOriginals(db: Db, index: string, test: RawBuilder<SqlBool>): RawBuilder<unknown> {
  return sql`select media_id as id from ${tableBy(db, 'file', index)} where ${test} and key = ''`;
}

/** The end of a MIME type that stands for all that begin with what is before it. */
const ANY = '*';

function mimeTypeOf(db: Db, mimeTypes: readonly string[]): Condition {
  const stems = mimeTypes.filter((type) => type.endsWith(`/${ANY}`));
  if (stems.length > 0) return mimeTypeLike(db, mimeTypes, new Set(stems));
  const [mimeType] = mimeTypes;
  const original = sql`(select mime_type from file where media_id = media.id and key = '')`;
  const test = isAnyOf(db, 'mime_type', mimeTypes);
  return {
    part: 'mimeTypes',
    check: isAnyOf(db, original, mimeTypes),
    ids: idsOfOriginals(db, 'file_original_type', test),
    ...(mimeType !== undefined && new Set(mimeTypes).size === 1 && { value: sql`= ${mimeType}` }),
  };
}

/** Each stem is a range of the index. No media item is in two of the parts. */
function mimeTypeLike(db: Db, mimeTypes: readonly string[], stems: ReadonlySet<string>): Condition {
  const starts = [...stems].map((type) => type.slice(0, -ANY.length));
  const others = mimeTypes.filter((type) => !starts.some((start) => type.startsWith(start)));
  const tests = [
    ...starts.map((start) => (column: RawBuilder<unknown>) => beginsWith(column, start)),
    ...(others.length > 0 ? [(column: RawBuilder<unknown>) => isAnyOf(db, column, others)] : []),
  ];
  const checks = tests.map((test) => test(unindexed(db, 'file.mime_type')));
  const ids = tests.map((test) =>
    idsOfOriginals(db, 'file_original_type', test(sql.ref('mime_type'))),
  );
  return {
    part: 'mimeTypes',
    check: hasOriginal(sql`(${sql.join(checks, sql` or `)})`),
    ids: sql.join(ids, sql` union all `),
  };
}

/** The text ends with `/`, whose successor is `0`. */
function beginsWith(column: RawBuilder<unknown>, start: string): RawBuilder<SqlBool> {
  return sql`(${column} >= ${start} and ${column} < ${`${start.slice(0, -1)}0`})`;
}

function extensionOf(db: Db, extensions: readonly string[]): Condition {
  return {
    part: 'extensions',
    check: hasOriginal(isAnyOf(db, unindexed(db, 'file.extension'), extensions)),
    ids: idsOfOriginals(
      db,
      'file_original_extension',
      isAnyOf(db, 'extension', [...new Set(extensions)]),
    ),
  };
}

function extentOf(db: Db, side: 'width' | 'height', range: Range<number> = {}): Condition[] {
  const test = testOf(range);
  if (test === null) return [];
  return [
    {
      part: side,
      check: hasOriginal(test(unindexed(db, `file.${side}`))),
      ids: idsOfOriginals(db, `file_original_${side}`, test(sql.ref(side))),
    },
  ];
}

const COMPARISONS: Readonly<Record<Orientation, RawBuilder<SqlBool>>> = {
  landscape: sql<SqlBool>`file.width > file.height`,
  portrait: sql<SqlBool>`file.width < file.height`,
  square: sql<SqlBool>`file.width = file.height`,
};

/** No index compares two columns. An extent that is unknown compares as neither. */
function shapeOf(orientations: readonly Orientation[]): Condition {
  const each = [...new Set(orientations)].map((one) => COMPARISONS[one]);
  const check =
    each.length === 0 ? sql<SqlBool>`1 = 0` : hasOriginal(sql`(${sql.join(each, sql` or `)})`);
  return { part: 'orientations', check };
}

function digestOf(db: Db, md5: string): Condition {
  const digest = md5.toLowerCase();
  const byDigest = tableBy(db, 'file', 'file_md5');
  return {
    part: 'md5',
    check: sql`(select count(*) from file where media_id = media.id and md5 = ${digest}) > 0`,
    ids: sql`select distinct media_id as id from ${byDigest} where md5 = ${digest}`,
  };
}

/** The mean radius of the earth. */
const EARTH_RADIUS_M = 6_371_008.8;

/** A part of the earth, in degrees. */
interface Box {
  latitude: readonly [from: number, to: number];
  longitude: readonly [from: number, to: number];
}

/**
 * Returns the condition `the media item was taken in this circle`, with the earth as a sphere: it differs from the real
 * one by at most 0.6 % of a distance. The index finds what is in the boxes around the circle.
 */
function nearOf(db: Db, circle: Circle): Condition {
  const parts = boxesAround(circle);
  const test = (prefix: string) => {
    const [latitude, longitude] = [sql.ref(`${prefix}latitude`), sql.ref(`${prefix}longitude`)];
    return parts.map(
      (box) =>
        sql<SqlBool>`${isIn(box, latitude, longitude)} and ${isWithin(circle, latitude, longitude)}`,
    );
  };
  const byPlace = tableBy(db, 'media', 'media_place');
  const ids = test('').map((within) => sql`select id from ${byPlace} where ${within}`);
  return {
    part: 'near',
    check: sql`(${sql.join(test('media.'), sql` or `)})`,
    ids: sql.join(ids, sql` union all `),
  };
}

/**
 * Returns the boxes that hold a circle. Around a pole, it has all longitudes; across the line where the date changes,
 * there are two boxes, which have no point in common.
 */
function boxesAround({ latitude, longitude, radiusM }: Circle): Box[] {
  // Points on the circle itself are not lost to rounding.
  const angle = (radiusM * (1 + 1e-9)) / EARTH_RADIUS_M + 1e-12;
  const height = (angle * 180) / Math.PI;
  const latitudes = [latitude - height, latitude + height] as const;
  const ratio = Math.sin(angle) / Math.cos(toRadians(latitude));
  if (latitudes[0] <= -90 || latitudes[1] >= 90 || angle >= Math.PI / 2 || ratio >= 1) {
    return [{ latitude: latitudes, longitude: [-180, 180] }];
  }
  const width = (Math.asin(ratio) * 180) / Math.PI;
  const [west, east] = [longitude - width, longitude + width];
  if (west >= -180 && east <= 180) return [{ latitude: latitudes, longitude: [west, east] }];
  return [
    { latitude: latitudes, longitude: [-180, east > 180 ? east - 360 : east] },
    { latitude: latitudes, longitude: [west < -180 ? west + 360 : west, 180] },
  ];
}

function isIn(
  { latitude: [south, north], longitude: [west, east] }: Box,
  latitude: RawBuilder<unknown>,
  longitude: RawBuilder<unknown>,
): RawBuilder<SqlBool> {
  return sql`${latitude} >= ${south} and ${latitude} <= ${north}
    and ${longitude} >= ${west} and ${longitude} <= ${east}`;
}

/** Compares the haversines of angles, which grow with them up to half of the earth, so that no inverse is needed. */
function isWithin(
  circle: Circle,
  latitude: RawBuilder<unknown>,
  longitude: RawBuilder<unknown>,
): RawBuilder<SqlBool> {
  const half = (column: RawBuilder<unknown>, from: number) =>
    sql`power(sin(radians(${column} - ${from}) / 2), 2)`;
  const cosine = Math.cos(toRadians(circle.latitude));
  const limit = Math.sin(Math.min(circle.radiusM / EARTH_RADIUS_M, Math.PI) / 2) ** 2;
  return sql`${half(latitude, circle.latitude)}
    + cos(radians(${latitude})) * ${cosine} * ${half(longitude, circle.longitude)} <= ${limit}`;
}

function toRadians(degrees: number): number {
  return (degrees * Math.PI) / 180;
}
