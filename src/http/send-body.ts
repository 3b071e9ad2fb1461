import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { FastifyReply } from 'fastify';

/** Bytes to be sent; a Readable is one. */
export interface Body extends AsyncIterable<Uint8Array> {
  destroy: () => unknown;
  /** Takes back the memory of a piece that has been sent, for its next one. */
  recycle?: (piece: Uint8Array) => void;
}

/**
 * Sends `lengthBytes` bytes with the status and headers that the reply has so far, and resolves when all are handed to the
 * system, or the connection is gone; the body is closed by then. A body that fails or ends early cuts the connection: the
 * status is out, and a client that has been promised more would take the next answer for it.
 *
 * Not by `reply.send(stream)`, because no stream learns when a piece has left: so each gets new memory, 64 MiB for a download
 * of 64 MiB, outside V8's heap. V8 then collects all of the heap twice a download: 140 ms of processor time, against 32.
 */
export async function sendBody(
  reply: FastifyReply,
  body: Body,
  lengthBytes: number,
): Promise<FastifyReply> {
  const { raw } = reply.hijack();
  raw.once('close', () => body.destroy());
  raw.writeHead(reply.statusCode, reply.getHeaders() as OutgoingHttpHeaders);
  try {
    const sentBytes = await writeAll(raw, body);
    if (sentBytes !== lengthBytes) throw new Error(`There are only ${sentBytes} of ${lengthBytes}`);
    raw.end();
  } catch (error) {
    logCut(reply, error);
    raw.destroy();
  }
  return reply;
}

async function writeAll(response: ServerResponse, body: Body): Promise<number> {
  let sentBytes = 0;
  // The next piece is read meanwhile.
  for await (const piece of body) {
    await write(response, piece);
    sentBytes += piece.length;
    body.recycle?.(piece);
  }
  return sentBytes;
}

/** Resolves once the system has taken all of the piece, so that its memory is free. */
function write(response: ServerResponse, piece: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    response.write(piece, (error) => (error ? reject(error) : resolve()));
  });
}

/** The only line about the request: Fastify logs those that came to their end. */
function logCut({ raw, log, request: { method, url } }: FastifyReply, error: unknown): void {
  const fields = { method, path: url.split('?', 1)[0] };
  if (raw.destroyed) log.info(fields, 'the client went away before the end of a file');
  else log.error({ ...fields, err: error }, 'a file could not be sent to its end');
}
