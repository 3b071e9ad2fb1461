import type { FieldType, FieldValue } from '../../domain/search.ts';

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

/** The lower-case UUID, or null for anything else. */
export function parseUuid(text: string): string | null {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text) ? text.toLowerCase() : null;
}

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

/**
 * ISO 8601, and the reference's own `2026-01-01 10:00:00 +0000`. The offset is UTC where there is none; its `+`
 * may have come as a space.
 */
const TIME =
  /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?\s?(Z|UTC|[+ -]\d\d(?::?\d\d)?)?)?$/i;

/** Milliseconds since 1970 of a date or a date and time, or null. */
export function parseTime(text: string): number | null {
  const [, date, minutes = '00:00', seconds = '00', fraction = '', offset = 'Z'] =
    TIME.exec(text) ?? [];
  if (date === undefined) return null;
  const utc = `${date}T${minutes}:${seconds}.${fraction.slice(0, 3).padEnd(3, '0')}Z`;
  const time = Date.parse(utc);
  // What is no day, such as 30 February, would be taken for one of the next month.
  if (Number.isNaN(time) || new Date(time).toISOString() !== utc) return null;
  const offsetMs = parseOffset(offset);
  return offsetMs === null ? null : time - offsetMs;
}

function parseOffset(offset: string): number | null {
  const [, sign, hours, minutes = '0'] = /^([+ -])(\d\d):?(\d\d)?$/.exec(offset) ?? [];
  if (hours === undefined) return 0;
  const ms = (Number(hours) * 60 + Number(minutes)) * 60_000;
  if (Number(hours) > 23 || Number(minutes) > 59) return null;
  return sign === '-' ? -ms : ms;
}
