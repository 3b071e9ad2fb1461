import DataLoader from 'dataloader';
import type { Context } from '../domain/context.ts';
import type { GraphqlContext } from './builder.ts';
import { parseDatabaseId } from './id.ts';

/**
 * Returns a function that creates a value the first time a request needs it, and returns the same value for the
 * rest of the request. The context holds the value: in a WeakMap, the objects that a request loaded outlived it until
 * the next major garbage collection, which made lists a fifth slower and took twice the memory.
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

/** Creates a loader of nodes by database id. It loads null for an id that does not exist. */
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

/** Options with which `node` and `nodes` find the nodes of a type, whose global ids contain database ids. */
export function nodeOptions<Node extends { id: number }>(
  loader: (context: GraphqlContext) => DataLoader<number, Node | null>,
) {
  return {
    id: { resolve: ({ id }: Node) => id, parse: parseDatabaseId },
    loadManyWithoutCache: (ids: number[], context: GraphqlContext) =>
      Promise.all(ids.map((id) => loader(context).load(id))),
  };
}

/** Creates a loader of lists by the id of the parent. It loads an empty list for a parent without one. */
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
 * Creates a loader of one value for each of many parents. All loads of a request with the same arguments are one call
 * of `load`, so that a list in a list costs a fixed number of statements.
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
