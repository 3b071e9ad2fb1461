import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { type TestApp, withApp } from '../support/app.ts';
import { BACKENDS } from '../support/backend.ts';
import { dripUntilAnswered, openSocket } from '../support/raw-request.ts';

const SQLITE = BACKENDS[0]!;
const PACE = { windowMs: 400, smallBodyMs: 800 };
const JSON_TYPE = 'application/json';
const FORM_TYPE = 'multipart/form-data; boundary=b';

/** Each way in which a body is read: its request, the beginning of its body, and the key of its error's envelope. */
const READERS: [name: string, request: Request][] = [
  ['JSON of GraphQL', { path: '/graphql', type: JSON_TYPE, body: '{"query":', envelope: 'errors' }],
  [
    'a form of GraphQL',
    {
      path: '/graphql',
      type: FORM_TYPE,
      body: '--b\r\nContent-Disposition: form-data; name="operations"\r\n\r\n{',
      envelope: 'errors',
    },
  ],
  [
    'JSON of SelfCommunity',
    { path: '/api/v2/tag/', type: JSON_TYPE, body: '{', envelope: 'errors' },
  ],
  [
    'a file of SelfCommunity',
    {
      path: '/api/v2/media/upload/chunk/',
      type: FORM_TYPE,
      body: '--b\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n\r\nx',
      envelope: 'errors',
    },
  ],
  ['JSON of Heartcore', { path: '/media', type: JSON_TYPE, body: '{', envelope: 'error' }],
  [
    'a bare file of the Importer',
    { path: '/medias/files/a', type: 'text/plain', body: 'x', envelope: 'errors' },
  ],
  ['JSON of the Importer', { path: '/jobs', type: JSON_TYPE, body: '{', envelope: 'errors' }],
  [
    'the form of a login',
    {
      path: '/oauth/token',
      type: 'application/x-www-form-urlencoded',
      body: 'grant_type=',
      envelope: 'error',
    },
  ],
];

interface Request {
  path: string;
  type: string;
  body: string;
  envelope: string;
}

describe('a body that arrives too slowly', () => {
  it.each(READERS)(
    'is refused with 408 in the envelope, and the connection is closed: %s',
    (_, request) =>
      onApp(async (app) => {
        for (const framing of ['Content-Length: 100000', 'Transfer-Encoding: chunked']) {
          const socket = await send(app, request, framing);
          const answer = await text(socket);
          expect(answer).toMatch(/^HTTP\/1.1 408 /);
          expect(answer.toLowerCase()).toContain('\r\nconnection: close\r\n');
          expect(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4))).toHaveProperty(
            request.envelope,
          );
          expect(answer).toContain('too slowly');
        }
      }),
  );

  it('is cut if the response has been sent already', () =>
    onApp(async (app) => {
      const request = { path: '/unknown', type: 'image/png', body: 'x', envelope: '' };
      const answer = await text(await send(app, request, 'Content-Length: 100000'));
      expect(answer).toMatch(/^HTTP\/1.1 404 /);
    }));

  it('leaves nothing behind, and a thousand of them leave no connection', () =>
    onApp(async (app) => {
      const request = READERS[5]![1];
      const sockets = await Promise.all(
        Array.from({ length: 1000 }, () => send(app, request, 'Content-Length: 100000')),
      );
      const answers = await Promise.all(sockets.map((socket) => text(socket)));
      expect(answers.filter((answer) => !answer.startsWith('HTTP/1.1 408 '))).toEqual([]);
      // The server closes its end, and deletes the bytes, a moment after the client has its answer.
      await expect.poll(() => connectionsOf(app)).toBe(0);
      await expect.poll(() => Array.fromAsync(app.services.staging.list())).toEqual([]);
    }));
});

describe('a body that is kept in memory', () => {
  it('has to arrive in a short time, whatever its rate', () =>
    onApp(
      async (app) => {
        const socket = await send(app, READERS[0]![1], 'Content-Length: 1000000');
        const answer = await dripUntilAnswered(socket, ' ', 20);
        expect(answer).toMatch(/^HTTP\/1.1 408 /);
        expect(answer).toContain('within 0.8 seconds');
      },
      { TRIVIUM_BODY_BYTES_PER_SECOND_MIN: '0' },
    ));
});

describe('a body is accepted', () => {
  it('above the rate, however long it takes', () =>
    onApp(async (app) => {
      const pieces = Array.from({ length: 30 }, () => 'x'.repeat(2000));
      const request = { ...READERS[5]![1], body: '' };
      const socket = await send(app, request, `Content-Length: ${30 * 2000}`, 'close');
      for (const piece of pieces) {
        socket.write(piece);
        await sleep(PACE.windowMs / 8);
      }
      expect(await text(socket)).toMatch(/^HTTP\/1.1 200 /);
    }));

  it('if it is the server that is slow', () =>
    onApp(async (app) => {
      const { staging } = app.services;
      const append = staging.append.bind(staging);
      staging.append = async (...args) => {
        await sleep(3 * PACE.windowMs);
        return append(...args);
      };
      const body = 'x'.repeat(200_000);
      const request = { ...READERS[5]![1], body };
      const answer = text(await send(app, request, `Content-Length: ${body.length}`, 'close'));
      expect(await answer).toMatch(/^HTTP\/1.1 200 /);
    }));
});

function onApp(work: (app: TestApp) => Promise<void>, variables: Record<string, string> = {}) {
  return withApp(SQLITE, work, variables, { bodyPace: PACE });
}

/** Opens a request, and sends the beginning of its body. */
async function send(
  app: TestApp,
  { path, type, body }: Request,
  framing: string,
  connection = 'keep-alive',
) {
  const socket = await openSocket(app);
  const head = [`POST ${path} HTTP/1.1`, 'Host: localhost', `Content-Type: ${type}`, framing];
  const credential = `Authorization: Bearer ${app.adminKey}`;
  const more = [credential, 'X-GraphQL-Yoga-CSRF: 1', `Connection: ${connection}`];
  const isChunked = framing.startsWith('Transfer');
  const start = isChunked ? `${body.length.toString(16)}\r\n${body}\r\n` : body;
  socket.write(`${[...head, ...more].join('\r\n')}\r\n\r\n${start}`);
  return socket;
}

function connectionsOf({ app }: TestApp): Promise<number> {
  return new Promise((resolve, reject) =>
    app.server.server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
  );
}
