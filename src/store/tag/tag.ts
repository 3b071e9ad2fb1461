import { sql } from 'kysely';
import type { OrderStep, Window } from '../../lib/search.ts';
import { foldText, toIndexedWords } from '../../lib/search-text.ts';
import { type Columns, type RowOf, selectColumns, withSortKey } from '../columns.ts';
import { countRows, type Keyset, listPage, type PageRequest, type RowPage } from '../cursor.ts';
import type { Db } from '../db.ts';
import { isAnyOf, isPart, lockRowsById, tagWordsOf } from '../dialect.ts';
import { inline } from '../inline.ts';
import { insertion, prepared } from '../prepared.ts';
import { onlyRow } from '../result.ts';
import type { NewTagRow, TagChange, TagRow } from '../table.ts';
import { insertWithEntry, type NewRowEntry } from '../viewer/audit.ts';

/** The filter of a list of tags: a tag has to match every given field. */
export interface TagFilter {
  id?: number | undefined;
  /** Exactly this name. */
  name?: string | undefined;
  /** Each of these, as `toTerms` returns them, is part of the name or the description. */
  terms?: readonly string[] | undefined;
  type?: string | undefined;
  active?: boolean | undefined;
  visible?: boolean | undefined;
  visibilityBoost?: boolean | undefined;
}

/** One step of an order of tags. */
export type TagOrder = OrderStep<'name' | 'created_at' | 'id'>;

const tagInsertion = insertion<NewTagRow, TagRow>((db, tag) =>
  db.insertInto('tag').values(tag).returningAll(),
);

/**
 * Returns the row as stored. Two tags may have the same name. Also inserts the entry about it, by the same message or
 * statement.
 */
export async function insertTag(
  db: Db,
  tag: NewTagRow,
  entry: NewRowEntry | null = null,
): Promise<TagRow> {
  const row = { ...withSortKey(tag), ...wordsOf(tag) };
  return onlyRow(
    await (entry === null ? tagInsertion(db, row) : insertWithEntry(db, tagInsertion, row, entry)),
  );
}

/** Locks tags against changes and deletion until the end of the transaction. Lock media after them. */
export async function lockTags(db: Db, ids: readonly number[]): Promise<void> {
  await lockRowsById(db, 'tag', ids);
}

/**
 * Returns the ids of media that a tag is on, in their order: the first `limit` after a given one. Locks the media until
 * the end of the transaction: their search words change.
 */
export async function lockMediasOfTag(
  db: Db,
  id: number,
  { after, limit }: { after: number; limit: number },
): Promise<number[]> {
  const links = await db
    .selectFrom('media_tag')
    .where('tag_id', '=', id)
    .where('media_id', '>', after)
    .orderBy('media_id')
    .limit(limit)
    .select('media_id')
    .execute();
  const ids = links.map(({ media_id }) => media_id);
  await lockRowsById(db, 'media', ids);
  return ids;
}

/** Returns the number of media that a tag is on, including those that are being deleted. */
export function countLinksOfTag(db: Db, id: number): Promise<number> {
  return countRows(db.selectFrom('media_tag').where('tag_id', '=', id));
}

/** Writes the search words of media anew that come from their tags. */
export async function indexMedias(db: Db, ids: readonly number[]): Promise<void> {
  const medias = db.updateTable('media_words').where(isAnyOf(db, 'media_id', ids));
  await medias.set({ tags: tagWordsOf(db) }).execute();
}

/** Returns the tag, also while a job deletes it. */
export function findTagRow(db: Db, id: number): Promise<TagRow | undefined> {
  return db.selectFrom('tag').where('id', '=', id).selectAll().executeTakeFirst();
}

/** Returns the tags that a job has to delete, or whose media a job has to index. */
export function listUnfinishedTags(db: Db): Promise<TagRow[]> {
  return db
    .selectFrom('tag')
    .where(sql<boolean>`(deleted_at is not null or indexed_up_to is not null)`)
    .selectAll()
    .execute();
}

/** Returns the tags that exist, unordered. */
export function listTagsByIds(db: Db, ids: readonly number[]): Promise<TagRow[]> {
  return inline(db, ids.length)
    .selectFrom('tag')
    .where(isAnyOf(db, 'id', ids))
    .where('deleted_at', 'is', null)
    .selectAll()
    .execute();
}

interface ByMedia {
  mediaIds: readonly number[];
  columns: Columns<TagRow>;
}

const mediaIdsOf = ({ mediaIds }: ByMedia) => mediaIds;

