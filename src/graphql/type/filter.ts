import { builder } from '../builder.ts';
import { enumOf } from '../enum.ts';
import type { Types } from '../mutation.ts';

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

/** The direction of an order by a field. */
export const OrderDirection = enumOf<'asc' | 'desc'>('OrderDirection', 'Direction of an order.', {
  asc: 'Ascending: the lowest value first.',
  desc: 'Descending: the highest value first.',
});

/** Defines the input for an order by one of these fields. */
export function orderInput<Value extends string>(
  name: string,
  field: PothosSchemaTypes.EnumRef<Types, Value>,
  description: string,
) {
  return builder.inputType(name, {
    description,
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

type WithoutNull<T> = { [K in keyof T]: Exclude<T[K], null> };

/** Returns the filter with undefined for null: in a filter, both mean that the field is absent. */
export function withoutNull<T extends object>(value: T): WithoutNull<T> {
  const entries = Object.entries(value).map(([name, field]) => [name, field ?? undefined]);
  return Object.fromEntries(entries) as WithoutNull<T>;
}
