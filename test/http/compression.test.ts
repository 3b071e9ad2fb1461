import { once } from 'node:events';
import { request } from 'node:http';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { isCompressible, preferredEncoding } from '../../src/http/compression.ts';
import { insertJob } from '../../src/store/job/job.ts';
import { storeFile, storeFixture } from '../rest/file/stored-file.ts';
import type { TestApp } from '../support/app.ts';
import { BACKENDS } from '../support/backend.ts';
import { toJobRow } from '../support/job-row.ts';
import { makeMediaRow } from '../support/make.ts';
import { WITH_USERS } from '../support/request.ts';
import { shareApp } from '../support/shared-app.ts';

describe('the preferred encoding', () => {
  it.each([
    [undefined, null],
    ['', null],
    ['gzip, deflate, br, zstd', 'br'],
    ['gzip, deflate', 'gzip'],
    ['GZIP', 'gzip'],
    ['x-gzip', 'gzip'],
    ['br;q=0.5, gzip', 'gzip'],
    ['br;q=0, gzip;q=0', null],
    ['*', 'br'],
    ['br;q=0, *', 'gzip'],
    ['*;q=0', null],
    ['identity, gzip;q=0.5', null],
    ['identity;q=0.5, gzip', 'gzip'],
    ['deflate, zstd', null],
    ['gzip;q=x', null],
  ])('of %s is %s', (header, encoding) => {
    expect(preferredEncoding(header)).toBe(encoding);
  });
});

it.each([
  ['application/json; charset=utf-8', true],
  ['application/hal+json', true],
  ['application/vnd.api+json', true],
  ['application/graphql-response+json; charset=utf-8', true],
  ['text/html', true],
  ['image/svg+xml', true],
  ['text/event-stream', false],
  ['image/png', false],
  ['image/webp', false],
  ['video/mp4', false],
  ['application/pdf', false],
  ['application/zip', false],
  ['application/octet-stream', false],
])('%s is compressible: %s', (mimeType, expected) => {
  expect(isCompressible(mimeType)).toBe(expected);
});

const DECODERS = { br: brotliDecompressSync, gzip: gunzipSync, identity: (bytes: Buffer) => bytes };
type Encoding = keyof typeof DECODERS;

/** Sends a request as it is, and returns the response with its bytes as they are. */
async function send(app: TestApp, line: string, { body, ...headers }: Record<string, string> = {}) {
  const [method, path] = line.split(' ');
  const { hostname, port } = new URL(app.url);
  const sent = request({ hostname, port, method, path, headers });
  sent.end(body);
  const [response] = await once(sent, 'response');
  const bytes = Buffer.concat(await response.toArray());
  const { status, headers: given } = { status: response.statusCode, headers: response.headers };
  const encoding: Encoding = given['content-encoding'] ?? 'identity';
  return { status, headers: given, bytes, text: DECODERS[encoding](bytes).toString() };
}

/** Fields that the schema has not. */
const UNKNOWN = `{ ${Array.from({ length: 30 }, (_, index) => `unknown${index}`).join(' ')} }`;

const LIST = '{ medias(first: 50) { nodes { id name title createdAt updatedAt } } }';

