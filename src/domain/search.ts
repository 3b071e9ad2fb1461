import { spellingsOf, toNfc } from '../lib/name.ts';
import type { Condition, FieldValue, Part, Search } from '../lib/search.ts';
import type { RowPage } from '../store/cursor.ts';
import { type InputIssue, InvalidInputError } from './error.ts';

/** Maximum number of words of a search: each is a look-up of its own. */
export const WORDS_MAX = 10;
/** Maximum number of tags that a filter can ask for together. */
export const TAGS_MAX = 50;
/** Maximum length of a search, in characters. */
export const SEARCH_LENGTH_MAX = 500;
/** Maximum number of values in one field of a filter. */
const VALUES_MAX = 200;
/** Maximum number of conditions of a search by fields. */
const CONDITIONS_MAX = 20;

/** Maximum number of levels of filters in a filter. */
export const FILTER_LEVELS_MAX = 3;
/** Maximum number of conditions of the filters in a filter. */
export const FILTER_CONDITIONS_MAX = 20;

/** Throws InvalidInputError if a search is too long, or has too many words. */
export function checkSearch(
  field: string | InputIssue['path'],
  text: string | undefined,
  toWords: (text: string) => readonly unknown[],
): void {
  if (text === undefined) return;
  if (text.length > SEARCH_LENGTH_MAX) {
    throw tooBig(field, SEARCH_LENGTH_MAX, 'characters');
  }
  if (toWords(text).length > WORDS_MAX) throw tooBig(field, WORDS_MAX, 'words');
}

/** Throws InvalidInputError if a list in a filter has too many values. */
export function checkFilter(filter: object): void {
  for (const [field, values] of Object.entries(filter)) checkValues(field, values);
}

/** Throws InvalidInputError if there are too many values. */
export function checkValues(
  path: string | InputIssue['path'],
  values: unknown,
  max = VALUES_MAX,
): void {
  if (Array.isArray(values) && values.length > max) throw tooBig(path, max, 'values');
}

/**
 * Throws InvalidInputError if there are too many conditions, or one has too many values or too long a text. The paths
 * of its issues begin with `filter`. Only so many conditions may look for a part of a text: no index serves them.
 */
function checkConditions(conditions: readonly Condition<string>[]): void {
  if (conditions.length > CONDITIONS_MAX) throw tooBig('filter', CONDITIONS_MAX, 'conditions');
  for (const condition of conditions) {
    const path = ['filter', condition.field];
    if ('values' in condition) checkValues(path, condition.values);
    if ('text' in condition && condition.text.length > SEARCH_LENGTH_MAX) {
      throw tooBig(path, SEARCH_LENGTH_MAX, 'characters');
    }
  }
  const parts = conditions.filter(({ test }) => test === 'substring' || test === 'suffix');
  if (parts.length > WORDS_MAX) throw tooBig('filter', WORDS_MAX, 'conditions on a part of a text');
}

/**
 * Returns the conditions with the values of these fields as names are stored: in NFC. What equals a value is also looked
 * for as given, because rows of an earlier version may hold it.
 */
export function inStoredSpelling<Field extends string>(
  conditions: readonly Condition<Field>[],
  fields: readonly Field[],
): Condition<Field>[] {
  const spellings = (value: FieldValue): FieldValue[] =>
    typeof value === 'string' ? spellingsOf(value) : [value];
  return conditions.map((condition) => {
    if (!fields.includes(condition.field)) return condition;
    if ('values' in condition) return { ...condition, values: condition.values.flatMap(spellings) };
    if ('text' in condition) return { ...condition, text: toNfc(condition.text) };
    if (!('value' in condition) || typeof condition.value !== 'string') return condition;
    return { ...condition, value: toNfc(condition.value) };
  });
}

/** A search, and whether the rows of all its parts are counted. */
export interface CountedSearch<Field extends string> extends Search<Field> {
  isCounted: boolean;
}

/** How the rows that meet all conditions are read, counted and shown. */
interface Rows<Field extends string, Row, Node> {
  find: (search: Search<Field>) => Promise<RowPage<Row>>;
  count: (conditions: readonly Condition<Field>[]) => Promise<number>;
  convert: (row: Row) => Node;
}

/** Returns the part that a search asks for, and its count if `isCounted`. Throws InvalidInputError. */
export async function searchPart<Field extends string, Row, Node>(
  { isCounted, ...search }: CountedSearch<Field>,
  { find, count, convert }: Rows<Field, Row, Node>,
): Promise<Part<Node>> {
  checkConditions(search.conditions);
  const { rows, hasMore } = await find(search);
  return {
    nodes: rows.map(convert),
    hasMore,
    count: isCounted ? await count(search.conditions) : null,
  };
}

function tooBig(path: string | InputIssue['path'], max: number, of: string): InvalidInputError {
  const message = `Expected at most ${max} ${of}.`;
  return new InvalidInputError([{ path: [path].flat(), code: 'TOO_BIG', message }]);
}
