import { type RawBuilder, type SqlBool, sql } from 'kysely';
import type { Db } from '../db.ts';
import { isAnyOf, tableBy } from '../dialect.ts';
import type { Condition, NodeFilter } from './condition.ts';

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

/** Returns the conditions on the tags of a media item. */
export function tagsOf(db: Db, { tagIds = [], anyTagIds, tagged }: NodeFilter): Condition[] {
  return [
    ...allOf(db, [...new Set(tagIds)]),
    ...(anyTagIds === undefined ? [] : [oneOf(db, [...new Set(anyTagIds)])]),
    ...(tagged === undefined ? [] : [taggedOf(db, tagged)]),
  ];
}

/** One condition a tag, so that the rarest can select the candidates, and one check for all. */
function allOf(db: Db, ids: readonly number[]): Condition[] {
  const each = ids.map((id) => membershipOf(db, 'tag', sql`${id}`));
  if (ids.length <= 1) return each;
  const carried = sql`(select count(*) from media_tag
    where media_tag.media_id = media.id and ${isAnyOf(db, sql`+media_tag.tag_id`, ids)})`;
  return [
    { part: 'tagIds', check: sql`${carried} = ${ids.length}` },
    ...each.map((condition) => ({ ...condition, check: null })),
  ];
}

function oneOf(db: Db, ids: readonly number[]): Condition {
  const [id] = ids;
  if (id !== undefined && ids.length === 1) return membershipOf(db, 'tag', sql`${id}`);
  const sample = sql`select media_id as id from ${tableBy(db, 'media_tag', 'media_tag_tag')}
    where ${isAnyOf(db, 'tag_id', ids)}`;
  const check = sql<SqlBool>`(select count(*) from media_tag
    where media_tag.media_id = media.id and ${isAnyOf(db, sql`+media_tag.tag_id`, ids)}) > 0`;
  return { part: 'anyTagIds', check, ids: sql`select distinct id from (${sample}) part`, sample };
}

function taggedOf(db: Db, tagged: boolean): Condition {
  const carried = sql`(select count(*) from media_tag where media_tag.media_id = media.id)`;
  if (!tagged) return { part: 'tagged', check: sql`${carried} = 0` };
  const sample = sql`select media_id as id from ${tableBy(db, 'media_tag', 'media_tag_tag')}
    where tag_id > 0`;
  const ids = sql`select distinct id from (${sample}) part`;
  return { part: 'tagged', check: sql`${carried} > 0`, ids, sample };
}
