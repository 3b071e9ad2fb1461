import type { OrderStep, Window } from '../../lib/search.ts';
import { type Columns, type RowOf, selectColumns } from '../columns.ts';
import { countRows, type Keyset, listPage, type PageRequest, type RowPage } from '../cursor.ts';
import type { Db } from '../db.ts';
import { isAnyOf, isIn, lockRows, lockRowsById } from '../dialect.ts';
import { prepared } from '../prepared.ts';
import type { NewTagRow, TagChange, TagRow } from '../table.ts';

/** The filter of a list of tags: a tag has to match every given field. */
export interface TagFilter {
  id?: number | undefined;
  /** Exactly this name. */
  name?: string | undefined;
  /** Each of these is part of the name or the description, ignoring case. */
  terms?: readonly string[] | undefined;
  type?: string | undefined;
  active?: boolean | undefined;
  visible?: boolean | undefined;
  visibilityBoost?: boolean | undefined;
}

/** One step of an order of tags. */
export type TagOrder = OrderStep<'name' | 'created_at' | 'id'>;

/** Returns the row as stored. Two tags may have the same name. */
export async function insertTag(db: Db, tag: NewTagRow): Promise<TagRow> {
  return db.insertInto('tag').values(tag).returningAll().executeTakeFirstOrThrow();
}

/** Locks tags against changes and deletion until the end of the transaction. Lock media after them. */
export async function lockTags(db: Db, ids: readonly number[]): Promise<void> {
  await lockRowsById(db, 'tag', ids);
}

/** Locks the media that a tag is on: a change of the tag writes their search words anew. */
export async function lockMediasOfTag(db: Db, id: number): Promise<void> {
  const tagged = db.selectFrom('media_tag').where('tag_id', '=', id).select('media_id');
  await lockRows(db, db.selectFrom('media').where('id', 'in', tagged).orderBy('id').select('id'));
}

/** Returns the tags that exist, unordered. */
export function listTagsByIds(db: Db, ids: readonly number[]): Promise<TagRow[]> {
  return db
    .selectFrom('tag')
    .where(isAnyOf(db, 'id', ids))
    .selectAll()
    .execute();
}

interface ByMedia {
  mediaIds: readonly number[];
  columns: Columns<TagRow>;
}

const mediaIdsOf = ({ mediaIds }: ByMedia) => mediaIds;

const byMediaIds = prepared<ByMedia, TagRow & { media_id: number }>({
  keyOf: ({ columns }) => String(columns),
  build: (db, { columns }, slot) => {
    const tags = db
      .selectFrom('media_tag')
      .innerJoin('tag', 'tag.id', 'media_tag.tag_id')
      .where(isAnyOf(db, 'media_tag.media_id', slot(mediaIdsOf)))
      .orderBy('tag.name')
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
  return listPage(filtered(db, filter).selectAll(), keyset, page);
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
    .columns(['media_id', 'tag_id'])
    .expression(
      db
        .selectFrom(['media', 'tag'])
        .select(['media.id', 'tag.id as tag_id'])
        .where(isAnyOf(db, 'media.id', mediaIds))
        .where(isAnyOf(db, 'tag.id', tagIds)),
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
    query = query.orderBy(field, descending ? 'desc' : 'asc');
  }
  return query.execute();
}

/** Sets the given columns. */
export async function updateTag(db: Db, id: number, columns: TagChange): Promise<void> {
  await db.updateTable('tag').set(columns).where('id', '=', id).execute();
}

/** Deletes a tag and removes it from all media. Returns false if it does not exist. */
export async function deleteTag(db: Db, id: number): Promise<boolean> {
  const { numDeletedRows } = await db.deleteFrom('tag').where('id', '=', id).executeTakeFirst();
  return numDeletedRows === 1n;
}

function filtered(db: Db, filter: TagFilter) {
  const { id, name, terms = [], type, active, visible, visibilityBoost } = filter;
  let query = db.selectFrom('tag');
  if (id !== undefined) query = query.where('id', '=', id);
  if (name !== undefined) query = query.where('name', '=', name);
  if (type !== undefined) query = query.where('type', '=', type);
  if (active !== undefined) query = query.where('active', '=', Number(active));
  if (visible !== undefined) query = query.where('visible', '=', Number(visible));
  if (visibilityBoost !== undefined) {
    query = query.where('visibility_boost', '=', Number(visibilityBoost));
  }
  for (const term of terms) query = query.where(isIn(db, ['name', 'description'], term));
  return query;
}
