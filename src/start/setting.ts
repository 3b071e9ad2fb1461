import { isIP } from 'node:net';
import { z } from 'zod';
import { parseAllowedHosts } from '../outbound/address.ts';

/** Returns the schema of a whole number within these bounds. */
export function wholeNumber(min: number, max: number) {
  return z
    .string()
    .refine(
      (text) => /^\d+$/.test(text) && Number(text) >= min && Number(text) <= max,
      `a whole number from ${min} to ${max}`,
    )
    .transform(Number);
}

/**
 * Returns the schema of one of several values, named in the error as `a, b or c`. (`Intl.ListFormat` would load 4 MiB of
 * locales.)
 */
export function oneOf<const T extends string>(values: readonly T[]) {
  return z.enum(values, values.join(', ').replace(/, (?!.*, )/, ' or '));
}

/** Returns the schema of entries that are separated by commas. `expected` says what they must be. */
export function listOf(expected: string, areValid: (entries: readonly string[]) => boolean) {
  return z
    .string()
    .transform((list) => list.split(',').map((entry) => entry.trim()))
    .refine(areValid, expected);
}

/** The schema of hosts and networks. */
export const hostList = listOf(
  'hosts, host:port or networks such as 10.1.0.0/16, separated by commas',
  isHostList,
);

function isHostList(entries: readonly string[]): boolean {
  try {
    parseAllowedHosts(entries);
    return true;
  } catch {
    return false;
  }
}

/** The schema of origins of pages. */
export const originList = listOf(
  'origins such as https://app.example.org, separated by commas, each without a path, a default port or *',
  (origins) => origins.every(isOrigin),
);

/** Tells whether this is the origin of a page, as a browser writes it. Apps with a web view have schemes of their own. */
function isOrigin(text: string): boolean {
  if (!/^https?:/i.test(text)) return /^[a-z][a-z\d+.-]*:\/\/[\w.-]+(:\d+)?$/.test(text);
  return !text.includes('*') && URL.canParse(text) && new URL(text).origin === text;
}

/** The schema of a URL of HTTP. */
export const httpUrl = z.url({ protocol: /^https?$/, error: 'an http or https URL' });

/** The schema of a URL that paths are appended to. It becomes one without a slash at its end. */
export const baseUrl = httpUrl
  .refine((url) => !/[?#]/.test(url), 'an http or https URL without ? and #')
  .transform((url) => url.replace(/\/+$/, ''));

/** Tells whether an address to listen on is reached from this machine only. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}