describe('a response', () => {
  const shared = shareApp(BACKENDS[0]!, WITH_USERS);
  const asAdmin = (app: TestApp) => ({ authorization: `Bearer ${app.adminKey}` });
  const graphql = (query: string) => ({
    'content-type': 'application/json',
    body: JSON.stringify({ query }),
  });
  const fill = async ({ services: { db } }: TestApp) => {
    for (let index = 0; index < 20; index++) {
      await makeMediaRow(db, { name: `item ${index}` });
      await insertJob(db, toJobRow(Date.now()));
    }
  };

  it.each([
    ['POST /graphql', 'GraphQL, by the fast path', graphql(LIST)],
    ['POST /graphql', 'GraphQL, by Yoga', graphql(UNKNOWN)],
    ['GET /api/v2/openapi.json', 'SelfCommunity', {}],
    ['GET /jobs', 'the Importer', {}],
    ['GET /media/type', 'Heartcore', {}],
    ['GET /graphql', 'GraphiQL', { accept: 'text/html' }],
  ])('to %s is compressed: %s', async (line, _what, more) => {
    const app = shared();
    await fill(app);
    const sender = { ...asAdmin(app), ...more };
    const plain = await send(app, line, sender);
    expect(plain.headers['content-encoding']).toBeUndefined();
    for (const encoding of ['br', 'gzip']) {
      const sent = await send(app, line, { ...sender, 'accept-encoding': encoding });
      expect([sent.status, sent.headers['content-encoding']]).toEqual([plain.status, encoding]);
      expect(sent.headers['content-length']).toBe(String(sent.bytes.length));
      expect(sent.bytes.length).toBeLessThan(plain.bytes.length * 0.7);
      expect(withoutNonce(sent.text)).toBe(withoutNonce(plain.text));
      for (const { vary } of [sent.headers, plain.headers])
        expect(vary).toContain('Accept-Encoding');
    }
  });

  it('to HEAD has the headers of GET', async () => {
    const app = shared();
    const line = '/api/v2/openapi.json';
    const headers = { 'accept-encoding': 'br' };
    const [get, head] = [
      await send(app, `GET ${line}`, headers),
      await requestHead(app, line, headers),
    ];
    for (const name of ['content-encoding', 'content-length', 'vary', 'etag', 'content-type'])
      expect([name, head[name]]).toEqual([name, get.headers[name]]);
  });

  it('that is short is not compressed', async () => {
    const answer = await send(shared(), 'GET /healthz', { 'accept-encoding': 'br' });
    expect([answer.text, answer.headers['content-encoding']]).toEqual([
      '{"status":"ok"}',
      undefined,
    ]);
  });

  it('with a tag has a weak one when it is compressed, and 304 names the tag that the client has', async () => {
    const app = shared();
    const row = toJobRow(Date.now(), { arguments: JSON.stringify({ text: 'x'.repeat(2000) }) });
    await insertJob(app.services.db, row);
    const line = `GET /jobs/${row.uuid}`;
    const headers = { ...asAdmin(app), 'accept-encoding': 'gzip' };
    const { etag } = (await send(app, line, headers)).headers;
    expect(etag).toMatch(/^W\/"/);
    const again = await send(app, line, { ...headers, 'if-none-match': etag });
    expect([again.status, again.headers.etag, again.bytes.length]).toEqual([304, etag, 0]);
    const strong = etag.slice(2);
    const plain = await send(app, line, { ...asAdmin(app), 'if-none-match': strong });
    expect([plain.status, plain.headers.etag]).toEqual([304, strong]);
  });

  it('with the bytes of a file is never compressed', async () => {
    const app = shared();
    const text = await storeFile(app, 'a.txt', Buffer.from('text\n'.repeat(2000)));
    const image = await storeFixture(app, 'picture.png');
    for (const { urlPath, sizeBytes } of [text, image]) {
      const headers = { 'accept-encoding': 'br, gzip' };
      const whole = await send(app, `GET ${urlPath}`, headers);
      expect([whole.headers['content-encoding'], whole.bytes.length]).toEqual([
        undefined,
        sizeBytes,
      ]);
      const part = await send(app, `GET ${urlPath}`, { ...headers, range: 'bytes=0-1499' });
      expect(part.headers['content-encoding']).toBeUndefined();
    }
  });

  it('that a page of another site has requested with a cookie is not compressed', async () => {
    const app = shared();
    await fill(app);
    const line = `GET /graphql?query=${encodeURIComponent(LIST)}`;
    const headers = { 'accept-encoding': 'br', cookie: `auth-token=${app.adminKey}` };
    const own = await send(app, line, { ...headers, 'sec-fetch-site': 'same-origin' });
    expect(own.headers['content-encoding']).toBe('br');
    const foreign = await send(app, line, { ...headers, 'sec-fetch-site': 'cross-site' });
    expect(foreign.headers['content-encoding']).toBeUndefined();
  });

  it('with events is sent at once', async () => {
    const app = shared();
    const controller = new AbortController();
    const response = await fetch(`${app.url}/graphql`, {
      method: 'POST',
      signal: controller.signal,
      headers: {
        accept: 'text/event-stream',
        'accept-encoding': 'gzip, br',
        'content-type': 'application/json',
      },
      body: JSON.stringify({ query: 'subscription { mediaChanged { kind } }' }),
    });
    expect(response.headers.get('content-encoding')).toBeNull();
    controller.abort();
  });
});

async function requestHead(app: TestApp, path: string, headers: Record<string, string>) {
  const { hostname, port } = new URL(app.url);
  const sent = request({ hostname, port, method: 'HEAD', path, headers });
  sent.end();
  const [response] = await once(sent, 'response');
  response.resume();
  return response.headers;
}

const withoutNonce = (text: string) =>
  text.replaceAll(/nonce="[^"]*"/g, '').replace(/"cost":\{[^}]*\}/, '');
