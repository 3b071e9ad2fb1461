import type { OrderStep } from '../../lib/search.ts';
import { badParameter, readEach } from './problem.ts';
import type { Parameter } from './query.ts';
import { suggestion } from './suggestion.ts';

/** What a list can be ordered by, by its name on the wire; `id` tells all rows apart. */
export type SortFields<Field extends string> = Readonly<Record<string, Field>> & { id: Field };

/**
 * Contract §2.2: all keys in their order, then `id`, so that pages are stable. Throws RefusedError: 400 for an
 * unknown key, as JSON:API has it.
 */
export function parseSort<Field extends string>(
  query: readonly Parameter[],
  fields: SortFields<Field>,
): OrderStep<Field>[] {
  const items = query
    .filter(({ family }) => family === 'sort')
    .flatMap(({ value }) => value?.split(',') ?? [])
    .filter((item) => item !== '' && item !== '-');
  const steps = readEach(items, (item) => {
    const name = item.replace(/^-/, '');
    const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (field !== undefined) return { field, descending: item.startsWith('-') };
    throw badParameter('sort', `knows no "${name}"${suggestion(name, Object.keys(fields))}`, 400);
  });
  steps.push({ field: fields.id, descending: false });
  // What has been ordered by already decides nothing.
  return steps.filter(
    ({ field }, index) => steps.findIndex((one) => one.field === field) === index,
  );
}
