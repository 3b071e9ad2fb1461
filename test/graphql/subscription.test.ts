import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import { sql } from 'kysely';
import { expect, test, vi } from 'vitest';
import { type TestApp, withApp } from '../support/app.ts';
import { describeEachBackend } from '../support/backend.ts';
import { graphql } from '../support/graphql.ts';
import { makeFolder, makeJwt, makeMediaRow, makeTag } from '../support/make.ts';
import { openStream, withStream } from '../support/sse.ts';

const SECRET = { TRIVIUM_JWT_SECRET: 'the-secret-of-the-tests' };
const REQUIRED = { ...SECRET, TRIVIUM_AUTH: 'required' };
const BYTES = Buffer.from('Ten bytes.');
const PROGRESS = 'subscription ($id: String!) { uploadProgress(uploadId: $id) { offset } }';
const MEDIA_CHANGED = 'subscription { mediaChanged { kind id media { title } } }';

async function mutate(app: TestApp, field: string, authorization = `Bearer ${app.adminKey}`) {
  const query = `mutation { result: ${field} { __typename ... on Error { message } } }`;
  const { data, errors } = await graphql(app, query, {}, { authorization });
  expect(errors).toBeUndefined();
  expect(data.result.__typename).toMatch(/Success$/);
}

/** Sends part of ten bytes. Answers the upload's id. */
async function sendChunk(
  app: TestApp,
  { uploadId, from = 0, to }: { uploadId?: string; from?: number; to: number },
  options: { authorization?: string } = {},
): Promise<string> {
  const query = `mutation ($input: UploadChunkInput!) { uploadChunk(input: $input) {
    ... on UploadChunkSuccess { session { uploadId } } ... on Error { message } } }`;
  const input = { uploadId, offset: from, totalBytes: BYTES.length };
  const files = { 'input.chunk': new File([BYTES.subarray(from, to)], 'note.txt') };
  const { data } = await graphql(app, query, { input }, { files, ...options });
  return data.uploadChunk.session.uploadId;
}

function complete(app: TestApp, uploadId: string) {
  const md5 = createHash('md5').update(BYTES).digest('hex');
  return mutate(app, `completeUpload(input: { uploadId: "${uploadId}", md5: "${md5}" })`);
}

async function bearer(sub: string): Promise<string> {
  return `Bearer ${await makeJwt({ sub }, { secret: SECRET.TRIVIUM_JWT_SECRET })}`;
}

function globalId(type: string, id: number): string {
  return Buffer.from(`${type}:${id}`).toString('base64url');
}

function createUrl(app: TestApp, title: string, more = '') {
  const input = `{ type: URL, url: "https://x.org", title: "${title}" ${more} }`;
  return mutate(app, `createMedia(input: ${input})`);
}

/** Nobody is subscribed. */
async function allFreed({ services }: TestApp): Promise<void> {
  await vi.waitFor(() => expect(services.events.subscriberCount()).toBe(0));
}

const progress = (offset: number) => ({ event: 'next', data: { uploadProgress: { offset } } });
const change = (kind: string, title?: string) => ({
  event: 'next',
  data: { mediaChanged: { kind, id: expect.any(String), media: title ? { title } : null } },
});
const DONE = { event: 'complete', data: undefined };

