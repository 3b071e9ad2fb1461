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
  let objects: Texts = new Array(count).fill(fields.length === 0 ? '{' : '');
  for (const [at, { name }] of fields.entries()) {
    const start = `${at === 0 ? '{' : ','}${quote(name)}:`;
    const values = columns[at] ?? [];
    objects = objects.map((object, index) => append(object, start, values[index]));
  }
  return objects.map((object) => append(object, '', '}'));
}

/** Returns items as a JSON list. A list is lost with any of its items. */
export function listText(items: Texts): string | Lost {
  return items.find((item) => typeof item !== 'string') ?? `[${items.join()}]`;
}

function append(
  text: string | Lost,
  separator: string,
  next: string | Lost | undefined,
): string | Lost {
  if (typeof text !== 'string' || next === undefined) return text;
  return typeof next === 'string' ? text + separator + next : next;
}

/** Returns a text as JSON. */
function quote(text: string): string {
  return ESCAPED.test(text) ? JSON.stringify(text) : `"${text}"`;
}

/** The characters that `JSON.stringify` escapes: surrogates only if they are not in pairs. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON escapes control characters
const ESCAPED = /["\\\u0000-\u001f\ud800-\udfff]/;
