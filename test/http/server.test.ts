import { rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { type TestApp, withApp } from '../support/app.ts';
import { BACKENDS, describeEachBackend } from '../support/backend.ts';
import { sendRaw } from '../support/raw-request.ts';

const SQLITE = BACKENDS[0]!;
const BAD = { authorization: 'Bearer tvm_unknown' };
const UUID = /^[0-9a-f-]{36}$/;

/** Paths to every kind of resource, and to none. */
const PATHS = [
  '/',
  '/healthz',
  '/readyz',
  '/unknown/path?query',
  '/graphql',
  '/graphql?query={viewer{id}}',
  '/api/v2/tag/',
  '/api/v2/media/upload/chunk/',
  '/media/abcdefgh/picture.png',
  '/media/abcdefgh',
];

const DRAWING = ['heic', 'svg', 'pdf'].map((name) => ({ name, status: 'available' }));

describeEachBackend('health', (backend) => {
  it('the server is ready while the database and the blob store work', () =>
    withApp(backend, async (app) => {
      const answers = [await app.fetch('/healthz'), await app.fetch('/readyz')];
      expect(answers.map(({ status }) => status)).toEqual([200, 200]);
      expect(await answers[1]!.json()).toEqual({
        status: 'ready',
        previewDecoders: expect.arrayContaining(DRAWING),
      });
    }));

  it('without a place for blobs it is alive and not ready', () =>
    withApp(backend, async (app) => {
      await rm(join(app.dataDir, 'blobs'), { recursive: true });
      expect((await app.fetch('/readyz')).status).toBe(503);
      expect((await app.fetch('/healthz')).status).toBe(200);
    }));
});

describe('decoders that are turned off', () => {
  it('leave the server ready, which names them', () =>
    withApp(
      SQLITE,
      async (app) => {
        const ready = await app.fetch('/readyz');
        const reason = 'Turned off by the settings of the server.';
        expect([ready.status, await ready.json()]).toEqual([
          200,
          {
            status: 'ready',
            previewDecoders: expect.arrayContaining(
              DRAWING.map(({ name, status }) =>
                name === 'pdf' ? { name, status } : { name, status: 'unavailable', reason },
              ),
            ),
          },
        ]);
      },
      { TRIVIUM_PREVIEW_DECODERS: 'pdf' },
    ));
});

describe('health without its database', () => {
  // PostgreSQL: test/acceptance/database-loss.test.ts.
  it('is alive and not ready, and reveals no reason', () =>
    withApp(SQLITE, async (app) => {
      await app.services.db.destroy();
      const ready = await app.fetch('/readyz');
      expect([ready.status, await ready.json()]).toEqual([503, { status: 'unavailable' }]);
      expect(ready.headers.get('retry-after')).toBe('5');
      expect((await app.fetch('/healthz')).status).toBe(200);
    }));
});

describe('responses', () => {
  it('carry the id of their request: a new one, or the client’s', () =>
    onApp(async (app) => {
      const ids = await Promise.all(
        [undefined, 'a-b.c_1', 'x'.repeat(129), 'a b', '<script>'].map(async (id) => {
          const headers: Record<string, string> = id === undefined ? {} : { 'x-request-id': id };
          return (await app.fetch('/healthz', { headers })).headers.get('x-request-id');
        }),
      );
      const aNew = expect.stringMatching(UUID);
      expect(ids).toEqual([aNew, 'a-b.c_1', aNew, aNew, aNew]);
    }));

  it('to a request with two Host headers are 400, in the envelope of their path', () =>
    onApp(async (app) => {
      for (const path of [
        '/healthz',
        '/graphql',
        '/api/v2/tag/',
        '/media',
        '/medias',
        '/nowhere',
        '/media/%zz',
      ]) {
        const head = [`GET ${path} HTTP/1.1`, 'Host: a.example', 'host: b.example', '', ''];
        const answer = await sendRaw(app, Buffer.from(head.join('\r\n')));
        expect([path, answer?.status]).toEqual([path, 400]);
        expect(answer?.body).toContain('Expected one Host header');
      }
    }));

  it('to unknown paths are 404 in JSON, whatever the method', () =>
    onApp(async (app) => {
      for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']) {
        const answer = await app.fetch('/unknown', { method });
        const body = { error: { code: 'NOT_FOUND', message: expect.any(String) } };
        expect([answer.status, await answer.json()]).toEqual([404, body]);
      }
    }));

  it('tell browsers not to sniff their type', () =>
    onApp(async (app) => {
      for (const path of PATHS) {
        const { headers } = await app.fetch(path);
        expect([path, headers.get('x-content-type-options')]).toEqual([path, 'nosniff']);
      }
    }));

  it('of a failing server reveal no path, class or stack', () =>
    onApp(async (app) => {
      await app.services.db.destroy();
      const answer = await app.fetch('/nowhere', { headers: BAD });
      expect(answer.status).toBe(500);
      const body = await answer.text();
      expect(JSON.parse(body).error).toEqual({
        code: 'INTERNAL',
        message: 'Internal server error.',
      });
    }));
});

