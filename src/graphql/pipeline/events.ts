import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply } from 'fastify';

/**
 * How long a stream may last: its credential was checked when it began, and one that expires or is revoked
 * is good for this long at most.
 */
const LIFETIME_MS = 60 * 60_000;

/**
 * Signals that end what is streamed: when the client is gone, when the time is over, and when the server
 * stops, which would else wait for a client that has no reason to leave. Each is made when it is first
 * asked for: most answers are no streams.
 */
export function createStreamSignals(
  server: FastifyInstance,
): (reply: FastifyReply) => () => AbortSignal {
  const open = new Set<AbortController>();
  let isStopping = false;
  server.addHook('preClose', (done) => {
    isStopping = true;
    for (const controller of open) controller.abort();
    done();
  });
  const openSignal = (reply: FastifyReply): AbortSignal => {
    const controller = new AbortController();
    const expiry = setTimeout(() => controller.abort(), LIFETIME_MS).unref();
    open.add(controller);
    const close = () => {
      clearTimeout(expiry);
      open.delete(controller);
      controller.abort();
    };
    // A request that came just before the stop would else begin a stream after it.
    if (isStopping || reply.raw.destroyed) close();
    else reply.raw.once('close', close);
    return controller.signal;
  };
  return (reply) => {
    let signal: AbortSignal | undefined;
    return () => {
      signal ??= openSignal(reply);
      return signal;
    };
  };
}

/** Whether a response has no end that one could wait for. */
function isStream({ headers }: Response): boolean {
  return headers.get('content-type')?.startsWith('text/event-stream') ?? false;
}

/**
 * The body of a streamed response, for Fastify to send: read as fast as the client takes it. On the signal
 * it ends where it is, without `complete`: clients take that for a lost connection and subscribe anew.
 */
export function toStream({ body }: Response, signal: AbortSignal): Readable {
  return Readable.from(body === null ? [] : readUntil(body, signal));
}

async function* readUntil(
  body: ReadableStream<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const reader = body.getReader();
  const cancel = () => void reader.cancel().catch(() => undefined);
  signal.addEventListener('abort', cancel);
  try {
    while (!signal.aborted) {
      const { done, value } = await reader.read();
      if (done || signal.aborted) return;
      yield value;
    }
  } finally {
    signal.removeEventListener('abort', cancel);
    cancel();
  }
}
