import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { mediaTypeOf } from '../lib/header-value.ts';
import { parseForeignJson } from '../lib/json.ts';
import { expectSmallBody, nextPiece, SlowBodyError } from './slow-body.ts';

/** The bytes of a body do not match its content type, or end early. */
export class MalformedBodyError extends Error {
  override readonly name = 'MalformedBodyError';
  readonly statusCode = 400;
  readonly format: 'json' | 'multipart' | null;

  constructor(format: MalformedBodyError['format'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.format = format;
  }
}

/** A body has an unsupported content type. */
export class UnsupportedBodyError extends Error {
  override readonly name = 'UnsupportedBodyError';
  readonly statusCode = 415;
  /** As sent; empty if the request has none. */
  readonly contentType: string;

  constructor(contentType: string) {
    super(`The content type "${contentType}" is not supported here.`);
    this.contentType = contentType;
  }
}

/** The fields of a request exceed the memory that they may take. */
export class BodyTooLargeError extends Error {
  override readonly name = 'BodyTooLargeError';
  readonly statusCode = 413;

  constructor() {
    super(`The fields of a request have at most ${FIELD_BYTES_MAX} bytes in total.`);
  }
}

/** Limit of all fields of a request together, in any encoding, because they are kept in memory. */
export const FIELD_BYTES_MAX = 1024 * 1024;

/**
 * Returns the media type of a body: lower case, without parameters; empty if the request has none.
 */
export function bodyType(headers: IncomingHttpHeaders): string {
  return mediaTypeOf(headers['content-type'] ?? '');
}

/** Returns whether the request has a body: RFC 9112 §6.3, one of these headers announces it. */
export function hasBody(headers: IncomingHttpHeaders): boolean {
  const { 'content-length': length, 'transfer-encoding': encoding } = headers;
  return encoding !== undefined || (length !== undefined && Number(length) !== 0);
}

/**
 * Reads the whole body, at most FIELD_BYTES_MAX. Throws BodyTooLargeError, and MalformedBodyError
 * if the client disconnects; the rest of the request is then discarded as it arrives, so that the
 * client can read the response. Throws SlowBodyError if the body takes too long.
 */
export async function readBytes(request: IncomingMessage): Promise<Buffer> {
  expectSmallBody(request);
  try {
    return await gather(arrivingBytes(request), FIELD_BYTES_MAX);
  } finally {
    request.resume();
  }
}

/** Reads all bytes of a source. Throws BodyTooLargeError once there are more than `limitBytes`. */
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
 * Yields the body as it arrives. Leaving it early keeps the connection open for the response; the
 * caller discards the rest. Throws MalformedBodyError if the client disconnects, and SlowBodyError.
 */
export async function* arrivingBytes(request: IncomingMessage): AsyncGenerator<Buffer> {
  const pieces = request.iterator({ destroyOnReturn: false });
  let isReadPending = false;
  try {
    for (;;) {
      const { done, value } = await nextPiece(request, pieces);
      if (done) return;
      yield value;
    }
  } catch (cause) {
    isReadPending = cause instanceof SlowBodyError;
    if (isReadPending) throw cause;
    throw new MalformedBodyError(null, 'The request ended early.', { cause });
  } finally {
    const ended = pieces.return?.();
    // Otherwise it would wait for bytes that may never come.
    if (!isReadPending) await ended;
  }
}

/** A form of a megabyte has room for half a million fields, which take seconds to parse. */
const FORM_FIELDS_MAX = 1000;

/** Parses a form in the URL encoding. Throws MalformedBodyError if it has more than 1,000 fields. */
export function parseForm(text: string): URLSearchParams {
  let fields = 1;
  for (let at = text.indexOf('&'); at !== -1; at = text.indexOf('&', at + 1)) {
    if (++fields <= FORM_FIELDS_MAX) continue;
    throw new MalformedBodyError(null, `A form has at most ${FORM_FIELDS_MAX} fields.`);
  }
  return new URLSearchParams(text);
}

/** Parses JSON in UTF-8. Throws MalformedBodyError. */
export function parseJson(bytes: Uint8Array): unknown {
  try {
    return parseForeignJson(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    const reason = error instanceof SyntaxError ? error.message : 'The text is not UTF-8.';
    throw new MalformedBodyError('json', reason, { cause: error });
  }
}
