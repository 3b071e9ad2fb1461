import { mkdir, readdir, readFile, rmdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { BlobNotFoundError } from '../../src/blob/blob-store.ts';
import { createFileBlobStore } from '../../src/blob/file-blob-store.ts';
import { describeBlobStore, storedBlob } from './blob-store-contract.ts';
import { testCheck, testHandles } from './file-check.ts';
import { KEY, openPaths, runChild, traceCalls, withFileStorage } from './file-storage.ts';
import { entriesOf, failing, newKey, pieces, textOf } from './source.ts';
import type { Storage } from './staging-contract.ts';

describeBlobStore('file blob store', (work) => withFileStorage(({ blobs }) => work(blobs)));

describe('file blob store, its files', () => {
  test('a blob lies in the directory that its key names', () =>
    withFileStorage(async ({ directory, blobs }) => {
      await blobs.put(KEY, 3, pieces('abc'));
      expect(await readFile(join(directory, 'stored/01/ab', KEY), 'utf8')).toBe('abc');
      expect(await readdir(join(directory, 'stored/01/ab'))).toEqual([KEY]);
    }));

  test('a store opened on an existing directory has its blobs', () =>
    withFileStorage(async ({ directory, blobs }) => {
      const key = await storedBlob(blobs, 'abc');
      const reopened = await createFileBlobStore({ directory: join(directory, 'stored') });
      expect(await textOf(reopened.read(key))).toBe('abc');
    }));

  test('a shard that was deleted because it was empty is created again', () =>
    withFileStorage(async ({ directory, blobs }) => {
      await blobs.put(KEY, 3, pieces('abc'));
      await blobs.delete(KEY);
      await rmdir(join(directory, 'stored/01/ab'));
      await rmdir(join(directory, 'stored/01'));
      await blobs.put(KEY, 3, pieces('abc'));
      expect(await textOf(blobs.read(KEY))).toBe('abc');
    }));

  test('the leftovers of a put in a killed process cannot be read, but are listed and deleted', () =>
    withFileStorage(async ({ directory, blobs }) => {
      const code = `await blobs.put('${KEY}', 1_000_000, (async function* () {
        yield Buffer.alloc(500_000);
        process.kill(process.pid, 'SIGKILL');
      })());`;
      await expect(runChild(directory, code)).rejects.toMatchObject({ signal: 'SIGKILL' });
      await expect(blobs.read(KEY)).rejects.toThrow(BlobNotFoundError);
      expect(await blobs.stat(KEY)).toBeNull();
      expect(await entriesOf(blobs)).toMatchObject([{ key: KEY }]);
      await blobs.delete(KEY);
      expect(await readdir(join(directory, 'stored/01/ab'))).toEqual([]);
    }));

  test('a blob with leftovers of the same key is listed once, with its own size', () =>
    withFileStorage(async ({ directory, blobs }) => {
      await blobs.put(KEY, 3, pieces('abc'));
      await writeFile(join(directory, 'stored/01/ab', `${KEY}.0123abcd.part`), 'a');
      expect(await entriesOf(blobs)).toMatchObject([{ key: KEY, sizeBytes: 3 }]);
      await blobs.delete(KEY);
      expect(await entriesOf(blobs)).toEqual([]);
    }));

  test('a stream whose pieces are recycled reads a large blob into little memory', () =>
    withFileStorage(async ({ blobs }) => {
      const stream = await blobs.read(await storedBlob(blobs, Buffer.alloc(16 * 2 ** 20)));
      const memory = new Set<ArrayBufferLike>();
      for await (const piece of stream) {
        memory.add(piece.buffer);
        stream.recycle?.(piece);
      }
      expect(memory.size).toBeLessThanOrEqual(4);
    }));

  test('files that are not blobs are not listed', () =>
    withFileStorage(async ({ directory, blobs }) => {
      for (const path of ['lost+found', '01/ab', '01/xy']) {
        await mkdir(join(directory, 'stored', path), { recursive: true });
      }
      const names = ['ab', '.DS_Store', `01/${KEY}`, `01/xy/${KEY}`, '01/ab/a', `01/ab/${KEY}x`];
      for (const name of names) await writeFile(join(directory, 'stored', name), '');
      expect(await entriesOf(blobs)).toEqual([]);
    }));

  testCheck('stored', 'staging', ({ blobs }) => blobs.check());

  test('adopting moves a file into place without copying it', () =>
    withFileStorage(async ({ directory, blobs }) => {
      const path = join(directory, 'file');
      await writeFile(path, 'abc');
      const { ino } = await stat(path);
      expect(await blobs.adopt?.(KEY, path)).toBe(true);
      expect((await stat(join(directory, 'stored/01/ab', KEY))).ino).toBe(ino);
      expect(await blobs.adopt?.(KEY, path)).toBe(false);
      expect(await textOf(blobs.read(KEY))).toBe('abc');
    }));
});

describe.skipIf(process.platform !== 'linux')('file blob store, its handles (Linux)', () => {
  const actions: Record<string, (storage: Storage) => Promise<unknown>> = {
    'a blob is stored': ({ blobs }) => storedBlob(blobs, 'abc'),
    'a source fails': ({ blobs }) => blobs.put(newKey(), 9, failing(new Error('gone'))),
    'a source has another size': ({ blobs }) => blobs.put(newKey(), 9, pieces('abc')),
    'a range is rejected': async ({ blobs }) => {
      await blobs.read(await storedBlob(blobs, 'abc'), { start: 3, end: 3 });
    },
    'a blob is read to its end': async ({ blobs }) => {
      await text(await blobs.read(await storedBlob(blobs, 'abc')));
    },
    'a stream is destroyed unread': async ({ blobs }) => {
      (await blobs.read(await storedBlob(blobs, 'abc'))).destroy();
    },
    'a stream is destroyed midway': async ({ blobs }) => {
      const stream = await blobs.read(await storedBlob(blobs, Buffer.alloc(2 ** 21)));
      for await (const _ of stream) break;
    },
    'a list is left early': async ({ blobs }) => {
      for (let i = 0; i < 3; i++) await storedBlob(blobs, 'abc');
      for await (const _ of blobs.list()) break;
    },
    'the store is checked': ({ blobs }) => blobs.check(),
  };

  testHandles(actions, 'on disk');

  test('an unread stream holds one, which proves that the count sees them', () =>
    withFileStorage(async ({ directory, blobs }) => {
      const stream = await blobs.read(await storedBlob(blobs, 'abc'));
      expect(await openPaths(directory)).toHaveLength(1);
      stream.destroy();
    }));
});

describe('file blob store, the durability of its names', () => {
  const touched = ['open stored', 'open stored/01', 'open stored/01/ab'];
  const put = `await blobs.put('${KEY}', 1, (async function* () { yield Buffer.of(1) })());`;

  test('a put flushes the file before the move, and every directory after it', () =>
    withFileStorage(async ({ directory }) => {
      const calls = await traceCalls(directory, put);
      const moved = calls.indexOf('rename');
      expect(calls.slice(0, moved).filter((call) => /write|fdatasync/.test(call))).toEqual([
        'write',
        'fdatasync',
      ]);
      const after = calls.slice(moved + 1);
      expect(after.filter((call) => call.startsWith('open')).sort()).toEqual(touched);
      expect(after.filter((call) => call === 'fsync')).toHaveLength(touched.length);
    }));

  test('stat flushes in another process: the first may have died before its flush', () =>
    withFileStorage(async ({ directory, blobs }) => {
      await blobs.put(KEY, 1, pieces('a'));
      const calls = await traceCalls(directory, `await blobs.stat('${KEY}');`);
      expect(calls.filter((call) => call.startsWith('open')).sort()).toEqual(touched);
      expect(calls.filter((call) => call === 'fsync')).toHaveLength(touched.length);
    }));
});
