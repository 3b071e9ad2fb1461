import { type RawBuilder, type SqlBool, sql } from 'kysely';
import { type SearchWord, toSearchWords } from '../../lib/search-text.ts';
import type { Db } from '../db.ts';
import { isAnyOf, isPart, tableBy } from '../dialect.ts';
import { isBelow, isInPart, type PathMoves, partsBelow } from '../path-move.ts';
import { hasWords, idsWithWords, valuesOf, type WordMatch } from '../plan.ts';
import { idsWithin, isOutside, isWithin, type Scope } from '../scope.ts';
import { columnsOf } from './attribute.ts';
import type { Condition, NodeFilter, Part } from './condition.ts';
import { ROOT_ID } from './folder.ts';
import { membershipOf, tagsOf } from './membership.ts';
import { filesOf } from './original.ts';
import { hidingOf, publicIds } from './visibility.ts';

/** Where a search finds words, and how, if no rank is asked for. */
const ANYWHERE = { isInName: false, isWhole: false };

/**
 * The ranks of the nodes that a search finds, best first: all words are in the name or title as they are, or are parts
 * of its words; all are in any field as they are, or are parts of its words. A node has the first rank that it meets.
 */
export const RANKS: readonly Omit<WordMatch, 'words'>[] = [
  { isInName: true, isWhole: true },
  { isInName: true, isWhole: false },
  { isInName: false, isWhole: true },
  ANYWHERE,
];

/**
 * Returns the conditions that the nodes of a list meet; of those that a search finds, only the nodes of one rank if
 * it is given. No list contains the root.
 */
export function conditionsOf(db: Db, scope: Scope, filter: NodeFilter, rank?: number): Condition[] {
  const parts = conjunctsOf(filter);
  // A list has one search that the index of words serves; further ones are checked.
  const searched = parts.find(({ search }) => search?.trim());
  return [
    ...kindOf(filter),
    ...scopeOf(db, scope, filter),
    ...parts.flatMap((part) => [
      ...ownOf(db, scope.moved, part),
      ...(part === searched
        ? wordsOf(db, part, part === filter ? rank : undefined)
        : checkedOnly(wordsOf(db, part))),
    ]),
  ];
}

/** Returns the filters that a node has to match all of, without their own `and`. */
function conjunctsOf(filter: NodeFilter): NodeFilter[] {
  const { and = [], or } = filter;
  const others = or?.length === 1 ? [...and, ...or] : and;
  return [filter, ...others.flatMap(conjunctsOf)];
}

/** Returns the conditions of a filter without its words and what `conjunctsOf` returns. */
function ownOf(db: Db, moved: PathMoves, filter: NodeFilter): Condition[] {
  const { or, not } = filter;
  const inner = (filter: NodeFilter) =>
    conjunctsOf(filter).flatMap((part) => [
      ...ownOf(db, moved, part),
      ...checkedOnly(wordsOf(db, part)),
    ]);
  return [
    ...placeOf(db, moved, filter),
    ...columnsOf(db, filter),
    ...tagsOf(db, filter),
    ...filesOf(db, filter),
    ...(or === undefined || or.length === 1 ? [] : anyOf(or.map(inner))),
    ...(not === undefined ? [] : [noneOf(inner(not))]),
  ];
}

/** The index of words reads all matches, however few of them the rest of a filter needs. */
function checkedOnly(conditions: readonly Condition[]): Condition[] {
  return conditions.map(({ part, check, ids, isSmall }) =>
    isSmall ? { part, check, ...(ids && { ids }), isSmall } : { part, check },
  );
}

/**
 * Returns the conditions `the node meets all conditions of one or more of these lists`. If an index serves each list, the
 * nodes of all of them together are candidates; the check of the rest is a condition of its own.
 */
