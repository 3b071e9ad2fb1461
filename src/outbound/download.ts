import { setTimeout as sleep } from 'node:timers/promises';
import { cleanFilename } from '../lib/filename.ts';
import { headerText, parseFilename } from '../lib/header-value.ts';
import type { Outbound, OutboundResponse } from './client.ts';
import { OutboundError } from './error.ts';

/** A file elsewhere, as it arrives. */
export interface Download {
  /** As its server or else its URL says; empty: neither does. */
  filename: string;
  declaredType: string | null;
  /** As its server says. */
  sizeBytes: number | null;
  /** Goes on where it was when the connection breaks. Read to the end, or left by `return`. */
  bytes: AsyncGenerator<Uint8Array, void, undefined>;
}

/** What a download may take. */
export interface DownloadOptions {
  signal: AbortSignal;
  /** All its connections together. (Default: an hour) */
  timeoutMs?: number;
  /** Before it goes on: the longer, the more often in vain. (Default: 1 s) */
  resumeDelayMs?: number;
}

/** How often a download goes on in vain, without another byte; after that, the job begins anew. */
const RESUMES_MAX = 3;
const TIMEOUT_MS = 3_600_000;

/** Begins to fetch a file. Throws as `Outbound.get`. */
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
  { signal, timeoutMs = TIMEOUT_MS, resumeDelayMs = 1000 }: DownloadOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const validator = validatorOf(first);
  const deadline = Date.now() + timeoutMs;
  let response: Promise<OutboundResponse> = Promise.resolve(first);
  let offset = 0;
  let resumes = 0;
  for (;;) {
    const from = offset;
    try {
      for await (const piece of (await response).body) {
        offset += piece.length;
        yield piece;
      }
      return;
    } catch (error) {
      const isBroken = error instanceof OutboundError && !(error instanceof ChangedError);
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

/** What there is now is not the rest of what there was. */
class ChangedError extends OutboundError {}

/** RFC 9110 §13.1.5: what proves that the rest is of the same bytes; null: nothing, and there is no going on. */
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
    'The file has changed while it was fetched, or cannot be fetched in parts.',
  );
}

/** Empty if the header gives no name, or none that can be read. */
function nameOf(disposition: string | null): string {
  return cleanFilename(parseFilename(headerText(disposition ?? '')) ?? '');
}

function nameInUrl({ pathname }: URL): string {
  return cleanFilename(decode(pathname.slice(pathname.lastIndexOf('/') + 1), 'utf-8'));
}

/** Bytes that are written as `%20`; empty for a charset that is not known. */
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
