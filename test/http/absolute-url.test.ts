import { describe, expect, it } from 'vitest';
import { BACKENDS } from '../support/backend.ts';
import { DIALECT_WRITES } from '../support/dialect-write.ts';
import { sendRaw, sendWith } from '../support/raw-request.ts';
import { shareApp } from '../support/shared-app.ts';

const SQLITE = BACKENDS[0]!;
const REQUIRED = { TRIVIUM_AUTH: 'required' };

describe('the name by which a client calls the server', () => {
  const shared = shareApp(SQLITE, REQUIRED);
  const selfOf = ({ body }: { body: string }) => JSON.parse(body)._links.self.href;

  it.each([
    'media.example.org',
    'MEDIA.example.org:8443',
    'my_host',
    '10.0.0.7',
    '[2001:db8::1]:4000',
    'xn--mdia-bpa.example',
    'media.example.org:',
  ])('begins links: %s', async (host) => {
    const answer = await sendWith(shared(), 'GET /', { host });
    expect(selfOf(answer)).toBe(`http://${host.toLowerCase()}/`);
  });

  it.each([
    'a"><script>alert(1)</script>',
    'media.example.org/path',
    'media.example.org?query',
    'user@media.example.org',
    'media.example.org, evil.example',
    'media.example.org:port',
    'media.example.org:65536',
    '[::g]',
    '[::1',
    "a'b",
    'a b',
    '%61',
    'média.example.org',
  ])('is refused with 400 if it is none: %s', async (host) => {
    const lines = [
      ...DIALECT_WRITES.map(({ line }) => line),
      'GET /',
      'GET /nowhere',
      'GET /%',
      'OPTIONS /',
    ];
    for (const line of lines) {
      const head = [`${line} HTTP/1.1`, `Host: ${host}`, 'Content-Length: 0', '', ''];
      const answer = await sendRaw(shared(), Buffer.from(head.join('\r\n'), 'latin1'));
      expect([line, answer?.status]).toEqual([line, 400]);
      expect(answer?.body).toContain('The Host header is not valid');
      expect(answer?.body).not.toContain('script');
    }
  });

  it.each(["http://a'b/", 'http://user@host/', 'http:///', 'https://a,b/', 'http://h:99999/'])(
    'is refused with 400 in a target that is a whole URL, too: %s',
    async (target) => {
      const head = [`GET ${target} HTTP/1.1`, 'Host: localhost', '', ''];
      const answer = await sendRaw(shared(), Buffer.from(head.join('\r\n')));
      expect([answer?.status, answer?.body]).toEqual([400, expect.stringContaining('The URL')]);
    },
  );

  it('is not believed from a proxy that is not trusted', async () => {
    const forged = { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https' };
    const answer = await sendWith(shared(), 'GET /', { host: 'media.example.org', ...forged });
    expect(selfOf(answer)).toBe('http://media.example.org/');
  });
});

describe('a trusted proxy', () => {
  const shared = shareApp(SQLITE, { ...REQUIRED, TRIVIUM_TRUSTED_PROXIES: 'loopback' });
  const ask = (headers: Record<string, string>) =>
    sendWith(shared(), 'GET /', { host: 'inside:4000', ...headers });
  const selfOf = ({ body }: { body: string }) => JSON.parse(body)._links.self.href;

  it('names the host and the scheme; its own value is the last of a list', async () => {
    const host = 'media.example.org';
    const both = { 'x-forwarded-host': host, 'x-forwarded-proto': 'https' };
    expect(selfOf(await ask(both))).toBe(`https://${host}/`);
    const lists = {
      'x-forwarded-host': `evil.example, ${host}`,
      'x-forwarded-proto': 'http, HTTPS',
    };
    expect(selfOf(await ask(lists))).toBe(`https://${host}/`);
    expect(selfOf(await ask({ 'x-forwarded-proto': 'https' }))).toBe('https://inside:4000/');
    expect(selfOf(await ask({ 'x-forwarded-proto': 'ftp' }))).toBe('http://inside:4000/');
  });

  it('is refused with 400 for a host that is none', async () => {
    const { status, body } = await ask({ 'x-forwarded-host': 'a"b' });
    expect([status, body]).toEqual([400, expect.stringContaining('X-Forwarded-Host')]);
  });

  it('decides which pages are those of this server', async () => {
    const [{ line, headers, body }] = DIALECT_WRITES as [(typeof DIALECT_WRITES)[0]];
    const forwarded = { 'x-forwarded-host': 'media.example.org', 'x-forwarded-proto': 'https' };
    const cookie = `auth-token=${shared().adminKey}`;
    for (const [origin, status] of [
      ['https://media.example.org', 200],
      ['http://media.example.org', 403],
      ['http://inside:4000', 403],
    ] as const) {
      const sent = { ...headers, ...forwarded, host: 'inside:4000', cookie, origin };
      expect([origin, (await sendWith(shared(), line, sent, body)).status]).toEqual([
        origin,
        status,
      ]);
    }
  });
});