describeEachBackend('uploadProgress', (backend) => {
  test('tells where it stands at once and after each chunk, and completes with the upload', () =>
    withApp(backend, async (app) => {
      const uploadId = await sendChunk(app, { to: 3 }, { authorization: `Bearer ${app.adminKey}` });
      const authorization = `Bearer ${app.adminKey}`;
      await withStream(
        app,
        PROGRESS,
        async ({ response, next }) => {
          expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/);
          expect(response.headers.get('x-request-id')).not.toBeNull();
          expect(response.headers.get('access-control-allow-origin')).toBe('*');
          expect(response.headers.get('content-encoding')).toBeNull();
          expect(await next()).toEqual(progress(3));
          await sendChunk(app, { uploadId, from: 3, to: 7 }, { authorization });
          expect(await next()).toEqual(progress(7));
          await sendChunk(app, { uploadId, from: 7, to: 10 }, { authorization });
          expect(await next()).toEqual(progress(10));
          await complete(app, uploadId);
          expect(await next()).toEqual(DONE);
          expect(await next()).toBeNull();
        },
        { variables: { id: uploadId }, authorization },
      );
      await allFreed(app);
    }));

  test('completes when the upload is aborted', () =>
    withApp(backend, async (app) => {
      const uploadId = await sendChunk(app, { to: 3 });
      const options = { variables: { id: uploadId } };
      await withStream(
        app,
        PROGRESS,
        async ({ next, rest }) => {
          await next();
          const query = `mutation { abortUpload(input: { uploadId: "${uploadId}" }) { __typename } }`;
          await graphql(app, query);
          expect(await rest()).toEqual([DONE]);
        },
        options,
      );
    }));

  test('a completion that fails leaves the stream open', () =>
    withApp(backend, async (app) => {
      const uploadId = await sendChunk(app, { to: 10 });
      await withStream(
        app,
        PROGRESS,
        async ({ next, rest }) => {
          await next();
          const wrong = `{ uploadId: "${uploadId}", md5: "${'0'.repeat(32)}" }`;
          await graphql(app, `mutation { completeUpload(input: ${wrong}) { __typename } }`);
          expect(app.services.events.subscriberCount()).toBe(1);
          await graphql(
            app,
            `mutation { abortUpload(input: { uploadId: "${uploadId}" }) { __typename } }`,
          );
          expect(await rest()).toEqual([DONE]);
        },
        { variables: { id: uploadId } },
      );
    }));

  test('another’s upload is not there, and neither is one that never was', () =>
    withApp(
      backend,
      async (app) => {
        const uploadId = await sendChunk(app, { to: 3 }, { authorization: await bearer('alice') });
        const authorization = await bearer('bob');
        for (const id of [uploadId, '0'.repeat(32), '\0']) {
          const stream = await openStream(app, PROGRESS, { variables: { id }, authorization });
          const [refusal, ...rest] = await stream.rest();
          expect(refusal?.errors?.[0]?.extensions).toEqual({ code: 'NOT_FOUND' });
          expect(rest).toEqual([DONE]);
        }
        await allFreed(app);
      },
      SECRET,
    ));
});

