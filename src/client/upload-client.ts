import { createSparkMd5, type Md5 } from './blob-md5.ts';
import type { UploadOptions } from './chunk.ts';
import { uploadInChunks } from './chunked-upload.ts';
import { createOperations, type Named, type UploadedMedia } from './operation.ts';
import { type RetryPolicy, retry } from './retry.ts';
import { UploadError } from './upload-error.ts';

/** Where the server is, and how it is talked to. */
export interface UploadClientOptions extends Partial<RetryPolicy> {
  /** Of the server, `https://media.example.org`: uploads go to `/graphql` below it. */
  url: string;
  /** API key or token. Default: none; a browser then sends its cookies to its own origin. */
  credential?: string | undefined;
  /** Default: the platform's. */
  fetch?: typeof globalThis.fetch | undefined;
  /**
   * Size of a chunk. Default 5 MiB, which hides what the server's write to disk costs. So much of the
   * file is in memory, a few times over; progress moves in such steps.
   */
  chunkBytes?: number | undefined;
  /** Default 5 minutes: a chunk of 5 MiB may come at 17 KiB a second. */
  requestTimeoutMs?: number | undefined;
  /**
   * Whether `fetch` takes a stream as its body over HTTP/1.1. Default false, as browsers do not. Node does,
   * and then needs a fifth of the memory.
   */
  canStream?: boolean | undefined;
  /** Default: `spark-md5`. In Node, `node:crypto` is seven times as fast. */
  createMd5?: (() => Md5) | undefined;
}

/** Sends files to a server, in Node and in browsers. */
export interface UploadClient {
  /**
   * Makes a media of a blob: in Node `await fs.openAsBlob(path)`, which reads as it goes. Only a chunk is
   * in memory at a time. Throws UploadError, and the signal's reason once it is aborted.
   */
  upload(blob: Blob, options?: UploadOptions): Promise<UploadedMedia>;
  /** Ends a session; what was sent is deleted. Throws UploadError. */
  abort(uploadId: string): Promise<void>;
  /** The folder at a path of names, `/Design/Logos`; null if there is none that may be seen. */
  findFolder(path: string): Promise<Named | null>;
  /** The tag of this very name, made if there is none. */
  ensureTag(name: string): Promise<Named>;
  /** Throws UploadError at once, without another attempt, if no server answers or the credential is bad. */
  check(): Promise<void>;
}

const DEFAULTS = {
  chunkBytes: 5 * 2 ** 20,
  requestTimeoutMs: 5 * 60_000,
  // All eight take a minute and a half: a server that is being restarted is back by then.
  retriesMax: 8,
  retryDelayMs: 500,
  retryDelayMaxMs: 30_000,
  canStream: false,
  createMd5: createSparkMd5,
};

/** Sends nothing yet. Throws UploadError NOT_AUTHENTICATED for what cannot be a credential. */
export function createUploadClient(options: UploadClientOptions): UploadClient {
  const tools = withDefaults(options);
  const server = createOperations({
    url: `${options.url.replace(/\/+$/, '')}/graphql`,
    headers: toHeaders(options.credential),
    fetch: options.fetch ?? globalThis.fetch,
    requestTimeoutMs: tools.requestTimeoutMs,
    canStream: tools.canStream,
  });
  return {
    upload: (blob, options = {}) => uploadInChunks({ ...tools, server }, blob, options),
    abort: (uploadId) => server.abort(uploadId),
    findFolder: (path) => retry(tools, () => server.findFolder(path)),
    // Looked for at each attempt: names are not unique, and a lost answer must not make a second tag.
    ensureTag: (name) =>
      retry(tools, async () => (await server.findTag(name)) ?? server.createTag(name)),
    check: () => server.check(),
  };
}

function toHeaders(credential: string | undefined): Headers {
  const headers = new Headers({ accept: 'application/json' });
  const token = credential?.trim();
  if (!token) return headers;
  // `Headers` refuses some of these too, with a message that shows the credential.
  if (!/^[\x21-\x7e]+$/.test(token))
    throw new UploadError(
      'NOT_AUTHENTICATED',
      'The credential holds characters that none can have.',
    );
  headers.set('authorization', `Bearer ${token}`);
  return headers;
}

function withDefaults(options: UploadClientOptions): typeof DEFAULTS {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return { ...DEFAULTS, ...Object.fromEntries(given) };
}
