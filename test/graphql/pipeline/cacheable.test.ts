import { expect, it } from 'vitest';
import type { TestApp } from '../../support/app.ts';
import { makeTag } from '../../support/make.ts';
import { post, run } from './operation.ts';

const QUERY = `/graphql?query=${encodeURIComponent('{ tags { nodes { name } } }')}`;

const get = (app: TestApp, path = QUERY, headers: Record<string, string> = {}) =>
  app.fetch(path, { headers });

it('the result of an anonymous query by GET may be kept, and is asked for again', () =>
  run(async (app) => {
    const first = await get(app);
    const etag = first.headers.get('etag') as string;
    expect(first.status).toBe(200);
    expect(etag).toMatch(/^W\/"[\w-]{27}"$/);
    expect(first.headers.get('cache-control')).toBe('public, no-cache');
    const vary = first.headers.get('vary')?.toLowerCase().split(/, */);
    expect(vary).toEqual(expect.arrayContaining(['accept', 'authorization', 'api-key', 'cookie']));

    const same = await get(app, QUERY, { 'if-none-match': etag });
    expect([same.status, await same.text()]).toEqual([304, '']);
    expect(same.headers.get('etag')).toBe(etag);
    expect(same.headers.get('cache-control')).toBe('public, no-cache');

    await makeTag(app.services.db);
    const changed = await get(app, QUERY, { 'if-none-match': etag });
    expect(changed.status).toBe(200);
    expect(changed.headers.get('etag')).not.toBe(etag);
  }));

it.each(['on', 'off'])('whether shortcuts are %s', (TRIVIUM_FAST_PATH) =>
  run(
    async (app) => {
      expect((await get(app)).headers.get('cache-control')).toBe('public, no-cache');
    },
    { TRIVIUM_FAST_PATH },
  ),
);

it('no other result may be kept', () =>
  run(async (app) => {
    const etag = (await get(app)).headers.get('etag') as string;
    const withKey = { authorization: `Bearer ${app.adminKey}` };
    const events = 'text/event-stream';
    const answers = [
      await get(app, QUERY, { ...withKey, 'if-none-match': etag }),
      await get(app, QUERY, { cookie: `auth-token=${app.adminKey}`, 'if-none-match': etag }),
      await get(app, QUERY, { accept: events }),
      await get(app, `/graphql?query=${encodeURIComponent('{ nothing }')}`),
      await get(app, `/graphql?query=${encodeURIComponent('{ node(id: "x") { id } }')}`),
    ];
    for (const { headers } of answers) {
      expect(headers.get('etag')).toBeNull();
      expect(headers.get('cache-control')).not.toContain('public');
    }
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    for (const answer of answers) await answer.body?.cancel();
    const posted = await app.fetch('/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: '{ tags { nodes { name } } }' }),
    });
    expect(posted.headers.get('etag')).toBeNull();
    expect((await post(app, { query: '{ viewer { kind } }' })).status).toBe(200);
  }));
