import { createHash, randomBytes } from 'node:crypto';
import { openAsBlob } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { UploadOptions } from '../../src/client/chunk.ts';
import { createUploadClient, type UploadClientOptions } from '../../src/client/upload-client.ts';
import { UploadError } from '../../src/client/upload-error.ts';
import { type TestApp, withApp } from '../support/app.ts';
import { describeEachBackend } from '../support/backend.ts';
import { graphql } from '../support/graphql.ts';
import { makeFolder } from '../support/make.ts';
import { type Call, createFaultyFetch, type Fault, withProxy } from './fault.ts';

const CHUNK_BYTES = 1000;
const BYTES = randomBytes(3500);
const MD5 = createHash('md5').update(BYTES).digest('hex');
const NAME = 'random.bin';

function createClient(app: { url: string }, options: Partial<UploadClientOptions> = {}) {
  const { url } = app;
  return createUploadClient({ url, chunkBytes: CHUNK_BYTES, retryDelayMs: 1, ...options });
}

function randomFile(bytes: Buffer<ArrayBuffer> = BYTES) {
  return new File([bytes], NAME);
}

/** Uploads while faults happen; answers the media and the operations that were tried. */
async function uploadWithFaults(
  app: TestApp,
  chooseFault: (call: Call) => Fault | undefined | Promise<Fault | undefined>,
  { upload, ...client }: Partial<UploadClientOptions> & { upload?: UploadOptions } = {},
) {
  const { fetch, operations } = createFaultyFetch(chooseFault);
  const media = await createClient(app, { fetch, ...client }).upload(randomFile(), upload);
  return { media, operations };
}

/** A fault that happens once, to one request. */
function once(operation: string, count: number, fault: Fault) {
  return (call: Call) => (call.operation === operation && call.count === count ? fault : undefined);
}

/** The only media there is holds the bytes that were meant. */
async function expectWhole(app: TestApp): Promise<void> {
  const { db, blobs } = app.services;
  const files = await db.selectFrom('file').selectAll().execute();
  expect(files).toMatchObject([{ md5: MD5, filename: NAME }]);
  const stored = await blobs.withLocalFile(files[0]!.blob_key, (path) => readFile(path));
  expect(stored.equals(BYTES)).toBe(true);
}

async function blobCount(app: TestApp): Promise<number> {
  const options = { recursive: true, withFileTypes: true } as const;
  const entries = await readdir(join(app.dataDir, 'blobs'), options);
  return entries.filter((entry) => entry.isFile()).length;
}

async function caught(work: Promise<unknown>): Promise<UploadError> {
  const error = await work.then(
    () => null,
    (error: unknown) => error,
  );
  expect(error).toBeInstanceOf(UploadError);
  return error as UploadError;
}