describeEachBackend('mediaChanged', (backend) => {
  test('tells what becomes of media, as they are by then', () =>
    withApp(backend, async (app) => {
      const folder = globalId('Folder', await makeFolder(app.services.db));
      const tag = globalId('Tag', (await makeTag(app.services.db)).id);
      await withStream(app, MEDIA_CHANGED, async ({ next }) => {
        await createUrl(app, 'A');
        const created = await next();
        expect(created).toEqual(change('CREATED', 'A'));
        const { id } = created!.data.mediaChanged;
        await mutate(app, `updateMedia(input: { id: "${id}", title: "B" })`);
        expect(await next()).toEqual(change('UPDATED', 'B'));
        await mutate(app, `tagMedia(input: { mediaIds: ["${id}"], addTagIds: ["${tag}"] })`);
        expect(await next()).toEqual(change('UPDATED', 'B'));
        await mutate(app, `moveNodes(input: { ids: ["${id}"], parentId: "${folder}" })`);
        expect(await next()).toEqual(change('MOVED', 'B'));
        await mutate(app, `deleteFolder(input: { id: "${folder}", recursive: true })`);
        const gone = await next();
        expect(gone).toEqual(change('DELETED'));
        expect(gone?.data.mediaChanged.id).toBe(id);
      });
    }));

  test('a file that is uploaded is new; deleted, it is gone', () =>
    withApp(backend, async (app) => {
      const uploadId = await sendChunk(
        app,
        { to: 10 },
        { authorization: `Bearer ${app.adminKey}` },
      );
      await withStream(app, MEDIA_CHANGED, async ({ next }) => {
        await complete(app, uploadId);
        const created = await next();
        expect(created).toEqual(change('CREATED', 'note.txt'));
        await mutate(app, `deleteMedia(input: { id: "${created?.data.mediaChanged.id}" })`);
        expect(await next()).toEqual(change('DELETED'));
      });
    }));

  test('in one folder: what is in it, comes into it and leaves it', () =>
    withApp(backend, async ({ services: { db }, ...app }) => {
      const folder = globalId('Folder', await makeFolder(db));
      const other = globalId('Folder', await makeFolder(db));
      const query = `subscription { mediaChanged(folderId: "${folder}") { kind id media { title } } }`;
      const whole = { services: { db }, ...app } as TestApp;
      await withStream(whole, query, async ({ next }) => {
        await createUrl(whole, 'elsewhere', `folderId: "${other}"`);
        await createUrl(whole, 'A', `folderId: "${folder}"`);
        const created = await next();
        expect(created).toEqual(change('CREATED', 'A'));
        const ids = `ids: ["${created?.data.mediaChanged.id}"]`;
        await mutate(whole, `moveNodes(input: { ${ids}, parentId: "${other}" })`);
        expect(await next()).toEqual(change('MOVED', 'A'));
        await mutate(whole, `moveNodes(input: { ${ids} })`);
        await mutate(whole, `moveNodes(input: { ${ids}, parentId: "${folder}" })`);
        expect(await next()).toEqual(change('MOVED', 'A'));
        const id = `id: "${created?.data.mediaChanged.id}"`;
        await mutate(whole, `updateMedia(input: { ${id}, sortOrder: 7 })`);
        expect(await next()).toEqual(change('MOVED', 'A'));
      });
    }));

  test('each event is read anew: nothing is remembered from the one before', () =>
    withApp(backend, async (app) => {
      const media = globalId('Media', await makeMediaRow(app.services.db));
      const tag = globalId('Tag', (await makeTag(app.services.db, { name: 'holiday' })).id);
      const query =
        'subscription { mediaChanged { media { title tags { name } jobs { totalCount } } } }';
      const authorization = `Bearer ${app.adminKey}`;
      await withStream(
        app,
        query,
        async ({ next }) => {
          await mutate(app, `updateMedia(input: { id: "${media}", title: "A" })`);
          expect((await next())?.data.mediaChanged.media.tags).toEqual([]);
          await mutate(app, `tagMedia(input: { mediaIds: ["${media}"], addTagIds: ["${tag}"] })`);
          expect((await next())?.data.mediaChanged.media.tags).toEqual([{ name: 'holiday' }]);
        },
        { authorization },
      );
    }));

  test('without a credential where one is needed: what is public, and nothing else', () =>
    withApp(
      backend,
      async (app) => {
        await withStream(app, MEDIA_CHANGED, async ({ next }) => {
          await createUrl(app, 'hidden');
          await createUrl(app, 'shown', 'isPublic: true');
          const created = await next();
          expect(created).toEqual(change('CREATED', 'shown'));
          const { id } = created!.data.mediaChanged;
          // Out of sight is as good as gone.
          await mutate(
            app,
            `updateMedia(input: { id: "${id}", isPublic: false, title: "secret" })`,
          );
          expect(await next()).toEqual(change('DELETED'));
          await mutate(app, `deleteMedia(input: { id: "${id}" })`);
          await createUrl(app, 'last', 'isPublic: true');
          expect(await next()).toEqual(change('CREATED', 'last'));
        });
      },
      REQUIRED,
    ));

  test('nobody hears of what was rolled back', () =>
    withApp(backend, async (app) => {
      const { db } = app.services;
      const media = globalId('Media', await makeMediaRow(db));
      const folderId = await makeFolder(db);
      const place = { parent_id: folderId, level: 2, path: `/1/${folderId}/` };
      const below = globalId('Folder', await makeFolder(db, place));
      await withStream(app, MEDIA_CHANGED, async ({ next }) => {
        // The media is moved, and then the folder cannot be moved below itself.
        const ids = `["${media}", "${globalId('Folder', folderId)}"]`;
        const query = `mutation { moveNodes(input: { ids: ${ids}, parentId: "${below}" }) { __typename } }`;
        const authorization = `Bearer ${app.adminKey}`;
        const { data } = await graphql(app, query, {}, { authorization });
        expect(data.moveNodes.__typename).toBe('FolderCycleError');
        await createUrl(app, 'A');
        expect(await next()).toEqual(change('CREATED', 'A'));
      });
    }));
});

describeEachBackend('jobChanged', (backend) => {
  const deletion = async (app: TestApp) => {
    const uploadId = await sendChunk(app, { to: 10 }, { authorization: `Bearer ${app.adminKey}` });
    await complete(app, uploadId);
    const { data } = await graphql(app, '{ medias(first: 1) { nodes { id } } }');
    await mutate(app, `deleteMedia(input: { id: "${data.medias.nodes[0].id}" })`);
  };

  test('tells of new jobs and of changes that the filter lets through', () =>
    withApp(backend, async (app) => {
      const { db, events } = app.services;
      const query = `subscription ($filter: JobFilter) {
        jobChanged(filter: $filter) { id jobClass status progress arguments } }`;
      const authorization = `Bearer ${app.adminKey}`;
      const done = { filter: { statuses: ['COMPLETED'] } };
      await withStream(
        app,
        query,
        ({ next: nextDone }) =>
          withStream(
            app,
            query,
            async ({ next }) => {
              await deletion(app);
              const job = (await next())?.data.jobChanged;
              expect(job).toMatchObject({ jobClass: 'delete-blob', status: 'PENDING' });
              expect(job.arguments.blob_keys).toHaveLength(1);
              const change = db.updateTable('job').set({ status: 'completed', progress: 1 });
              const isDeletion = sql<boolean>`job_class = 'delete-blob'`;
              const [row] = await change.where(isDeletion).returning('id').execute();
              events.publish({ type: 'job', id: row!.id });
              const after = { id: job.id, status: 'COMPLETED', progress: 1 };
              expect((await next())?.data.jobChanged).toMatchObject(after);
              expect((await nextDone())?.data.jobChanged).toMatchObject(after);
            },
            { authorization, variables: { filter: { jobClasses: ['delete-blob'] } } },
          ),
        { authorization, variables: done },
      );
    }));

  test('needs a credential, in any mode', () =>
    withApp(backend, async (app) => {
      const stream = await openStream(app, 'subscription { jobChanged { id } }');
      const [refusal, ...rest] = await stream.rest();
      expect(refusal?.errors?.[0]?.extensions).toEqual({ code: 'NOT_AUTHENTICATED' });
      expect(rest).toEqual([DONE]);
      await allFreed(app);
    }));
});

