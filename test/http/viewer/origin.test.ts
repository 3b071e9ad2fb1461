import { describe, expect, it } from 'vitest';
import type { TestApp } from '../../support/app.ts';
import { BACKENDS } from '../../support/backend.ts';
import { DIALECT_WRITES, type DialectWrite } from '../../support/dialect-write.ts';
import { sendRaw, sendWith } from '../../support/raw-request.ts';
import { shareApp } from '../../support/shared-app.ts';

const SQLITE = BACKENDS[0]!;
const EVIL = 'https://evil.example';
const APP = 'https://app.example.org';
const REQUIRED = { TRIVIUM_AUTH: 'required' };

/** Sends the change of a dialect, and returns the status, or the code of a refusal. */
async function write(
  app: TestApp,
  { line, headers, body, codeOf, refusal }: DialectWrite,
  sent: Record<string, string>,
): Promise<number | string> {
  const answer = await sendWith(app, line, { ...headers, ...sent }, body);
  if (answer.status !== 403) return answer.status;
  const code = codeOf(answer.body);
  return [refusal('ORIGIN_NOT_ALLOWED'), refusal('HOST_NOT_ALLOWED')].includes(code)
    ? 'refused'
    : `403 ${code}`;
}

const cors = (headers: object) =>
  Object.fromEntries(
    Object.entries(headers).filter(([name]) => name.startsWith('access-control-')),
  );

/** Expects that a page of the origin can read no response, and that its preflight is refused. */
async function expectNoCors(app: TestApp, origin: string): Promise<void> {
  const read = await sendWith(app, 'GET /api/v2/tag/', { origin });
  expect([read.status, cors(read.headers)]).toEqual([200, {}]);
  expect(read.headers.vary).toContain('Origin');
  const preflight = { origin, 'access-control-request-method': 'POST' };
  const refused = await sendWith(app, 'OPTIONS /graphql', preflight);
  expect([refused.status, cors(refused.headers)]).toEqual([403, {}]);
}

describe('an open server: DNS rebinding', () => {
  const shared = shareApp(SQLITE);
  const PORTLESS = [
    'localhost',
    'studio.localhost',
    '127.0.0.1',
    '127.8.9.1',
    '[::1]',
    'LOCALHOST',
  ];

  it.each(PORTLESS.flatMap((host) => [host, `${host}:4000`]))(
    'serves the host %s',
    async (host) => {
      expect((await sendWith(shared(), 'GET /healthz', { host })).status).toBe(200);
    },
  );

  it.each([
    'evil.example',
    'evil.example:4000',
    '127.0.0.1.evil.example',
    'localhost.evil.example',
    '0.0.0.0',
    '192.168.1.7:4000',
    '[::]',
    '[::ffff:7f00:1]',
    '2130706433',
  ])('refuses the host %s on every path, and on every method', async (host) => {
    for (const line of [
      'GET /healthz',
      'GET /',
      'GET /nowhere',
      'GET /media/%zz',
      'OPTIONS /graphql',
      'GET /sign-in',
    ]) {
      const { status, headers, body } = await sendWith(shared(), line, { host });
      expect([line, status]).toEqual([line, 403]);
      expect(cors(headers)).toEqual({});
      expect(body).toContain('localhost');
    }
    for (const dialect of DIALECT_WRITES) {
      expect(await write(shared(), dialect, { host, 'api-key': shared().adminKey })).toBe(
        'refused',
      );
    }
  });

  it('refuses the whole URL of another host, except with https, which no browser sends', async () => {
    const ask = (target: string, host: string) =>
      sendRaw(shared(), Buffer.from(`GET ${target} HTTP/1.1\r\nHost: ${host}\r\n\r\n`));
    expect(await ask('http://evil.example/healthz', 'evil.example')).toMatchObject({ status: 403 });
    expect(await ask('https://api.umbraco.io/healthz', 'api.umbraco.io')).toMatchObject({
      status: 200,
    });
  });
});

