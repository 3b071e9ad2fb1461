import { createContextCache } from '@pothos/core';
import DataLoader from 'dataloader';
import type { GraphqlContext } from './builder.ts';

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
  const loaders = createContextCache(
    () => new Map<string, DataLoader<number, Value | undefined>>(),
  );
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