describe('request targets', () => {
  it('may be absolute, as a client behind a proxy sends them', () =>
    onApp(async (app) => {
      const answer = await send(app, 'GET http://media.example.org/healthz HTTP/1.1');
      expect(answer).toMatch(/^HTTP\/1.1 200 /);
      const bare = await send(app, 'GET http://media.example.org HTTP/1.1');
      expect(bare).toContain('"self":{"href":"http://media.example.org/"}');
      const query = await send(app, 'GET http://media.example.org?a HTTP/1.1');
      expect(query).toContain('"self":{"href":"http://media.example.org/"}');
      const target = 'HTTPS://media.example.org/graphql?query=%7Bviewer%7Bkind%7D%7D';
      expect(await send(app, `GET ${target} HTTP/1.1`)).toContain('"kind":"ANONYMOUS"');
    }));

  it.each(['/%', '/%zz', '/media/%ff/a.png', '/media/abcdefgh/%c3%28'])(
    '%s is not a URL: 400 or 404',
    (target) =>
      onApp(async (app) => {
        const answer = await send(app, `GET ${target} HTTP/1.1`);
        expect(answer).toMatch(/^HTTP\/1.1 40[04] /);
        expect(answer).toContain('"error":{');
        expect(answer).toMatch(/^x-request-id: [0-9a-f-]{36}/m);
      }),
  );

  it.each([
    '/media/abcdefgh/a%00.png',
    '/media/..%2f..%2fetc/passwd',
    '/media//a',
    '//healthz',
    '*',
  ])('%s is refused without a server error', (target) =>
    onApp(async (app) => {
      expect(await send(app, `GET ${target} HTTP/1.1`)).toMatch(/^HTTP\/1.1 40[04] /);
    }),
  );
});

// With TRIVIUM_AUTH=open, test/http/viewer/origin.test.ts.
describe('other origins', () => {
  const preflight = {
    origin: 'https://app.example.org',
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'authorization, content-type, content-range',
  };

  it('may send any request, and a preflight needs no credential, not even a valid one', () =>
    onRequired(async (app) => {
      for (const path of PATHS) {
        const headers = { ...preflight, ...BAD };
        const answer = await app.fetch(path, { method: 'OPTIONS', headers });
        expect([path, answer.status]).toEqual([path, 204]);
        expect(answer.headers.get('access-control-allow-origin')).toBe('*');
        expect(answer.headers.get('access-control-allow-methods')).toContain('DELETE');
        const allowed = answer.headers.get('access-control-allow-headers');
        expect(allowed).toBe(preflight['access-control-request-headers']);
      }
    }));

  it('may send an OPTIONS request that is not a preflight', () =>
    onRequired(async (app) => {
      for (const path of PATHS) {
        expect([path, (await app.fetch(path, { method: 'OPTIONS' })).status]).toEqual([path, 204]);
      }
    }));

  it('may read every response, even a refusal', () =>
    onRequired(async (app) => {
      for (const headers of [{}, BAD]) {
        const answer = await app.fetch('/unknown', {
          headers: { ...headers, origin: 'https://a.b' },
        });
        expect(answer.headers.get('access-control-allow-origin')).toBe('*');
        expect(answer.headers.get('access-control-expose-headers')).toContain('x-request-id');
      }
    }));

  it('are never allowed to send cookies', () =>
    onRequired(async (app) => {
      const answer = await app.fetch('/graphql', { method: 'OPTIONS', headers: preflight });
      expect(answer.headers.get('access-control-allow-credentials')).toBeNull();
    }));
});

describe('a wrong credential', () => {
  it.each(PATHS)('is 401 at %s', (path) =>
    onApp(async (app) => {
      for (const method of ['GET', 'POST', 'DELETE']) {
        const answer = await app.fetch(path, { method, headers: BAD });
        expect([method, answer.status]).toEqual([method, 401]);
        expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/);
        expect(await answer.text()).toMatch(/not valid|denied/);
      }
    }),
  );

  it('is 401 for a token, a key, a user and a cookie', () =>
    onApp(async (app) => {
      const forms: Record<string, string>[] = [
        { authorization: 'Bearer a.b.c' },
        { 'api-key': 'tvm_unknown' },
        { authorization: `Basic ${btoa('user:password')}` },
        { cookie: 'auth-token=tvm_unknown' },
      ];
      for (const headers of forms)
        expect((await app.fetch('/healthz', { headers })).status).toBe(401);
    }));
});

function onApp(work: (app: TestApp) => Promise<void>): Promise<void> {
  return withApp(SQLITE, work);
}

function onRequired(work: (app: TestApp) => Promise<void>): Promise<void> {
  return withApp(SQLITE, work, { TRIVIUM_AUTH: 'required' });
}

/** Sends a request line unchanged, which `fetch` would normalize. Resolves with the response. */
function send({ url }: TestApp, requestLine: string): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.end(`${requestLine}\r\nHost: ${hostname}\r\nConnection: close\r\n\r\n`);
  return text(socket);
}
