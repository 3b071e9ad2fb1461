import {
  type Keyset,
  keysetBy,
  type PageRequest,
  type Position,
  type RowPage,
  toRowPage,
} from '../cursor.ts';
import type { NodeRow } from '../table.ts';
import type { NodeFilter } from './condition.ts';
import { RANKS } from './filter.ts';

/** The column of a keyset that orders by relevance, the best rank of `RANKS` first. It is no column of a table. */
const RELEVANCE = 'relevance';

/** Tells whether a list is ordered by relevance. Without a search, all nodes have the same relevance. */
export function isByRelevance({ columns }: Keyset): boolean {
  return columns[0]?.name === RELEVANCE;
}

/** A list by relevance. */
interface RankedList {
  filter: NodeFilter;
  keyset: Keyset;
  page: PageRequest;
}

/** The nodes of one rank that may be on a page. */
interface RankPart {
  rank: number;
  keyset: Keyset;
  page: PageRequest;
}

/** Returns one page by relevance. `read` returns the nodes of one rank. */
export async function pageByRelevance(
  list: RankedList,
  read: (part: RankPart) => Promise<RowPage<NodeRow>>,
): Promise<RowPage<NodeRow>> {
  const whole = 0;
  const readWhole = async (part: RankPart) => new Map([[whole, await read(part)]]);
  const pages = await pagesByRelevance({ ...list, groups: [whole] }, readWhole);
  return pages.get(whole) ?? { rows: [], hasMore: false };
}

/**
 * Returns one page of each group by relevance. Reads the nodes of one rank after the other, each by id, until the page
 * of every group is full: no index has this order, and a frequent word finds more nodes than can be sorted.
 */
export async function pagesByRelevance(
  { groups, filter, keyset, page }: RankedList & { groups: readonly number[] },
  read: (part: RankPart) => Promise<ReadonlyMap<number, RowPage<NodeRow>>>,
): Promise<Map<number, RowPage<NodeRow>>> {
  const { descending } = keyset;
  const { backward } = page;
  const found = new Map(groups.map((group) => [group, [] as NodeRow[]]));
  const byId = keysetBy('id', { name: 'id', type: 'number' }, descending);
  const limit = page.limit + 1;
  const ranks = filter.search?.trim() ? RANKS.map((_, rank) => rank) : [0];
  for (const rank of descending === backward ? ranks : ranks.reverse()) {
    const part = partOfRank(page, rank, descending);
    if (part === null) continue;
    const request = { ...part, limit, looksAhead: false };
    for (const [group, { rows }] of await read({ rank, keyset: byId, page: request })) {
      const inDirection = backward ? rows.toReversed() : rows;
      // The place of a row in this order, for its cursor.
      found.get(group)?.push(...inDirection.map((row) => ({ ...row, [RELEVANCE]: rank })));
    }
    if ([...found.values()].every((rows) => rows.length >= limit)) break;
  }
  const toPage = (rows: NodeRow[]) => toRowPage(rows.slice(0, limit), page);
  return new Map([...found].map(([group, rows]) => [group, toPage(rows)]));
}

/** Returns the part of a page that has one rank; null if the rank is on other pages. */
function partOfRank(
  { after, before, ...page }: PageRequest,
  rank: number,
  descending: boolean,
): PageRequest | null {
  // Positive: the rank comes after the position.
  const from = ([other]: Position) => (rank - Number(other)) * (descending ? -1 : 1);
  if (after && from(after) < 0) return null;
  if (before && from(before) > 0) return null;
  return {
    ...page,
    ...(after && from(after) === 0 && { after: after.slice(1) }),
    ...(before && from(before) === 0 && { before: before.slice(1) }),
  };
}
