import { createHash, randomBytes } from 'node:crypto';
import { openAsBlob } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { withApp } from '../../support/app.ts';
import { describeEachBackend } from '../../support/backend.ts';
import { graphql } from '../../support/graphql.ts';
import { makeFolder } from '../../support/make.ts';
import { createFaultyFetch } from './fault.ts';
import {
  BYTES,
  blobCount,
  caught,
  createClient,
  expectWhole,
  MD5,
  NAME,
  once,
  randomFile,
  uploadWithFaults,
} from './upload.ts';

describeEachBackend('the upload client', (backend) => {
  test('resumes an upload that was paused, with the id that its progress has named', () =>
    withApp(backend, async (app) => {
      const { fetch, operations } = createFaultyFetch(() => undefined);
      const client = createClient(app, { fetch });
      const pause = new AbortController();
      let uploadId: string | undefined;
      const paused = client.upload(randomFile(), {
        keepSession: true,
        signal: pause.signal,
        onProgress: (progress) => {
          uploadId = progress.uploadId ?? undefined;
          if (uploadId !== undefined) pause.abort(new Error('paused'));
        },
      });
      await expect(paused).rejects.toThrow('paused');
      const { file } = await client.upload(randomFile(), { uploadId });
      expect(file.md5).toBe(MD5);
      expect(operations).toEqual([
        'uploadChunk',
        'uploadSession',
        ...Array(3).fill('uploadChunk'),
        'completeUpload',
      ]);
    }));

  test('sends a file in chunks, reports progress and returns the media item', () =>
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

  test.each([1, 999, 1000, 1001, 2000, 3000])('uploads a file of %i bytes', (sizeBytes) =>
    withApp(backend, async (app) => {
      const bytes = BYTES.subarray(0, sizeBytes);
      const { file } = await createClient(app).upload(randomFile(bytes));
      const md5 = createHash('md5').update(bytes).digest('hex');
      expect(file).toMatchObject({ sizeBytes, md5 });
    }),
  );

  test('sends a small first chunk of a large file, so that the upload session starts early', () =>
    withApp(backend, async (app) => {
      const progress: number[] = [];
      const onProgress = ({ sentBytes }: { sentBytes: number }) => progress.push(sentBytes);
      const client = createClient(app, { chunkBytes: 200_000 });
      await client.upload(randomFile(randomBytes(300_000)), { onProgress });
      await client.upload(randomFile(randomBytes(200_000)), { onProgress });
      expect(progress).toEqual([0, 65_536, 265_536, 300_000, 0, 200_000]);
    }));

  test('sends the filename and the declared type of the blob', () =>
    withApp(backend, async (app) => {
      const client = createClient(app);
      const page = new Blob(['<!doctype html>'], { type: 'image/png' });
      const { code } = await caught(client.upload(page, { filename: 'page.bin' }));
      expect(code).toBe('UNSUPPORTED_MEDIA');
      const named = await client.upload(new Blob(['hello']), { filename: 'ünï "code"\n.txt' });
      expect(named.file.filename).toBe('ünï "code".txt');
    }));

  test('aborting stops the upload and deletes its bytes on the server', () =>
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

  test('aborting also ends the wait before a retry', () =>
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

  test('errors that the server reports have a code and are not retried', () =>
    withApp(
      backend,
      async (app) => {
        const { fetch, operations } = createFaultyFetch(() => undefined);
        const client = createClient(app, { fetch });
        const invalid = await caught(client.upload(randomFile(), { title: 'x'.repeat(256) }));
        expect(invalid).toMatchObject({
          code: 'INVALID_INPUT',
          details: { issues: [{ path: ['input', 'title'], code: 'TOO_BIG' }] },
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

  test('sends the credential; a missing or invalid one is an error', () =>
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

  test('check fails without a retry when the server is unreachable or is not Trivium', () =>
    withApp(backend, async (app) => {
      const elsewhere = createClient({ url: `${app.url}/elsewhere` }, { retryDelayMs: 60_000 });
      expect((await caught(elsewhere.check())).code).toBe('BAD_RESPONSE');
      const { fetch } = createFaultyFetch(() => 'refuse');
      const nowhere = createClient(app, { fetch, retryDelayMs: 60_000 });
      expect((await caught(nowhere.check())).code).toBe('UNREACHABLE');
    }));

  test('does not follow a redirect with the credential, and names the target', () =>
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

  test('creates a tag only once, even when the response to the creation is lost', () =>
    withApp(backend, async (app) => {
      const { fetch } = createFaultyFetch(once('createTag', 1, 'lose answer'));
      const { id } = await createClient(app, { fetch }).ensureTag('logo');
      expect((await createClient(app).ensureTag('logo')).id).toBe(id);
      const { data } = await graphql(app, '{ tags { totalCount } }');
      expect(data.tags.totalCount).toBe(1);
    }));

  test('a file that changes on disk during the upload is not stored', () =>
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
