import { type RawBuilder, type SqlBool, sql } from 'kysely';
import type { Db } from '../../db.ts';
import { tableBy } from '../../dialect.ts';
import type { Condition } from './condition.ts';

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
