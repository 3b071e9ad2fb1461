import { randomBytes } from 'node:crypto';
import { PassThrough } from 'node:stream';
import { isDeepStrictEqual } from 'node:util';
import { TooManyRequestsError } from '../../domain/error.ts';
import type { Viewer } from '../../domain/viewer/viewer.ts';
import { createTurns, type Turns } from '../../lib/turns.ts';
import { type Channel, createOperations, type Operations } from './operations.ts';

/** Time in which a client has to open its stream. */
const OPEN_TIMEOUT_MS = 30_000;
/** Interval of the comments that keep an idle connection open. */
const PING_MS = 12_000;
const PING = ':\n\n';

/** Bounds the results that the server keeps for a client that does not read them. */
const TURNS = {
  runningMax: 10,
  waitingMax: 100,
  tooBusy: () => new TooManyRequestsError(1000),
};

/** A stream of events that a client has reserved, for the results of several operations. */
export interface Reservation {
  viewer: Viewer;
  operations: Operations;
  /** Operations take a turn until their result has been sent, or they turn out to be subscriptions. */
  turns: Turns;
  isOpen: boolean;
  /** Aborts when the stream has ended, or has not been opened in time. */
  ended: AbortSignal;
  /** Opens the stream, once. Returns its bytes, which begin with the results of what has run before. */
  open(): PassThrough;
  end(): void;
}

/** The reservations of one process, by token. */
export interface Reservations {
  /** Reserves a stream. Calls `release` when it ends. Returns its token. */
  reserve(viewer: Viewer, release: () => void): string;
  /** Returns the reservation of a token; null unless it belongs to the viewer. */
  find(token: string, viewer: Viewer): Reservation | null;
}

/** Creates the reservations. A process knows its own only, so that all requests of a client must reach the same one. */
export function createReservations(onFailure: (error: unknown) => void): Reservations {
  const reservations = new Map<string, Reservation>();
  return {
    reserve(viewer, release) {
      const token = randomBytes(24).toString('base64url');
      const reservation = createReservation(viewer, onFailure);
      reservations.set(token, reservation);
      reservation.ended.addEventListener('abort', () => {
        reservations.delete(token);
        release();
      });
      return token;
    },
    find(token, viewer) {
      const found = reservations.get(token);
      return found !== undefined && isDeepStrictEqual(found.viewer, viewer) ? found : null;
    },
  };
}

function createReservation(viewer: Viewer, onFailure: (error: unknown) => void): Reservation {
  const ended = new AbortController();
  const stream = new PassThrough();
  const end = () => {
    clearTimeout(unopened);
    clearInterval(pings);
    ended.abort();
    stream.end();
  };
  const unopened = setTimeout(end, OPEN_TIMEOUT_MS).unref();
  let pings: NodeJS.Timeout | undefined;
  stream.on('close', end);
  // The connection broke while a message was being written.
  stream.on('error', () => undefined);
  const fail = (error: unknown) => {
    onFailure(error);
    end();
  };
  return {
    viewer,
    operations: createOperations(createChannel(stream, fail), ended.signal),
    turns: createTurns(TURNS),
    isOpen: false,
    ended: ended.signal,
    open() {
      this.isOpen = true;
      clearTimeout(unopened);
      stream.write(PING);
      // A client that does not read gets none.
      pings = setInterval(() => stream.writableNeedDrain || stream.write(PING), PING_MS).unref();
      return stream;
    },
    end,
  };
}

/** Creates the channel that writes events: https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md */
function createChannel(stream: PassThrough, fail: (error: unknown) => void): Channel {
  const send = (event: string, data: string) =>
    new Promise<void>((resolve, reject) => {
      if (stream.writableEnded) return resolve();
      const text = `event: ${event}\ndata: ${data}\n\n`;
      stream.write(text, (error) => (error ? reject(error) : resolve()));
    });
  return {
    next: (id, result) => send('next', `{"id":${JSON.stringify(id)},"payload":${result}}`),
    complete: (id) => send('complete', JSON.stringify({ id })),
    fail,
  };
}
