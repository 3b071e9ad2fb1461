import type { FastifyReply, FastifyRequest } from 'fastify';
import { FileGoneError, type Lifetime, type OpenedFile } from '../../domain/file/file.ts';
import { DamagedFileError } from '../../domain/storage-error.ts';
import { contentPolicy, FILE_EXCEPTIONS } from '../content-policy.ts';
import { evaluateConditions, isRangeWanted, type Validators } from '../etag.ts';
import { HttpError } from '../http-error.ts';
import { type Body, sendBody } from '../send-body.ts';
import { varyByViewer } from '../viewer/cache.ts';
import { contentType } from './charset.ts';
import { contentDisposition, type DispositionType } from './disposition.ts';
import { type SelectedRange, selectRange } from './range.ts';
import { isBoundToOurTags, presignOf, redirectToBucket } from './redirect.ts';

/** Bytes to send, and their description. */
export interface Content {
  file: OpenedFile['file'];
  /** Whether other viewers may get other bytes at the same URL. (Default: false) */
  dependsOnViewer?: boolean;
  /**
   * Whether the location is in the bytes, or has been removed for this viewer. (Default: all viewers get the same bytes)
   */
  location?: 'kept' | 'removed';
  /** (Default: caches ask before each use) */
  lifetime?: Lifetime;
  /** (Default: this server sends the bytes) */
  presign?: OpenedFile['presign'];
  /** Throws FileGoneError if the bytes have been deleted, DamagedFileError if they are known to be wrong. */
  read: (range?: SelectedRange) => Promise<Body>;
}

/** Options that differ between dialects. */
export interface FileResponseOptions {
  /**
   * `attachment`: the browser saves the file, whatever its type. `inline`: it shows the file, if
   * its type may be shown.
   */
  disposition?: DispositionType;
  /**
   * `private, no-cache` for a response that a shared cache must not keep. A private file is always
   * sent with `private, no-store`. (Default: `public, no-cache`, or what the lifetime of the bytes allows)
   */
  cacheControl?: string;
}

/**
 * Caches keep a file but revalidate it before each use: a file can be replaced or deleted under its
 * URL, and the change must show at once. Revalidation costs one lookup and a 304, and reads no
 * bytes.
 */
const CACHE_CONTROL = 'public, no-cache';

/** For bytes with a location: shared caches must not keep them. */
const OWN = 'private, no-cache';

/** Suffix of the ETag of bytes without their location. Raise the number when other bytes are removed than before. */
const WITHOUT_LOCATION = 'l2';

/** A browser does not ask for `immutable` bytes even when the page is reloaded (RFC 8246). A year is the usual maximum. */
const OF_LIFETIME: Readonly<Record<Lifetime, string>> = {
  forever: 'public, max-age=31536000, immutable',
  brief: 'public, max-age=60',
};

/** No cache keeps a private file, that of the browser included: who may read it can change at any time. */
const PRIVATE = 'private, no-store';

/**
 * Answers a GET or HEAD with a file: whole, a range of it, 304, or an HttpError (412, 416). Calls
 * `open` again if the bytes are gone, so that a file that was deleted or replaced meanwhile is a
 * 404 or the new file. If the file still exists then, throws DamagedFileError: this server has lost
 * the bytes, which is its own failure and not a 404. Also throws it for a file that is marked as damaged.
 */
export async function sendFile(
  request: FastifyRequest,
  reply: FastifyReply,
  open: () => Promise<Content>,
  options: FileResponseOptions = {},
): Promise<FastifyReply> {
  try {
    return await sendContent(request, reply, await open(), options);
  } catch (error) {
    if (!(error instanceof FileGoneError)) throw error;
    return sendAgain(request, reply, await open(), options);
  }
}

async function sendAgain(...args: Parameters<typeof sendContent>): Promise<FastifyReply> {
  try {
    return await sendContent(...args);
  } catch (error) {
    if (!(error instanceof FileGoneError)) throw error;
    throw new DamagedFileError({ cause: error });
  }
}

