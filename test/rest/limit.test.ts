import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { type TestApp, withApp } from '../support/app.ts';
import { BACKENDS, describeEachBackend } from '../support/backend.ts';
import { type GraphqlOptions, graphql } from '../support/graphql.ts';
import { makeJwt } from '../support/make.ts';
import { JWT_SECRET, request, WITH_USERS } from '../support/request.ts';
import { sendChunk } from '../support/selfcommunity.ts';

const [SQLITE] = BACKENDS;
if (SQLITE === undefined) throw new Error('There is no backend.');

/** The `Authorization` header of a user, an editor. */
async function bearer(sub: string): Promise<string> {
  return `Bearer ${await makeJwt({ sub, role: 'editor' }, { secret: JWT_SECRET })}`;
}

// biome-ignore lint/suspicious/noExplicitAny: the body of any dialect
type Body = any;

/** A path of each dialect, and what its envelope holds of the refusal. */
const DIALECTS = [
  ['/api/v2/tag/', ({ errors: [error] }: Body) => error.code, 'throttled'],
  ['/media', ({ error }: Body) => error.code, 'TooManyRequests'],
  [
    '/jobs',
    ({ errors: [error] }: Body) => [error.status, error.code],
    ['429', 'too_many_requests'],
  ],
  ['/medias', ({ errors: [error] }: Body) => error.status, '429'],
  [
    '/graphql?query={__typename}',
    ({ errors: [e] }: Body) => e.extensions.code,
    'TOO_MANY_REQUESTS',
  ],
  ['/media/abcdefgh/x.png', ({ error }: Body) => error.code, 'TOO_MANY_REQUESTS'],
] as const;

/** So that a round is not refused for what a viewer has sent in the one before. */
const AFTER_WINDOW = { timeout: 60_000, interval: 1100 };

describe('requests a second', () => {
  it.each(DIALECTS)('beyond the limit are 429 in the envelope of %s', (path, codeOf, code) =>
    withApp(
      SQLITE,
      async (app) => {
        const first = await request(app, `GET ${path}`, { as: 'ann' });
        expect(first.status).not.toBe(429);
        expect(first.headers.get('ratelimit-policy')).toBe('"requests";q=2;w=1');
        expect(first.headers.get('ratelimit')).toBe('"requests";r=1;t=1');
        const answers = await Promise.all(
          Array.from({ length: 8 }, () => request(app, `GET ${path}`, { as: 'ann' })),
        );
        const refused = answers.find(({ status }) => status === 429);
        expect(refused && codeOf(refused.body)).toEqual(code);
        expect(refused?.headers.get('retry-after')).toBe('1');
        expect(refused?.headers.get('ratelimit')).toBe('"requests";r=0;t=1');
        expect(refused?.headers.get('ratelimit-policy')).toBe('"requests";q=2;w=1');
        // Other viewers, and the checks of health, have room.
        expect((await request(app, `GET ${path}`, { as: 'bob' })).status).not.toBe(429);
        expect((await request(app, 'GET /healthz')).status).toBe(200);
      },
      { ...WITH_USERS, TRIVIUM_RATE_REQUESTS: '2' },
    ),
  );

  it('count for the address of all viewers together', () =>
    withApp(
      SQLITE,
      async (app) => {
        const viewers = Array.from({ length: 12 }, (_, index) => `user${index}`);
        // On a busy machine, they may arrive within several windows.
        await vi.waitFor(async () => {
          const answers = await Promise.all(viewers.map((as) => request(app, 'GET /jobs', { as })));
          expect(answers.map(({ status }) => status)).toContain(429);
        }, AFTER_WINDOW);
      },
      { ...WITH_USERS, TRIVIUM_RATE_REQUESTS: '2', TRIVIUM_QUOTA_ADDRESS_FACTOR: '3' },
    ));

  it('have no limit on loopback unless one is set', () =>
    withApp(SQLITE, async (app) => {
      const answers = await Promise.all(
        Array.from({ length: 60 }, () => app.fetch('/api/v2/tag/')),
      );
      expect(answers.every(({ status }) => status === 200)).toBe(true);
      expect(answers[0]?.headers.has('ratelimit')).toBe(false);
    }));

  it('are not spread over addresses that the client invents', () =>
    withApp(
      SQLITE,
      async (app) => {
        await vi.waitFor(async () => expect(await statusesFrom(app)).toContain(429));
      },
      { TRIVIUM_RATE_REQUESTS: '3' },
    ));

  it('count for the clients of a trusted proxy one by one', () =>
    withApp(
      SQLITE,
      async (app) => {
        expect(await statusesFrom(app)).not.toContain(429);
      },
      {
        TRIVIUM_RATE_REQUESTS: '3',
        TRIVIUM_TRUST_PROXY: 'loopback',
      },
    ));
});

