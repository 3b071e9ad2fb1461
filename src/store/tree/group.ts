import { sql } from 'kysely';
import type { Keyset, PageRequest, RowPage } from '../cursor.ts';
import type { Db } from '../db.ts';
import { isAnyOf } from '../dialect.ts';
import { listOfEach } from '../group.ts';
import type { Scope } from '../scope.ts';
import type { NodeRow } from '../table.ts';
import { filteredNodes, type NodeFilter } from './filter.ts';
import { forPages } from './short-list.ts';

/** The criterion that groups nodes: the folder that holds them, or a tag on them. */
export type Grouping = 'folder' | 'tag';

const MEMBERSHIP = {
  folder: sql<boolean>`media.parent_id = part.value`,
  tag: sql<boolean>`media.id in (select media_id from media_tag where tag_id = part.value)`,
} as const;

/** The groups of a list: folders, or tags, by id. */
export interface Groups {
  by: Grouping;
  ids: readonly number[];
}

/** Returns one page of each group, in one statement. Every group has an entry. */
export function listNodesOfEach(
  db: Db,
  scope: Scope,
  { by, ids }: Groups,
  filter: NodeFilter,
  keyset: Keyset,
  request: PageRequest,
): Promise<Map<number, RowPage<NodeRow>>> {
  const members = filteredNodes(db, scope, filter).where(MEMBERSHIP[by]).select('media.id');
  const reader = by === 'folder' ? forPages(db, scope, filter, request, ids.length) : db;
  return listOfEach(reader, 'media', members, ids, keyset, request);
}

/** Returns the number of nodes in each group; an empty group has no entry. */
export async function countNodesOfEach(
  db: Db,
  scope: Scope,
  { by, ids }: Groups,
  filter: NodeFilter,
): Promise<Map<number, number>> {
  const nodes = filteredNodes(db, scope, filter);
  const counted =
    by === 'folder'
      ? nodes.where(isAnyOf(db, 'media.parent_id', ids)).select('media.parent_id as part')
      : nodes
          .innerJoin('media_tag', 'media_tag.media_id', 'media.id')
          .where(isAnyOf(db, 'media_tag.tag_id', ids))
          .select('media_tag.tag_id as part');
  const rows = await counted
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .groupBy(by === 'folder' ? 'media.parent_id' : sql.ref('media_tag.tag_id'))
    .execute();
  return new Map(rows.map(({ part, count }) => [Number(part), count]));
}