function anyOf(lists: readonly (readonly Condition[])[]): Condition[] {
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
function noneOf(conditions: readonly Condition[]): Condition {
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

function kindOf({ kind = 'media' }: NodeFilter): Condition[] {
  const isShown = sql<SqlBool>`media.id <> ${sql.lit(ROOT_ID)}`;
  const checks: Record<typeof kind, RawBuilder<SqlBool>> = {
    media: sql`media.type <> 'folder'`,
    folder: sql`${isShown} and media.type = 'folder'`,
    any: isShown,
  };
  return [{ part: 'kind', check: checks[kind], kind }];
}

function scopeOf(
  db: Db,
  { publicOnly, hiding, within, excluding, moved }: Scope,
  { kind = 'media' }: NodeFilter,
): Condition[] {
  const conditions: Condition[] = [];
  // No folder is private, and no public media item.
  if (hiding !== null && kind !== 'folder' && !publicOnly) {
    conditions.push(hidingOf(db, hiding));
  }
  if (publicOnly) {
    conditions.push({
      part: 'publicOnly',
      check: sql`media.is_public = 1`,
      ...(kind === 'media' && { ids: publicIds(db) }),
    });
  }
  for (const subtree of excluding) {
    conditions.push({ part: 'excluding', check: isOutside(moved, subtree) });
  }
  if (within !== null) {
    const sample = idsWithin(db, moved, within);
    const ids = sql`select distinct id from (${sample}) part`;
    conditions.push({ part: 'within', check: isWithin(db, moved, within), ids, sample });
  }
  return conditions;
}

function placeOf(
  db: Db,
  moved: PathMoves,
  { ids, folderId, unfiled, below }: NodeFilter,
): Condition[] {
  const conditions: Condition[] = [];
  if (ids !== undefined) {
    conditions.push({
      part: 'ids',
      check: isAnyOf(db, 'media.id', ids),
      ids: sql`select value as id from (${valuesOf(db, [...new Set(ids)])}) given`,
      isSmall: true,
    });
  }
  if (folderId !== undefined) conditions.push(membershipOf(db, 'folder', sql`${folderId}`));
  if (unfiled) {
    conditions.push({
      part: 'unfiled',
      check: sql`media.parent_id is null`,
      ids: sql`select id from ${tableBy(db, 'media', 'media_parent_id')} where parent_id is null`,
      value: sql`is null`,
    });
  }
  if (below !== undefined) {
    const byPath = tableBy(db, 'media', 'media_path');
    const parts = partsBelow(moved, below).map(
      (part) => sql`select id from ${byPath} where ${isInPart(part, sql`path`)}`,
    );
    conditions.push({
      part: 'below',
      check: isBelow(moved, below),
      ids: sql`${sql.join(parts, sql` union all `)}`,
    });
  }
  return conditions;
}

function wordsOf(db: Db, { search, kind }: NodeFilter, rank?: number): Condition[] {
  if (!search?.trim()) return [];
  const words = toSearchWords(search);
  if (words.length === 0) {
    return [
      { part: 'ids', check: sql`1 = 0`, ids: sql`select id from media where 1 = 0`, isSmall: true },
    ];
  }
  if (kind === 'folder') return [wordsOfFolder(db, words)];
  const matchOf = (at: number): WordMatch => ({ words, ...(RANKS[at] ?? ANYWHERE) });
  const match = matchOf(rank ?? RANKS.length);
  const found = { check: hasWords(db, match), ids: idsWithWords(db, match), match };
  if (!rank) return [{ part: 'search', ...found }];
  const before = RANKS.slice(0, rank).map((_, better) => hasWords(db, matchOf(better)));
  const check = sql<SqlBool>`not (${sql.join(before, sql` or `)})`;
  return [
    { part: 'search', ...found },
    { part: 'rank', check },
  ];
}

/** Folders are few: the words of each are compared. */
function wordsOfFolder(db: Db, words: readonly SearchWord[]): Condition {
  const each = words.map(({ part }) => isPart(db, ['folder_words.words'], ` ${part}`));
  const found = sql<SqlBool>`${sql.join(each, sql` and `)}`;
  return {
    part: 'folderWords',
    check: sql`(select count(*) from folder_words where folder_id = media.id and ${found}) > 0`,
    ids: sql`select folder_id as id from folder_words where ${found}`,
  };
}