async function statusesFrom(app: TestApp): Promise<number[]> {
  const answers = await Promise.all(
    Array.from({ length: 10 }, (_, index) =>
      app.fetch('/api/v2/tag/', { headers: { 'x-forwarded-for': `192.0.2.${index}` } }),
    ),
  );
  return answers.map(({ status }) => status);
}

describeEachBackend('quotas', (backend) => {
  it('refuse one upload session too many, in each dialect that has sessions, and leave nothing', () =>
    withApp(
      backend,
      async (app) => {
        const first = await sendChunk(app, Buffer.from('ab'), { totalBytes: 4 });
        expect(first.status).toBe(201);
        await sendChunk(app, Buffer.from('ab'), { totalBytes: 4 });
        const refused = await sendChunk(app, Buffer.from('ab'), { totalBytes: 4 });
        expect(refused.status).toBe(429);
        expect(refused.body.errors[0].code).toBe('throttled');
        expect(refused.headers.get('retry-after')).toBe('60');
        expect(refused.headers.get('ratelimit-policy')).toBe('"upload-sessions";q=2');
        const { data } = await uploadChunk(app);
        expect(data.uploadChunk).toEqual({
          code: 'TOO_MANY_REQUESTS',
          limitName: 'upload-sessions',
          limit: 2,
        });
        expect(await staged(app)).toBe(2);
        expect((await uploads(app)).length).toBe(2);
        // A user has sessions of its own.
        const token = (await bearer('ann')).replace('Bearer ', '');
        expect((await sendChunk(app, Buffer.from('ab'), { token })).status).toBe(201);
        // An aborted session gives its place back.
        const abort = `mutation { abortUpload(input: { uploadId: "${first.body.upload_id}" }) { __typename } }`;
        const aborted = await run(app, abort, {}, {});
        expect(aborted.data.abortUpload.__typename).toBe('AbortUploadSuccess');
        expect((await sendChunk(app, Buffer.from('ab'), { totalBytes: 4 })).status).toBe(201);
      },
      { ...WITH_USERS, TRIVIUM_QUOTA_UPLOADS: '2' },
    ));

  it('refuse more promised bytes than allowed', () =>
    withApp(
      backend,
      async (app) => {
        expect((await sendChunk(app, Buffer.from('a'), { totalBytes: 60 })).status).toBe(201);
        const refused = await sendChunk(app, Buffer.from('a'), { totalBytes: 41 });
        expect(refused.status).toBe(429);
        expect(refused.headers.get('ratelimit-policy')).toBe(
          '"promised-bytes";q=100;qu="content-bytes"',
        );
        expect((await sendChunk(app, Buffer.from('a'), { totalBytes: 40 })).status).toBe(201);
      },
      { TRIVIUM_QUOTA_PROMISED_BYTES: '100' },
    ));

  it('refuse bytes beyond the quota with 507 in each dialect, and leave nothing', () =>
    withApp(
      backend,
      async (app) => {
        const big = () => new File([Buffer.alloc(1200, 'a')], 'big.txt', { type: 'text/plain' });
        const form = new FormData();
        form.set('file', big());
        const importer = await request(app, 'POST /medias/files/big', { as: 'ann', body: form });
        expect(importer.status).toBe(507);
        expect(importer.body.errors[0]).toMatchObject({ status: '507', code: 'quota_exceeded' });
        expect(importer.headers.get('retry-after')).toBe('3600');
        expect(importer.headers.get('ratelimit-policy')).toBe(
          '"stored-bytes";q=1000;qu="content-bytes"',
        );
        const { data } = await uploadFile(app, big());
        expect(data.uploadFile).toEqual({
          code: 'QUOTA_EXCEEDED',
          limitName: 'stored-bytes',
          limit: 1000,
        });
        const media = new FormData();
        const content = { name: 'A', contentTypeAlias: 'File', umbracoFile: 'big.txt' };
        media.set('content', JSON.stringify(content));
        media.set('umbracoFile', big());
        const heartcore = await request(app, 'POST /media', { as: 'ann', body: media });
        expect(heartcore.status).toBe(507);
        expect(heartcore.body.error.code).toBe('InsufficientStorage');
        const token = (await bearer('ann')).replace('Bearer ', '');
        const chunk = await sendChunk(app, Buffer.from('a'), { totalBytes: 1001, token });
        expect([chunk.status, chunk.body.errors[0].code]).toEqual([507, 'quota_exceeded']);
        expect([await staged(app), (await uploads(app)).length]).toEqual([0, 0]);
        expect(app.services.arrivingBytes.size).toBe(0);
        expect(await usage(app)).toMatchObject({ bytes: 0, items: 0, uploadSessions: 0 });
      },
      { ...WITH_USERS, TRIVIUM_QUOTA_STORED_BYTES: '1000' },
    ));

  it('refuse items beyond the quota, of every kind, and report them in storageUsage', () =>
    withApp(
      backend,
      async (app) => {
        const authorization = await bearer('ann');
        const folder = await sendFolder(app, authorization);
        expect((await folder.json()).data.createFolder.code).toBeUndefined();
        expect(folder.headers.has('retry-after')).toBe(false);
        const file = () => new File(['abc'], 'a.txt', { type: 'text/plain' });
        expect((await uploadFile(app, file())).data.uploadFile.code).toBeUndefined();
        const refused = await sendFolder(app, authorization);
        expect((await refused.json()).data.createFolder.code).toBe('QUOTA_EXCEEDED');
        // The error is data, and the headers are those of the other dialects.
        const { headers } = refused;
        expect(refused.status).toBe(200);
        expect(['retry-after', 'ratelimit', 'ratelimit-policy'].map((n) => headers.get(n))).toEqual(
          ['3600', '"items";r=0;t=3600', '"items";q=2'],
        );
        expect((await uploadFile(app, file())).data.uploadFile.code).toBe('QUOTA_EXCEEDED');
        expect(await usage(app)).toEqual({
          bytes: 3,
          items: 2,
          uploadSessions: 0,
          promisedBytes: 0,
          quota: { bytes: null, items: 2, uploadSessions: 1000, promisedBytes: 2 ** 40 },
        });
        const all = await usage(app, `Bearer ${app.adminKey}`);
        expect(all).toMatchObject({ bytes: 3, items: 2, quota: { bytes: null, items: null } });
      },
      { ...WITH_USERS, TRIVIUM_QUOTA_ITEMS: '2' },
    ));

  it('leave the disk its free space', () =>
    withApp(
      backend,
      async (app) => {
        const refused = await sendChunk(app, Buffer.from('ab'), { totalBytes: 4 });
        expect([refused.status, refused.body.errors[0].code]).toEqual([
          507,
          'insufficient_storage',
        ]);
        expect(refused.headers.get('retry-after')).toBe('600');
        const { data } = await uploadFile(app, new File(['abc'], 'a.txt'));
        expect(data.uploadFile.code).toBe('INSUFFICIENT_STORAGE');
        expect(await staged(app)).toBe(0);
      },
      { ...WITH_USERS, TRIVIUM_QUOTA_FREE_BYTES: String(2 ** 52) },
    ));
});

