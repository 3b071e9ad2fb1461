import { once } from 'node:events';
import { readdir, readlink, truncate } from 'node:fs/promises';
import { get, type IncomingMessage } from 'node:http';
import { expect, test } from 'vitest';
import { type TestApp, withApp } from '../../support/app.ts';
import { describeEachBackend } from '../../support/backend.ts';
import { storeFile, storeFixture } from './stored-file.ts';

describeEachBackend('lost bytes', (backend) => {
  test('are a server error for GET and HEAD; a file that the client has cached is still a 304', () =>
    withApp(backend, async (app) => {
      const { urlPath, md5 } = await storeFixture(app, 'note.txt');
      await app.services.blobs.delete(await onlyBlob(app));
      for (const method of ['GET', 'HEAD']) {
        const response = await app.fetch(urlPath, { method });
        expect(response.status).toBe(502);
        expect(response.headers.get('etag')).toBeNull();
      }
      const body = (await (await app.fetch(urlPath)).json()) as object;
      const message = 'The stored bytes of this file are damaged.';
      expect(body).toEqual({ error: { code: 'FILE_DAMAGED', message } });
      const headers = { 'if-none-match': `"${md5}"` };
      expect((await app.fetch(urlPath, { headers })).status).toBe(304);
    }));

  test('are never sent as a complete file if only a part is left', () =>
    withApp(backend, async (app) => {
      const { urlPath } = await storeFile(app, 'data.bin', Buffer.alloc(1_000_000));
      await app.services.blobs.withLocalFile(await onlyBlob(app), (path) =>
        truncate(path, 500_000),
      );
      await expect(app.fetch(urlPath).then((response) => response.arrayBuffer())).rejects.toThrow();
      const headers = { range: 'bytes=100-199' };
      expect((await app.fetch(urlPath, { headers })).status).toBe(206);
    }));
});

describeEachBackend('a client that disconnects during a download', (backend) => {
  test('leaves no file open', () =>
    withApp(backend, async (app) => {
      const { urlPath } = await storeFile(app, 'data.bin', Buffer.alloc(64_000_000));
      const responses = await Promise.all(
        Array.from({ length: 10 }, async () => {
          const [response] = (await once(get(app.url + urlPath), 'response')) as [IncomingMessage];
          await once(response, 'readable');
          return response;
        }),
      );
      expect(await openBlobs(app)).toHaveLength(10);
      for (const response of responses) response.destroy();
      await expect.poll(() => openBlobs(app)).toEqual([]);
      expect((await app.fetch(urlPath, { method: 'HEAD' })).status).toBe(200);
    }));
});

async function onlyBlob(app: TestApp): Promise<string> {
  const keys: string[] = [];
  for await (const { key } of app.services.blobs.list()) keys.push(key);
  expect(keys).toHaveLength(1);
  return keys[0]!;
}

/** The files below the data directory's blobs that this process holds open; Linux tells. */
async function openBlobs({ dataDir }: TestApp): Promise<string[]> {
  const handles = await readdir('/proc/self/fd');
  const paths = handles.map((handle) => readlink(`/proc/self/fd/${handle}`).catch(() => ''));
  return (await Promise.all(paths)).filter((path) => path.startsWith(`${dataDir}/blobs/`));
}
