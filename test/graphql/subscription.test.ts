import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { type TestApp, withApp } from '../support/app.ts';
import { describeEachBackend } from '../support/backend.ts';
import { graphql } from '../support/graphql.ts';
import { makeFolder, makeJwt, makeMediaRow, makeTag } from '../support/make.ts';
import { openStream, withStream } from '../support/sse.ts';
import { allFreed, change, createUrl, DONE, globalId, MEDIA_CHANGED, mutate } from './subscribe.ts';

const SECRET = { TRIVIUM_JWT_SECRET: 'the-secret-of-the-tests' };
const REQUIRED = { ...SECRET, TRIVIUM_AUTH: 'required' };
const BYTES = Buffer.from('Ten bytes.');
const PROGRESS = 'subscription ($id: String!) { uploadProgress(uploadId: $id) { offset } }';

/** Uploads some of ten bytes. Returns the id of the upload session. */
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

/** The origin of a page that this machine serves. */
const PAGE = 'http://localhost:5173';
const progress = (offset: number) => ({ event: 'next', data: { uploadProgress: { offset } } });
describeEachBackend('uploadProgress', (backend) => {
  test('reports the offset at once and after each chunk, and completes with the upload', () =>
    withApp(backend, async (app) => {
      const uploadId = await sendChunk(app, { to: 3 }, { authorization: `Bearer ${app.adminKey}` });
      const authorization = `Bearer ${app.adminKey}`;
      await withStream(
        app,
        PROGRESS,
        async ({ response, next }) => {
          expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/);
          expect(response.headers.get('x-request-id')).not.toBeNull();
          expect(response.headers.get('access-control-allow-origin')).toBe(PAGE);
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
        { variables: { id: uploadId }, authorization, origin: PAGE },
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

  test('stays open if completing the upload fails', () =>
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

  test('fails with NOT_FOUND for an upload of another viewer and for an unknown id', () =>
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
  test('reports each change, with the media item in its current state', () =>
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

  test('reports an upload as CREATED and a deletion as DELETED', () =>
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

  test('with `folderId`: reports media in the folder, and media moved into and out of it', () =>
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

  test('reads the data of each event anew, with no cache from the event before', () =>
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

  test('without a required credential: reports public media only', () =>
    withApp(
      backend,
      async (app) => {
        await withStream(app, MEDIA_CHANGED, async ({ next }) => {
          await createUrl(app, 'hidden');
          await createUrl(app, 'shown', 'isPublic: true');
          const created = await next();
          expect(created).toEqual(change('CREATED', 'shown'));
          const { id } = created!.data.mediaChanged;
          // The viewer may no longer see it.
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

  test('reports nothing that was rolled back', () =>
    withApp(backend, async (app) => {
      const { db } = app.services;
      const media = globalId('Media', await makeMediaRow(db));
      const folderId = await makeFolder(db);
      const place = { parent_id: folderId, level: 2, path: `/1/${folderId}/` };
      const below = globalId('Folder', await makeFolder(db, place));
      await withStream(app, MEDIA_CHANGED, async ({ next }) => {
        // The media item is moved first; then the folder cannot be moved below itself.
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

  test('reports new and changed jobs that match the filter', () =>
    withApp(
      backend,
      async (app) => {
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
      },
      { TRIVIUM_TRASH_DAYS: '0' },
    ));

  test('requires a credential in every mode', () =>
    withApp(backend, async (app) => {
      const stream = await openStream(app, 'subscription { jobChanged { id } }');
      const [refusal, ...rest] = await stream.rest();
      expect(refusal?.errors?.[0]?.extensions).toEqual({ code: 'NOT_AUTHENTICATED' });
      expect(rest).toEqual([DONE]);
      await allFreed(app);
    }));
});
