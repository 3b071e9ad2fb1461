import { createHash, randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { type TestApp, withApp } from '../../support/app.ts';
import { describeEachBackend } from '../../support/backend.ts';
import { graphql } from '../../support/graphql.ts';
import { type Call, createFaultyFetch, withProxy } from './fault.ts';
import {
  BYTES,
  caught,
  createClient,
  expectWhole,
  NAME,
  once,
  randomFile,
  uploadWithFaults,
} from './upload.ts';

describeEachBackend('the upload client, when requests fail', (backend) => {
  test.each([false, true])(
    'continues after connections break in the middle of a chunk (streaming: %s)',
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

  test('continues after connections break before the response arrives', () =>
    withApp(backend, async (app) => {
      let answers = 0;
      await withProxy(
        app.url,
        ({ client, server }) => {
          server.unpipe(client);
          // The responses to the first chunk, and then to the second.
          const isLost = () => [1, 3].includes(++answers);
          server.on('data', (data) => (isLost() ? client.destroy() : client.write(data))).resume();
        },
        (url) => createClient({ url }).upload(randomFile()),
      );
      expect(answers).toBeGreaterThan(3);
      await expectWhole(app);
    }));

  test('retries a request whose response does not arrive in time', () =>
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

  test('resends a chunk that never arrived', () =>
    withApp(backend, async (app) => {
      const { operations } = await uploadWithFaults(app, once('uploadChunk', 2, 'refuse'));
      await expectWhole(app);
      expect(operations.filter((name) => name === 'uploadChunk')).toHaveLength(5);
    }));

  test.each([2, 4])('does not resend chunk %i when only its response was lost', (count) =>
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

  test('starts over when the response to the first chunk was lost', () =>
    withApp(backend, async (app) => {
      const fault = once('uploadChunk', 1, 'lose answer');
      await uploadWithFaults(app, fault);
      await expectWhole(app);
    }));

  test('retries with growing delays while the server is unavailable', () =>
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

  test('waits as long as Retry-After asks', () =>
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

  test('fails at once when Retry-After asks for an hour', () =>
    withApp(backend, async (app) => {
      const headers = { 'retry-after': '3600' };
      const answer = new Response('', { status: 503, headers });
      const error = await caught(uploadWithFaults(app, once('uploadChunk', 2, answer)));
      expect(error).toMatchObject({ code: 'UNAVAILABLE', details: { retryAfterMs: 3_600_000 } });
    }));

  test('continues from the offset that the server reports', () =>
    withApp(backend, async (app) => {
      // Another client of the same upload session is ahead.
      const { operations } = await uploadWithFaults(app, async ({ operation, count }) => {
        if (operation === 'uploadChunk' && count === 2) await sendBeside(app, 1000, 1700);
        return undefined;
      });
      await expectWhole(app);
      expect(operations).not.toContain('uploadSession');
    }));

  test('resends a chunk that was damaged in transit', () =>
    withApp(backend, async (app) => {
      const { operations } = await uploadWithFaults(app, once('uploadChunk', 3, 'damage'));
      await expectWhole(app);
      expect(operations.filter((name) => name === 'uploadChunk')).toHaveLength(5);
    }));

  test('sends smaller chunks when a proxy rejects the request as too large', () =>
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

  test('fails after the last retry, and another client can resume the upload', () =>
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

  test('does not resume the upload session of another file, or a deleted one', () =>
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

  test('reports that the file is stored when the response to completion was lost', () =>
    withApp(backend, async (app) => {
      const fault = once('completeUpload', 1, 'lose answer');
      const error = await caught(uploadWithFaults(app, fault));
      expect(error).toMatchObject({ code: 'UPLOAD_COMPLETED', uploadId: null });
      expect(error.message).toMatch(/stored/);
    }));
});

/** Sends a range of `BYTES` to the only upload session, outside of the client. */
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
