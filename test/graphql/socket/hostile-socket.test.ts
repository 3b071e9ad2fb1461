import { once } from 'node:events';
import { expect, it, vi } from 'vitest';
import { type TestApp, withApp } from '../../support/app.ts';
import { BACKENDS } from '../../support/backend.ts';
import { openSocket, sendWith } from '../../support/raw-request.ts';
import {
  connectWebSocket,
  openWebSocket,
  type SocketOptions,
  type TestSocket,
} from '../../support/web-socket.ts';
import { allFreed, MEDIA_CHANGED } from '../subscribe.ts';

// What a client gets to see is the same on every database.
const SQLITE = BACKENDS[0]!;
const run = (work: (app: TestApp) => Promise<void>, settings = {}) =>
  withApp(SQLITE, work, settings);

const INIT = JSON.stringify({ type: 'connection_init' });
const SUBSCRIBE = JSON.stringify({ type: 'subscribe', id: '1', payload: { query: MEDIA_CHANGED } });

/** Tells whether the server still serves. */
async function expectAlive(app: TestApp): Promise<void> {
  expect((await app.fetch('/healthz')).status).toBe(200);
  await allFreed(app);
}

it.each<[name: string, code: number, send: (opened: TestSocket) => void]>([
  ['text that is not JSON', 4400, ({ socket }) => socket.send('{')],
  ['an empty message', 4400, ({ socket }) => socket.send('')],
  ['a list', 4400, ({ send }) => send([1])],
  ['a message of an unknown type', 4400, ({ send }) => send({ type: 'start' })],
  ['an answer of a server', 4400, ({ send }) => send({ type: 'complete' })],
  ['a message of the server', 4400, ({ send }) => send({ type: 'connection_ack' })],
  ['bytes', 4400, ({ socket }) => socket.send(Buffer.from(INIT))],
  ['nested JSON', 4400, ({ socket }) => socket.send('['.repeat(10_000))],
  ['an operation before its credential', 4401, ({ socket }) => socket.send(SUBSCRIBE)],
  [
    'its credential twice',
    4429,
    ({ socket }) => {
      for (const text of [INIT, INIT]) socket.send(text);
    },
  ],
  ['a message of 2 MB', 1009, ({ socket }) => socket.send(' '.repeat(2 ** 21))],
  [
    'a frame that is not masked',
    1002,
    ({ socket }) => rawSocketOf(socket).write(Buffer.from([0x81, 2, 0x7b, 0x7d])),
  ],
  [
    'a frame with a reserved code',
    1002,
    ({ socket }) => rawSocketOf(socket).write(Buffer.from([0x83, 0x80, 0, 0, 0, 0])),
  ],
  [
    'text that is not UTF-8',
    1007,
    ({ socket }) => rawSocketOf(socket).write(Buffer.from([0x81, 0x81, 0, 0, 0, 0, 0xff])),
  ],
])('a WebSocket that sends %s is closed with %i', (_, code, send) =>
  run(async (app) => {
    const opened = await openWebSocket(app);
    send(opened);
    expect((await opened.closed).code).toBe(code);
    await expectAlive(app);
  }),
);

/** Returns the connection below, for bytes that the package would not send. */
function rawSocketOf(socket: TestSocket['socket']) {
  return (socket as unknown as { _socket: { write: (bytes: Buffer) => void } })._socket;
}

it('a thousand messages at once are handled in a thousand turns of the event loop, between others', () =>
  run(async (app) => {
    const { socket } = await connectWebSocket(app);
    let turns = 0;
    let isCounting = true;
    const count = () => {
      turns += 1;
      if (isCounting) setImmediate(count);
    };
    let pongs = 0;
    const all = new Promise<void>((resolve) => {
      socket.on('message', () => {
        pongs += 1;
        if (pongs === 1000) resolve();
      });
    });
    for (let index = 0; index < 1000; index += 1) socket.send('{"type":"ping"}');
    setImmediate(count);
    await all;
    isCounting = false;
    expect(turns).toBeGreaterThan(900);
    socket.terminate();
    await expectAlive(app);
  }));

it('two operations with one id close the connection with 4409', () =>
  run(async (app) => {
    const { subscribe, closed } = await connectWebSocket(app);
    subscribe('1', MEDIA_CHANGED);
    subscribe('1', MEDIA_CHANGED);
    expect((await closed).code).toBe(4409);
    await expectAlive(app);
  }));

