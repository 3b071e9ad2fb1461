import type { Endpoint } from './request.ts';
import type { RetryPolicy } from './retry.ts';
import { createSparkMd5, type Md5 } from './upload/blob-md5.ts';
import { UploadError } from './upload/upload-error.ts';

/** The server's address, credentials and settings. */
export interface UploadClientOptions extends Partial<RetryPolicy> {
  /** URL of the server, `https://media.example.org`: uploads go to `/graphql` below it. */
  url: string | URL;
  /** API key or token. Default: none; a browser then sends its cookies to its own origin. */
  credential?: string | undefined;
  /** Default: the `fetch` of the platform. */
  fetch?: typeof globalThis.fetch | undefined;
  /**
   * Size of a chunk. Default: 5 MiB, which hides the cost of the server's write to disk. A few chunks are in memory at
   * a time; progress advances by one chunk.
   */
  chunkBytes?: number | undefined;
  /** Default: 5 minutes, enough for a chunk of 5 MiB at 17 KiB a second. */
  requestTimeoutMs?: number | undefined;
  /**
   * Whether `fetch` accepts a stream as its body over HTTP/1.1. Default: false, as in browsers. Node accepts it, and
   * then needs a fifth of the memory.
   */
  canStream?: boolean | undefined;
  /** MD5 implementation. Default: `spark-md5`. In Node, `node:crypto` is seven times as fast. */
  createMd5?: (() => Md5) | undefined;
}

const DEFAULTS = {
  chunkBytes: 5 * 2 ** 20,
  requestTimeoutMs: 5 * 60_000,
  // Eight retries take a minute and a half, enough for a server to restart.
  retriesMax: 8,
  retryDelayMs: 500,
  retryDelayMaxMs: 30_000,
  canStream: false,
  createMd5: createSparkMd5,
};

/** Three retries take four seconds at most: a person may wait for the answer of a query. */
const QUERY_RETRIES_MAX = 3;

/**
 * Returns where requests of a client go, and how. Throws UploadError INVALID_INPUT if the URL cannot be one of a server,
 * and NOT_AUTHENTICATED if the credential cannot be a header.
 */
export function createEndpoint(options: UploadClientOptions): Endpoint {
  const { requestTimeoutMs, canStream } = withDefaults(options);
  return {
    url: toUrl(options.url),
    headers: toHeaders(options.credential),
    fetch: options.fetch ?? globalThis.fetch,
    requestTimeoutMs,
    canStream,
  };
}

/** A page may name the server by a path, as for `fetch`. */
function toUrl(given: string | URL): string {
  const url = String(given);
  const own = globalThis.location?.href;
  const parsed = URL.canParse(url, own) ? new URL(url, own) : null;
  if (parsed && /^https?:$/.test(parsed.protocol) && !parsed.username && !parsed.password)
    return `${url.replace(/\/+$/, '')}/graphql`;
  // The URL may hold a password.
  const message = 'The `url` must be an http or https URL without user and password.';
  throw new UploadError('INVALID_INPUT', message);
}

function toHeaders(credential: string | undefined): Headers {
  const headers = new Headers({ accept: 'application/json' });
  const token = credential?.trim();
  if (!token) return headers;
  // `Headers` would refuse some of these too, but with a message that shows the credential.
  if (!/^[\x21-\x7e]+$/.test(token))
    throw new UploadError(
      'NOT_AUTHENTICATED',
      'The credential holds characters that none can have.',
    );
  headers.set('authorization', `Bearer ${token}`);
  return headers;
}

/** Returns the settings for queries: without a `retriesMax`, they have fewer retries than uploads. */
export function withQueryDefaults(options: UploadClientOptions): typeof DEFAULTS {
  return { ...withDefaults(options), retriesMax: options.retriesMax ?? QUERY_RETRIES_MAX };
}

/** Returns the settings of a client, each given or by default. */
export function withDefaults(options: UploadClientOptions): typeof DEFAULTS {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return { ...DEFAULTS, ...Object.fromEntries(given) };
}
