import { type RawBuilder, type SqlBool, sql } from 'kysely';
import { type SearchWord, toSearchWords } from '../../lib/search-text.ts';
import type { Db } from '../db.ts';
import { isAnyOf, isPart, tableBy } from '../dialect.ts';
import { isBelow, isInPart, type PathMoves, partsBelow } from '../path-move.ts';
import { hasWords, idsWithWords, valuesOf, type WordMatch } from '../plan.ts';
import { idsWithin, isOutside, isWithin, type Scope, type Visibility } from '../scope.ts';
import { ROOT_ID } from './folder.ts';
import { hidingOf, publicIds, visibilityOf } from './visibility.ts';

/** The filter of a list of nodes: a node has to match every given field. */
export interface NodeFilter {
  /** Default: media, without folders. */
  kind?: 'media' | 'folder' | 'any' | undefined;
  ids?: readonly number[] | undefined;
  types?: readonly string[] | undefined;
  /** The node is directly in this folder. */
  folderId?: number | undefined;
  /** True: the node is in no folder. */
  unfiled?: boolean | undefined;
  /** The node is anywhere below a folder, given by the `path` of the nodes directly in it. */
  below?: string | undefined;
  /** The node has all of these tags. */
  tagIds?: readonly number[] | undefined;
  /**
   * Words, each from its beginning, in name, title, description, keywords and tags. In scripts without spaces, each
   * may be any part of a text. Blank: no limit. Text without a letter, digit or emoji matches nothing.
   */
  search?: string | undefined;
  /** `Viewer.id` of the creator. */
  ownedBy?: string | undefined;
  /** Both ends included. */
  createdAt?: { from?: Date | undefined; to?: Date | undefined } | undefined;
  visibility?: readonly Visibility[] | undefined;
  /** MIME types of the original. */
  mimeTypes?: readonly string[] | undefined;
  /** MD5 of any of the files: 32 hex digits, in either case. */
  md5?: string | undefined;
}

/** The part of a filter or a scope that a condition stands for. */
export type Part = keyof NodeFilter | keyof Scope | 'hidden' | 'tag' | 'rank' | 'folderWords';

/** A condition on a node, in the two ways in which a statement can use it. */
export interface Condition {
  part: Part;
  /** Tells whether `media` meets it. Null: another condition checks the same. */
  check: RawBuilder<SqlBool> | null;
  /** Selects the ids of the nodes that meet it, from an index. */
  ids?: RawBuilder<unknown>;
  /** The same, with duplicates: the first ones are found sooner. */
  sample?: RawBuilder<unknown>;
  /** The value that an index can begin with: see `walk.ts`. */
  value?: RawBuilder<unknown>;
  /** Returns the condition for another column with the same value. */
  range?: (column: RawBuilder<unknown>) => RawBuilder<SqlBool>;
  /** Returns what the condition says of a column whose value is never smaller. */
  since?: (column: RawBuilder<unknown>) => RawBuilder<SqlBool>;
  /** Tells the same of a row of `media_tag`, so that a walk of a tag needs no row of `media`. */
  checkOnTag?: RawBuilder<SqlBool>;
  /** The opposite, which few nodes meet: see `countOf`. */
  opposite?: Condition;
  /** True: `ids` has few rows. */
  isSmall?: boolean;
  /** The kind of nodes, of the condition on it. */
  kind?: NodeFilter['kind'];
  /** The words, of the condition on them. */
  match?: WordMatch;
}

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
  return [
    ...kindOf(filter),
    ...scopeOf(db, scope, filter),
    ...placeOf(db, scope.moved, filter),
    ...columnsOf(db, filter),
    ...tagsOf(db, filter),
    ...filesOf(db, filter),
    ...wordsOf(db, filter, rank),
  ];
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

