import { type ZodType, z } from 'zod';
import { isTooDeep, JSON_LEVELS_MAX } from '../lib/json.ts';
import { cleanName, removeInvisible, toNfc } from '../lib/name.ts';
import { isWebUrl } from '../lib/web-url.ts';
import { type InputIssue, InvalidInputError } from './error.ts';

/** Returns the parsed input. Throws InvalidInputError with every issue that the schema finds. */
export function parseInput<T>(schema: ZodType<T>, input: unknown): T {
  const result = schema.safeParse(input, { reportInput: true, error: expectation });
  if (result.success) return result.data;
  throw new InvalidInputError(result.error.issues.map(toIssue));
}

type SchemaIssue = z.core.$ZodIssue;

/** Describes an issue in our own words: the schema library's would change with its version. */
function toIssue(issue: SchemaIssue): InputIssue {
  const path = issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step));
  const [code, message = issue.message] = describe(issue);
  const limit = issue.code === 'too_big' ? Number(issue.maximum) : undefined;
  return { path, code, message, ...(limit !== undefined && { limit }) };
}

function describe(issue: SchemaIssue): [code: string, message?: string] {
  if (issue.code === 'invalid_type') {
    if (issue.input === undefined) return ['REQUIRED', 'It is required.'];
    if (issue.input === null) return ['NULL', 'It may not be null.'];
    return ['INVALID_TYPE', `Expected ${TYPES[issue.expected] ?? issue.expected}.`];
  }
  if (issue.code === 'too_small') {
    return [issue.origin === 'string' && issue.minimum === 1 ? 'BLANK' : 'TOO_SMALL'];
  }
  if (issue.code === 'too_big') return ['TOO_BIG'];
  if (issue.code !== 'invalid_value') return ['INVALID'];
  return issue.input === undefined ? ['REQUIRED', 'It is required.'] : ['INVALID_CHOICE'];
}

const TYPES: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  int: 'an integer',
  boolean: 'a boolean',
  array: 'a list',
  object: 'an object',
  record: 'an object',
  date: 'a date and time',
};

const ITEMS: Readonly<Record<string, string>> = { string: ' characters', array: ' items' };

/** Says what is expected, for a check that has no message of its own. */
function expectation(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case 'too_small':
      return `Expected at least ${issue.minimum}${ITEMS[issue.origin] ?? ''}.`;
    case 'too_big':
      return `Expected at most ${issue.maximum}${ITEMS[issue.origin] ?? ''}.`;
    case 'invalid_value':
      return `Expected ${issue.values.length > 1 ? 'one of ' : ''}${issue.values.join(', ')}.`;
    case 'invalid_format':
      return issue.format === 'guid' ? 'Expected a UUID.' : undefined;
    case 'unrecognized_keys':
      return `Unknown names: ${issue.keys.join(', ')}.`;
    default:
      return undefined;
  }
}

/** An MD5 as hex, in either case; parsed to lower case. */
export const md5Hex = z
  .string()
  .regex(/^[0-9a-f]{32}$/i, 'An MD5 has 32 hexadecimal digits.')
  .transform((hex) => hex.toLowerCase());

/*
 * Names and texts are stored in NFC. This file decides it, for every noun and dialect: a name is `displayName`, a title
 * `titleText`, any other text that people write `freeText`, and a key that a client chooses `clientKey`. What looks a
 * name up cleans it by the same functions of `lib/name.ts`.
 */

/** Returns a schema for text that people write: any Unicode except NUL, which PostgreSQL cannot store. In NFC. */
export function freeText(charactersMax: number) {
  return storableText(charactersMax).overwrite(toNfc);
}

/** Returns a schema for a title: one that is shown in place of a name, but may be blank or have several lines. */
export function titleText(charactersMax: number) {
  return storableText(charactersMax).overwrite((text) => toNfc(removeInvisible(text)));
}

/** Returns a schema for any Unicode except NUL, as given. */
function storableText(charactersMax: number) {
  return z
    .string()
    .check(atMost(charactersMax))
    .refine((text) => !text.includes('\0'), {
      error: 'May not contain a NUL character.',
      abort: true,
    });
}

/**
 * Returns a schema for a key that a client chooses and looks up again, such as the Importer's resource: in NFC, without
 * control characters, otherwise as given. `spellingsOf` are the keys that a look-up has to try.
 */
export function clientKey(charactersMax: number) {
  return z
    .string()
    .check(atMost(charactersMax))
    .regex(/^\P{Cc}*$/u, 'May not contain control characters.')
    .overwrite(toNfc);
}

/** An absolute http or https URL, as given; at most 2,048 characters. */
export const webUrl = storableText(2048).refine(isWebUrl, 'Expected an http or https URL.');

/**
 * As `webUrl`, but without a user name and a password: they would be stored, and shown to everyone who sees the job.
 */
export const publicUrl = webUrl.refine((text) => {
  const url = URL.parse(text);
  return url === null || (url.username === '' && url.password === '');
}, 'May not contain a user name or a password.');

/**
 * Returns a schema for a name that people give: not blank, in NFC, without surrounding space and invisible characters,
 * as `cleanName` returns it.
 */
export function displayName(charactersMax: number) {
  return z
    .string()
    .trim()
    .regex(/^\P{Cc}*$/u, { error: 'May not contain control characters.', abort: true })
    .overwrite(cleanName)
    .min(1, 'May not be blank.')
    .check(atMost(charactersMax));
}

/**
 * Counts characters as people and both databases do: an emoji is one character, although a JavaScript string holds two.
 */
function atMost(charactersMax: number) {
  return ({ value, issues }: z.core.ParsePayload<string>) => {
    // A text never has fewer code units than characters.
    if (value.length <= charactersMax || [...value].length <= charactersMax) return;
    issues.push({
      code: 'too_big',
      origin: 'string',
      maximum: charactersMax,
      inclusive: true,
      input: value,
      message: `At most ${charactersMax} characters.`,
      // What follows would take long for a long text.
      continue: false,
    });
  };
}

/** A JSON object of at most 64 levels. */
export const jsonObject = z.custom<Record<string, unknown>>(
  (value) => isRecord(value) && !isTooDeep(value) && isJson(value),
  `Expected a JSON object of at most ${JSON_LEVELS_MAX} levels.`,
);

function isRecord(value: unknown): boolean {
  return typeof value === 'object' && !Array.isArray(value);
}

function isJson(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object') return typeof value === 'string' || typeof value === 'boolean';
  return value === null || Object.values(value).every(isJson);
}

/** Database ids; duplicates are removed. */
export const idList = z
  .array(z.int().positive())
  .max(200)
  .transform((ids) => [...new Set(ids)]);
