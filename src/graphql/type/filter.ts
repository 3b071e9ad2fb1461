import { builder } from '../builder.ts';

/** Of every filter by time. */
export const DateTimeRange = builder.inputType('DateTimeRange', {
  description: 'A span of time, both ends included.',
  fields: (t) => ({
    from: t.field({ type: 'DateTime', description: 'Without: from the beginning.' }),
    to: t.field({ type: 'DateTime', description: 'Without: until now.' }),
  }),
});

/** Of every order by a field. */
export const OrderDirection = builder.enumType('OrderDirection', {
  description: 'Which end comes first.',
  values: {
    ASC: { value: 'asc', description: 'The least first.' },
    DESC: { value: 'desc', description: 'The greatest first.' },
  } as const,
});

type WithoutNull<T> = { [K in keyof T]: Exclude<T[K], null> };

/** In GraphQL null is the same as absent in a filter. */
export function withoutNull<T extends object>(value: T): WithoutNull<T> {
  const entries = Object.entries(value).map(([name, field]) => [name, field ?? undefined]);
  return Object.fromEntries(entries) as WithoutNull<T>;
}
