import { sql } from 'kysely';
import type { Keyset, PageRequest, RowPage } from '../cursor.ts';
import type { Db } from '../db.ts';
import { isAnyOf } from '../dialect.ts';
import { listOfEach } from '../group.ts';
import type { MediaRow } from '../table.ts';
import { filteredNodes, type MediaFilter } from './media-filter.ts';

/** What media, and folders, are grouped by: the folder that holds them, or a tag that they carry. */
export type Grouping = 'folder' | 'tag';

const MEMBERSHIP = {
  folder: sql<boolean>`media.parent_id = part.value`,
  tag: sql<boolean>`media.id in (select media_id from media_tag where tag_id = part.value)`,
} as const;

/** One page of each group, in one statement. Every group has an entry. */
export function listMediasOfEach(
  db: Db,
  by: Grouping,
  groups: readonly number[],
  filter: MediaFilter,
  keyset: Keyset,
  request: PageRequest,
): Promise<Map<number, RowPage<MediaRow>>> {
  const members = filteredNodes(db, filter).where(MEMBERSHIP[by]).select('media.id');
  return listOfEach(db, 'media', members, groups, keyset, request);
}

/** How many there are in each group; a group without any has no entry. */
export async function countMediasOfEach(
  db: Db,
  by: Grouping,
  groups: readonly number[],
  filter: MediaFilter,
): Promise<Map<number, number>> {
  const nodes = filteredNodes(db, filter);
  const counted =
    by === 'folder'
      ? nodes.where(isAnyOf(db, 'media.parent_id', groups)).select('media.parent_id as part')
      : nodes
          .innerJoin('media_tag', 'media_tag.media_id', 'media.id')
          .where(isAnyOf(db, 'media_tag.tag_id', groups))
          .select('media_tag.tag_id as part');
  const rows = await counted
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .groupBy(by === 'folder' ? 'media.parent_id' : sql.ref('media_tag.tag_id'))
    .execute();
  return new Map(rows.map(({ part, count }) => [Number(part), count]));
}
