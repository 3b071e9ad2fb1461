import {
  GraphQLBoolean,
  GraphQLID,
  GraphQLInt,
  type GraphQLLeafType,
  GraphQLString,
} from 'graphql';
import type { Lost, Texts } from './level.ts';
import type { PlannedField } from './plan.ts';
import { serialize } from './value.ts';

/** Returns a scalar or an enum value as JSON. Throws if the value is not one of the type. */
export function leafText(type: GraphQLLeafType, value: unknown): string {
  // Values that `serialize` of these types returns as they are.
  if (typeof value === 'string' && (type === GraphQLString || type === GraphQLID)) {
    return quote(value);
  }
  if (typeof value === 'number' && type === GraphQLInt && (value | 0) === value) return `${value}`;
  if (typeof value === 'boolean' && type === GraphQLBoolean) return value ? 'true' : 'false';
  const serialized = serialize(type, value);
  return typeof serialized === 'string' ? quote(serialized) : JSON.stringify(serialized);
}

/** Returns objects as JSON, given the values of each of their fields. An object is lost with any of its values. */
export function objectTexts(
  fields: readonly PlannedField[],
  columns: readonly Texts[],
  count: number,
): Texts {
  if (fields.length === 0) return new Array(count).fill('{}');
  const starts = fields.map(({ name }, at) => `${at === 0 ? '{' : ','}${quote(name)}:`);
  const objects: (string | Lost)[] = [];
  for (let index = 0; index < count; index++) objects.push(objectText(starts, columns, index));
  return objects;
}

function objectText(
  starts: readonly string[],
  columns: readonly Texts[],
  index: number,
): string | Lost {
  let text = '';
  for (let at = 0; at < starts.length; at++) {
    const value = columns[at]?.[index];
    if (typeof value === 'object') return value;
    text += starts[at] + (value as string);
  }
  return `${text}}`;
}

/** Returns the items from `start` up to `end` as a JSON list. A list is lost with any of its items. */
export function listText(items: Texts, start: number, end: number): string | Lost {
  // Joined, each list is one flat text. Texts that refer to others would all live until the response is sent.
  const list = items.slice(start, end);
  return list.find((item) => typeof item !== 'string') ?? `[${list.join()}]`;
}

/** Returns a text as JSON. */
function quote(text: string): string {
  return ESCAPED.test(text) ? JSON.stringify(text) : `"${text}"`;
}

/** The characters that `JSON.stringify` escapes: surrogates only if they are not in pairs. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON escapes control characters
const ESCAPED = /["\\\u0000-\u001f\ud800-\udfff]/;
