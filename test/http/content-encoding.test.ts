import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { BACKENDS } from '../support/backend.ts';
import { shareApp } from '../support/shared-app.ts';

const shared = shareApp(BACKENDS[0]!);
const BODY = gzipSync('{"query": "{ viewer { id } }"}');

it.each([
  ['POST', '/graphql'],
  ['POST', '/api/v2/tag/'],
  ['POST', '/media'],
  ['POST', '/jobs'],
  ['POST', '/medias/files/packed'],
])('%s %s refuses a compressed body, and stores nothing', async (method, path) => {
  const app = shared();
  for (const encoding of ['gzip', 'br', 'GZIP', 'deflate, gzip']) {
    const headers = { 'content-type': 'application/json', 'content-encoding': encoding };
    const response = await app.fetch(path, { method, headers, body: BODY, asAdmin: true });
    expect([path, response.status, response.headers.get('accept-encoding')]).toEqual([
      path,
      415,
      'identity',
    ]);
    expect(await response.text()).toContain('Content-Encoding');
  }
  const media = await app.services.db
    .selectFrom('media')
    .select('id')
    .where('type', '!=', 'folder')
    .execute();
  expect(media).toEqual([]);
});

it('an encoding that changes nothing is accepted', async () => {
  const headers = { 'content-type': 'application/json', 'content-encoding': 'identity' };
  const body = '{"query": "{ viewer { id } }"}';
  const response = await shared().fetch('/graphql', { method: 'POST', headers, body });
  expect(response.status).toBe(200);
});
