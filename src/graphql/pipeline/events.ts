import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply } from 'fastify';

/**
 * The longest time that a stream lasts. Its credential is checked at its start only, so one that expires or is revoked
 * keeps working for this long at most.
 */
const LIFETIME_MS = 60 * 60_000;

/**
 * Returns a function that gives each reply a signal to end its stream: when the client disconnects, when the stream has
 * lasted its time, and when the server stops, which would otherwise wait for clients that have no reason to leave. A
 * signal is created when it is first requested, as most answers are not streams.
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
    // A request that arrived just before the stop would otherwise begin a stream after it.
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

/**
 * Returns the body of a streamed response for Fastify to send, read as fast as the client receives it. On the signal it
 * ends without the event `complete`: clients treat that as a lost connection and subscribe again.
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
