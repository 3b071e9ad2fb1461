import { randomBytes } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { bytesBody } from '../../../src/blob/s3/body.ts';
import { withS3Storage } from '../../support/s3-storage.ts';
import { describeBlobStore, storedBlob } from '../blob-store-contract.ts';
import { cutAtRandom, entriesOf, newKey, pieces, textOf } from '../source.ts';

const MIB = 2 ** 20;
const SLOW_DOWN = { status: 503, code: 'SlowDown' };

describeBlobStore('a blob store on S3', (work) =>
  withS3Storage(({ blobs }) => work(blobs), { pageMax: 20 }),
);

describe('a blob store on S3', () => {
  it('sends equal parts, and one request for a blob of one part', async () => {
    await withS3Storage(async ({ blobs, server }) => {
      const bytes = randomBytes(17 * MIB);
      await blobs.put(newKey(), 8 * MIB, cutAtRandom(bytes.subarray(0, 8 * MIB), 300_000));
      expect(server.state().counts).toEqual({ put: 1 });
      const key = newKey();
      await blobs.put(key, bytes.length, cutAtRandom(bytes, 300_000));
      expect(server.state().counts).toMatchObject({ 'upload-part': 3, complete: 1, put: 1 });
      expect(bytes.equals(await buffer(await blobs.read(key)))).toBe(true);
    });
  });

  it('leaves nothing of a source that fails after many parts', async () => {
    await withS3Storage(async ({ blobs, server, scratch }) => {
      const key = newKey();
      async function* broken() {
        for (let i = 0; i < 20; i++) yield randomBytes(MIB);
        throw new Error('The client hung up');
      }
      await expect(blobs.put(key, 24 * MIB, broken())).rejects.toThrow('hung up');
      expect(server.state()).toMatchObject({ objects: [], uploads: [] });
      expect(await filesBelow(scratch)).toEqual([]);
    });
  });

  it.each([
    ['upload-part', 'cut-within'],
    ['upload-part', 'cut-after'],
    ['upload-part', SLOW_DOWN],
    ['create-upload', 'cut-after'],
    ['complete', 'cut-after'],
    ['complete', 'error-in-200'],
    ['complete', 'cut-before'],
  ] as const)('stores a large blob although %s fails with %s', async (kind, what) => {
    await withS3Storage(async ({ blobs, server }) => {
      const [key, bytes] = [newKey(), randomBytes(17 * MIB)];
      server.fail({ kind, what, times: 2 });
      await blobs.put(key, bytes.length, cutAtRandom(bytes, 300_000));
      expect(bytes.equals(await buffer(await blobs.read(key)))).toBe(true);
      expect(await entriesOf(blobs)).toMatchObject([{ key }]);
    });
  });

  it('aborts the upload when a part is refused for good', async () => {
    await withS3Storage(async ({ blobs, server }) => {
      server.fail({ kind: 'upload-part', what: { status: 403, code: 'AccessDenied' } });
      const put = blobs.put(newKey(), 20 * MIB, cutAtRandom(randomBytes(20 * MIB), 300_000));
      await expect(put).rejects.toMatchObject({ code: 'AccessDenied', failure: 'unavailable' });
      expect(server.state()).toMatchObject({ objects: [], uploads: [] });
    });
  });

  it('resumes a download at the byte where it broke', async () => {
    await withS3Storage(async ({ blobs, server }) => {
      const bytes = randomBytes(3 * MIB);
      const key = await storedBlob(blobs, bytes);
      server.resetCounts();
      server.fail({ kind: 'get', what: 'cut-within', times: 3 });
      expect(bytes.equals(await buffer(await blobs.read(key)))).toBe(true);
      expect(server.state().counts.get).toBe(4);
      // Sent at most once and a piece for each cut.
      expect(server.state().sentBytes).toBeLessThan(4.5 * MIB);
      server.fail({ kind: 'get', what: 'cut-within' });
      const range = { start: 1000, end: 2 * MIB };
      const part = await buffer(await blobs.read(key, range));
      expect(part.equals(bytes.subarray(1000, 2 * MIB + 1))).toBe(true);
    });
  });

  it('fails a download that cannot be resumed, and never ends it early', async () => {
    await withS3Storage(async ({ blobs, server }) => {
      const key = await storedBlob(blobs, randomBytes(3 * MIB));
      server.fail({ kind: 'get', what: 'cut-within' });
      const stream = await blobs.read(key);
      server.fail({ kind: 'get', what: SLOW_DOWN, times: 100 });
      await expect(buffer(stream)).rejects.toMatchObject({ failure: 'unavailable' });
    });
  });

  it('ends the request of a stream that is destroyed', async () => {
    await withS3Storage(async ({ blobs, server }) => {
      const key = await storedBlob(blobs, randomBytes(20 * MIB));
      const stream = await blobs.read(key);
      stream.destroy();
      await new Promise((resolve) => stream.once('close', resolve));
      expect(server.state().sentBytes).toBeLessThan(20 * MIB);
    });
  });

  it('lists uploads that were interrupted, once, in order, and deletes them', async () => {
    await withS3Storage(
      async ({ blobs, client, server }) => {
        const keys = ['1', '2', '3', '4', '5'].map((digit) => digit.repeat(32));
        for (const key of ['2', '4', '4', '5'].map((digit) => digit.repeat(32))) {
          const name = `stored/${key.slice(0, 2)}/${key.slice(2, 4)}/${key}`;
          const upload = { name, uploadId: await client.createUpload(name) };
          await client.uploadPart(upload, 1, bytesBody(Buffer.from('part')));
        }
        for (const key of ['1', '2', '3'].map((digit) => digit.repeat(32))) {
          await blobs.put(key, 4, pieces('blob'));
        }
        const entries = await entriesOf(blobs);
        expect(entries.map(({ key }) => key)).toEqual(keys);
        expect(entries.every(({ sizeBytes }) => sizeBytes === 4)).toBe(true);
        for (const key of keys) await blobs.delete(key);
        expect(server.state()).toMatchObject({ objects: [], uploads: [] });
      },
      { pageMax: 2 },
    );
  });

  it('shares one local copy between users, and deletes it after the last one', async () => {
    await withS3Storage(async ({ blobs, server, scratch }) => {
      const key = await storedBlob(blobs, 'abc');
      const paths = await Promise.all(
        [1, 2, 3].map(() =>
          blobs.withLocalFile(key, async (path) => {
            expect(await readFile(path, 'utf8')).toBe('abc');
            expect((await stat(path)).mode & 0o222).toBe(0);
            return path;
          }),
        ),
      );
      expect(new Set(paths).size).toBe(1);
      expect(server.state().counts.get).toBe(1);
      expect(await filesBelow(scratch)).toEqual([]);
      expect(await blobs.withLocalFile(key, (path) => readFile(path, 'utf8'))).toBe('abc');
    });
  });

  it('fails its check when the bucket refuses', async () => {
    await withS3Storage(async ({ blobs, server }) => {
      server.fail({ kind: 'put', what: { status: 403, code: 'AccessDenied' } });
      await expect(blobs.check()).rejects.toMatchObject({ code: 'AccessDenied' });
      await blobs.check();
      expect(server.state().objects).toEqual([]);
      expect(await textOf(blobs.read(await storedBlob(blobs, 'x')))).toBe('x');
    });
  });
});

async function filesBelow(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
