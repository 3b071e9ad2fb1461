import type DataLoader from 'dataloader';
import type { Context } from '../domain/context.ts';
import type { GraphqlContext } from './builder.ts';
import type { Batch, BatchRequest, PlannedField } from './execution/plan.ts';
import { onlyOf, type Properties } from './needs.ts';

/** How a field finds its value by ids: through a loader for one object, or in one read for all objects of a level. */
export interface FoundBy<Source, Item, Value> {
  /** The properties of the object that `keysOf` and `valueOf` read. */
  needs: readonly (keyof Source & string)[];
  keysOf: (source: Source, context: GraphqlContext) => readonly number[];
  /** `items` has one item for each key, in the same order. */
  valueOf: (items: readonly Item[], source: Source, context: GraphqlContext) => Value;
  /** The properties of the items that `valueOf` reads. (Default: those that the operation selects) */
  only?: readonly string[] | ((field: PlannedField) => readonly string[]);
}

/** A source of items by id. */
export interface LookupOptions<Item> {
  loader: (context: GraphqlContext) => DataLoader<number, Item>;
  load: (
    ctx: Context,
    ids: readonly number[],
    only: Properties,
  ) => Promise<ReadonlyMap<number, Item>>;
  /** Value for an id that has no item. */
  absent: Item;
}

/**
 * Creates a function that returns the options of a field whose value is found by ids. The resolver uses the loader. On
 * the fast path, a batch reads the items for all fields and objects of a level at once, with only the columns that they
 * need.
 */
export function createLookup<Item>({ loader, load, absent }: LookupOptions<Item>) {
  const batch: Batch = async (requests, context) => {
    const each = requests.map((request) => toLookup<Item>(request, context as GraphqlContext));
    const ids = new Set(each.flatMap(({ keys }) => keys.flat()));
    const { domain } = context as GraphqlContext;
    const items = ids.size === 0 ? undefined : await load(domain, [...ids], unionOf(each));
    return each.map(({ keys, toValue }) =>
      keys.map((own, index) =>
        toValue(
          own.map((key) => items?.get(key) ?? absent),
          index,
        ),
      ),
    );
  };
  return <Source, Value>(found: FoundBy<Source, Item, Value>) => ({
    extensions: { needs: found.needs, batch, found },
    resolve: (source: Source, _args: object, context: GraphqlContext): Value | Promise<Value> => {
      const keys = found.keysOf(source, context);
      if (keys.length === 0) return found.valueOf([], source, context);
      return Promise.all(keys.map((key) => loader(context).load(key))).then((items) =>
        found.valueOf(items, source, context),
      );
    },
  });
}

/** The keys that one field needs for all its objects. */
interface Lookup<Item> {
  keys: readonly (readonly number[])[];
  only: Properties;
  /** Returns the value of an object, or an error. */
  toValue: (items: readonly Item[], index: number) => unknown;
}

function toLookup<Item>({ field, sources }: BatchRequest, context: GraphqlContext): Lookup<Item> {
  const { found } = field.definition.extensions as { found: FoundBy<unknown, Item, unknown> };
  const only = typeof found.only === 'function' ? found.only(field) : found.only;
  return {
    keys: sources.map((source) => found.keysOf(source, context)),
    only: (only as Properties) ?? onlyOf(field),
    toValue: (items, index) => {
      try {
        return found.valueOf(items, sources[index], context);
      } catch (error) {
        return error;
      }
    },
  };
}

/** Adds the id, which identifies the items of a lookup. */
export function withId(only: Properties): Properties {
  return only && [...only, 'id' as never];
}

function unionOf(lookups: readonly Pick<Lookup<never>, 'only'>[]): Properties {
  const [first, ...rest] = lookups.map(({ only }) => only);
  if (rest.length === 0) return first;
  if (first === undefined || rest.includes(undefined)) return undefined;
  return [...new Set([...first, ...rest.flatMap((only) => only ?? [])])];
}