describe('an open server behind a trusted proxy', () => {
  const shared = shareApp(SQLITE, { TRIVIUM_TRUSTED_PROXIES: 'loopback' });

  it('refuses the host that the proxy forwards', async () => {
    const ask = (host: string) => sendWith(shared(), 'GET /healthz', { 'x-forwarded-host': host });
    expect((await ask('evil.example')).status).toBe(403);
    expect((await ask('studio.localhost:5173')).status).toBe(200);
  });
});

describe('an open server: pages', () => {
  const shared = shareApp(SQLITE);
  const HERE = [
    'http://localhost:5173',
    'http://127.0.0.1:3000',
    'http://[::1]:8080',
    'https://a.localhost',
  ];

  it.each(HERE)('of %s may call it, after a preflight, without cookies', async (origin) => {
    for (const { line } of DIALECT_WRITES) {
      const path = line.split(' ')[1];
      const preflight = await sendWith(shared(), `OPTIONS ${path}`, {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'content-type, api-key',
      });
      expect(preflight.status).toBe(204);
      expect(cors(preflight.headers)).toMatchObject({
        'access-control-allow-origin': origin,
        'access-control-allow-headers': 'content-type, api-key',
        'access-control-allow-methods': expect.stringContaining('DELETE'),
      });
      expect(preflight.headers).not.toHaveProperty('access-control-allow-credentials');
    }
    const answer = await sendWith(
      shared(),
      'POST /api/v2/tag/',
      { origin, 'content-type': 'application/json' },
      JSON.stringify({ name: `tag of ${origin}` }),
    );
    expect(answer.status).toBe(201);
    expect(answer.headers['access-control-allow-origin']).toBe(origin);
    expect(answer.headers.vary).toContain('Origin');
  });

  it.each([
    EVIL,
    'null',
    'http://localhost.evil.example',
    'http://127.0.0.1.evil.example',
    'file://',
  ])('of %s get no CORS headers, and their changes are refused', async (origin) => {
    await expectNoCors(shared(), origin);
    for (const dialect of DIALECT_WRITES) {
      expect(await write(shared(), dialect, { origin })).toBe('refused');
      expect(await write(shared(), dialect, { origin, 'api-key': shared().adminKey })).toBe(
        'refused',
      );
    }
    const tag = await sendWith(shared(), 'POST /api/v2/tag/', { origin }, 'name=x');
    expect([tag.status, cors(tag.headers)]).toEqual([403, {}]);
  });

  it('that hide their origin are known by Sec-Fetch-Site or Referer', async () => {
    for (const sent of [
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { referer: `${EVIL}/page` },
    ]) {
      expect(await write(shared(), DIALECT_WRITES[1]!, sent)).toBe('refused');
    }
  });

  it('do not concern programs, which send no Origin', async () => {
    for (const dialect of DIALECT_WRITES) {
      const status = await write(shared(), dialect, { 'api-key': shared().adminKey });
      expect([dialect.dialect, status]).toEqual([dialect.dialect, expect.any(Number)]);
      expect(status).toBeLessThan(300);
    }
    expect(await write(shared(), DIALECT_WRITES[1]!, {})).toBe(201);
  });
});

describe.each(DIALECT_WRITES)('a change with a cookie, by $dialect', (dialect) => {
  const shared = shareApp(SQLITE, REQUIRED);
  const send = (headers: Record<string, string>) => {
    const cookie = `a=b; auth-token=${shared().adminKey}`;
    return write(shared(), dialect, { cookie, ...headers });
  };

  it.each([
    ['this origin', () => ({ origin: shared().url })],
    [
      'this origin behind a proxy that ends HTTPS',
      () => ({
        origin: 'https://media.example.org',
        host: 'media.example.org',
      }),
    ],
    [
      'this origin, whatever Sec-Fetch-Site says',
      () => ({
        origin: shared().url,
        'sec-fetch-site': 'same-origin',
      }),
    ],
    ['Sec-Fetch-Site: same-origin', () => ({ 'sec-fetch-site': 'same-origin' })],
    ['a Referer of this origin', () => ({ referer: `${shared().url}/page?query` })],
  ])('is made with %s', async (_what, headersOf) => {
    expect(await send(headersOf())).toBeLessThan(300);
  });

  it.each([
    [{ origin: EVIL }],
    [{ origin: 'null' }],
    [{ origin: 'http://127.0.0.1:1' }],
    [{ origin: '' }],
    [{ origin: EVIL, 'sec-fetch-site': 'same-origin' }],
    [{ 'sec-fetch-site': 'cross-site' }],
    [{ 'sec-fetch-site': 'same-site' }],
    [{ referer: `${EVIL}/` }],
    [{ referer: 'no URL' }],
    [{ 'x-forwarded-host': 'evil.example', origin: EVIL }],
    [{}],
  ])('is refused with %j', async (headers) => {
    expect(await send(headers)).toBe('refused');
  });

  it('is not a matter of cookies if a header has a credential', async () => {
    const sent = { origin: EVIL, 'api-key': shared().adminKey };
    expect(await send(sent)).toBeLessThan(300);
  });
});

