import type { Endpoint } from './request.ts';
import type { RetryPolicy } from './retry.ts';
import { createSparkMd5, type Md5 } from './upload/blob-md5.ts';
import { UploadError } from './upload/upload-error.ts';

/** The server's address, credentials and settings. */
export interface UploadClientOptions extends Partial<RetryPolicy> {
  /** URL of the server, `https://media.example.org`: uploads go to `/graphql` below it. */
  url: string;
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

/** Returns where requests of a client go, and how. Throws UploadError NOT_AUTHENTICATED if the credential cannot be a header. */
export function createEndpoint(options: UploadClientOptions): Endpoint {
  const { requestTimeoutMs, canStream } = withDefaults(options);
  return {
    url: `${options.url.replace(/\/+$/, '')}/graphql`,
    headers: toHeaders(options.credential),
    fetch: options.fetch ?? globalThis.fetch,
    requestTimeoutMs,
    canStream,
  };
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

/** Returns the settings of a client, each given or by default. */
export function withDefaults(options: UploadClientOptions): typeof DEFAULTS {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return { ...DEFAULTS, ...Object.fromEntries(given) };
}
