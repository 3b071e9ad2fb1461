import type { Context } from '../domain/context.ts';
import type { Page, PageArgs } from '../domain/page.ts';
import type { GraphqlContext } from './builder.ts';
import { groupLoader } from './loader.ts';

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

/**
 * Creates the resolver of a list that each parent has. The pages of all parents of a request are one call of `pages`,
 * and their counts one call of `counts`.
 */
export function groupConnection<Node>(
  pages: (
    domain: Context,
    ids: readonly number[],
    args: PageArgs,
  ) => Promise<Map<number, Page<Node>>>,
  counts: (domain: Context, ids: readonly number[]) => Promise<Map<number, number>>,
) {
  const pageOf = groupLoader(({ domain }, ids, args: PageArgs) => pages(domain, ids, args));
  const countOf = groupLoader(({ domain }, ids, _args: null) => counts(domain, ids));
  return ({ id }: { id: number }, args: PageArgs, context: GraphqlContext) =>
    toGroupConnection(pageOf(context, id, args), () => countOf(context, id, null));
}
