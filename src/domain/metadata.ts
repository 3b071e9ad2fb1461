import { z } from 'zod';
import { toNfc } from '../lib/name.ts';
import { InvalidInputError } from './error.ts';

/** The custom fields of a media item, by key. */
export type Metadata = Record<string, unknown>;

/** Maximum number of custom fields of a media item. */
export const METADATA_KEYS_MAX = 50;
/** Maximum number of characters of a key. */
export const METADATA_KEY_MAX = 100;
/** Maximum number of nested levels, the object with the keys included. */
export const METADATA_LEVELS_MAX = 5;
/** Maximum size of all custom fields as JSON. */
export const METADATA_BYTES_MAX = 16 * 1024;

/**
 * The schema of custom fields: a JSON object. In a change, null removes a key. Keys are parsed to NFC; values stay as
 * given. Each issue has the path to the value that is wrong.
 */
export const metadataInput = z
  .custom<Metadata>()
  .check(({ value, issues }) => {
    for (const { path, ...issue } of issuesOf(value)) {
      // What follows needs an object.
      issues.push({ ...issue, path: [...path], input: value, continue: false });
    }
  })
  .transform((fields) => fromEntries(entriesOf(fields)));

/**
 * Applies a change to stored custom fields, which are JSON or null. A key that is not in the change stays; null removes
 * one, and null for the change removes all. Returns what is to be stored. Throws InvalidInputError if they are too many
 * or too large afterwards.
 */
export function mergeMetadata(stored: string | null, change: Metadata | null): string | null {
  if (change === null) return null;
  const fields = new Map(entriesOf(parseMetadata(stored)));
  for (const [key, value] of entriesOf(change)) {
    if (value === null) fields.delete(key);
    else fields.set(key, value);
  }
  if (fields.size === 0) return null;
  const [issue] = sizeIssues([...fields]);
  if (issue !== undefined) {
    const { message, maximum: limit } = issue;
    throw new InvalidInputError([{ path: ['metadata'], code: 'TOO_BIG', message, limit }]);
  }
  return JSON.stringify(fromEntries([...fields]));
}

/** Returns custom fields as they are stored: JSON, or null for none. */
export function parseMetadata(stored: string | null): Metadata {
  return stored === null ? {} : (JSON.parse(stored) as Metadata);
}

type Entry = [key: string, value: unknown];
type Path = readonly (string | number)[];

interface TooBig {
  code: 'too_big';
  origin: string;
  maximum: number;
  inclusive: true;
  message: string;
}

type Issue = { path: Path } & (
  | TooBig
  | { code: 'custom'; message: string }
  | { code: 'invalid_type'; expected: 'object' }
);

/** Returns the fields that have a value; a variable of a GraphQL document that is not given leaves none. */
function entriesOf(fields: Metadata): Entry[] {
  return Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => [toNfc(key), value]);
}

/** Unlike an assignment, this makes `__proto__` a key like any other. */
function fromEntries(entries: readonly Entry[]): Metadata {
  return Object.fromEntries(entries);
}

function issuesOf(fields: unknown): Issue[] {
  if (!isPlainObject(fields)) return [{ path: [], code: 'invalid_type', expected: 'object' }];
  const entries = entriesOf(fields);
  // One change can remove as many as there may be, and set as many others.
  if (entries.length > 2 * METADATA_KEYS_MAX) return [{ path: [], ...tooManyKeys() }];
  const own = entries.flatMap(([key, value]) => [
    ...keyIssues(key),
    ...valueIssues(value, [key], METADATA_LEVELS_MAX - 1),
  ]);
  if (own.length > 0) return own;
  const set = entries.filter(([, value]) => value !== null);
  return sizeIssues(set).map((issue) => ({ ...issue, path: [] }));
}

function keyIssues(key: string): Issue[] {
  if (key.trim() === '') {
    return [{ path: [key], code: 'custom', message: 'A key may not be blank.' }];
  }
  if (!/^\P{Cc}*$/u.test(key)) {
    return [{ path: [key], code: 'custom', message: 'A key may not contain control characters.' }];
  }
  if (key.length <= METADATA_KEY_MAX || [...key].length <= METADATA_KEY_MAX) return [];
  const message = `A key has at most ${METADATA_KEY_MAX} characters.`;
  return [{ path: [key], ...tooBig('string', METADATA_KEY_MAX, message) }];
}

function valueIssues(value: unknown, path: Path, levels: number): Issue[] {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return [];
  if (typeof value === 'number' && Number.isFinite(value)) return [];
  const isList = Array.isArray(value);
  if (!isList && !isPlainObject(value)) {
    return [{ path, code: 'custom', message: 'Expected a JSON value.' }];
  }
  if (levels === 0) {
    const message = `At most ${METADATA_LEVELS_MAX} levels.`;
    return [{ path, ...tooBig('object', METADATA_LEVELS_MAX, message) }];
  }
  if (isList) return value.flatMap((one, at) => valueIssues(one, [...path, at], levels - 1));
  return Object.entries(value).flatMap(([key, one]) =>
    one === undefined ? [] : valueIssues(one, [...path, key], levels - 1),
  );
}

function sizeIssues(entries: readonly Entry[]): TooBig[] {
  if (entries.length > METADATA_KEYS_MAX) return [tooManyKeys()];
  const sizeBytes = Buffer.byteLength(JSON.stringify(fromEntries(entries)));
  if (sizeBytes <= METADATA_BYTES_MAX) return [];
  return [tooBig('object', METADATA_BYTES_MAX, `At most ${METADATA_BYTES_MAX} bytes of JSON.`)];
}

function tooManyKeys(): TooBig {
  return tooBig('object', METADATA_KEYS_MAX, `At most ${METADATA_KEYS_MAX} keys.`);
}

function tooBig(origin: string, maximum: number, message: string): TooBig {
  return { code: 'too_big', origin, maximum, inclusive: true, message };
}

/** A file of a multipart request, for example, is no JSON value. */
function isPlainObject(value: unknown): value is Metadata {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}
