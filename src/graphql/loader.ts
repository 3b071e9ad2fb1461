import DataLoader from 'dataloader';
import type { Context } from '../domain/context.ts';
import type { GraphqlContext } from './builder.ts';
import { parseDatabaseId } from './id.ts';
import type { Properties } from './needs.ts';

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

/** Loads one value for each of many parents. */
export interface GroupLoader<Args, Value> {
  /** Loads the value of one parent. All loads of a request with the same arguments are one call. */
  load: (context: GraphqlContext, id: number, args: Args) => Promise<Value | undefined>;
  /** Loads the values of many parents at once, with the given properties. */
  loadAll: (
    context: GraphqlContext,
    ids: ReadonlySet<number>,
    args: Args,
    only: Properties,
  ) => Promise<ReadonlyMap<number, Value>>;
}

/**
 * Creates a loader of one value for each of many parents, so that a list in a list costs a fixed number of statements.
 */
export function groupLoader<Args, Value>(
  load: (
    context: GraphqlContext,
    ids: readonly number[],
    args: Args,
    only?: Properties,
  ) => Promise<Map<number, Value>>,
): GroupLoader<Args, Value> {
  const loaders = perRequest(() => new Map<string, DataLoader<number, Value | undefined>>());
  return {
    load(context, id, args) {
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
    },
    loadAll: (context, ids, args, only) => load(context, [...ids], args, only),
  };
}
