import type { Call } from '../../http/dialect.ts';
import { ProblemError } from './problem.ts';

/** A request with its query. */
export interface QueriedCall extends Call {
  /** In the order of the URL. */
  query: readonly Parameter[];
}

/** One pair of a query: `filter[status__in][]=pending` is `filter`, `['status__in', '']`, `pending`. */
export interface Parameter {
  /** As sent, but decoded. */
  name: string;
  family: string;
  /** What is in brackets. */
  members: readonly string[];
  /** Null: there is no `=`, which is not the same as nothing behind it. */
  value: string | null;
  /** As sent. */
  raw: string;
}

/**
 * The pairs of a URL's query, in their order. Contract §2.6: brackets and colons mean the same encoded or
 * not. Throws ProblemError for what is no percent-encoding.
 */
export function parseQuery(url: string): Parameter[] {
  const query = url.split('?').slice(1).join('?');
  return query
    .split('&')
    .filter((raw) => raw !== '')
    .map(parsePair);
}

/** The last value of a parameter without brackets; null: it is not there, or has none. */
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

/** Of a name whose brackets do not match: `filter` of `filter[status`. */
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

/** A whole number that is held exactly, or null. */
export function parseInteger(text: string): number | null {
  return /^[+-]?\d+$/.test(text) && Number.isSafeInteger(Number(text)) ? Number(text) : null;
}

const TRUE = ['true', 't', 'yes', 'y', 'on', '1'];
const FALSE = ['false', 'f', 'no', 'n', 'off', '0'];

/** Contract §2.3, in any case; null for any other word. */
export function parseFlag(text: string): boolean | null {
  const word = text.toLowerCase();
  return TRUE.includes(word) ? true : FALSE.includes(word) ? false : null;
}
