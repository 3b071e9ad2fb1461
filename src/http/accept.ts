import { mediaTypeOf, parseParameters } from '../lib/header-value.ts';

/** Returns the items of an `Accept` header as they are written: splits it at commas outside of quotes. */
export function acceptedRanges(accept: string): string[] {
  return (accept.match(/(?:"(?:[^"\\]|\\.)*"|[^,"])+/g) ?? []).map((item) => item.trim());
}

/**
 * Returns the offered media type that a client prefers (RFC 9110 §12.5.1): the one with the highest weight, then the one
 * that the header names more precisely, then the one that it names first, then the first one offered. A type with the
 * weight 0 is not accepted. Returns null if the client accepts none of them. Without a header, all are accepted.
 */
export function preferredType<T extends string>(
  accept: string | undefined,
  offered: readonly T[],
): T | null {
  const ranges = acceptedRanges(accept || '*/*').map(toRange);
  const choices = offered.flatMap((type) => {
    const range = rangeOf(type, ranges);
    return range === null || range.weight === 0 ? [] : [{ type, ...range }];
  });
  // The sort is stable: types of one range stay in the order of the offer.
  const [best] = choices.sort(
    (a, b) => b.weight - a.weight || b.precision - a.precision || a.position - b.position,
  );
  return best?.type ?? null;
}

/**
 * Returns the weight that a header gives to a media type, from 0 to 1. `isNamed`: 0 if the header matches the
 * type by a wildcard only. (Default: false)
 */
export function weightOf(
  accept: string | undefined,
  type: string,
  { isNamed = false }: { isNamed?: boolean } = {},
): number {
  const range = rangeOf(type, acceptedRanges(accept || '*/*').map(toRange));
  return range === null || (isNamed && range.name !== type) ? 0 : range.weight;
}

interface Range {
  name: string;
  weight: number;
  position: number;
}

function toRange(item: string, position: number): Range {
  const weight = Number(parseParameters(item).get('q') || 1);
  // A weight that is no number is the client's fault; its type is accepted all the same.
  return { name: mediaTypeOf(item), weight: Number.isNaN(weight) ? 1 : weight, position };
}

/** Returns the most precise range that includes a type: its weight counts. */
function rangeOf(type: string, ranges: readonly Range[]) {
  const names = ['*/*', `${type.split('/', 1)[0]}/*`, type];
  return ranges.reduce<(Range & { precision: number }) | null>((best, range) => {
    const precision = names.indexOf(range.name);
    return precision > (best?.precision ?? -1) ? { ...range, precision } : best;
  }, null);
}
