import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import type { Events } from '../../domain/event/event.ts';
import { isRetryable } from '../../http/status.ts';

/** Maximum duration of a stream. The credential is checked when it starts, and before each event. */
const LIFETIME_MS = 60 * 60_000;

/** A response or a connection, which tells when it ends. */
export interface Closable {
  readonly destroyed: boolean;
  once(event: 'close', listener: () => void): unknown;
}

/**
 * Creates the signals that end a stream when the client disconnects, after the time limit of a stream, when events may
 * have been lost, or when the server stops. Without them, a stopping server would wait for its clients. Each signal is
 * created on first use, because most responses are not streams.
 */
export function createStreamSignals(
  server: FastifyInstance,
  { onGap }: Pick<Events, 'onGap'>,
): (stream: Closable) => () => AbortSignal {
  const open = new Set<AbortController>();
  let isStopping = false;
  const endAll = () => {
    for (const controller of open) controller.abort();
  };
  // It is unknown which subscribers have missed events, so all subscribe again and read what may have changed.
  onGap(endAll);
  server.addHook('preClose', (done) => {
    isStopping = true;
    endAll();
    done();
  });
  const openSignal = (stream: Closable): AbortSignal => {
    const controller = new AbortController();
    const expiry = setTimeout(() => controller.abort(), LIFETIME_MS).unref();
    open.add(controller);
    const close = () => {
      clearTimeout(expiry);
      open.delete(controller);
      controller.abort();
    };
    // A request that came just before the stop would otherwise start a stream after it.
    if (isStopping || stream.destroyed) close();
    else stream.once('close', close);
    return controller.signal;
  };
  return (stream) => {
    let signal: AbortSignal | undefined;
    return () => {
      signal ??= openSignal(stream);
      return signal;
    };
  };
}

/**
 * Returns the body of a streamed response, for Fastify to send; it is read as fast as the client takes it. When the
 * signal aborts, or when the source of the events becomes unavailable, it stops without `complete`: clients then treat
 * the connection as lost and subscribe again.
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
  } catch (error) {
    if (!isRetryable(error)) throw error;
  } finally {
    signal.removeEventListener('abort', cancel);
    cancel();
  }
}
