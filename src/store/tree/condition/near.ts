import { type RawBuilder, type SqlBool, sql } from 'kysely';
import type { Db } from '../../db.ts';
import { tableBy } from '../../dialect.ts';
import type { Circle, Condition } from './condition.ts';

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
export function nearOf(db: Db, circle: Circle): Condition {
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
export function boxesAround({ latitude, longitude, radiusM }: Circle): Box[] {
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
