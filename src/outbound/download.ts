import { setTimeout as sleep } from 'node:timers/promises';
import { cleanFilename } from '../lib/filename.ts';
import { headerText, parseFilename } from '../lib/header-value.ts';
import type { Outbound, OutboundResponse } from './client.ts';
import { OutboundError } from './error.ts';

/** A file that is being downloaded. */
export interface Download {
  /** Name from the response's headers, or else from the URL; empty if neither has one. */
  filename: string;
  declaredType: string | null;
  /** Size from the response's headers; null if they do not state it. */
  sizeBytes: number | null;
  /** The content. If the connection breaks, it resumes at the same byte. Read it to the end, or call `return`. */
  bytes: AsyncGenerator<Uint8Array, void, undefined>;
}

/** Limits of a download. */
export interface DownloadOptions {
  signal: AbortSignal;
  /** Time limit for all of its requests together. (Default: an hour) */
  timeoutMs?: number;
  /** Lowest rate: fewer bytes in a window of waiting end the download. (Default: 30 KiB in 30 s) */
  leastRate?: { bytes: number; windowMs: number };
  /** The wait before the first resume; after n fruitless ones, n + 1 times as long. (Default: 1 s) */
  resumeDelayMs?: number;
}

/** Maximum number of resumes in a row that bring no byte. After that the download fails, and the job starts over. */
const RESUMES_MAX = 3;
const TIMEOUT_MS = 3_600_000;

/** A slower server is cut, because it would occupy a slot for an hour. */
const LEAST_RATE = { bytes: 30 * 1024, windowMs: 30_000 };

/** Starts to download a file. Throws like `Outbound.get`. */
export async function startDownload(
  outbound: Outbound,
  url: string,
  options: DownloadOptions,
): Promise<Download> {
  const { signal, timeoutMs = TIMEOUT_MS } = options;
  const response = await outbound.get(url, { signal, timeoutMs });
  const { header } = response;
  return {
    filename: nameOf(header('content-disposition')) || nameInUrl(response.url),
    declaredType: header('content-type'),
    sizeBytes: toSize(header('content-length')),
    bytes: readAll(outbound, url, response, options),
  };
}

async function* readAll(
  outbound: Outbound,
  url: string,
  first: OutboundResponse,
  options: DownloadOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { signal, timeoutMs = TIMEOUT_MS, resumeDelayMs = 1000 } = options;
  const checkRate = createRateCheck(options.leastRate ?? LEAST_RATE);
  const validator = validatorOf(first);
  const deadline = Date.now() + timeoutMs;
  let response: Promise<OutboundResponse> = Promise.resolve(first);
  let offset = 0;
  let resumes = 0;
  for (;;) {
    const from = offset;
    try {
      for await (const piece of checkRate((await response).body)) {
        offset += piece.length;
        yield piece;
      }
      return;
    } catch (error) {
      const isBroken =
        error instanceof OutboundError &&
        !error.isPermanent &&
        !(error instanceof ChangedError || error instanceof SlowError);
      if (offset > from) resumes = 0;
      if (!isBroken || validator === null || resumes === RESUMES_MAX) throw error;
      resumes += 1;
      await sleep(resumeDelayMs * resumes, undefined, { signal }).catch(() => undefined);
      signal.throwIfAborted();
      const leftMs = deadline - Date.now();
      if (leftMs <= 0) throw error;
      response = getRest(outbound, url, { offset, validator, signal, timeoutMs: leftMs });
    }
  }
}

/** The file has changed, so that the rest of the old one cannot be fetched. */
class ChangedError extends OutboundError {}

/** Thrown when a server sends too slowly. */
class SlowError extends OutboundError {}

/**
 * Creates a function that passes on the bytes of one response after another. It throws SlowError if too few arrive in a
 * window. Only the time spent waiting for bytes counts, not the time that the reader takes.
 */
function createRateCheck({ bytes: leastBytes, windowMs }: { bytes: number; windowMs: number }) {
  let waitedMs = 0;
  let arrivedBytes = 0;
  return async function* check(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    let askedAt = performance.now();
    for await (const piece of body) {
      waitedMs += performance.now() - askedAt;
      arrivedBytes += piece.length;
      if (waitedMs >= windowMs) {
        if (arrivedBytes < leastBytes)
          throw new SlowError('The remote server sent the file too slowly.');
        waitedMs = 0;
        arrivedBytes = 0;
      }
      yield piece;
      askedAt = performance.now();
    }
  };
}

/** Returns the validator for If-Range (RFC 9110 §13.1.5); null if there is none, so that the download cannot resume. */
function validatorOf({ header }: OutboundResponse): string | null {
  if (/^none$/i.test(header('accept-ranges') ?? '')) return null;
  const etag = header('etag');
  return etag !== null && /^"/.test(etag) ? etag : header('last-modified');
}

interface Rest {
  offset: number;
  validator: string | null;
  signal: AbortSignal;
  timeoutMs: number;
}

async function getRest(
  outbound: Outbound,
  url: string,
  { offset, validator, signal, timeoutMs }: Rest,
): Promise<OutboundResponse> {
  const isStarted = offset > 0 && validator !== null;
  const headers = isStarted ? { range: `bytes=${offset}-`, 'if-range': validator } : {};
  const response = await outbound.get(url, { signal, timeoutMs, headers });
  const from = /^bytes (\d+)-/i.exec(response.header('content-range') ?? '')?.[1];
  const isRest = response.status === 206 ? Number(from) === offset : offset === 0;
  if (isRest && (offset > 0 || validatorOf(response) === validator)) return response;
  response.cancel();
  throw new ChangedError(
    'The file changed during the download, or its server does not support ranges.',
  );
}

/** Returns an empty string if the header has no file name, or none that can be decoded. */
function nameOf(disposition: string | null): string {
  return cleanFilename(parseFilename(headerText(disposition ?? '')) ?? '');
}

function nameInUrl({ pathname }: URL): string {
  return cleanFilename(decode(pathname.slice(pathname.lastIndexOf('/') + 1), 'utf-8'));
}

/** Decodes percent-encoded text; returns an empty string for an unknown charset. */
function decode(text: string, charset: string): string {
  const binary = text.replace(/%([\da-f]{2})/gi, (_all, hex) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  try {
    return new TextDecoder(charset).decode(Buffer.from(binary, 'latin1'));
  } catch {
    return '';
  }
}

function toSize(length: string | null): number | null {
  return length !== null && /^\d{1,15}$/.test(length) ? Number(length) : null;
}