/** Runs an operation that has no typed document. */
function run(
  app: TestApp,
  query: string,
  variables: Record<string, unknown>,
  options: GraphqlOptions,
  // biome-ignore lint/suspicious/noExplicitAny: the assertions state the shape
): Promise<{ data: any }> {
  return graphql(app, query as never, variables as never, options) as never;
}

function sendFolder(app: TestApp, authorization: string): Promise<Response> {
  const query = `mutation { createFolder(input: { name: "A" }) { ... on Error { code } } }`;
  const headers = { authorization, 'content-type': 'application/json' };
  return app.fetch('/graphql', { method: 'POST', headers, body: JSON.stringify({ query }) });
}

async function uploadFile(app: TestApp, file: File) {
  const query = `mutation ($input: UploadFileInput!) { uploadFile(input: $input) { ... on Error { code }
    ... on QuotaExceededError { limitName limit } ... on TooLargeError { limit } } }`;
  const authorization = await bearer('ann');
  return run(
    app,
    query,
    { input: { file: null } },
    {
      authorization,
      files: { 'input.file': file },
    },
  );
}

function uploadChunk(app: TestApp) {
  const query = `mutation ($input: UploadChunkInput!) { uploadChunk(input: $input) { ... on Error { code }
    ... on TooManyRequestsError { limitName limit } } }`;
  const input = { chunk: null, offset: 0, totalBytes: 4 };
  return run(app, query, { input }, { files: { 'input.chunk': new File(['ab'], 'a') } });
}

async function usage(app: TestApp, authorization?: string) {
  const query = `{ storageUsage { bytes items uploadSessions promisedBytes
    quota { bytes items uploadSessions promisedBytes } } }`;
  const as = authorization ?? (await bearer('ann'));
  return (await run(app, query, {}, { authorization: as })).data.storageUsage;
}

async function staged({ dataDir }: TestApp): Promise<number> {
  return (await readdir(join(dataDir, 'blobs', 'staging'))).length;
}

function uploads({ services }: TestApp) {
  return services.db.selectFrom('upload').selectAll().execute();
}
