import type { Context } from '../domain/context.ts';
import type { Page, PageArgs } from '../domain/page.ts';
import type { GraphqlContext } from './builder.ts';
import type { Batch } from './execution/plan.ts';
import { type GroupLoader, groupLoader } from './loader.ts';
import { looksAhead, onlyOf, type Properties } from './needs.ts';

/**
 * Returns a page of the domain as a Relay connection. `totalCount` is called only if the field is selected. `whole`
 * describes the whole list, for other fields of the connection that depend on it.
 */
export function toConnection<Node>(
  page: Page<Node>,
  totalCount: () => Promise<number>,
  whole?: unknown,
) {
  return new Connection(page, totalCount, whole);
}

/** Creates its parts only if they are selected. */
class Connection<Node> {
  readonly #page: Page<Node>;
  readonly totalCount: () => Promise<number>;
  readonly whole: unknown;

  constructor(page: Page<Node>, totalCount: () => Promise<number>, whole: unknown) {
    this.#page = page;
    this.totalCount = totalCount;
    this.whole = whole;
  }

  get nodes() {
    return this.#page.nodes;
  }

  get edges() {
    return this.#page.edges;
  }

  get pageInfo(): PageInfo {
    return new PageInfo(this.#page);
  }
}

/** Computes a cursor only if it is selected. */
class PageInfo {
  readonly #page: Page<unknown>;

  constructor(page: Page<unknown>) {
    this.#page = page;
  }

  get hasNextPage(): boolean {
    return this.#page.hasNextPage;
  }

  get hasPreviousPage(): boolean {
    return this.#page.hasPreviousPage;
  }

  get startCursor(): string | null {
    return this.#page.edges[0]?.cursor ?? null;
  }

  get endCursor(): string | null {
    return this.#page.edges.at(-1)?.cursor ?? null;
  }
}

const EMPTY: Page<never> = { nodes: [], edges: [], hasNextPage: false, hasPreviousPage: false };

/** A list for each of many groups, such as the media of each folder. */
export interface GroupConnection<Args, GroupArgs, Node> {
  /** What the field declares of its price, see `price.ts`. */
  price?: { extensions: object };
  /** Converts the arguments of the field. */
  toArgs: (args: Args) => GroupArgs;
  pages: GroupLoader<GroupArgs, Page<Node>>;
  count: (context: GraphqlContext, id: number, args: GroupArgs) => Promise<number | undefined>;
  /** Describes the whole list: see `toConnection`. */
  whole?: (id: number, args: GroupArgs) => unknown;
}

/** Returns the options of a field that is a connection with one list for each object. */
export function groupConnection<Args, GroupArgs, Node>({
  price,
  toArgs,
  pages,
  count,
  whole,
}: GroupConnection<Args, GroupArgs, Node>) {
  const connectionOf = (
    page: Page<Node> | undefined,
    id: number,
    args: GroupArgs,
    context: GraphqlContext,
  ) =>
    toConnection(
      page ?? EMPTY,
      async () => (await count(context, id, args)) ?? 0,
      whole?.(id, args),
    );
  const batch: Batch = (requests, context) =>
    Promise.all(
      requests.map(async ({ field, sources, args }) => {
        try {
          const ids = (sources as { id: number }[]).map(({ id }) => id);
          const own = toArgs({ ...(args as Args & PageArgs), looksAhead: looksAhead(field) });
          const found = await pages.loadAll(
            context as GraphqlContext,
            new Set(ids),
            own,
            onlyOf(field),
          );
          return ids.map((id) => connectionOf(found.get(id), id, own, context as GraphqlContext));
        } catch (error) {
          return sources.map(() => error);
        }
      }),
    );
  return {
    extensions: { ...price?.extensions, needs: ['id'], batch },
    resolve: async ({ id }: { id: number }, args: Args, context: GraphqlContext) => {
      const own = toArgs(args);
      return connectionOf(await pages.load(context, id, own), id, own, context);
    },
  };
}

/**
 * Returns the options of a list that each object with an id has, and that takes no arguments but those of a page. The
 * pages of all objects are one call of `pages`, and their counts one call of `counts`. `whole`: see `toConnection`.
 */
export function pageConnection<Node>(
  pages: (
    domain: Context,
    ids: readonly number[],
    args: PageArgs,
    only: Properties,
  ) => Promise<Map<number, Page<Node>>>,
  counts: (domain: Context, ids: readonly number[]) => Promise<Map<number, number>>,
  whole?: (id: number) => unknown,
) {
  const pageOf = groupLoader(({ domain }, ids, args: PageArgs, only) =>
    pages(domain, ids, args, only),
  );
  const countOf = groupLoader(({ domain }, ids, _args: null) => counts(domain, ids));
  return groupConnection({
    toArgs: (args: PageArgs) => args,
    pages: pageOf,
    count: (context, id) => countOf.load(context, id, null),
    ...(whole && { whole }),
  });
}
