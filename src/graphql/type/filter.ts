import type { GraphQLResolveInfo } from 'graphql';
import type { Context } from '../../domain/context.ts';
import type { Page, PageArgs } from '../../domain/page.ts';
import { builder, type GraphqlContext } from '../builder.ts';
import { toConnection } from '../connection.ts';
import { enumOf } from '../enum.ts';
import { onlyIn, type Properties } from '../needs.ts';

/** A span of time in a filter. */
export const DateTimeRange = builder.inputType('DateTimeRange', {
  description: 'A span of time. Both ends are included.',
  fields: (t) => ({
    from: t.field({
      type: 'DateTime',
      description: 'Start of the span. Omit it for a span without a start.',
    }),
    to: t.field({
      type: 'DateTime',
      description: 'End of the span. Omit it for a span without an end.',
    }),
  }),
});

/** A range of integers in a filter. */
export const IntRange = builder.inputType('IntRange', {
  description: 'A range of integers from 0 on. Both ends are included.',
  fields: (t) => ({
    min: t.int({ description: 'Least value. Omit it for a range without a least value.' }),
    max: t.int({ description: 'Greatest value. Omit it for a range without a greatest value.' }),
  }),
});

/** A range of integers beyond 2^31 in a filter. */
export const BigIntRange = builder.inputType('BigIntRange', {
  description: 'A range of integers from 0 on, up to 2^53 - 1. Both ends are included.',
  fields: (t) => ({
    min: t.field({
      type: 'BigInt',
      description: 'Least value. Omit it for a range without a least value.',
    }),
    max: t.field({
      type: 'BigInt',
      description: 'Greatest value. Omit it for a range without a greatest value.',
    }),
  }),
});

/** The direction of an order by a field. */
export const OrderDirection = enumOf<'asc' | 'desc'>('OrderDirection', 'Direction of an order.', {
  asc: 'Ascending: the lowest value first.',
  desc: 'Descending: the highest value first.',
});

/**
 * Defines the input `<type>Order` for an order of a list by one of `fields`, and the enum of the fields. `things` and
 * `ties` are parts of the description.
 */
export function orderInput<Field extends string>(
  type: string,
  things: string,
  ties: string,
  fields: Readonly<Record<Field, string>>,
) {
  const field = enumOf<Field>(
    `${type}OrderField`,
    `Field by which a list of ${things} is ordered.`,
    fields,
  );
  return builder.inputType(`${type}Order`, {
    description: `Order of a list of ${things}. ${ties}`,
    fields: (t) => ({
      field: t.field({ type: field, required: true, description: 'Field to order by.' }),
      direction: t.field({
        type: OrderDirection,
        required: true,
        defaultValue: 'asc',
        description: 'Direction of the order.',
      }),
    }),
  });
}

/** Returns the order for the domain; undefined, which means the default of the list, if none is given. */
export function toOrder<Field>(
  order: { field: Field; direction: 'asc' | 'desc' } | null | undefined,
): { field: Field; descending: boolean } | undefined {
  return order ? { field: order.field, descending: order.direction === 'desc' } : undefined;
}

interface ListArgs<Sent, Field> extends PageArgs {
  filter?: Sent | null | undefined;
  orderBy?: { field: Field; direction: 'asc' | 'desc' } | null | undefined;
}

interface List<Sent, Filter, Field, Node> {
  toFilter: (filter?: Sent | null) => Filter;
  list: (
    domain: Context,
    page: PageArgs,
    filter: Filter,
    order: { field: Field; descending: boolean } | undefined,
    only: Properties,
  ) => Promise<Page<Node>>;
  count: (domain: Context, filter: Filter) => Promise<number>;
}

/** Creates the resolver of a list with the arguments `filter` and `orderBy`. */
export function filteredList<Sent, Filter, Field, Node>({
  toFilter,
  list,
  count,
}: List<Sent, Filter, Field, Node>) {
  return async (
    _root: unknown,
    { filter, orderBy, ...page }: ListArgs<Sent, Field>,
    { domain }: GraphqlContext,
    info: GraphQLResolveInfo,
  ) => {
    const narrowed = toFilter(filter);
    const found = await list(domain, page, narrowed, toOrder(orderBy), onlyIn(info));
    return toConnection(found, () => count(domain, narrowed), { filter: narrowed });
  };
}

type WithoutNull<T> = { [K in keyof T]: Exclude<T[K], null> };

/** Returns the filter with undefined for null: in a filter, both mean that the field is absent. */
export function withoutNull<T extends object>(value: T): WithoutNull<T> {
  const entries = Object.entries(value).map(([name, field]) => [name, field ?? undefined]);
  return Object.fromEntries(entries) as WithoutNull<T>;
}