describe('TRIVIUM_CORS_ORIGINS', () => {
  const CORS = { TRIVIUM_CORS_ORIGINS: `${APP}, capacitor://localhost` };

  describe.each([
    ['required', { ...REQUIRED, ...CORS }],
    ['open', CORS],
  ])('with TRIVIUM_AUTH=%s', (_auth, variables) => {
    const shared = shareApp(SQLITE, variables);

    it.each([APP, 'capacitor://localhost'])('lets %s send cookies', async (origin) => {
      const preflight = { origin, 'access-control-request-method': 'POST' };
      const allowed = await sendWith(shared(), 'OPTIONS /graphql', preflight);
      const ask = {
        'access-control-allow-origin': origin,
        'access-control-allow-credentials': 'true',
      };
      expect([allowed.status, cors(allowed.headers)]).toMatchObject([204, ask]);
      const cookie = `auth-token=${shared().adminKey}`;
      const query = 'POST /graphql';
      const body = JSON.stringify({ query: '{ viewer { role } }' });
      const type = { 'content-type': 'application/json' };
      const answer = await sendWith(shared(), query, { origin, cookie, ...type }, body);
      expect(answer.body).toContain('"ADMIN"');
      expect(cors(answer.headers)).toMatchObject(ask);
      expect(answer.headers.vary?.split(', ')).toEqual(
        expect.arrayContaining(['Origin', 'Authorization', 'Api-Key', 'Cookie']),
      );
      for (const dialect of DIALECT_WRITES) {
        expect(await write(shared(), dialect, { origin, cookie })).toBeLessThan(300);
      }
    });

    it.each([EVIL, 'http://localhost:5173', `${APP}:8443`, 'http://app.example.org'])(
      'shuts out %s',
      async (origin) => {
        await expectNoCors(shared(), origin);
        for (const dialect of DIALECT_WRITES) {
          const cookie = `auth-token=${shared().adminKey}`;
          expect(await write(shared(), dialect, { origin, cookie })).toBe('refused');
        }
      },
    );

    it('leaves pages of the server itself alone', async () => {
      const cookie = `auth-token=${shared().adminKey}`;
      for (const dialect of DIALECT_WRITES) {
        expect(await write(shared(), dialect, { origin: shared().url, cookie })).toBeLessThan(300);
      }
    });
  });
});

describe('with TRIVIUM_PUBLIC_URL', () => {
  const shared = shareApp(SQLITE, {
    ...REQUIRED,
    TRIVIUM_PUBLIC_URL: 'https://media.example.org/base',
  });
  const [dialect] = DIALECT_WRITES;

  it.each([
    ['https://media.example.org', 'media.example.org'],
    ['https://media.example.org', '10.0.0.7:4000'],
    ['http://10.0.0.7:4000', '10.0.0.7:4000'],
  ])('a page of %s may send cookies to the host %s', async (origin, host) => {
    const cookie = `auth-token=${shared().adminKey}`;
    expect(await write(shared(), dialect!, { origin, host, cookie })).toBe(200);
  });

  it('a page that came over HTTP may not', async () => {
    const cookie = `auth-token=${shared().adminKey}`;
    const sent = { origin: 'http://media.example.org', host: 'media.example.org', cookie };
    expect(await write(shared(), dialect!, sent)).toBe('refused');
  });
});
