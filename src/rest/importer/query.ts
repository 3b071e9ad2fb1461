import type { Call } from '../../http/dialect.ts';
import { ProblemError } from './problem.ts';

/** A request with its query. */
export interface QueriedCall extends Call {
  /** The parameters in the order of the URL. */
  query: readonly Parameter[];
}

/**
 * One pair of a query: `filter[status__in][]=pending` has the family `filter`, the members
 * `['status__in', '']`, and the value `pending`.
 */
export interface Parameter {
  /** Decoded. */
  name: string;
  family: string;
  /** The parts in brackets. */
  members: readonly string[];
  /** Null: there is no `=`, which differs from an empty value. */
  value: string | null;
  /** The parameter as sent. */
  raw: string;
}

/**
 * Parses the query of a URL, in order. Contract §2.6: brackets and colons mean the same encoded or
 * not. Throws ProblemError for malformed percent-encoding.
 */
export function parseQuery(url: string): Parameter[] {
  const query = url.split('?').slice(1).join('?');
  return query
    .split('&')
    .filter((raw) => raw !== '')
    .map(parsePair);
}

/** Returns the last value of a parameter without brackets; null: absent, or without a value. */
export function lastValue(query: readonly Parameter[], family: string): string | null {
  return query.findLast((one) => one.family === family && one.members.length === 0)?.value ?? null;
}

function parsePair(raw: string): Parameter {
  const [rawName = '', ...rest] = raw.split('=');
  const name = decode(rawName, rawName);
  const value = rest.length === 0 ? null : decode(rest.join('='), name);
  const [, family = name, brackets] = /^([^[\]]+)((?:\[[^[\]]*\])*)$/.exec(name) ?? [];
  if (brackets === undefined) return { name, family: firstWord(name), members: [name], value, raw };
  const members = [...brackets.matchAll(/\[([^\]]*)\]/g)].map(([, member = '']) => member);
  return { name, family, members, value, raw };
}

/** Returns `filter` for `filter[status`, whose brackets do not match. */
function firstWord(name: string): string {
  return name.split(/[[\]]/, 1)[0] ?? '';
}

function decode(text: string, parameter: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    const detail = 'The query is not percent-encoded UTF-8.';
    throw ProblemError.of(400, 'malformed_query', detail, { parameter });
  }
}

/** Parses an integer that a number holds exactly; null for anything else. */
export function parseInteger(text: string): number | null {
  return /^[+-]?\d+$/.test(text) && Number.isSafeInteger(Number(text)) ? Number(text) : null;
}

const TRUE = ['true', 't', 'yes', 'y', 'on', '1'];
const FALSE = ['false', 'f', 'no', 'n', 'off', '0'];

/** Parses a boolean, in any case: contract §2.3. Null for any other word. */
export function parseFlag(text: string): boolean | null {
  const word = text.toLowerCase();
  return TRUE.includes(word) ? true : FALSE.includes(word) ? false : null;
}
