import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { FastifyReply } from 'fastify';
import { loggedPath } from './viewer/logged-path.ts';

/** Bytes to send, in pieces. A Readable is one. */
export interface BodyStream extends AsyncIterable<Uint8Array> {
  destroy: () => unknown;
  /** Takes back the memory of a sent piece, for the next one. */
  recycle?: (piece: Uint8Array) => void;
}

/** Bytes to send: all of them, which are not changed, or a stream. */
export type Body = Buffer | BodyStream;

/** Time in which a client has to accept a piece of at most 256 KiB: 1 KiB a second. */
const PIECE_TIMEOUT_MS = 256_000;

/**
 * Sends `lengthBytes` bytes with the current status and headers of the reply, at the pace of `sendStream`. Null: the
 * length of a stream is not known before its end.
 */
export async function sendBody(
  reply: FastifyReply,
  body: Body,
  lengthBytes: number | null,
): Promise<FastifyReply> {
  if ('destroy' in body) return sendStream(reply, body, lengthBytes);
  const { raw } = reply.send(body);
  if (raw.writableLength > 0) cutIfSlow(raw);
  return reply;
}

/**
 * Sends `lengthBytes` bytes with the current status and headers of the reply. Resolves when the system has taken all of
 * them, or the connection is closed; the body is closed by then. Cuts the connection if the client takes the bytes too
 * slowly, or if the body fails or ends early: the status has been sent, and a client that expects more bytes would take
 * the next response for them.
 *
 * Not by `reply.send(stream)`, because a stream does not learn when a piece has been sent. So each piece gets new
 * memory, 64 MiB outside V8's heap for a download of 64 MiB, and V8 collects the whole heap twice per download: 140 ms
 * of processor time, against 32.
 */
async function sendStream(
  reply: FastifyReply,
  body: BodyStream,
  lengthBytes: number | null,
): Promise<FastifyReply> {
  const { raw } = reply.hijack();
  const cut = cutIfSlow(raw);
  raw.once('close', () => body.destroy());
  raw.writeHead(reply.statusCode, reply.getHeaders() as OutgoingHttpHeaders);
  try {
    const sentBytes = await writeAll(raw, body, () => cut.refresh());
    if (lengthBytes !== null && sentBytes !== lengthBytes)
      throw new Error(`The body has ${sentBytes} bytes instead of ${lengthBytes}.`);
    raw.end();
  } catch (error) {
    logCut(reply, error);
    raw.destroy();
  }
  return reply;
}

/** Cuts the connection unless the timer is refreshed, or the response ends, in time. */
function cutIfSlow(response: ServerResponse): NodeJS.Timeout {
  const cut = setTimeout(() => response.destroy(), PIECE_TIMEOUT_MS);
  response.once('close', () => clearTimeout(cut));
  return cut;
}

async function writeAll(
  response: ServerResponse,
  body: BodyStream,
  onPiece: () => void,
): Promise<number> {
  let sentBytes = 0;
  // Meanwhile the next piece is being read.
  for await (const piece of body) {
    await write(response, piece);
    sentBytes += piece.length;
    onPiece();
    body.recycle?.(piece);
  }
  return sentBytes;
}

/** Resolves once the system has taken the whole piece, whose memory is then free. */
function write(response: ServerResponse, piece: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    response.write(piece, (cause) => (cause ? reject(new LostClientError({ cause })) : resolve()));
  });
}

/** The connection broke, which is no fault of the server. The response may learn of it only later. */
class LostClientError extends Error {
  constructor(options: ErrorOptions) {
    super('The client has disconnected.', options);
  }
}

/** Writes the only log line of this request: Fastify logs completed ones. */
function logCut({ raw, log, request: { method, url } }: FastifyReply, error: unknown): void {
  const fields = { method, path: loggedPath(url) };
  if (raw.destroyed || error instanceof LostClientError)
    log.info(fields, 'the client went away before the end of a file');
  else log.error({ ...fields, err: error }, 'a file could not be sent to its end');
}
