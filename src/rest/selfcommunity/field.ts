import { type InputIssue, InvalidInputError } from '../../domain/error.ts';
import { isTooDeep, parseForeignJson } from '../../lib/json.ts';

/** Fields of a body by name. JSON has values of any type, the other encodings text. */
export type Fields = ReadonlyMap<string, unknown>;

/** Reads one value of a body, which is present and not null. Throws UnreadableError. */
type Reader<T> = (value: unknown) => T;

/**
 * Fields of a body, by their names in the domain: `{ visibilityBoost: ['visibility_boost', flag]
 * }`.
 */
type Spec<T> = { [K in keyof T]: readonly [name: string, read: Reader<T[K]>] };

/**
 * Reads the fields that are present. Throws InvalidInputError with every value of a wrong type, as
 * Django REST framework does, and with the faults that `check` finds in the others.
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
  // A field that could not be read is not missing.
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

/** Reads a value. Contract §4: null is refused unless a field allows it. */
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

/** Returns a reader that takes null as well. */
export function nullable<T>(read: Reader<T>): Reader<T | null> {
  const nullableRead = (value: unknown) => (value === null ? null : read(value));
  NULLABLE.add(nullableRead);
  return nullableRead;
}

/**
 * Reads text. Contract §4: a number counts as text; an object, a list or a boolean does not.
 * Surrounding space is dropped.
 */
export function text(value: unknown): string {
  if (typeof value === 'string') return value.trim();
  if (typeof value === 'number') return String(value);
  throw new UnreadableError('Not a valid string.');
}

const TRUE = ['t', 'y', 'yes', 'true', 'on', '1'];
const FALSE = ['f', 'n', 'no', 'false', 'off', '0'];

/** Reads a boolean. Contract §4: the words of Django REST framework, in any case. */
export function flag(value: unknown): boolean {
  const found = typeof value === 'object' ? undefined : queryFlag(String(value));
  if (found === undefined) throw new UnreadableError('Must be a valid boolean.');
  return found;
}

/** Returns the boolean of a query parameter; undefined, which is no filter, for anything else. */
export function queryFlag(value: string | null): boolean | undefined {
  const word = value?.toLowerCase() ?? '';
  return TRUE.includes(word) ? true : FALSE.includes(word) ? false : undefined;
}

/** Returns a reader of one of these words. */
export function choice<T extends string>(choices: readonly T[]): Reader<T> {
  return (value) => {
    const found = choices.find((one) => one === value);
    if (found !== undefined) return found;
    const shown = typeof value === 'string' ? value : JSON.stringify(value);
    throw new UnreadableError(`"${shown}" is not a valid choice.`, 'INVALID_CHOICE');
  };
}

/** Reads an object; in a form, an object as JSON text. */
export function object(value: unknown): Record<string, unknown> {
  const parsed = typeof value === 'string' ? parseObject(value) : value;
  if (isObject(parsed)) return parsed;
  throw new UnreadableError('Expected a dictionary of items.');
}

/** Returns the object of a JSON text, or null for any other text. */
export function parseObject(text: string): Record<string, unknown> | null {
  try {
    const value = parseForeignJson(text);
    return isObject(value) && !isTooDeep(value) ? value : null;
  } catch {
    return null;
  }
}

/** Returns whether a JSON value is an object, and not a list. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
