import type { Page } from '../domain/page.ts';

/** Returns a page of the domain as a Relay connection. `totalCount` is called only if the field is selected. */
export function toConnection<Node>(page: Page<Node>, totalCount: () => Promise<number>) {
  return {
    edges: page.edges,
    pageInfo: {
      hasNextPage: page.hasNextPage,
      hasPreviousPage: page.hasPreviousPage,
      startCursor: page.edges[0]?.cursor ?? null,
      endCursor: page.edges.at(-1)?.cursor ?? null,
    },
    totalCount,
  };
}

const EMPTY: Page<never> = { edges: [], hasNextPage: false, hasPreviousPage: false };

/** Returns the connection of one of many groups, whose page and count come from loaders. */
export async function toGroupConnection<Node>(
  page: Promise<Page<Node> | undefined>,
  totalCount: () => Promise<number | undefined>,
) {
  return toConnection((await page) ?? EMPTY, async () => (await totalCount()) ?? 0);
}
