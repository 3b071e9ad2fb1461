/** A range of bytes, both ends included. */
export interface SelectedRange {
  start: number;
  end: number;
}

/**
 * Returns the range that a Range header selects from a file of `sizeBytes` (RFC 9110 §14.2). Returns `whole` if the
 * header is absent or ignored, and `unsatisfiable` if the response must be 416.
 *
 * Ignores headers with another unit, with a malformed range (such as `bytes=5-2`, §14.1.1), or with several satisfiable
 * ranges; §14.2 allows all three. Clients that request several ranges must accept the whole file, which object stores
 * send, too. Hundreds of overlapping ranges can therefore not cause a response larger than the file.
 */
export function selectRange(
  header: string | undefined,
  sizeBytes: number,
): SelectedRange | 'whole' | 'unsatisfiable' {
  const specs = parseRangeSet(header);
  // Content-Range cannot describe the whole of an empty file.
  if (specs === null || sizeBytes === 0) return 'whole';
  const ranges = specs.map((spec) => select(spec, sizeBytes)).filter((range) => range !== null);
  const [range] = ranges;
  if (range === undefined) return 'unsatisfiable';
  return ranges.length === 1 ? range : 'whole';
}

/** A range as written: first and last position, or only the length of a suffix. */
interface RangeSpec {
  first: number | null;
  last: number | null;
}

/**
 * Returns null unless every element is a range. `range-set = 1#range-spec` allows empty elements.
 */
function parseRangeSet(header: string | undefined): RangeSpec[] | null {
  const set = /^bytes=(\S|\S.*\S)$/i.exec(header ?? '')?.[1];
  if (set === undefined) return null;
  const elements = set.split(',').map((element) => element.trim());
  const specs = elements.filter((element) => element !== '').map(parseRangeSpec);
  return specs.length > 0 && !specs.includes(null) ? specs.filter((spec) => spec !== null) : null;
}

function parseRangeSpec(text: string): RangeSpec | null {
  const [, first, last] = /^(\d*)-(\d*)$/.exec(text) ?? [];
  const spec = { first: parsePosition(first), last: parsePosition(last) };
  if (spec.first === null && spec.last === null) return null;
  // §14.1.1: "An int-range is invalid if the last-pos value is present and less than first-pos."
  return spec.first !== null && spec.last !== null && spec.last < spec.first ? null : spec;
}

/** Parses a position. One past 2^53 is not exact, but past the end of any file. */
function parsePosition(digits: string | undefined): number | null {
  return digits ? Number(digits) : null;
}

/** Returns null if nothing is left: the range starts past the end, or is a suffix of no bytes. */
function select({ first, last }: RangeSpec, sizeBytes: number): SelectedRange | null {
  const end = sizeBytes - 1;
  if (first === null) {
    return last ? { start: Math.max(0, sizeBytes - last), end } : null;
  }
  return first > end ? null : { start: first, end: Math.min(last ?? end, end) };
}
