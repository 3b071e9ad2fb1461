import type { Duplex } from 'node:stream';
import type { RawData, WebSocket } from 'ws';

/** Messages that are handled at a time. A browser has as many requests in progress, on two connections of HTTP/1.1. */
const HANDLED_MAX = 10;
/** The server reads no further messages while more bytes than this wait for the client to take them. */
const UNSENT_BYTES_MAX = 1024 * 1024;

/** Handles a message. Never rejects. Null stands for a binary message. */
export type HandleMessage = (text: string | null) => Promise<void>;

/**
 * Handles the messages of a WebSocket in their order, some at a time. While they wait, or the client does not read what
 * it has asked for, nothing further is read: what one client can make the server keep is bounded.
 */
export function readMessages(socket: WebSocket, stream: Duplex, handle: HandleMessage): void {
  const waiting: (string | null)[] = [];
  let handled = 0;
  const regulate = () => {
    if (waiting.length > 0 || socket.bufferedAmount > UNSENT_BYTES_MAX) socket.pause();
    else if (socket.isPaused) socket.resume();
  };
  const work = () => {
    while (handled < HANDLED_MAX && waiting.length > 0) {
      if (socket.readyState !== socket.OPEN) waiting.length = 0;
      const text = waiting.shift();
      if (text === undefined) break;
      handled += 1;
      handle(text).finally(() => {
        handled -= 1;
        work();
      });
    }
    regulate();
  };
  socket.on('message', (data, isBinary) => {
    waiting.push(isBinary ? null : toText(data));
    work();
  });
  // The package answers pings by itself.
  socket.on('ping', regulate);
  stream.on('drain', regulate);
}

function toText(data: RawData): string {
  return (Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data as Buffer)).toString();
}