it('connections that never send a credential are closed, and others are served meanwhile', () =>
  run(async (app) => {
    const mute = await Promise.all(Array.from({ length: 200 }, () => openWebSocket(app)));
    const { subscribe, next, socket } = await connectWebSocket(app);
    subscribe('1', '{ viewer { kind } }');
    expect(await next()).toMatchObject({ type: 'next' });
    const codes = await Promise.all(mute.map(({ closed }) => closed));
    expect(new Set(codes.map(({ code }) => code))).toEqual(new Set([4408]));
    expect(socket.readyState).toBe(socket.OPEN);
    socket.terminate();
  }));

it('a connection without the protocol is closed with 4406', () =>
  run(async (app) => {
    const { closed } = await openWebSocket(app, { protocols: ['graphql-ws'] }).catch(() =>
      openWebSocket(app, { protocols: [] }),
    );
    expect((await closed).code).toBe(4406);
    await expectAlive(app);
  }));

it('a connection that breaks in the middle of a frame frees its subscription', () =>
  run(async (app) => {
    const { subscribe, socket } = await connectWebSocket(app);
    subscribe('1', MEDIA_CHANGED);
    await vi.waitFor(() => expect(app.services.events.subscriberCount()).toBe(1));
    rawSocketOf(socket).write(Buffer.from([0x81, 0xfe, 0xff]));
    socket.terminate();
    await expectAlive(app);
  }));

const UPGRADE = { connection: 'Upgrade', upgrade: 'websocket' };

it.each([
  ['/healthz', 200],
  ['/nothing', 404],
  ['/graphql/more', 404],
])('a request for WebSocket at %s is answered as if it did not ask for one', (path, status) =>
  run(async (app) => {
    await expect(openWebSocket(app, { path })).rejects.toThrow(
      `Unexpected server response: ${status}`,
    );
    await expectAlive(app);
  }),
);

it.each<[string, Record<string, string>, number]>([
  ['a malformed key', { 'sec-websocket-key': 'x', 'sec-websocket-version': '13' }, 400],
  ['no key', { 'sec-websocket-version': '13' }, 400],
  [
    'an unknown version',
    { 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==', 'sec-websocket-version': '7' },
    400,
  ],
])('a handshake with %s is refused', (_, headers, status) =>
  run(async (app) => {
    const answer = await sendWith(app, 'GET /graphql', { ...UPGRADE, ...headers });
    expect(answer.status).toBe(status);
    await expectAlive(app);
  }),
);

it('a request that offers HTTP/2 is answered by HTTP/1.1, also with a body', () =>
  run(async (app) => {
    const headers = {
      ...{ connection: 'Upgrade, HTTP2-Settings', upgrade: 'h2c', 'http2-settings': 'AAMAAABk' },
      'content-type': 'application/json',
    };
    const body = JSON.stringify({ query: '{ viewer { kind } }' });
    const answer = await sendWith(app, 'POST /graphql', headers, body);
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.body).data).toEqual({ viewer: { kind: 'ANONYMOUS' } });
  }));

it('a request for WebSocket behind an unfinished response does not disturb the server', () =>
  run(async (app) => {
    const socket = await openSocket(app);
    const stream = `GET /graphql?query=${encodeURIComponent(MEDIA_CHANGED)}`;
    socket.write(`${stream} HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n`);
    await once(socket, 'data');
    const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13';
    socket.write(
      `GET /graphql HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${key}\r\n\r\n`,
    );
    await vi.waitFor(() => expect(app.services.events.subscriberCount()).toBe(1));
    socket.destroy();
    await expectAlive(app);
  }));

it('connections and subscriptions of one viewer are bounded', () =>
  run(
    async (app) => {
      const first = await connectWebSocket(app);
      for (const id of ['1', '2']) first.subscribe(id, MEDIA_CHANGED);
      await vi.waitFor(() => expect(app.services.events.subscriberCount()).toBe(2));
      first.subscribe('3', MEDIA_CHANGED);
      expect(await first.next()).toMatchObject({
        ...{ id: '3', type: 'error' },
        payload: [{ extensions: { code: 'TOO_MANY_REQUESTS', retryAfterSeconds: 30 } }],
      });
      first.send({ type: 'complete', id: '1' });
      await vi.waitFor(() => expect(app.services.events.subscriberCount()).toBe(1));
      first.subscribe('4', MEDIA_CHANGED);
      await vi.waitFor(() => expect(app.services.events.subscriberCount()).toBe(2));

      const second = await connectWebSocket(app);
      const third = await openWebSocket(app);
      third.socket.send(INIT);
      expect(await third.closed).toEqual({ code: 1013, reason: 'TOO_MANY_REQUESTS' });
      for (const { socket } of [first, second]) socket.terminate();
      await expectAlive(app);
    },
    { TRIVIUM_QUOTA_SUBSCRIPTIONS: '2' },
  ));

