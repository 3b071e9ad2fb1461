import { randomBytes } from 'node:crypto';
import { rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { BlobNotFoundError } from '../../src/blob/blob-store.ts';
import { type CachedBlobStore, withMemory } from '../../src/blob/memory.ts';
import { sentBytes } from '../support/sent-bytes.ts';
import { describeBlobStore } from './blob-store-contract.ts';
import { withFileStorage } from './file-storage.ts';
import { newKey } from './source.ts';

describeBlobStore('file blob store with memory', (work) =>
  withFileStorage(({ blobs }) => work(withMemory(blobs))),
);

interface Stored {
  blobs: CachedBlobStore;
  key: string;
  path: string;
}

function withStored(
  bytes: string | Buffer,
  work: (stored: Stored) => Promise<void>,
  bytesMax?: number,
): Promise<void> {
  return withFileStorage(async ({ directory, blobs: store }) => {
    const blobs = withMemory(store, bytesMax === undefined ? {} : { bytesMax });
    const key = newKey();
    await blobs.put(key, bytes.length, [Buffer.from(bytes)]);
    const path = join(directory, 'stored', key.slice(0, 2), key.slice(2, 4), key);
    await work({ blobs, key, path });
  });
}

describe('a small blob of a known size', () => {
  test('is read from the disk once, also in ranges', () =>
    withStored('0123456789', async ({ blobs, key, path }) => {
      expect(`${await blobs.readSized(key, 10)}`).toBe('0123456789');
      await rm(path);
      expect(`${await blobs.readSized(key, 10)}`).toBe('0123456789');
      expect(`${await blobs.readSized(key, 10, { start: 2, end: 4 })}`).toBe('234');
    }));

  test('may be empty', () =>
    withStored('', async ({ blobs, key }) => {
      expect(`${await blobs.readSized(key, 0)}`).toBe('');
    }));

  test('is not there any more after its deletion', () =>
    withStored('abc', async ({ blobs, key }) => {
      await blobs.readSized(key, 3);
      await blobs.delete(key);
      await expect(blobs.readSized(key, 3)).rejects.toThrow(BlobNotFoundError);
    }));

  test.each(['ab', 'abcd'])('that has become %s is an error', (text) =>
    withStored('abc', async ({ blobs, key, path }) => {
      await writeFile(path, text);
      await expect(blobs.readSized(key, 3)).rejects.toThrow('does not have 3 bytes');
      await writeFile(path, 'abc');
      expect(`${await blobs.readSized(key, 3)}`).toBe('abc');
    }),
  );

  test('makes room for another one that is read later', () =>
    withStored(
      'abc',
      async ({ blobs, key, path }) => {
        const other = newKey();
        await blobs.put(other, 200_000, [Buffer.alloc(200_000)]);
        await blobs.readSized(key, 3);
        await blobs.readSized(other, 200_000);
        await truncate(path, 0);
        await expect(blobs.readSized(key, 3)).rejects.toThrow('does not have 3 bytes');
      },
      200_700,
    ));
});

test('a large blob of a known size is a stream, and is not kept', () => {
  const bytes = randomBytes(300_000);
  return withStored(bytes, async ({ blobs, key, path }) => {
    const body = await blobs.readSized(key, bytes.length, { start: 1, end: 299_999 });
    expect('destroy' in body).toBe(true);
    expect((await sentBytes(body)).equals(bytes.subarray(1))).toBe(true);
    await rm(path);
    await expect(blobs.readSized(key, bytes.length)).rejects.toThrow(BlobNotFoundError);
  });
});
