import { chmod, mkdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { checkLibrary } from '../../src/domain/fsck/fsck.ts';
import { SYSTEM } from '../../src/domain/viewer/viewer.ts';
import { createApp } from '../../src/start/app.ts';
import { ConfigError, parseConfig } from '../../src/start/config.ts';
import { insertJob } from '../../src/store/job/job.ts';
import { corrupt } from '../domain/fsck/library.ts';
import { withApp } from '../support/app.ts';
import { describeEachBackend } from '../support/backend.ts';
import { graphql } from '../support/graphql.ts';
import { toJobRow } from '../support/job-row.ts';
import { makeKey } from '../support/make.ts';
import { asAdmin, bearer, change, pathOf, uploadAs } from '../support/private-media.ts';
import { withDataDir, withServerProcess } from '../support/process.ts';
import { sendWith } from '../support/raw-request.ts';
import { WITH_USERS } from '../support/request.ts';
import { shareApp } from '../support/shared-app.ts';

/*
 * One test for each hole that an attacker's review has found, with its name. Each states the essential case; SECURITY.md
 * names the tests of the details.
 */

const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

describeEachBackend('hole:', (backend) => {
  const shared = shareApp(backend, { ...WITH_USERS, TRIVIUM_AUTH: 'required' });

  test('jobs show everybody’s URLs to every credential', async () => {
    const app = shared();
    const args = JSON.stringify({
      url: 'https://x.org/a.png?X-Amz-Signature=abc',
      filename: 'secret.png',
    });
    const job = toJobRow(Date.now(), { created_by: 'alice', arguments: args, status: 'paused' });
    await insertJob(app.services.db, job);
    const stranger = await bearer('mallory');
    const query = `{ jobs(filter: {}) { totalCount } job(by: { uuid: "${job.uuid}" }) { id } }`;
    const { data } = await graphql(app, query, {}, stranger);
    expect(data).toEqual({ jobs: { totalCount: 0 }, job: null });
    const list = await app.fetch('/jobs', { headers: { ...stranger } });
    expect(await list.text()).not.toContain('secret.png');
    const own = await graphql(
      app,
      `{ job(by: { uuid: "${job.uuid}" }) { arguments } }`,
      {},
      await bearer('alice'),
    );
    expect(JSON.stringify(own.data)).not.toContain('X-Amz-Signature');
  });

  test('a private file stays public by its address', async () => {
    const app = shared();
    const alice = await bearer('alice');
    const media = await uploadAs(app, alice);
    const before = pathOf(media.url);
    expect((await app.fetch(before)).status).toBe(200);
    await change(
      app,
      alice,
      `updateMedia(input: { id: "${media.id}", visibility: PRIVATE }) { ... on Error { code } }`,
    );
    expect((await app.fetch(before, { headers: { ...alice } })).status).toBe(404);
    const { data } = await graphql(
      app,
      `{ media(by: { uuid: "${media.uuid}" }) { url } }`,
      {},
      alice,
    );
    const after = pathOf(data.media.url);
    expect((await app.fetch(after)).status).toBe(404);
    const own = await app.fetch(after, { headers: { ...alice } });
    expect([own.status, own.headers.get('cache-control')]).toEqual([200, 'private, no-store']);
  });

  test('corrupted bytes are served as good', async () => {
    const app = shared();
    const alice = await bearer('alice');
    const media = await uploadAs(app, alice);
    const path = pathOf(media.url);
    expect((await app.fetch(path)).status).toBe(200);
    const row = app.services.db.selectFrom('file').where('media_id', '=', media.databaseId);
    const { blob_key } = await row.select('blob_key').executeTakeFirstOrThrow();
    await corrupt(app.services, blob_key);
    const ctx = { ...app.services, log: app.app.log, viewer: SYSTEM };
    const options = { rehash: true, repair: true, graceMs: 0, settleMs: 1 };
    const found = await Array.fromAsync(checkLibrary(ctx, options));
    expect(found.map(({ blobKey }) => blobKey)).toContain(blob_key);
    expect((await app.fetch(path)).status).toBe(502);
  });

  test('a foreign page writes with the cookie of its visitor', async () => {
    const app = shared();
    const cookie = `auth-token=${app.adminKey}`;
    for (const headers of [
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { 'sec-fetch-site': 'same-site' },
      {},
    ]) {
      const sent = { ...FORM, ...headers, cookie } as Record<string, string>;
      const answer = await sendWith(app, 'POST /api/v2/tag/', sent, 'name=csrf');
      expect([headers, answer.status]).toEqual([headers, 403]);
    }
    const own = await sendWith(
      app,
      'POST /api/v2/tag/',
      { ...FORM, cookie, origin: app.url },
      'name=own',
    );
    expect(own.status).toBe(201);
  });

  test('the Host of a request becomes a link', async () => {
    const app = shared();
    for (const host of ['a"><script>', 'a b', 'evil.example/x', 'evil.example:99999']) {
      expect([host, (await sendWith(app, 'GET /api/v2/tag/', { host })).status]).toEqual([
        host,
        400,
      ]);
    }
    const forged = { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https' };
    expect((await sendWith(app, 'GET /', forged)).body).not.toContain('evil.example');
  });

  test('anyone locks a user out', async () => {
    const app = shared();
    app.services.logins.verify = async (password) => password === 'right one';
    await call('createUser(input: { name: "victim", password: "right one" })');
    async function call(mutation: string) {
      const query = `mutation { result: ${mutation} { __typename } }`;
      return (await graphql(app, query, {}, asAdmin(app))).data.result.__typename;
    }
    const signIn = (password: string, address: string) =>
      app.app.server.inject({
        ...{ method: 'POST', url: '/oauth/token', remoteAddress: address },
        payload: { grant_type: 'password', username: 'victim', password },
      });
    const guesses = [];
    for (let guess = 0; guess < 26; guess++)
      guesses.push((await signIn('wrong', '203.0.113.9')).statusCode);
    expect([guesses[0], guesses.at(-1)]).toEqual([400, 429]);
    expect((await signIn('right one', '198.51.100.7')).statusCode).toBe(200);
  });

  test('a leaked key cannot be taken back', async () => {
    const app = shared();
    const key = await makeKey(app.services, { name: 'leaked', role: 'admin' });
    const headers = { authorization: `Bearer ${key}` };
    expect((await app.fetch('/jobs', { headers })).status).toBe(200);
    const list = await graphql(app, '{ apiKeys { nodes { id name } } }', {}, asAdmin(app));
    const { id } = list.data.apiKeys.nodes.find(({ name }: { name: string }) => name === 'leaked');
    await change(
      app,
      asAdmin(app),
      `revokeApiKey(input: { id: "${id}" }) { ... on Error { code } }`,
    );
    for (const path of [
      '/jobs',
      '/media',
      '/api/v2/tag/',
      '/graphql?query={viewer{id}}',
      '/healthz',
    ]) {
      expect([path, (await app.fetch(path, { headers })).status]).toEqual([path, 401]);
    }
  });
});

describeEachBackend('hole:', (backend) => {
  test('open mode obeys any web page', () =>
    withApp(backend, async (app) => {
      const origin = 'https://evil.example';
      const read = await sendWith(app, 'GET /api/v2/tag/', { origin });
      expect(read.headers['access-control-allow-origin']).toBeUndefined();
      expect((await sendWith(app, 'POST /api/v2/tag/', { ...FORM, origin }, 'name=x')).status).toBe(
        403,
      );
      // DNS rebinding: the name of the page's own host leads to this machine.
      const rebound = await sendWith(app, 'GET /api/v2/tag/', { host: 'evil.example' });
      expect(rebound.status).toBeGreaterThanOrEqual(400);
    }));
});

describe('hole:', () => {
  test('other users of the machine read the data directory, whatever was there before', () =>
    withDataDir(async (TRIVIUM_DATA_DIR) => {
      await chmod(TRIVIUM_DATA_DIR, 0o755);
      const database = join(TRIVIUM_DATA_DIR, 'trivium.db');
      await writeFile(database, '', { mode: 0o644 });
      await mkdir(join(TRIVIUM_DATA_DIR, 'blobs'), { mode: 0o755 });
      const app = await createApp(parseConfig({ TRIVIUM_DATA_DIR, TRIVIUM_LOG_LEVEL: 'silent' }));
      const modes = [];
      for (const path of [TRIVIUM_DATA_DIR, database, join(TRIVIUM_DATA_DIR, 'blobs')]) {
        modes.push((await stat(path)).mode & 0o777);
      }
      await app.stop();
      expect(modes).toEqual([0o700, 0o600, 0o700]);
    }));

  test.each([
    'TRIVIUM_ADMIN_KEY',
    'TRIVIUM_JWT_SECRET',
    'TRIVIUM_JWT_PREVIOUS_SECRETS',
    'TRIVIUM_URL_KEYS',
  ])('a weak secret is accepted in silence: %s', (name) => {
    const strong = 'Zx7#qLm2!vR9pT4&wK8sN3@dF6hJ1$gB';
    for (const weak of ['a', 'a'.repeat(64), 'abcd'.repeat(16), '12345678'.repeat(4)]) {
      expect(() => parseConfig({ [name]: weak })).toThrow(ConfigError);
      if (!name.endsWith('S')) continue;
      expect(() => parseConfig({ [name]: `${strong},${weak}` })).toThrow(ConfigError);
    }
    expect(() => parseConfig({ [name]: strong })).not.toThrow();
  });

  test('a key mistyped into the path, and every other credential, is logged', () =>
    withDataDir((TRIVIUM_DATA_DIR) =>
      withServerProcess(
        { TRIVIUM_DATA_DIR, TRIVIUM_LOG_LEVEL: 'trace' },
        async ({ url, log, logged }) => {
          const secret = 'tvm_0123456789-hunter2-0123456789-hunter2-012345';
          const requests: [string, Record<string, string>][] = [
            [`/${secret}`, {}],
            [`/media/${secret}`, {}],
            [`/graphql?query={viewer{id}}&key=${secret}`, {}],
            ['/jobs', { authorization: `Bearer ${secret}` }],
            ['/jobs', { 'api-key': secret }],
            ['/jobs', { cookie: `auth-token=${secret}` }],
          ];
          for (const [path, headers] of requests) await fetch(url + path, { headers });
          await fetch(`${url}/healthz`);
          await logged('request');
          await expect.poll(() => log.some(({ path }) => path === '/healthz')).toBe(true);
          expect(JSON.stringify(log)).not.toContain('hunter2');
        },
      ),
    ));
});
