import type { IncomingHttpHeaders } from 'node:http';
import { parseHttpDate } from './http-date.ts';

/** Values that distinguish the states of a representation. */
export interface Validators {
  /** A strong tag, with its quotes. */
  etag: string;
  lastModified: Date;
}

/** Values of a representation whose date may be unknown. Conditions by date are then ignored. */
export interface Tagged {
  etag: string;
  lastModified: Date | null;
}

/** The result of the conditions of a GET or HEAD: send the response, 304, or 412. */
export type Verdict = 'proceed' | 'not-modified' | 'failed';

/**
 * Evaluates the conditions of a GET or HEAD of an existing resource, in the order of RFC 9110
 * §13.2.2. Ignores malformed conditions. A header of tags, even a malformed one, overrides the
 * header of dates beside it (§13.1.3, §13.1.4).
 */
export function evaluateConditions(headers: IncomingHttpHeaders, validators: Tagged): Verdict {
  return isChanged(headers, validators)
    ? 'failed'
    : isKnown(headers, validators)
      ? 'not-modified'
      : 'proceed';
}

/**
 * Returns whether a Range header counts beside this If-Range (§13.1.5). A tag is compared strongly.
 * A date must equal the one that was sent, although the file may have changed twice within its
 * second. A malformed If-Range does not match: sending the whole file is always correct.
 */
export function isRangeWanted(ifRange: string | undefined, validators: Validators): boolean {
  if (ifRange === undefined || ifRange === validators.etag) return true;
  return parseHttpDate(ifRange) === wholeSeconds(validators.lastModified);
}

/** Steps 1 and 2: If-Match, or else If-Unmodified-Since. */
function isChanged(headers: IncomingHttpHeaders, { etag, lastModified }: Tagged): boolean {
  const match = headers['if-match'];
  if (match !== undefined) {
    const tags = parseTags(match);
    // §13.1.1: "An origin server MUST use the strong comparison function". Ours is strong, a weak one never equals it.
    return tags !== null && tags !== '*' && !tags.includes(etag);
  }
  if (lastModified === null) return false;
  const since = parseHttpDate(headers['if-unmodified-since'] ?? '');
  return since !== null && wholeSeconds(lastModified) > since;
}

/** Steps 3 and 4: If-None-Match, or else If-Modified-Since. */
function isKnown(headers: IncomingHttpHeaders, { etag, lastModified }: Tagged): boolean {
  const noneMatch = headers['if-none-match'];
  if (noneMatch !== undefined) {
    const tags = parseTags(noneMatch);
    // §13.1.2: "A recipient MUST use the weak comparison function".
    return tags === '*' || (tags?.some((tag) => tag.replace(/^W\//, '') === etag) ?? false);
  }
  if (lastModified === null) return false;
  const since = parseHttpDate(headers['if-modified-since'] ?? '');
  return since !== null && wholeSeconds(lastModified) <= since;
}

/** RFC 9110 §8.8.3; a tag may contain a comma. */
const TAG = /(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"/g;

/** Returns the tags of `*` or `1#entity-tag`, or null for anything else. */
function parseTags(header: string): string[] | '*' | null {
  if (header.trim() === '*') return '*';
  const tags = header.match(TAG);
  const gaps = header.split(TAG);
  const isList = gaps.every((gap, index) => {
    const isInner = index > 0 && index < gaps.length - 1;
    return /^[ \t,]*$/.test(gap) && (!isInner || gap.includes(','));
  });
  return isList ? tags : null;
}

/** Drops the milliseconds, which a date in a header does not have. */
function wholeSeconds(date: Date): number {
  return Math.floor(date.getTime() / 1000) * 1000;
}