it('each operation counts as a request', () =>
  run(
    async (app) => {
      const { subscribe, next, socket } = await connectWebSocket(app);
      for (let id = 0; id < 20; id += 1) subscribe(String(id), '{ viewer { kind } }');
      const codes: unknown[] = [];
      while (codes.length < 20) {
        const { type, payload } = await next();
        if (type === 'next') codes.push('ok');
        if (type === 'error') codes.push(payload[0].extensions.code);
      }
      expect(codes).toContain('TOO_MANY_REQUESTS');
      socket.terminate();
    },
    { TRIVIUM_RATE_REQUESTS: '5' },
  ));

it('a client that does not read its events is disconnected; one that reads them is not', () =>
  run(async (app) => {
    const aliases = Array.from({ length: 25 }, (_, index) => `id${index}: id`).join(' ');
    const [slow, reader] = [await connectWebSocket(app), await connectWebSocket(app)];
    slow.socket.pause();
    for (const { subscribe } of [slow, reader]) {
      subscribe('1', `subscription { mediaChanged { ${aliases} } }`);
    }
    await vi.waitFor(() => expect(app.services.events.subscriberCount()).toBe(2));
    const before = { id: 1, parent_id: null, path: '', owner: null, is_public: 1 };
    const event = { type: 'media', kind: 'deleted', before, folderIds: [] } as const;
    // The socket buffers of the system, some megabytes, fill up first.
    for (let id = 1; app.services.events.subscriberCount() === 2 && id < 50_000; ) {
      for (let index = 0; index < 100; index += 1, id += 1) {
        app.services.events.publish({ ...event, id });
      }
      for (let index = 0; index < 100; index += 1) await reader.next();
    }
    expect(app.services.events.subscriberCount()).toBe(1);
    for (const { socket } of [slow, reader]) socket.terminate();
    await allFreed(app);
  }));

const KEY_COOKIE = (app: TestApp) => ({ cookie: `auth-token=${app.adminKey}` });

/** Connects, and returns the kind of the viewer or the code of the close. */
async function viewerOf(app: TestApp, options: SocketOptions, payload: object = {}) {
  const opened = await openWebSocket(app, options);
  opened.send({ type: 'connection_init', payload });
  const { type } = await Promise.race([
    opened.next(),
    opened.closed.then(({ code }) => ({ type: String(code) })),
  ]);
  if (type !== 'connection_ack') return type;
  opened.subscribe('1', '{ viewer { kind } }');
  const { payload: result } = await opened.next();
  opened.socket.terminate();
  return result.data.viewer.kind;
}

it('a page of another site cannot use the cookie of its user', () =>
  run(
    async (app) => {
      const cookie = KEY_COOKIE(app);
      const foreign = { headers: { ...cookie, origin: 'https://evil.example' } };
      expect(await viewerOf(app, foreign)).toBe('4403');
      expect(await viewerOf(app, { headers: { ...cookie, origin: app.url } })).toBe('KEY');
      const listed = { headers: { ...cookie, origin: 'https://app.example' } };
      expect(await viewerOf(app, listed)).toBe('4403');
      // Its own credential counts, and not the cookie that its browser adds.
      const Authorization = `Bearer ${app.adminKey}`;
      const stale = { headers: { cookie: 'auth-token=tvm_wrong', origin: 'https://evil.example' } };
      expect(await viewerOf(app, stale, { Authorization })).toBe('KEY');
      expect(await viewerOf(app, { headers: { origin: 'https://evil.example' } })).toBe(
        'ANONYMOUS',
      );
      // A program that sends a cookie has to say that it is no page.
      expect(await viewerOf(app, { headers: cookie })).toBe('4403');
    },
    { TRIVIUM_AUTH: 'required' },
  ));

it('with TRIVIUM_CORS_ORIGINS, only pages of these origins and of the server connect', () =>
  run(
    async (app) => {
      const cookie = KEY_COOKIE(app);
      const from = (origin: string) => ({ headers: { ...cookie, origin } });
      expect(await viewerOf(app, from('https://app.example'))).toBe('KEY');
      expect(await viewerOf(app, from(app.url))).toBe('KEY');
      await expect(viewerOf(app, from('https://evil.example'))).rejects.toThrow('403');
    },
    { TRIVIUM_AUTH: 'required', TRIVIUM_CORS_ORIGINS: 'https://app.example' },
  ));

it('an open server accepts connections of pages of this machine only', () =>
  run(async (app) => {
    const from = (origin: string) => ({ headers: { origin } });
    expect(await viewerOf(app, from('http://localhost:5173'))).toBe('ANONYMOUS');
    await expect(viewerOf(app, from('https://evil.example'))).rejects.toThrow('403');
    const host = { headers: { host: 'evil.example' } };
    await expect(viewerOf(app, host)).rejects.toThrow('403');
  }));
