/** The part of a request that a problem is about: JSON:API 1.1, "Error Objects". */
export type Source = { parameter: string } | { pointer: string } | { header: string };

/** One fault of a request. */
export interface Problem {
  status: number;
  /** Stable, `lower_snake`. */
  code: string;
  /** A sentence for people. */
  detail: string;
  source?: Source;
  /** Values for machines. */
  meta?: object;
}

/** A refusal with all faults of a request. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  readonly problems: readonly Problem[];
  /** One status for several problems: JSON:API 1.1, "Processing Errors". */
  readonly statusCode: number;

  constructor(problems: readonly Problem[]) {
    super(problems.map(({ detail }) => detail).join('; '));
    this.problems = problems;
    const [status = 400, ...others] = new Set(problems.map((problem) => problem.status));
    this.statusCode = others.length === 0 ? status : 400;
  }

  static of(status: number, code: string, detail: string, source?: Source): ProblemError {
    return new ProblemError([{ status, code, detail, ...(source && { source }) }]);
  }
}

/** Returns a fault of the query. Contract §1.6: 422, except where JSON:API requires 400. */
export function badParameter(parameter: string, detail: string, status: 400 | 422 = 422) {
  return ProblemError.of(status, 'invalid_parameter', `${parameter} ${detail}`, { parameter });
}

type Readers<T> = { [K in keyof T]: () => T[K] };

/** Maximum number of problems that a refusal names: a URL has room for a thousand faults, and each takes time. */
const PROBLEMS_MAX = 20;

/**
 * Returns the values of all readers. Throws ProblemError with the problems of the readers that fail. Stops reading when
 * there are `PROBLEMS_MAX`.
 */
export function readAll<T extends object>(readers: Readers<T>): T {
  const problems: Problem[] = [];
  const values: Partial<T> = {};
  for (const key of Object.keys(readers) as (keyof T)[]) {
    try {
      values[key] = readers[key]();
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      problems.push(...error.problems);
      if (problems.length >= PROBLEMS_MAX) break;
    }
  }
  if (problems.length > 0) throw new ProblemError(problems);
  return values as T;
}

/** Reads each item of a list, as `readAll`. */
export function readEach<Item, T>(items: readonly Item[], read: (item: Item) => T): T[] {
  return Object.values(readAll(Object.fromEntries(items.map((item, i) => [i, () => read(item)]))));
}

/**
 * Returns `; did you mean "status"?` with the known name that is nearest, or nothing if none is
 * near.
 */
export function suggestion(name: string, known: readonly string[]): string {
  const near = known
    .filter((one) => Math.abs(one.length - name.length) <= farthest(one))
    .map((one) => ({ one, distance: distanceOf(name, one) }))
    .filter(({ one, distance }) => distance <= farthest(one));
  const [best] = near.sort((a, b) => a.distance - b.distance);
  return best === undefined ? '' : `; did you mean "${best.one}"?`;
}

/** Returns the distance up to which a name may be meant. */
function farthest(known: string): number {
  return Math.max(2, known.length / 2);
}

/** Counts the letters to insert, delete, replace, or swap with the next (Damerau-Levenshtein). */
function distanceOf(a: string, b: string): number {
  const width = b.length + 1;
  const distances = new Uint16Array((a.length + 1) * width);
  const at = (i: number, j: number) => distances[i * width + j] ?? 0;
  for (let j = 0; j < width; j++) distances[j] = j;
  for (let i = 1; i <= a.length; i++) {
    distances[i * width] = i;
    for (let j = 1; j < width; j++) {
      const exchange = at(i - 1, j - 1) + Number(a[i - 1] !== b[j - 1]);
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swap = isSwap ? at(i - 2, j - 2) + 1 : Number.POSITIVE_INFINITY;
      distances[i * width + j] = Math.min(at(i - 1, j) + 1, at(i, j - 1) + 1, exchange, swap);
    }
  }
  return at(a.length, b.length);
}
