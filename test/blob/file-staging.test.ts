import { mkdir, readFile, rmdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { BlobNotFoundError, type BlobStore } from '../../src/blob/blob-store.ts';
import { createFileStaging } from '../../src/blob/file-staging.ts';
import { testCheck, testHandles } from './file-check.ts';
import {
  KEPT_OPEN_MS,
  KEY,
  openFileStorage,
  runChild,
  traceCalls,
  withFileStorage,
} from './file-storage.ts';
import { entriesOf, failing, newKey, pieces, textOf } from './source.ts';
import { describeStaging, promoted, type Storage } from './staging-contract.ts';

describeStaging('file staging', withFileStorage);
describeStaging('file staging, before a store that cannot adopt files', withCopyingStorage);

describe('file staging, its files', () => {
  test('staged bytes and blobs have the same paths as in earlier versions', () =>
    withFileStorage(async ({ directory, staging }) => {
      await staging.append(KEY, 0, pieces('abc'));
      expect(await readFile(join(directory, 'staging', KEY), 'utf8')).toBe('abc');
      await staging.promote(KEY, 3);
      expect(await readFile(join(directory, 'stored/01/ab', KEY), 'utf8')).toBe('abc');
    }));

  test('promotion moves the file and does not copy it', () =>
    withFileStorage(async ({ directory, staging }) => {
      await staging.append(KEY, 0, pieces('abc'));
      const { ino } = await stat(join(directory, 'staging', KEY));
      await staging.promote(KEY, 3);
      expect((await stat(join(directory, 'stored/01/ab', KEY))).ino).toBe(ino);
    }));

  test('storage opened on an existing directory has its bytes', () =>
    withFileStorage(async ({ directory, staging }) => {
      const [stored, staged] = [await promoted(staging, 'abc'), newKey()];
      await staging.append(staged, 0, pieces('abc'));
      const reopened = await openFileStorage(directory);
      expect(await textOf(reopened.blobs.read(stored))).toBe('abc');
      await reopened.staging.append(staged, 3, pieces('def'));
      await reopened.staging.promote(staged, 6);
      await reopened.staging.promote(stored, 3);
      expect(await textOf(reopened.blobs.read(staged))).toBe('abcdef');
    }));

  test('an append to a file that another process has promoted changes no blob', () =>
    withFileStorage(async ({ directory, staging, blobs }) => {
      await staging.append(KEY, 0, pieces('abc'));
      await (await openFileStorage(directory)).staging.promote(KEY, 3);
      await expect(staging.append(KEY, 1, pieces('x'))).rejects.toThrow(BlobNotFoundError);
      expect(await textOf(blobs.read(KEY))).toBe('abc');
    }));

  test('a shard that was deleted because it was empty is created again', () =>
    withFileStorage(async ({ directory, staging, blobs }) => {
      const other = `01ab${newKey().slice(4)}`;
      for (const key of [KEY, other]) await staging.append(key, 0, pieces('abc'));
      await staging.promote(KEY, 3);
      await blobs.delete(KEY);
      await rmdir(join(directory, 'stored/01/ab'));
      await rmdir(join(directory, 'stored/01'));
      await staging.promote(other, 3);
      expect(await textOf(blobs.read(other))).toBe('abc');
    }));

  test.each([1, 10, 1_000, 60_000])(
    'a source of %d-byte pieces is not read far ahead',
    (pieceBytes) =>
      withFileStorage(async ({ directory, staging }) => {
        const unwritten: number[] = [];
        async function* source() {
          for (let given = 0; given < 500 * pieceBytes; given += pieceBytes) {
            unwritten.push(given - (await stat(join(directory, 'staging', KEY))).size);
            yield Buffer.alloc(pieceBytes);
          }
        }
        await staging.append(KEY, 0, source());
        expect(Math.max(...unwritten)).toBeLessThan(Math.min(100 * pieceBytes, 256 * 1024));
      }),
  );

  test('files that are not staged bytes are not listed', () =>
    withFileStorage(async ({ directory, staging }) => {
      for (const name of ['.check-1', 'README', `${KEY}x`]) {
        await writeFile(join(directory, 'staging', name), '');
      }
      await mkdir(join(directory, 'staging/01'));
      expect(await entriesOf(staging)).toEqual([]);
    }));

  testCheck('staging', 'stored', ({ staging }) => staging.check());
});

describe.skipIf(process.platform !== 'linux')('file staging, its handles (Linux)', () => {
  const actions: Record<string, (storage: Storage) => Promise<unknown>> = {
    'bytes are promoted': ({ staging }) => promoted(staging, 'abc'),
    'a source fails': ({ staging }) => staging.append(newKey(), 0, failing(new Error('gone'))),
    'there is nothing to append to': ({ staging }) => staging.append(newKey(), 1, pieces('x')),
    'an append would leave a gap': async ({ staging }) => {
      await staging.append(KEY, 0, pieces('x'));
      await staging.append(KEY, 2, pieces('x'));
    },
    'a promotion finds too few bytes': async ({ staging }) => {
      await staging.append(KEY, 0, pieces('x'));
      await staging.promote(KEY, 2);
    },
    'a promotion cuts off leftovers': async ({ staging }) => {
      await staging.append(KEY, 0, pieces('xyz'));
      await staging.promote(KEY, 1);
    },
    'a range is rejected': async ({ staging }) => {
      await staging.append(KEY, 0, pieces('abc'));
      await staging.read(KEY, { start: 3, end: 3 });
    },
    'staged bytes are read to their end': async ({ staging }) => {
      await staging.append(KEY, 0, pieces('abc'));
      await text(await staging.read(KEY));
    },
    'a list is left early': async ({ staging }) => {
      for (let i = 0; i < 3; i++) await staging.append(newKey(), 0, pieces('abc'));
      for await (const _ of staging.list()) break;
    },
    'the staging area is checked': ({ staging }) => staging.check(),
  };
  testHandles(actions, 'by renames');
  testHandles(actions, 'by copies', withCopyingStorage);
});

test('an append to bytes that another process has discarded finds nothing, and stores nothing', () =>
  withFileStorage(async ({ directory, staging }) => {
    await staging.append(KEY, 0, pieces('abc'));
    await runChild(directory, `await staging.discard('${KEY}');`);
    await expect(staging.append(KEY, 3, pieces('def'))).rejects.toBeInstanceOf(BlobNotFoundError);
    expect(await entriesOf(staging)).toEqual([]);
  }));

describe('file staging, its flushes', () => {
  const append = `await staging.append('${KEY}', 0, (async function* () { yield Buffer.of(1) })());`;
  const touched = ['open staging', 'open stored', 'open stored/01', 'open stored/01/ab'];

  test('an append flushes after its last write, then the name of the new file', () =>
    withFileStorage(async ({ directory }) => {
      const calls = await traceCalls(directory, append);
      expect(calls.slice(1, -1)).toEqual(['write', 'fdatasync', 'open staging', 'fsync']);
    }));

  test('a promotion flushes every directory it touched, after the move', () =>
    withFileStorage(async ({ directory }) => {
      const calls = await traceCalls(directory, `${append} await staging.promote('${KEY}', 1);`);
      const after = calls.slice(calls.indexOf('rename') + 1);
      expect(after.filter((call) => call.startsWith('open')).sort()).toEqual(touched);
      expect(after.filter((call) => call === 'fsync')).toHaveLength(touched.length);
    }));

  test('a promotion repeated by another process flushes again: the first may not have', () =>
    withFileStorage(async ({ directory, staging }) => {
      await staging.append(KEY, 0, pieces('a'));
      await staging.promote(KEY, 1);
      const calls = await traceCalls(directory, `await staging.promote('${KEY}', 1);`);
      expect(calls.filter((call) => call.startsWith('open')).sort()).toEqual(touched);
      expect(calls.filter((call) => call === 'fsync')).toHaveLength(touched.length);
    }));

  test.skipIf(process.platform !== 'linux')('a short write is never treated as complete', () =>
    withFileStorage(async ({ directory, staging }) => {
      await staging.append(KEY, 0, pieces('acknowledged'));
      const code = `const source = (async function* () {
          for (let i = 0; i < 4; i++) yield Buffer.alloc(60_000, 'x');
        })();
        console.log(await staging.append('${KEY}', 12, source).catch((error) => error.code));`;
      // A limit on the size of files, 200 KiB, makes the kernel write part of the second batch.
      expect(await runChild(directory, code, 'ulimit -f 400;')).toBe('EFBIG\n');
      const staged = await textOf(staging.read(KEY));
      expect(staged).toBe(`acknowledged${'x'.repeat(400 * 512 - 12)}`);
    }),
  );
});

/** Storage whose blob store has no `adopt`, as object storage: promotion copies. */
function withCopyingStorage(work: Parameters<typeof withFileStorage>[0]): Promise<void> {
  return withFileStorage(async ({ directory, blobs }) => {
    const copying: BlobStore = {
      put: blobs.put.bind(blobs),
      stat: blobs.stat.bind(blobs),
      read: blobs.read.bind(blobs),
      withLocalFile: blobs.withLocalFile.bind(blobs),
      delete: blobs.delete.bind(blobs),
      list: blobs.list.bind(blobs),
      check: blobs.check.bind(blobs),
    };
    const staging = await createFileStaging({
      directory: join(directory, 'staging'),
      blobs: copying,
      keptOpenMs: KEPT_OPEN_MS,
    });
    await work({ directory, staging, blobs: copying });
  });
}
