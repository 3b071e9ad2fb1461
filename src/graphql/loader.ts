import DataLoader from 'dataloader';
import type { Context } from '../domain/context.ts';
import type { GraphqlContext } from './builder.ts';
import { parseDatabaseId } from './id.ts';

/**
 * What is made when a request first needs it, and is the same for the rest of that request. It hangs on the
 * context: in a WeakMap, what a request has loaded outlives it until the next major collection, which took a fifth
 * of the speed of lists and twice the memory.
 */
export function perRequest<Value>(
  create: (context: GraphqlContext) => Value,
): (context: GraphqlContext) => Value {
  return (context) => {
    const known = context.made.get(create) as Value | undefined;
    if (known !== undefined) return known;
    const value = create(context);
    context.made.set(create, value);
    return value;
  };
}

/** A loader of nodes by database id; null for what is not there. */
export function nodeLoader<Node extends { id: number }>(
  load: (ctx: Context, ids: readonly number[]) => Promise<Node[]>,
): (context: GraphqlContext) => DataLoader<number, Node | null> {
  return perRequest(
    ({ domain }) =>
      new DataLoader(async (ids) => {
        const nodes = new Map((await load(domain, ids)).map((node) => [node.id, node]));
        return ids.map((id) => nodes.get(id) ?? null);
      }),
  );
}

/** How `node` and `nodes` find those of a type, whose global ids hold database ids. */
export function nodeOptions<Node extends { id: number }>(
  loader: (context: GraphqlContext) => DataLoader<number, Node | null>,
) {
  return {
    id: { resolve: ({ id }: Node) => id, parse: parseDatabaseId },
    loadManyWithoutCache: (ids: number[], context: GraphqlContext) =>
      Promise.all(ids.map((id) => loader(context).load(id))),
  };
}

/** A loader of lists by the id of what they belong to. */
export function listLoader<Item>(
  load: (ctx: Context, ids: readonly number[]) => Promise<Map<number, Item[]>>,
): (context: GraphqlContext) => DataLoader<number, Item[]> {
  return perRequest(
    ({ domain }) =>
      new DataLoader(async (ids) => {
        const lists = await load(domain, ids);
        return ids.map((id) => lists.get(id) ?? []);
      }),
  );
}

/**
 * A loader of the same thing for many parents: what one request asks of them with the same arguments is
 * one call of `load`, so that a list in a list costs a fixed number of statements.
 */
export function groupLoader<Args, Value>(
  load: (
    context: GraphqlContext,
    ids: readonly number[],
    args: Args,
  ) => Promise<Map<number, Value>>,
): (context: GraphqlContext, id: number, args: Args) => Promise<Value | undefined> {
  const loaders = perRequest(() => new Map<string, DataLoader<number, Value | undefined>>());
  return (context, id, args) => {
    const byArgs = loaders(context);
    const key = JSON.stringify(args);
    let loader = byArgs.get(key);
    if (loader === undefined) {
      loader = new DataLoader(async (ids) => {
        const values = await load(context, ids, args);
        return ids.map((id) => values.get(id));
      });
      byArgs.set(key, loader);
    }
    return loader.load(id);
  };
}