const byMediaIds = prepared<ByMedia, TagRow & { media_id: number }>({
  isLookup: true,
  keyOf: ({ columns }) => String(columns),
  lookupsOf: ({ mediaIds }) => mediaIds.length,
  build: (db, { columns }, slot) => {
    const tags = db
      .selectFrom('media_tag')
      .innerJoin('tag', 'tag.id', 'media_tag.tag_id')
      .where(isAnyOf(db, 'media_tag.media_id', slot(mediaIdsOf)))
      .where('tag.deleted_at', 'is', null)
      .orderBy('tag.name_sort')
      .orderBy('tag.id')
      .select('media_tag.media_id');
    return selectColumns(tags, 'tag', columns);
  },
});

/** Returns the tags of each media item, by name. */
export async function listTagsByMediaIds<C extends Columns<TagRow> = undefined>(
  db: Db,
  mediaIds: readonly number[],
  columns?: C,
) {
  const rows = await byMediaIds(db, { mediaIds, columns });
  return rows as (RowOf<TagRow, C> & { media_id: number })[];
}

/** Returns one page of the tags that match the filter. */
export function listTags(
  db: Db,
  filter: TagFilter,
  keyset: Keyset,
  page: PageRequest,
): Promise<RowPage<TagRow>> {
  // An index has the order of all tags.
  const isWalk = Object.values(filter).every((value) => value === undefined);
  const reader = isWalk ? inline(db, page.limit) : db;
  return listPage(filtered(reader, filter).selectAll(), keyset, page);
}

/** Returns the number of tags that match the filter. */
export function countTags(db: Db, filter: TagFilter): Promise<number> {
  return countRows(filtered(db, filter));
}

/** Adds each tag to each media item; ignores tags and media that do not exist. */
export async function insertMediaTags(
  db: Db,
  mediaIds: readonly number[],
  tagIds: readonly number[],
): Promise<void> {
  if (mediaIds.length === 0 || tagIds.length === 0) return;
  await db
    .insertInto('media_tag')
    .columns(['media_id', 'tag_id', 'created_at', 'is_public'])
    .expression(
      db
        .selectFrom(['media', 'tag'])
        .select(['media.id', 'tag.id as tag_id', 'media.created_at', 'media.is_public'])
        .where(isAnyOf(db, 'media.id', mediaIds))
        .where(isAnyOf(db, 'tag.id', tagIds))
        .where('tag.deleted_at', 'is', null),
    )
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** Removes each tag from each media item. */
export async function deleteMediaTags(
  db: Db,
  mediaIds: readonly number[],
  tagIds: readonly number[],
): Promise<void> {
  await db
    .deleteFrom('media_tag')
    .where(isAnyOf(db, 'media_id', mediaIds))
    .where(isAnyOf(db, 'tag_id', tagIds))
    .execute();
}

/** Returns a window of the tags that match the filter, for APIs that page by offset. */
export function listTagsFrom(
  db: Db,
  filter: TagFilter,
  order: readonly TagOrder[],
  { limit, offset }: Window,
): Promise<TagRow[]> {
  let query = filtered(db, filter).selectAll().limit(limit).offset(offset);
  for (const { field, descending } of order) {
    query = query.orderBy(field === 'name' ? 'name_sort' : field, descending ? 'desc' : 'asc');
  }
  return query.execute();
}

/** Sets the given columns. */
export async function updateTag(db: Db, id: number, columns: TagChange): Promise<void> {
  const values = { ...withSortKey(columns), ...wordsOf(columns) };
  await db.updateTable('tag').set(values).where('id', '=', id).execute();
}

/** Returns what searches compare of the given columns. */
function wordsOf({ name, description }: Pick<TagChange, 'name' | 'description'>) {
  return {
    ...(name !== undefined && { words: toIndexedWords(name), name_folded: foldText(name) }),
    ...(description !== undefined && { description_folded: foldText(description ?? '') }),
  };
}

/** Deletes a tag and removes it from the media that still have it. */
export async function deleteTag(db: Db, id: number): Promise<void> {
  await db.deleteFrom('tag').where('id', '=', id).execute();
}

function filtered(db: Db, filter: TagFilter) {
  const { id, name, terms = [], type, active, visible, visibilityBoost } = filter;
  let query = db.selectFrom('tag').where('deleted_at', 'is', null);
  if (id !== undefined) query = query.where('id', '=', id);
  if (name !== undefined) query = query.where('name', '=', name);
  if (type !== undefined) query = query.where('type', '=', type);
  if (active !== undefined) query = query.where('active', '=', Number(active));
  if (visible !== undefined) query = query.where('visible', '=', Number(visible));
  if (visibilityBoost !== undefined) {
    query = query.where('visibility_boost', '=', Number(visibilityBoost));
  }
  for (const term of terms) {
    query = query.where(isPart(db, ['name_folded', 'description_folded'], term));
  }
  return query;
}