describeEachBackend('a stream', (backend) => {
  test('whose client hangs up leaves nothing behind', () =>
    withApp(backend, async (app) => {
      const sockets = new Set<Socket>();
      app.app.server.server.on('request', ({ headers, socket }) => {
        if (headers.accept === 'text/event-stream') sockets.add(socket);
      });
      const streams = await Promise.all(
        Array.from({ length: 5 }, () => openStream(app, MEDIA_CHANGED)),
      );
      await vi.waitFor(() => expect(app.services.events.subscriberCount()).toBe(5));
      await createUrl(app, 'A');
      for (const { next } of streams) expect(await next()).toEqual(change('CREATED', 'A'));
      expect([...sockets].map(({ destroyed }) => destroyed)).toEqual(Array(5).fill(false));
      for (const { close } of streams) close();
      await allFreed(app);
      expect([...sockets].map(({ destroyed }) => destroyed)).toEqual(Array(5).fill(true));
    }));

  test('ends at once when the server stops, without `complete`, and the server with it', () =>
    withApp(backend, async (app) => {
      const waiting = await openStream(app, MEDIA_CHANGED);
      const used = await openStream(app, MEDIA_CHANGED);
      await createUrl(app, 'A');
      expect(await used.next()).toEqual(change('CREATED', 'A'));
      const begun = performance.now();
      const stopped = app.app.stop();
      expect(await used.rest()).toEqual([]);
      expect(await waiting.rest()).toEqual([change('CREATED', 'A')]);
      await stopped;
      expect(performance.now() - begun).toBeLessThan(10_000);
      expect(app.services.events.subscriberCount()).toBe(0);
    }));

  test('masks what fails in a resolver, and goes on', () =>
    withApp(backend, async (app) => {
      const media = globalId('Media', await makeMediaRow(app.services.db));
      const query = 'subscription { mediaChanged { kind media { title file { filename } } } }';
      await withStream(app, query, async ({ response, next }) => {
        await sql`alter table file rename to elsewhere`.execute(app.services.db);
        await mutate(app, `updateMedia(input: { id: "${media}", title: "A" })`);
        const failed = await next();
        expect(failed?.errors).toEqual([
          expect.objectContaining({
            message: 'Internal server error.',
            extensions: { code: 'INTERNAL', requestId: response.headers.get('x-request-id') },
          }),
        ]);
        await sql`alter table elsewhere rename to file`.execute(app.services.db);
        await mutate(app, `updateMedia(input: { id: "${media}", title: "B" })`);
        expect((await next())?.data.mediaChanged.media.title).toBe('B');
      });
    }));

  test('masks what fails before a resolver, and completes', () =>
    withApp(backend, async (app) => {
      const stream = await openStream(app, MEDIA_CHANGED);
      await sql`alter table media rename to elsewhere`.execute(app.services.db);
      const before = { id: 1, parent_id: null, path: '', owner: null, is_public: 0 };
      const event = { type: 'media', kind: 'updated', id: 1, before } as const;
      await vi.waitFor(() => expect(app.services.events.subscriberCount()).toBe(1));
      app.services.events.publish({ ...event, folderIds: [] });
      const [failed, ...rest] = await stream.rest();
      expect(failed?.errors?.[0]).toMatchObject({
        message: 'Internal server error.',
        extensions: { code: 'INTERNAL' },
      });
      expect(rest).toEqual([DONE]);
      await sql`alter table elsewhere rename to media`.execute(app.services.db);
      await allFreed(app);
    }));

  test('that is refused is one event, with the reason', () =>
    withApp(backend, async (app) => {
      const stream = await openStream(app, 'subscription { mediaChanged(folderId: "x") { id } }');
      const [refusal, ...rest] = await stream.rest();
      expect(refusal?.errors?.[0]?.extensions?.code).toBe('INVALID_INPUT');
      expect(rest).toEqual([DONE]);
    }));
});
