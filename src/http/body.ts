import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { mediaTypeOf } from '../lib/header-value.ts';

/** The bytes of a body are not what its content type says, or end too early. */
export class MalformedBodyError extends Error {
  override readonly name = 'MalformedBodyError';
  readonly statusCode = 400;
  readonly format: 'json' | 'multipart' | null;

  constructor(format: MalformedBodyError['format'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.format = format;
  }
}

/** A body of a content type that is not read here. */
export class UnsupportedBodyError extends Error {
  override readonly name = 'UnsupportedBodyError';
  readonly statusCode = 415;
  /** As sent; empty when the request names none. */
  readonly contentType: string;

  constructor(contentType: string) {
    super(`A body of content type "${contentType}" is not read here.`);
    this.contentType = contentType;
  }
}

/** What would have to be held in memory is more than may be. */
export class BodyTooLargeError extends Error {
  override readonly name = 'BodyTooLargeError';
  readonly statusCode = 413;

  constructor() {
    super(`The fields of a request may have ${FIELD_BYTES_MAX} bytes in all.`);
  }
}

/** What the fields of a request may have in all, whatever their encoding: they are held in memory. */
export const FIELD_BYTES_MAX = 1024 * 1024;

/** The media type of a body: lower case, without parameters; empty when the request names none. */
export function bodyType(headers: IncomingHttpHeaders): string {
  return mediaTypeOf(headers['content-type'] ?? '');
}

/** Whether bytes follow the headers: RFC 9112 §6.3, a request without either header has none. */
export function hasBody(headers: IncomingHttpHeaders): boolean {
  const { 'content-length': length, 'transfer-encoding': encoding } = headers;
  return encoding !== undefined || (length !== undefined && Number(length) !== 0);
}

/**
 * The whole body, at most FIELD_BYTES_MAX. Throws BodyTooLargeError, and MalformedBodyError if the client
 * goes away; what is left of the request is thrown away as it arrives, so that the answer can be read.
 */
export async function readBytes(request: IncomingMessage): Promise<Buffer> {
  try {
    return await gather(arrivingBytes(request), FIELD_BYTES_MAX);
  } finally {
    request.resume();
  }
}

/** All bytes of a source. Throws BodyTooLargeError as soon as there are more than `limitBytes`. */
export async function gather(
  source: AsyncIterable<Uint8Array>,
  limitBytes: number,
): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const piece of source) {
    sizeBytes += piece.length;
    if (sizeBytes > limitBytes) throw new BodyTooLargeError();
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

/**
 * The body as it arrives. Leaving it does not cut the connection, and with it the answer: the rest is
 * the caller's to throw away. Throws MalformedBodyError when the client goes away.
 */
export async function* arrivingBytes(request: IncomingMessage): AsyncGenerator<Buffer> {
  try {
    yield* request.iterator({ destroyOnReturn: false });
  } catch (cause) {
    throw new MalformedBodyError(null, 'The request ended early.', { cause });
  }
}

/** The value that JSON text stands for. Throws MalformedBodyError. */
export function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    const reason = error instanceof SyntaxError ? error.message : 'The text is not UTF-8.';
    throw new MalformedBodyError('json', reason, { cause: error });
  }
}
