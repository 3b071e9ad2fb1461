import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { vary } from './viewer/cache.ts';
import { cookieCredential } from './viewer/cookie.ts';

/** An encoding of a response. */
export type Encoding = 'br' | 'gzip';

/** Below this, the headers and the work outweigh what is saved. */
const BYTES_MIN = 1024;

/** Tells whether content of a MIME type becomes smaller by compression: most media are compressed already. */
export function isCompressible(mimeType: string): boolean {
  return COMPRESSIBLE.test(mimeType);
}

const COMPRESSIBLE =
  /^(text\/(?!event-stream)|application\/([^;]+\+)?(json|xml|javascript|graphql|rtf|wasm)\b|image\/(svg\+xml|bmp|x-icon|vnd\.microsoft\.icon)|font\/(ttf|otf)|audio\/(x-)?wav)/;

/**
 * Returns the encoding that a client prefers (RFC 9110 §12.5.3), Brotli if it has no preference; null if it wants the
 * content as it is.
 */
export function preferredEncoding(accepted: string | undefined): Encoding | null {
  if (accepted === undefined) return null;
  const weights = new Map(accepted.toLowerCase().split(',').map(toWeight));
  const weightOf = (name: string) => weights.get(name) ?? weights.get('*') ?? 0;
  const gzipWeight = weights.get('x-gzip') ?? weightOf('gzip');
  const best = Math.max(weightOf('br'), gzipWeight);
  if (best === 0 || best < (weights.get('identity') ?? 0)) return null;
  return weightOf('br') === best ? 'br' : 'gzip';
}

function toWeight(item: string): [name: string, weight: number] {
  const [name = '', weight] = item.split(/;\s*q=/);
  return [name.trim(), weight === undefined ? 1 : Number.parseFloat(weight) || 0];
}

/**
 * Compresses a response, as an `onSend` hook of Fastify. It leaves streams alone, so that events are sent at once, and
 * files, which have ranges and a tag of their own. A strong tag becomes a weak one: the bytes differ by the encoding.
 *
 * `@fastify/compress` keeps strong tags, streams each response without a length, and knows no exceptions.
 */
export function compressResponse(
  request: FastifyRequest,
  reply: FastifyReply,
  payload: unknown,
  done: (error: Error | null, payload?: unknown) => void,
): void {
  if (reply.statusCode === 304) weakenKnownTag(request, reply);
  if (!isText(payload) || payload.length < BYTES_MIN || !isEligible(reply)) {
    return void done(null, payload);
  }
  vary(reply, 'Accept-Encoding');
  const encoding = isGuessable(request)
    ? null
    : preferredEncoding(request.headers['accept-encoding']?.toString());
  if (encoding === null) return void done(null, payload);
  compress(Buffer.from(payload as string), encoding).then(
    (compressed) => {
      const tag = reply.getHeader('etag');
      if (typeof tag === 'string' && tag.startsWith('"')) reply.header('etag', `W/${tag}`);
      reply.header('content-encoding', encoding).header('content-length', compressed.length);
      done(null, compressed);
    },
    (error: Error) => done(error),
  );
}

function isText(payload: unknown): payload is string | Buffer {
  return typeof payload === 'string' || Buffer.isBuffer(payload);
}

function isEligible(reply: FastifyReply): boolean {
  return (
    isCompressible(String(reply.getHeader('content-type') ?? '')) &&
    !reply.hasHeader('content-encoding') &&
    !reply.hasHeader('accept-ranges')
  );
}

/**
 * Tells whether a page of another site has made a browser send the request with the user's cookie. By the lengths of
 * many compressed responses such a page could guess a secret in them, if they also contain what it has sent (the attack
 * BREACH).
 */
function isGuessable({ headers }: FastifyRequest): boolean {
  return headers['sec-fetch-site'] === 'cross-site' && cookieCredential(headers) !== null;
}

/**
 * RFC 9111 §4.3.4: a strong tag would not identify the compressed response that the client has. Files, which alone have an
 * `Accept-Ranges`, are never compressed.
 */
function weakenKnownTag({ headers }: FastifyRequest, reply: FastifyReply): void {
  if (reply.hasHeader('accept-ranges')) return;
  const tag = String(reply.getHeader('etag') ?? '');
  if (!tag.startsWith('"') || !headers['if-none-match']?.includes(`W/${tag}`)) return;
  reply.header('etag', `W/${tag}`);
  vary(reply, 'Accept-Encoding');
}

const toBrotli = promisify(brotliCompress);
const toGzip = promisify(gzip);

/** Compresses bytes in another thread. Quality 4 of Brotli takes as long as gzip, and saves more. */
export function compress(bytes: Buffer, encoding: Encoding): Promise<Buffer> {
  if (encoding === 'gzip') return toGzip(bytes);
  return toBrotli(bytes, {
    params: {
      [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT,
      [constants.BROTLI_PARAM_QUALITY]: 4,
      [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
    },
  });
}