function columnsOf(db: Db, { types, visibility, ownedBy, createdAt }: NodeFilter): Condition[] {
  const conditions: Condition[] = [];
  if (types !== undefined) {
    const [type] = types;
    conditions.push({
      part: 'types',
      check: isAnyOf(db, 'media.type', types),
      ids: sql`select id from ${tableBy(db, 'media', 'media_type')} where ${isAnyOf(db, 'type', types)}`,
      ...(type !== undefined && new Set(types).size === 1 && { value: sql`= ${type}` }),
    });
  }
  if (visibility !== undefined) conditions.push(visibilityOf(db, visibility));
  if (ownedBy !== undefined) {
    conditions.push({
      part: 'ownedBy',
      check: sql`media.owner = ${ownedBy}`,
      ids: sql`select id from ${tableBy(db, 'media', 'media_owner')} where owner = ${ownedBy}`,
      value: sql`= ${ownedBy}`,
    });
  }
  const { from, to } = createdAt ?? {};
  if (from || to) {
    const since =
      from && ((column: RawBuilder<unknown>) => sql<SqlBool>`${column} >= ${from.getTime()}`);
    const range = (column: RawBuilder<unknown>) => {
      const first = since?.(column);
      const last = to && sql`${column} <= ${to.getTime()}`;
      return sql<SqlBool>`${sql.join([first, last].filter(Boolean), sql` and `)}`;
    };
    const check = range(sql.ref('media.created_at'));
    const ids = sql`select id from ${tableBy(db, 'media', 'media_created')} where ${check}`;
    conditions.push({ part: 'createdAt', check, ids, range, ...(since && { since }) });
  }
  return conditions;
}

/** Returns the condition `the node is in this folder`, or `the node has this tag`, for a value in SQL. */
export function membershipOf(db: Db, by: 'folder' | 'tag', group: RawBuilder<unknown>): Condition {
  const value = sql`= ${group}`;
  if (by === 'folder') {
    const inFolder = tableBy(db, 'media', 'media_parent_id');
    const ids = sql`select id from ${inFolder} where parent_id ${value}`;
    return { part: 'folderId', check: sql`media.parent_id ${value}`, ids, value };
  }
  const tagged = tableBy(db, 'media_tag', 'media_tag_tag');
  const check = sql<SqlBool>`(select count(*) from media_tag
    where media_tag.media_id = media.id and media_tag.tag_id ${value}) > 0`;
  return {
    part: 'tag',
    check,
    ids: sql`select media_id as id from ${tagged} where tag_id ${value}`,
    value,
  };
}

/** One condition a tag, so that the rarest can select the candidates, and one check for all. */
function tagsOf(db: Db, { tagIds = [] }: NodeFilter): Condition[] {
  const ids = [...new Set(tagIds)];
  const each = ids.map((id) => membershipOf(db, 'tag', sql`${id}`));
  if (ids.length <= 1) return each;
  const carried = sql`(select count(*) from media_tag
    where media_tag.media_id = media.id and ${isAnyOf(db, sql`+media_tag.tag_id`, ids)})`;
  return [
    { part: 'tagIds', check: sql`${carried} = ${ids.length}` },
    ...each.map((condition) => ({ ...condition, check: null })),
  ];
}

function filesOf(db: Db, { mimeTypes, md5 }: NodeFilter): Condition[] {
  const conditions: Condition[] = [];
  if (mimeTypes !== undefined) {
    const [mimeType] = mimeTypes;
    const originals = tableBy(db, 'file', 'file_original_type');
    const original = sql`(select mime_type from file where media_id = media.id and key = '')`;
    conditions.push({
      part: 'mimeTypes',
      check: isAnyOf(db, original, mimeTypes),
      ids: sql`select media_id as id from ${originals} where ${isAnyOf(db, 'mime_type', mimeTypes)} and key = ''`,
      ...(mimeType !== undefined && new Set(mimeTypes).size === 1 && { value: sql`= ${mimeType}` }),
    });
  }
  if (md5 !== undefined) {
    const digest = md5.toLowerCase();
    conditions.push({
      part: 'md5',
      check: sql`(select count(*) from file where media_id = media.id and md5 = ${digest}) > 0`,
      ids: sql`select distinct media_id as id from ${tableBy(db, 'file', 'file_md5')} where md5 = ${digest}`,
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
