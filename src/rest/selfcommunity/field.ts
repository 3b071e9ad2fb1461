import { type InputIssue, InvalidInputError } from '../../domain/error.ts';

/** Fields of a body by name. JSON has values of any type, the other encodings text. */
export type Fields = ReadonlyMap<string, unknown>;

/** Reads one value of a body, which is neither absent nor null. Throws UnreadableError. */
type Reader<T> = (value: unknown) => T;

/** Fields of a body by the domain's names: `{ visibilityBoost: ['visibility_boost', flag] }`. */
type Spec<T> = { [K in keyof T]: readonly [name: string, read: Reader<T[K]>] };

/**
 * The fields that are there, read each by its reader. Throws InvalidInputError with every value that is
 * of a wrong type, as Django REST framework does, and with what `check` finds wrong with the others.
 */
export function readFields<T>(
  fields: Fields,
  spec: Spec<T>,
  check?: (values: Partial<T>) => void,
): Partial<T> {
  const issues: InputIssue[] = [];
  const unreadable = new Set<unknown>();
  const values: Partial<T> = {};
  for (const key of Object.keys(spec) as (keyof T)[]) {
    const [name, read] = spec[key];
    const value = fields.get(name);
    if (value === undefined) continue;
    try {
      values[key] = readValue(value, read);
    } catch (error) {
      if (!(error instanceof UnreadableError)) throw error;
      issues.push({ path: [name], code: error.code, message: error.message });
      unreadable.add(key);
    }
  }
  // What could not be read is not missing.
  const found = issuesOf(() => check?.(values)).filter(({ path: [key] }) => !unreadable.has(key));
  issues.push(...found);
  if (issues.length > 0) throw new InvalidInputError(issues);
  return values;
}

function issuesOf(check: () => void): readonly InputIssue[] {
  try {
    check();
    return [];
  } catch (error) {
    if (error instanceof InvalidInputError) return error.issues;
    throw error;
  }
}

/** Contract §4: null is refused where a field does not say that it may be. */
function readValue<T>(value: unknown, read: Reader<T>): T {
  if (value !== null || NULLABLE.has(read)) return read(value);
  throw new UnreadableError('', 'NULL');
}

class UnreadableError extends Error {
  readonly code: string;

  constructor(message: string, code = 'INVALID') {
    super(message);
    this.code = code;
  }
}

const NULLABLE = new WeakSet<Reader<unknown>>();

/** The same, and null. */
export function nullable<T>(read: Reader<T>): Reader<T | null> {
  const nullableRead = (value: unknown) => (value === null ? null : read(value));
  NULLABLE.add(nullableRead);
  return nullableRead;
}

/** Contract §4: a number is text; an object, a list or a truth value is not. Space around it is not kept. */
export function text(value: unknown): string {
  if (typeof value === 'string') return value.trim();
  if (typeof value === 'number') return String(value);
  throw new UnreadableError('Not a valid string.');
}

const TRUE = ['t', 'y', 'yes', 'true', 'on', '1'];
const FALSE = ['f', 'n', 'no', 'false', 'off', '0'];

/** Contract §4: the words of Django REST framework, in any case. */
export function flag(value: unknown): boolean {
  const found = typeof value === 'object' ? undefined : queryFlag(String(value));
  if (found === undefined) throw new UnreadableError('Must be a valid boolean.');
  return found;
}

/** A truth value of a query; undefined, which is no filter, for anything else. */
export function queryFlag(value: string | null): boolean | undefined {
  const word = value?.toLowerCase() ?? '';
  return TRUE.includes(word) ? true : FALSE.includes(word) ? false : undefined;
}

/** One of some words. */
export function choice<T extends string>(choices: readonly T[]): Reader<T> {
  return (value) => {
    const found = choices.find((one) => one === value);
    if (found !== undefined) return found;
    const shown = typeof value === 'string' ? value : JSON.stringify(value);
    throw new UnreadableError(`"${shown}" is not a valid choice.`, 'INVALID_CHOICE');
  };
}

/** An object; in a form, as JSON text. */
export function object(value: unknown): Record<string, unknown> {
  const parsed = typeof value === 'string' ? parseObject(value) : value;
  if (isObject(parsed)) return parsed;
  throw new UnreadableError('Expected a dictionary of items.');
}

/** The object that JSON text stands for; null for any other text. */
export function parseObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) && !isTooDeep(value) ? value : null;
  } catch {
    return null;
  }
}

/** Whether it is an object of JSON: no list. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** No body needs more, and what is written back to text goes down by a call for each level. */
const DEPTH_MAX = 64;

/** Whether a value of JSON is nested deeper than any body has to be. */
export function isTooDeep(value: unknown): boolean {
  let level = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > DEPTH_MAX) return true;
    level = level.flatMap((one) => (typeof one === 'object' && one ? Object.values(one) : []));
  }
  return false;
}
