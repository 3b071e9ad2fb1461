/** What of a request a problem is about: JSON:API 1.1, "Error Objects". */
export type Source = { parameter: string } | { pointer: string } | { header: string };

/** One thing that is wrong with a request. */
export interface Problem {
  status: number;
  /** Stable, `lower_snake`. */
  code: string;
  /** For people. */
  detail: string;
  source?: Source;
  /** For machines. */
  meta?: object;
}

/** A refusal, with all that is wrong with a request. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
  readonly problems: readonly Problem[];
  /** JSON:API 1.1, "Processing Errors": of several statuses, the one that holds for all. */
  readonly statusCode: number;

  constructor(problems: readonly Problem[]) {
    super(problems.map(({ detail }) => detail).join('; '));
    this.problems = problems;
    const [status = 400, ...others] = new Set(problems.map((problem) => problem.status));
    this.statusCode = others.length === 0 ? status : 400;
  }

  static of(status: number, code: string, detail: string, source?: Source): RefusedError {
    return new RefusedError([{ status, code, detail, ...(source && { source }) }]);
  }
}

/** Contract §1.6: what the query has wrong is 422, but for what JSON:API says is 400. */
export function badParameter(parameter: string, detail: string, status: 400 | 422 = 422) {
  return RefusedError.of(status, 'invalid_parameter', `${parameter} ${detail}`, { parameter });
}

type Readers<T> = { [K in keyof T]: () => T[K] };

/** What each reader reads. Throws RefusedError with the problems of all that fail. */
export function readAll<T extends object>(readers: Readers<T>): T {
  const problems: Problem[] = [];
  const values: Partial<T> = {};
  for (const key of Object.keys(readers) as (keyof T)[]) {
    try {
      values[key] = readers[key]();
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      problems.push(...error.problems);
    }
  }
  if (problems.length > 0) throw new RefusedError(problems);
  return values as T;
}

/** As `readAll`, of a list: what is read of each of its items. */
export function readEach<Item, T>(items: readonly Item[], read: (item: Item) => T): T[] {
  return Object.values(readAll(Object.fromEntries(items.map((item, i) => [i, () => read(item)]))));
}