describeEachBackend('the upload client', (backend) => {
  test('sends a file in chunks, tells its progress, and answers the media', () =>
    withApp(backend, async (app) => {
      const client = createClient(app);
      await makeFolder(app.services.db, { name: 'Design' });
      const folder = await client.findFolder('/Design');
      const tag = await client.ensureTag('logo');
      const progress: number[] = [];
      const media = await client.upload(randomFile(), {
        title: 'A title',
        description: 'What it is.',
        folderId: folder?.id,
        tagIds: [tag.id],
        onProgress: ({ sentBytes, totalBytes }) => progress.push(sentBytes, totalBytes),
      });
      expect(progress).toEqual([0, 3500, 1000, 3500, 2000, 3500, 3000, 3500, 3500, 3500]);
      expect(media).toMatchObject({
        type: 'FILE',
        title: 'A title',
        file: { filename: NAME, sizeBytes: 3500 },
      });
      await expectWhole(app);
      const query = `query ($id: ID!) {
        media(by: { id: $id }) { description folder { name } tags { name } }
      }`;
      const { data } = await graphql(app, query, { id: media.id });
      expect(data.media).toEqual({
        description: 'What it is.',
        folder: { name: 'Design' },
        tags: [{ name: 'logo' }],
      });
    }));

  test.each([1, 999, 1000, 1001, 2000, 3000])('sends a file of %i bytes', (sizeBytes) =>
    withApp(backend, async (app) => {
      const bytes = BYTES.subarray(0, sizeBytes);
      const { file } = await createClient(app).upload(randomFile(bytes));
      const md5 = createHash('md5').update(bytes).digest('hex');
      expect(file).toMatchObject({ sizeBytes, md5 });
    }),
  );

  test('begins a large file with a small chunk, so that there is soon a session', () =>
    withApp(backend, async (app) => {
      const progress: number[] = [];
      const onProgress = ({ sentBytes }: { sentBytes: number }) => progress.push(sentBytes);
      const client = createClient(app, { chunkBytes: 200_000 });
      await client.upload(randomFile(randomBytes(300_000)), { onProgress });
      await client.upload(randomFile(randomBytes(200_000)), { onProgress });
      expect(progress).toEqual([0, 65_536, 265_536, 300_000, 0, 200_000]);
    }));

  test('takes the filename and the declared type of the blob', () =>
    withApp(backend, async (app) => {
      const client = createClient(app);
      const page = new Blob(['hello'], { type: 'image/png' });
      const { code } = await caught(client.upload(page, { filename: 'page.txt' }));
      expect(code).toBe('UNSUPPORTED_MEDIA');
      const named = await client.upload(new Blob(['hello']), { filename: 'ünï "code"\n.txt' });
      expect(named.file.filename).toBe('ünï "code".txt');
    }));

  test.each([false, true])(
    'goes on when connections are cut in the middle of a chunk (streaming: %s)',
    (canStream) =>
      withApp(backend, async (app) => {
        const bytes = randomBytes(600_000);
        const codes: string[] = [];
        const media = await withProxy(
          app.url,
          ({ client, server, count }) => {
            if (count > 3) return;
            client.on('data', () => client.bytesRead > 350_000 && server.destroy());
          },
          (url) =>
            createClient({ url }, { chunkBytes: 250_000, canStream }).upload(randomFile(bytes), {
              onRetry: ({ error }) => codes.push(error.code),
            }),
        );
        expect(codes).toContain('UNREACHABLE');
        expect(media.file.md5).toBe(createHash('md5').update(bytes).digest('hex'));
      }),
  );

  test('goes on when connections are cut before the server’s answer comes through', () =>
    withApp(backend, async (app) => {
      let answers = 0;
      await withProxy(
        app.url,
        ({ client, server }) => {
          server.unpipe(client);
          // The answers to the first chunk, and then to the second.
          const isLost = () => [1, 3].includes(++answers);
          server.on('data', (data) => (isLost() ? client.destroy() : client.write(data))).resume();
        },
        (url) => createClient({ url }).upload(randomFile()),
      );
      expect(answers).toBeGreaterThan(3);
      await expectWhole(app);
    }));

  test('does not wait for ever for an answer', () =>
    withApp(backend, async (app) => {
      await withProxy(
        app.url,
        ({ client, server, count }) => {
          if (count === 1) server.unpipe(client);
        },
        (url) => createClient({ url }, { requestTimeoutMs: 500 }).upload(randomFile()),
      );
      await expectWhole(app);
    }));

  test('sends a chunk again that never arrived', () =>
    withApp(backend, async (app) => {
      const { operations } = await uploadWithFaults(app, once('uploadChunk', 2, 'refuse'));
      await expectWhole(app);
      expect(operations.filter((name) => name === 'uploadChunk')).toHaveLength(5);
    }));

  test.each([2, 4])('does not send chunk %i again when only its answer was lost', (count) =>
    withApp(backend, async (app) => {
      const fault = once('uploadChunk', count, 'lose answer');
      const { operations } = await uploadWithFaults(app, fault);
      await expectWhole(app);
      expect(operations).toEqual([
        ...Array(count).fill('uploadChunk'),
        'uploadSession',
        ...Array(4 - count).fill('uploadChunk'),
        'completeUpload',
      ]);
    }),
  );

  test('begins anew when the answer to the first chunk was lost', () =>
    withApp(backend, async (app) => {
      const fault = once('uploadChunk', 1, 'lose answer');
      await uploadWithFaults(app, fault);
      await expectWhole(app);
    }));

  test('waits out a server that is not available, for longer each time', () =>
    withApp(backend, async (app) => {
      const delays: number[] = [];
      const retryDelayMs = 8;
      await uploadWithFaults(
        app,
        ({ operation, count }) =>
          operation === 'uploadChunk' && count > 1 && count < 6
            ? new Response('<h1>Bad gateway</h1>', { status: 502 })
            : undefined,
        {
          retryDelayMs,
          retryDelayMaxMs: 20,
          upload: {
            onRetry: ({ delayMs, error }) =>
              delays.push(error.code === 'UNAVAILABLE' ? delayMs : 0),
          },
        },
      );
      await expectWhole(app);
      expect(delays).toHaveLength(4);
      for (const [index, mostMs] of [8, 16, 20, 20].entries()) {
        expect(delays[index]).toBeGreaterThanOrEqual(mostMs / 2);
        expect(delays[index]).toBeLessThanOrEqual(mostMs);
      }
    }));

  test('rests for as long as the server asks', () =>
    withApp(backend, async (app) => {
      const delays: number[] = [];
      const headers = { 'retry-after': '1' };
      await uploadWithFaults(
        app,
        once('completeUpload', 1, new Response('{}', { status: 429, headers })),
        { upload: { onRetry: ({ delayMs }) => delays.push(delayMs) } },
      );
      await expectWhole(app);
      expect(delays).toEqual([1000]);
    }));

  test('gives up at once when the server asks for a rest of an hour', () =>
    withApp(backend, async (app) => {
      const headers = { 'retry-after': '3600' };
      const answer = new Response('', { status: 503, headers });
      const error = await caught(uploadWithFaults(app, once('uploadChunk', 2, answer)));
      expect(error).toMatchObject({ code: 'UNAVAILABLE', details: { retryAfterMs: 3_600_000 } });
    }));

  test('goes on from where the server says that it stands', () =>
    withApp(backend, async (app) => {
      // Somebody else who knows the session is one chunk ahead.
      const { operations } = await uploadWithFaults(app, async ({ operation, count }) => {
        if (operation === 'uploadChunk' && count === 2) await sendBeside(app, 1000, 1700);
        return undefined;
      });
      await expectWhole(app);
      expect(operations).not.toContain('uploadSession');
    }));

  test('sends a chunk again that was damaged on its way', () =>
    withApp(backend, async (app) => {
      const { operations } = await uploadWithFaults(app, once('uploadChunk', 3, 'damage'));
      await expectWhole(app);
      expect(operations.filter((name) => name === 'uploadChunk')).toHaveLength(5);
    }));

  test('sends smaller chunks when a proxy refuses requests of their size', () =>
    withApp(backend, async (app) => {
      const bytes = randomBytes(1_200_000);
      const { fetch, operations } = createFaultyFetch(({ operation, count }) =>
        operation === 'uploadChunk' && count < 3
          ? new Response('<h1>Request Entity Too Large</h1>', { status: 413 })
          : undefined,
      );
      const client = createClient(app, { fetch, chunkBytes: 1_200_000, retryDelayMs: 60_000 });
      const media = await client.upload(randomFile(bytes));
      expect(media.file.sizeBytes).toBe(1_200_000);
      expect(operations.filter((name) => name === 'uploadChunk')).toHaveLength(2 + 5);
    }));

  test('gives up after its last retry, and another client goes on from there', () =>
    withApp(backend, async (app) => {
      const isDown = ({ operation, count }: Call) =>
        operation === 'uploadSession' || (operation === 'uploadChunk' && count > 2)
          ? ('refuse' as const)
          : undefined;
      const { fetch, operations } = createFaultyFetch(isDown);
      const broken = createClient(app, { fetch, retriesMax: 3 });
      const error = await caught(broken.upload(randomFile()));
      expect(error).toMatchObject({ code: 'UNREACHABLE', uploadId: expect.any(String) });
      expect(operations).toHaveLength(6);

      const progress: number[] = [];
      const uploadId = error.uploadId ?? '';
      await createClient(app, { chunkBytes: 600 }).upload(randomFile(), {
        uploadId,
        onProgress: ({ sentBytes }) => progress.push(sentBytes),
      });
      expect(progress).toEqual([2000, 2600, 3200, 3500]);
      await expectWhole(app);
    }));

  test('does not go on with a session of another file, or with none', () =>
    withApp(backend, async (app) => {
      const fault = once('completeUpload', 1, new Response('no', { status: 400 }));
      const error = await caught(uploadWithFaults(app, fault));
      expect(error.code).toBe('BAD_RESPONSE');
      const uploadId = error.uploadId ?? '';
      const client = createClient(app);
      const shorter = randomFile(BYTES.subarray(1));
      const other = await caught(client.upload(shorter, { uploadId }));
      expect(other).toMatchObject({ code: 'INVALID_INPUT', uploadId });
      const changed = await caught(client.upload(randomFile(randomBytes(3500)), { uploadId }));
      expect(changed.code).toBe('DIGEST_MISMATCH');
      await client.abort(uploadId);
      const gone = await caught(client.upload(randomFile(), { uploadId }));
      expect(gone.code).toBe('NOT_FOUND');
    }));

  test('says that the file is stored when the answer that names it was lost', () =>
    withApp(backend, async (app) => {
      const fault = once('completeUpload', 1, 'lose answer');
      const error = await caught(uploadWithFaults(app, fault));
      expect(error).toMatchObject({ code: 'UPLOAD_COMPLETED', uploadId: null });
      expect(error.message).toMatch(/stored/);
    }));

  test('aborting ends the upload, and the server keeps nothing of it', () =>
    withApp(backend, async (app) => {
      const controller = new AbortController();
      const reason = new Error('changed my mind');
      const { fetch, operations } = createFaultyFetch(({ operation, count }) => {
        if (operation === 'uploadChunk' && count === 3) controller.abort(reason);
        return undefined;
      });
      const { signal } = controller;
      const upload = createClient(app, { fetch }).upload(randomFile(), { signal });
      await expect(upload).rejects.toBe(reason);
      expect(operations.slice(3)).toEqual(['abortUpload']);
      expect(await blobCount(app)).toBe(0);
    }));

  test('aborting ends a wait for the next attempt too', () =>
    withApp(backend, async (app) => {
      const controller = new AbortController();
      const upload = uploadWithFaults(app, once('uploadChunk', 2, 'refuse'), {
        retryDelayMs: 120_000,
        retryDelayMaxMs: 120_000,
        upload: { signal: controller.signal, onRetry: () => setTimeout(() => controller.abort()) },
      });
      await expect(upload).rejects.toMatchObject({ name: 'AbortError' });
      expect(await blobCount(app)).toBe(0);
    }));

  test('errors of the server are typed, and not tried again', () =>
    withApp(
      backend,
      async (app) => {
        const { fetch, operations } = createFaultyFetch(() => undefined);
        const client = createClient(app, { fetch });
        const invalid = await caught(client.upload(randomFile(), { title: 'x'.repeat(256) }));
        expect(invalid).toMatchObject({
          code: 'INVALID_INPUT',
          details: { issues: [{ path: ['title'], code: 'TOO_BIG' }] },
        });
        const large = await caught(client.upload(randomFile(randomBytes(5001))));
        expect(large).toMatchObject({ code: 'TOO_LARGE', details: { limitBytes: 5000 } });
        const picture = new File(['<html><body>'], 'x.png');
        expect(await caught(client.upload(picture))).toMatchObject({
          code: 'UNSUPPORTED_MEDIA',
          details: { mediaType: 'text/html' },
        });
        const folderId = Buffer.from('Folder:999').toString('base64url');
        expect((await caught(client.upload(randomFile(), { folderId }))).code).toBe('NOT_FOUND');
        expect((await caught(client.upload(new Blob([])))).code).toBe('INVALID_INPUT');
        expect(operations.filter((name) => name === 'completeUpload')).toHaveLength(3);
        expect(operations.filter((name) => name === 'uploadChunk')).toHaveLength(4 + 1 + 1 + 4);
      },
      { TRIVIUM_FILE_BYTES_MAX: '5000' },
    ));

  test('the credential decides whose the media is, and a bad one is refused', () =>
    withApp(
      backend,
      async (app) => {
        const anonymous = await caught(createClient(app).upload(randomFile()));
        expect(anonymous.code).toBe('NOT_AUTHENTICATED');
        const bad = await caught(createClient(app, { credential: 'bad' }).check());
        expect(bad).toMatchObject({ code: 'NOT_AUTHENTICATED', details: { status: 401 } });
        const admin = createClient(app, { credential: app.adminKey });
        await admin.check();
        expect((await admin.upload(randomFile())).file.md5).toBe(MD5);
      },
      { TRIVIUM_AUTH: 'required' },
    ));

  test('check says at once that nobody answers, or that it is somebody else', () =>
    withApp(backend, async (app) => {
      const elsewhere = createClient({ url: `${app.url}/elsewhere` }, { retryDelayMs: 60_000 });
      expect((await caught(elsewhere.check())).code).toBe('BAD_RESPONSE');
      const { fetch } = createFaultyFetch(() => 'refuse');
      const nowhere = createClient(app, { fetch, retryDelayMs: 60_000 });
      expect((await caught(nowhere.check())).code).toBe('UNREACHABLE');
    }));

  test('does not follow a redirect with the credential, and says where it goes', () =>
    withApp(backend, async (app) => {
      const fetched: string[] = [];
      const server = createServer((request, response) => {
        fetched.push(request.headers.authorization ?? 'nothing');
        response.writeHead(308, { location: `${app.url}/graphql` }).end();
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      try {
        const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
        const error = await caught(createClient({ url }, { credential: 'bad' }).check());
        expect(error.code).toBe('BAD_RESPONSE');
        expect(error.message).toContain(`redirects to ${app.url}/graphql`);
        expect(fetched).toEqual(['Bearer bad']);
      } finally {
        server.close();
      }
    }));

  test('a tag is made once, also when the answer that named it was lost', () =>
    withApp(backend, async (app) => {
      const { fetch } = createFaultyFetch(once('createTag', 1, 'lose answer'));
      const { id } = await createClient(app, { fetch }).ensureTag('logo');
      expect((await createClient(app).ensureTag('logo')).id).toBe(id);
      const { data } = await graphql(app, '{ tags { totalCount } }');
      expect(data.tags.totalCount).toBe(1);
    }));

  test('a file on disk that changes meanwhile is not stored', () =>
    withApp(backend, async (app) => {
      const directory = await mkdtemp(join(tmpdir(), 'trivium-client-'));
      try {
        const path = join(directory, NAME);
        await writeFile(path, BYTES);
        const blob = await openAsBlob(path);
        const { fetch } = createFaultyFetch(async ({ count }) => {
          if (count === 1) await writeFile(path, await readFile(path).then((b) => b.subarray(9)));
          return undefined;
        });
        const error = await caught(createClient(app, { fetch }).upload(blob));
        expect(error).toMatchObject({ code: 'UNREADABLE', uploadId: expect.any(String) });
      } finally {
        await rm(directory, { recursive: true });
      }
    }));
});

/** Sends some of the bytes to the only session there is. */
async function sendBeside(app: TestApp, from: number, to: number): Promise<void> {
  const [row] = await app.services.db.selectFrom('upload').selectAll().execute();
  const query = `mutation ($input: UploadChunkInput!) {
    uploadChunk(input: $input) { __typename }
  }`;
  const input = { uploadId: row?.upload_id, offset: from, totalBytes: BYTES.length };
  const files = { 'input.chunk': new File([BYTES.subarray(from, to)], NAME) };
  const { data } = await graphql(app, query, { input }, { files });
  expect(data.uploadChunk.__typename).toBe('UploadChunkSuccess');
}
