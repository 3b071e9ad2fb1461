import type { GraphQLError, ResponsePath } from 'graphql';
import { isPromise } from './value.ts';

/** Values at the same depth of the response: those of one field of many objects, or the items of its lists. */
export interface Level {
  values: readonly unknown[];
  /** Returns the path of a value in the response; undefined for the root. */
  pathOf: (index: number) => ResponsePath | undefined;
  /** Whether the values, and the items of the lists among them, are known not to be promises. */
  isSettled: boolean;
}

/** The JSON of each value of a level. */
export type Texts = readonly (string | Lost)[];

/** Stands for the JSON of a value that an error has made null where null is not allowed. */
export class Lost {
  readonly error: GraphQLError;

  constructor(error: GraphQLError) {
    this.error = error;
  }
}

/** Stands for a value that could not be resolved. */
export class Failure {
  readonly error: unknown;

  constructor(error: unknown) {
    this.error = error;
  }
}

/** Returns whether a value is null or stands for an error. */
export function isAbsent(value: unknown): boolean {
  if (typeof value !== 'object') return value === undefined;
  return value === null || value instanceof Failure || value instanceof Error;
}

/** Calls a function for each value. A Failure stands for the result of a call that has thrown. */
export function attemptEach(
  values: readonly unknown[],
  attempt: (value: unknown, index: number) => unknown,
): unknown[] {
  return values.map((value, index) => {
    try {
      return attempt(value, index);
    } catch (error) {
      return new Failure(error);
    }
  });
}

/** Returns the part of a level with the values at these indexes, which ascend. */
export function partOf(level: Level, indexes: readonly number[]): Level {
  const { values, pathOf } = level;
  if (indexes.length === values.length) return level;
  return {
    ...level,
    values: indexes.map((index) => values[index]),
    pathOf: (at) => pathOf(indexes[at] ?? 0),
  };
}

/** A value, or a promise of it if it takes time. */
export type Soon<Value> = Value | Promise<Value>;

/** Calls a function with a value: at once, or when its promise has resolved. */
export function when<Value, Result>(
  value: Soon<Value>,
  next: (value: Value) => Soon<Result>,
): Soon<Result> {
  return isPromise(value) ? Promise.resolve(value).then(next) : next(value);
}

/** Replaces each promise by what it resolves to, or by a Failure. Returns a promise only if there are any. */
export function settle(values: readonly unknown[]): Soon<readonly unknown[]> {
  if (!values.some(mayBePromise)) return values;
  const settled = attemptEach(values, (value) =>
    isPromise(value)
      ? Promise.resolve(value).then(undefined, (error) => new Failure(error))
      : value,
  );
  return Promise.all(settled);
}

/** Returns true also for a value whose `then` cannot be read. */
function mayBePromise(value: unknown): boolean {
  try {
    return isPromise(value);
  } catch {
    return true;
  }
}
