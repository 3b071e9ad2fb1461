import type { IncomingMessage } from 'node:http';
import { HttpError } from './http-error.ts';

/** A body arrives too slowly. */
export class SlowBodyError extends HttpError {
  constructor(message: string) {
    super(408, 'REQUEST_TIMEOUT', message);
  }
}

/** The limits on the arrival of bodies. */
export interface BodyPace {
  /** Lowest average rate in bytes a second; 0: no limit. */
  bytesPerSecondMin: number;
  /** Period over which the rate is averaged. */
  windowMs: number;
  /** Time limit for the arrival of a body that is kept in memory. */
  smallBodyMs: number;
}

/** The limits of a server. 30 s allow a phone to change from one network to another. */
export const BODY_PACE: Omit<BodyPace, 'bytesPerSecondMin'> = {
  windowMs: 30_000,
  smallBodyMs: 60_000,
};

/** A body that is still arriving. */
interface Arrival {
  request: IncomingMessage;
  /** Bytes that the connection had received when the window began. */
  windowBytes: number;
  /** Time that the server has waited for the client, within the window and in total. */
  windowWaitedMs: number;
  waitedMs: number;
  isSmall: boolean;
  /** Rejects the pending read of `nextPiece`. */
  reject: ((error: Error) => void) | null;
  error: SlowBodyError | null;
  /** Value of `waitedMs` when the body was refused. */
  refusedAtMs: number;
}

/** Watches the bodies of requests. */
export interface BodyWatch {
  /** Starts to watch the body of a request. */
  add(request: IncomingMessage): void;
  stop(): void;
}

const arrivals = new WeakMap<IncomingMessage, Arrival>();

/** Number of checks in a window: a body is cut at most a tenth of the window too late. */
const LOOKS_PER_WINDOW = 10;

/**
 * Creates a watch over bodies. Node's `requestTimeout` is not used: it limits the time of the whole request, but a
 * large file over a slow line is legitimate. Only the time in which the server waits for the client counts. While the
 * server has unread bytes, the server is the slow one.
 *
 * A body that arrives too slowly fails with SlowBodyError where it is being read. If nothing reads it, because the
 * response has been sent, its connection is closed.
 */
export function createBodyWatch({ bytesPerSecondMin, windowMs, smallBodyMs }: BodyPace): BodyWatch {
  const open = new Set<Arrival>();
  const lookMs = windowMs / LOOKS_PER_WINDOW;
  const slowText = `The request body arrived too slowly. Send at least ${bytesPerSecondMin} bytes a second.`;
  const lateText = `The request body did not arrive within ${smallBodyMs / 1000} seconds.`;
  const isBelowRate = (arrival: Arrival) => {
    if (arrival.windowWaitedMs < windowMs) return false;
    const { bytesRead } = arrival.request.socket;
    const isSlow = bytesRead - arrival.windowBytes < (bytesPerSecondMin * windowMs) / 1000;
    Object.assign(arrival, { windowBytes: bytesRead, windowWaitedMs: 0 });
    return isSlow;
  };
  const look = (arrival: Arrival) => {
    const { request } = arrival;
    if (request.complete || request.socket.destroyed) return void open.delete(arrival);
    if (request.readableLength > 0) return;
    arrival.windowWaitedMs += lookMs;
    arrival.waitedMs += lookMs;
    const isSlow = isBelowRate(arrival);
    // The client has had a whole window to read the response.
    if (arrival.error !== null && arrival.waitedMs >= arrival.refusedAtMs + windowMs)
      request.socket.destroy();
    else if (isSlow) refuse(arrival, slowText);
    else if (arrival.isSmall && arrival.waitedMs >= smallBodyMs) refuse(arrival, lateText);
  };
  const timer = setInterval(() => open.forEach(look), lookMs).unref();
  return {
    add(request) {
      const arrival: Arrival = {
        request,
        windowBytes: request.socket.bytesRead,
        windowWaitedMs: 0,
        waitedMs: 0,
        isSmall: false,
        reject: null,
        error: null,
        refusedAtMs: 0,
      };
      open.add(arrival);
      arrivals.set(request, arrival);
      request.once('close', () => open.delete(arrival));
    },
    stop: () => clearInterval(timer),
  };
}

function refuse(arrival: Arrival, message: string): void {
  if (arrival.error !== null) return;
  const error = new SlowBodyError(message);
  const { request, reject } = arrival;
  Object.assign(arrival, { error, refusedAtMs: arrival.waitedMs });
  if (reject !== null) reject(error);
  // Fastify's own parser listens for errors. `destroy` would close the connection before the response is sent.
  else if (request.listenerCount('error') > 0) request.emit('error', error);
  else if (request.listenerCount('readable') === 0) request.socket.destroy();
}

/** Limits the time for the arrival of a small body, which is kept in memory. */
export function expectSmallBody(request: IncomingMessage): void {
  const arrival = arrivals.get(request);
  if (arrival !== undefined) arrival.isSmall = true;
}

/** Returns the next piece of a body. Throws SlowBodyError, and the errors of `pieces`. */
export function nextPiece(
  request: IncomingMessage,
  pieces: AsyncIterator<Buffer>,
): Promise<IteratorResult<Buffer>> {
  const arrival = arrivals.get(request);
  if (arrival === undefined) return pieces.next();
  if (arrival.error !== null) return Promise.reject(arrival.error);
  // Not `Promise.race`: its reaction to a promise that lives as long as the request would be kept for every piece.
  return new Promise<IteratorResult<Buffer>>((resolve, reject) => {
    arrival.reject = reject;
    pieces.next().then(
      (piece) => {
        arrival.reject = null;
        resolve(piece);
      },
      (error) => {
        arrival.reject = null;
        reject(error);
      },
    );
  });
}
