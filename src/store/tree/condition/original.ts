import { type RawBuilder, type SqlBool, sql } from 'kysely';
import type { Db } from '../../db.ts';
import { isAnyOf, tableBy } from '../../dialect.ts';
import { unindexed } from '../../plan.ts';
import { testOf } from './column.ts';
import type { Condition, NodeFilter, Range } from './condition.ts';

/** Returns the conditions on the files of a media item: on its original, and on the MD5 of any of them. */
export function filesOf(db: Db, filter: NodeFilter): Condition[] {
  const { mimeTypes, extensions, width, height, md5 } = filter;
  return [
    ...(mimeTypes === undefined ? [] : [mimeTypeOf(db, mimeTypes)]),
    ...(extensions === undefined ? [] : [extensionOf(db, extensions)]),
    ...extentOf(db, 'width', width),
    ...extentOf(db, 'height', height),
    ...(md5 === undefined ? [] : [digestOf(db, md5)]),
  ];
}

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

function digestOf(db: Db, md5: string): Condition {
  const digest = md5.toLowerCase();
  const byDigest = tableBy(db, 'file', 'file_md5');
  return {
    part: 'md5',
    check: sql`(select count(*) from file where media_id = media.id and md5 = ${digest}) > 0`,
    ids: sql`select distinct media_id as id from ${byDigest} where md5 = ${digest}`,
  };
}
