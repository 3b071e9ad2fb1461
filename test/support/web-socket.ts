import { once } from 'node:events';
import { WebSocket } from 'ws';
import type { TestApp } from './app.ts';

/** A message of the protocol of graphql-ws. */
export interface SocketMessage {
  type: string;
  id?: string;
  // biome-ignore lint/suspicious/noExplicitAny: the assertions of a test state the shape
  payload?: any;
}

/** A WebSocket at the path of GraphQL. */
export interface TestSocket {
  socket: WebSocket;
  send(message: object): void;
  /** Runs an operation; its messages have this id. */
  subscribe(id: string, query: string): void;
  /** Returns the next message, in the order of arrival. */
  next(): Promise<SocketMessage>;
  /** Resolves with the code and the reason of the close. */
  closed: Promise<{ code: number; reason: string }>;
}

/** Options of a connection. */
export interface SocketOptions {
  path?: string;
  protocols?: string[];
  headers?: Record<string, string>;
}

/** Opens a WebSocket. Rejects if the server refuses it. */
export async function openWebSocket(
  { url }: Pick<TestApp, 'url'>,
  { path = '/graphql', protocols = ['graphql-transport-ws'], headers = {} }: SocketOptions = {},
): Promise<TestSocket> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}${path}`, protocols, { headers });
  const messages: SocketMessage[] = [];
  const waiting: ((message: SocketMessage) => void)[] = [];
  socket.on('message', (data) => {
    const message = JSON.parse(String(data));
    const first = waiting.shift();
    if (first === undefined) messages.push(message);
    else first(message);
  });
  const closed = once(socket, 'close').then(([code, reason]) => ({ code, reason: String(reason) }));
  closed.catch(() => undefined);
  await once(socket, 'open');
  // The server may reset the connection.
  socket.on('error', () => undefined);
  const send = (message: object) => socket.send(JSON.stringify(message));
  return {
    ...{ socket, send, closed },
    subscribe: (id, query) => send({ type: 'subscribe', id, payload: { query } }),
    next() {
      const first = messages.shift();
      if (first !== undefined) return Promise.resolve(first);
      return new Promise((resolve) => waiting.push(resolve));
    },
  };
}

/** Opens a WebSocket and waits until the server has acknowledged it. */
export async function connectWebSocket(
  app: Pick<TestApp, 'url'>,
  payload: object = {},
  options: SocketOptions = {},
): Promise<TestSocket> {
  const opened = await openWebSocket(app, options);
  opened.send({ type: 'connection_init', payload });
  const { type } = await opened.next();
  if (type !== 'connection_ack') throw new Error(`Expected connection_ack, not ${type}.`);
  return opened;
}
