import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { handleInTurn } from '../../src/http/pipelining.ts';
import { withApp } from '../support/app.ts';
import { BACKENDS } from '../support/backend.ts';
import { openSocket } from '../support/raw-request.ts';

/** A server whose requests end when a test says so. */
interface HeldServer {
  url: string;
  /** Paths of the requests that have been handled, in order. */
  started: string[];
  /** Responses that have not ended. */
  open: ServerResponse[];
  /** Number of open connections. */
  countConnections: () => Promise<number>;
}

it('a request is handled after the response to the one before it, on each connection', () =>
  withHeldServer(async ({ url, started, open }) => {
    const [first, second] = [await openSocket({ url }), await openSocket({ url })];
    first.write(`${get('/a')}${post('/b', 'body')}${get('/c', 'Connection: close\r\n')}`);
    second.write(get('/other', 'Connection: close\r\n'));
    await expect.poll(() => started.toSorted()).toEqual(['/a', '/other']);
    for (const path of ['/b', '/c']) {
      endOf(open, first.localPort);
      await expect.poll(() => started.at(-1)).toBe(path);
      expect(open.filter(({ req }) => req.socket.remotePort === first.localPort)).toHaveLength(1);
    }
    for (const response of [...open]) response.end();
    expect(pathsIn(await text(second))).toEqual(['/other']);
    expect(pathsIn(await text(first))).toEqual(['/a', '/b', '/c']);
  }));

it('requests that wait when their client hangs up are never handled', () =>
  withHeldServer(async ({ url, started, open, countConnections }) => {
    const socket = await openSocket({ url });
    socket.write(get('/held').repeat(20));
    await expect.poll(() => open.length).toBe(1);
    const [held] = open;
    const closed = once(held!, 'close');
    socket.destroy();
    await closed;
    await expect.poll(countConnections).toBe(0);
    held!.end();
    await turnOfLoop();
    expect(started).toEqual(['/held']);
  }));

it('requests behind a response that closes the connection are never handled', () =>
  withHeldServer(async ({ url, started, open }) => {
    const socket = await openSocket({ url });
    socket.write(get('/last') + get('/behind'));
    await expect.poll(() => open.length).toBe(1);
    open[0]!.setHeader('connection', 'close').end();
    expect(pathsIn(await text(socket))).toEqual(['/last']);
    await turnOfLoop();
    expect(started).toEqual(['/last']);
  }));

it('a connection takes 100 waiting requests, and is closed by the response to the last of them', () =>
  withHeldServer(async ({ url, started, open }) => {
    const socket = await openSocket({ url });
    socket.write(Array.from({ length: 500 }, (_, index) => get(`/${index}`)).join(''));
    const received = text(socket);
    for (let index = 0; index <= 100; index++) {
      await expect.poll(() => started.length, { interval: 1 }).toBe(index + 1);
      open[0]!.end();
    }
    const answers = await received;
    expect(pathsIn(answers)).toEqual(Array.from({ length: 101 }, (_, index) => `/${index}`));
    expect(answers.match(/^connection: close/gim)).toHaveLength(1);
    expect(answers.split('HTTP/1.1').at(-1)).toMatch(/connection: close/i);
    await turnOfLoop();
    expect(started).toHaveLength(101);
  }));

it('a flood of requests behind a response that does not end closes the connection', () =>
  withHeldServer(async ({ url, started, countConnections }) => {
    const socket = await openSocket({ url });
    for (let packet = 0; packet < 20; packet++) socket.write(get('/flood').repeat(100));
    await once(socket, 'close');
    await expect.poll(countConnections).toBe(0);
    expect(started).toEqual(['/flood']);
  }));

it('the whole server answers pipelined requests in order, also those that it refuses', () =>
  withApp(BACKENDS[0]!, async (app) => {
    const socket = await openSocket(app);
    const paths = ['/healthz', '/media/%zz', '/readyz', '/nowhere', '/graphql?query={__typename}'];
    const all = [...paths, ...paths].map((path) => get(path));
    socket.write(all.join('') + get('/healthz', 'Connection: close\r\n'));
    const statuses = [...(await text(socket)).matchAll(/HTTP\/1\.1 (\d+)/g)].map(
      ([, code]) => code,
    );
    const expected = ['200', '404', '200', '404', '200'];
    expect(statuses).toEqual([...expected, ...expected, '200']);
  }));

async function withHeldServer(work: (server: HeldServer) => Promise<void>): Promise<void> {
  const started: string[] = [];
  const open: ServerResponse[] = [];
  const handle = handleInTurn((request, response) => {
    started.push(request.url ?? '');
    open.push(response);
    response.setHeader('path', request.url ?? '');
    response.once('close', () => open.splice(open.indexOf(response), 1));
  });
  const server = createServer(handle).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  const countConnections = () =>
    new Promise<number>((resolve) => server.getConnections((_error, count) => resolve(count)));
  try {
    await work({ url: `http://127.0.0.1:${port}`, started, open, countConnections });
  } finally {
    server.close(() => resolve());
    server.closeAllConnections();
    await closed;
  }
}

function get(path: string, headers = ''): string {
  return `GET ${path} HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n`;
}

function post(path: string, body: string): string {
  return `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

function endOf(open: readonly ServerResponse[], clientPort: number | undefined): void {
  open.find(({ req }) => req.socket.remotePort === clientPort)?.end();
}

function pathsIn(answers: string): string[] {
  return [...answers.matchAll(/^path: (.*)$/gm)].map(([, path = '']) => path.trim());
}

/** Lets everything run that was due. */
async function turnOfLoop(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate);
}