async function sendContent(
  request: FastifyRequest,
  reply: FastifyReply,
  content: Content,
  options: FileResponseOptions,
): Promise<FastifyReply> {
  const validators = validatorsOf(content);
  const verdict = evaluateConditions(request.headers, validators);
  if (verdict === 'failed') {
    throw new HttpError(
      412,
      'PRECONDITION_FAILED',
      'The file does not meet the conditions in the headers of the request.',
    );
  }
  const headers = cachedHeaders(content, validators, options);
  if (content.dependsOnViewer || content.location) varyByViewer(reply);
  for (const name of FILE_EXCEPTIONS) if (!(name in headers)) reply.removeHeader(name);
  if (verdict === 'not-modified') {
    return reply
      .code(304)
      .headers({ ...headers, 'accept-ranges': 'bytes' })
      .send();
  }
  const { sizeBytes } = content.file;
  const range = requestedRange(request, sizeBytes, validators);
  if (range === 'unsatisfiable') {
    reply.header('content-range', `bytes */${sizeBytes}`);
    throw new HttpError(
      416,
      'RANGE_NOT_SATISFIABLE',
      `The range is outside of the file, which has ${sizeBytes} bytes.`,
    );
  }
  const isBound = isBoundToOurTags(request.headers, range !== 'whole');
  const presign = request.method === 'GET' && !isBound ? presignOf(content) : null;
  if (presign !== null) {
    const disposition = headers['content-disposition'] ?? '';
    const isShared = options.cacheControl === undefined;
    return redirectToBucket(reply, content.file, presign, { disposition, isShared });
  }
  const lastModified = validators.lastModified.toUTCString();
  return sendBytes(request, reply, content, range, { ...headers, 'last-modified': lastModified });
}

async function sendBytes(
  { method }: FastifyRequest,
  reply: FastifyReply,
  { file, read }: Content,
  range: SelectedRange | 'whole',
  headers: Record<string, string>,
): Promise<FastifyReply> {
  const { start, end } = range === 'whole' ? { start: 0, end: file.sizeBytes - 1 } : range;
  const lengthBytes = end - start + 1;
  const type = await contentType(file, read);
  // HEAD opens the file too: it must not promise a file that GET could not send.
  const body = await read(file.sizeBytes === 0 ? undefined : { start, end });
  reply.headers({ ...headers, 'accept-ranges': 'bytes' });
  reply.headers({ 'content-type': type, 'content-length': lengthBytes });
  if (range !== 'whole') {
    reply.code(206).header('content-range', `bytes ${start}-${end}/${file.sizeBytes}`);
  }
  if (method === 'HEAD') {
    if ('destroy' in body) body.destroy();
    return reply.send();
  }
  return sendBody(reply, body, lengthBytes);
}

/**
 * Returns the validators of a file. The tag is the MD5, which every file has from the start;
 * switching to the SHA-256, which is computed later, would make caches fetch everything again. RFC
 * 9110 §8.8.2.1: Last-Modified must not be later than Date, even if another machine's clock has
 * written it.
 */
function validatorsOf({ file: { md5, updatedAt }, location }: Content): Validators {
  const etag = location === 'removed' ? `"${md5}-${WITHOUT_LOCATION}"` : `"${md5}"`;
  return { etag, lastModified: new Date(Math.min(updatedAt.getTime(), Date.now())) };
}

/**
 * Headers of 200, 206 and 304. A cache copies them from a 304 to its stored response (RFC 9111
 * §3.2): a new name, or a policy that has become stricter.
 */
function cachedHeaders(
  { file: { mimeType, filename, isPrivate }, location, lifetime }: Content,
  { etag }: Validators,
  {
    disposition,
    cacheControl = lifetime ? OF_LIFETIME[lifetime] : CACHE_CONTROL,
  }: FileResponseOptions,
): Record<string, string> {
  const policy = contentPolicy(mimeType);
  const type = disposition === 'attachment' ? disposition : policy.disposition;
  return {
    etag,
    'cache-control': isPrivate ? PRIVATE : location === 'kept' ? OWN : cacheControl,
    'content-disposition': contentDisposition(type, filename),
    // For pages with `Cross-Origin-Embedder-Policy: require-corp`: files are meant to be embedded.
    'cross-origin-resource-policy': 'cross-origin',
    'x-content-type-options': 'nosniff',
    ...(policy.csp !== null && { 'content-security-policy': policy.csp }),
  };
}

/**
 * Returns the range that a GET requests. RFC 9110 §14.2: "A server MUST ignore a Range header field received with a
 * request method" other than GET.
 */
function requestedRange(
  { method, headers }: FastifyRequest,
  sizeBytes: number,
  validators: Validators,
): ReturnType<typeof selectRange> {
  const ifRange = headers['if-range'];
  const isWanted = method === 'GET' && isRangeWanted(ifRange?.toString(), validators);
  return isWanted ? selectRange(headers.range, sizeBytes) : 'whole';
}
