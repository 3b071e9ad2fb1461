import type { z } from 'zod';
import type { Quotas } from '../domain/context.ts';
import { isProxyList } from '../http/client.ts';
import type { RateOptions } from '../http/rate-limit.ts';
import { listOf, wholeNumber } from './setting.ts';

/** Configuration of the limits on clients, and of how clients are identified. */
export interface Limits {
  /** The proxies whose X-Forwarded headers are believed: addresses, networks, `loopback`. */
  trustedProxies: readonly string[];
  rate: Omit<RateOptions, 'addressFactor'>;
  quotas: Quotas;
}

const anyNumber = wholeNumber(0, Number.MAX_SAFE_INTEGER);

/** Returns 12345 as `12,345`. (`toLocaleString` would load 4 MiB of locales at each start.) */
const grouped = (value: number) => String(value).replace(/\B(?=(\d{3})+$)/g, ',');

/** Returns the variable of a limit on `what`. */
const limit = (what: string, value: number, text = grouped(value)) =>
  [
    anyNumber.default(value),
    `${what}; 0: no limit; default: ${value === 0 ? 'no limit' : text}`,
  ] as const;

const proxyList = listOf(
  'addresses, networks such as 10.1.0.0/16, or loopback, separated by commas',
  isProxyList,
);

/** The variables of the limits, as in `VARIABLES`. */
export const LIMIT_VARIABLES = {
  TRIVIUM_TRUSTED_PROXIES: [
    proxyList.optional(),
    'proxies whose X-Forwarded-For, -Host and -Proto are believed: addresses, networks, loopback; default: none',
  ],
  TRIVIUM_TRUST_PROXY: [proxyList.optional(), 'the old name of TRIVIUM_TRUSTED_PROXIES'],
  TRIVIUM_RATE_REQUESTS: [
    anyNumber.optional(),
    'requests a second of one viewer; 0: no limit; default: 2,000, and no limit for loopback addresses',
  ],
  TRIVIUM_QUOTA_UPLOADS: limit('open upload sessions of one viewer', 1000),
  TRIVIUM_QUOTA_PROMISED_BYTES: limit(
    'total size of the files of one viewer’s open upload sessions, in bytes',
    2 ** 40,
    '1 TiB',
  ),
  TRIVIUM_QUOTA_STORED_BYTES: limit('total size of the files of one viewer, in bytes', 0),
  TRIVIUM_QUOTA_ITEMS: limit('media and folders of one viewer', 0),
  TRIVIUM_QUOTA_SUBSCRIPTIONS: limit('subscriptions of one viewer at once', 200),
  TRIVIUM_QUOTA_SUBSCRIPTIONS_TOTAL: limit('subscriptions of all viewers at once', 2000),
  TRIVIUM_QUOTA_ADDRESS_FACTOR: [
    wholeNumber(1, 1_000_000).default(10),
    'all viewers of one address together may have this many times the limit of one viewer; default: 10',
  ],
  TRIVIUM_QUOTA_FREE_BYTES: limit(
    'free disk space that uploads must leave, in bytes',
    2 ** 28,
    '256 MiB',
  ),
} as const;

/** A process serves about ten times as many. */
const REQUESTS_PER_SECOND_MAX = 2000;

type Values = {
  [Name in keyof typeof LIMIT_VARIABLES]: z.output<(typeof LIMIT_VARIABLES)[Name][0]>;
};

/** Returns the limits from the values of their variables. */
export function toLimits(values: Values): Limits {
  const requests = values.TRIVIUM_RATE_REQUESTS;
  return {
    trustedProxies: values.TRIVIUM_TRUSTED_PROXIES ?? values.TRIVIUM_TRUST_PROXY ?? [],
    rate: {
      requestsPerSecondMax: requests ?? REQUESTS_PER_SECOND_MAX,
      // A loopback address is this machine's user, or a proxy that hides its clients.
      isLoopbackLimited: requests !== undefined,
    },
    quotas: {
      uploadsMax: values.TRIVIUM_QUOTA_UPLOADS,
      promisedBytesMax: values.TRIVIUM_QUOTA_PROMISED_BYTES,
      storedBytesMax: values.TRIVIUM_QUOTA_STORED_BYTES,
      itemsMax: values.TRIVIUM_QUOTA_ITEMS,
      subscriptionsMax: values.TRIVIUM_QUOTA_SUBSCRIPTIONS,
      subscriptionsTotalMax: values.TRIVIUM_QUOTA_SUBSCRIPTIONS_TOTAL,
      addressFactor: values.TRIVIUM_QUOTA_ADDRESS_FACTOR,
      freeBytesMin: values.TRIVIUM_QUOTA_FREE_BYTES,
    },
  };
}
