import type { FieldType, FieldValue } from '../../lib/search.ts';
import { parseTime } from '../../lib/time.ts';
import { parseUuid } from '../../lib/uuid.ts';

/** A value is not of its field's type; the message goes after the name: `must be an integer`. */
export class UnreadableValueError extends Error {
  override readonly name = 'UnreadableValueError';
}

/** Contract §2.6.2: text as the type of its field. Throws UnreadableValueError. */
export function parseFieldValue(text: string, { kind, isNullable }: FieldType): FieldValue {
  if (isNullable && text === 'null') return null;
  const [parse, expected] = READERS[kind];
  const value = parse(text);
  if (value === null) throw new UnreadableValueError(`must be ${expected}`);
  return value;
}

type Reader = (text: string) => string | number | null;

const READERS: Readonly<Record<FieldType['kind'], readonly [Reader, expected: string]>> = {
  uuid: [parseUuid, 'a UUID'],
  text: [(text) => text, 'text'],
  integer: [parseInteger, 'an integer'],
  real: [parseReal, 'a number'],
  time: [parseTime, 'a date or a time of ISO 8601'],
  flag: [toFlag, 'a boolean'],
};

/** A whole number that is held exactly, or null. */
export function parseInteger(text: string): number | null {
  return /^[+-]?\d+$/.test(text) && Number.isSafeInteger(Number(text)) ? Number(text) : null;
}

function parseReal(text: string): number | null {
  const isNumber = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i.test(text);
  return isNumber && Number.isFinite(Number(text)) ? Number(text) : null;
}

const TRUE = ['true', 't', 'yes', 'y', 'on', '1'];
const FALSE = ['false', 'f', 'no', 'n', 'off', '0'];

/** Contract §2.3, in any case; null for any other word. */
export function parseFlag(text: string): boolean | null {
  const word = text.toLowerCase();
  return TRUE.includes(word) ? true : FALSE.includes(word) ? false : null;
}

function toFlag(text: string): number | null {
  const flag = parseFlag(text);
  return flag === null ? null : Number(flag);
}
