import { exec } from 'node:child_process';
import {
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rm,
  rmdir,
  stat,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { BlobStore } from '../../src/blob/blob-store.ts';
import { createFileBlobStore } from '../../src/blob/file-blob-store.ts';
import { describeBlobStore, entriesOf, failing, newKey, pieces, storedBlob } from './contract.ts';

describeBlobStore('file blob store', (work) => withDirectory((_, store) => work(store)));

describe('file blob store, its files', () => {
  test('blobs lie where the layout says', () =>
    withDirectory(async (directory, store) => {
      const key = `01ab${newKey().slice(4)}`;
      await store.append(key, 0, pieces('abc'));
      expect(store.stagedPath(key)).toBe(join(directory, 'staging', key));
      await store.commit(key, 3);
      expect(await readFile(join(directory, 'stored/01/ab', key), 'utf8')).toBe('abc');
    }));

  test('a store opened on a directory has the blobs of the one before', () =>
    withDirectory(async (directory, store) => {
      const [stored, staged] = [await storedBlob(store, 'abc'), newKey()];
      await store.append(staged, 0, pieces('abc'));
      const reopened = await createFileBlobStore({ directory });
      expect(await text(await reopened.read(stored))).toBe('abc');
      await reopened.append(staged, 3, pieces('def'));
      await reopened.commit(staged, 6);
      await reopened.commit(stored, 3);
      expect(await text(await reopened.read(staged))).toBe('abcdef');
    }));

  test('a shard that someone deleted because it was empty is made again', () =>
    withDirectory(async (directory, store) => {
      const [first, second] = [`01ab${newKey().slice(4)}`, `01ab${newKey().slice(4)}`];
      for (const key of [first, second]) await store.append(key, 0, pieces('abc'));
      await store.commit(first, 3);
      await store.delete(first);
      await rmdir(join(directory, 'stored/01/ab'));
      await rmdir(join(directory, 'stored/01'));
      await store.commit(second, 3);
      expect(await text(await store.read(second))).toBe('abc');
    }));

  test('a stream whose pieces are given back reads a large blob into little memory', () =>
    withDirectory(async (_, store) => {
      const stream = await store.read(await storedBlob(store, Buffer.alloc(16 * 2 ** 20)));
      const memory = new Set<ArrayBufferLike>();
      for await (const piece of stream) {
        memory.add(piece.buffer);
        stream.recycle?.(piece);
      }
      expect(memory.size).toBeLessThanOrEqual(4);
    }));

  test.each([1, 10, 1_000, 60_000])(
    'a source of %d-byte pieces is not read far ahead',
    (pieceBytes) =>
      withDirectory(async (_, store) => {
        const key = newKey();
        const unwritten: number[] = [];
        async function* source() {
          for (let given = 0; given < 500 * pieceBytes; given += pieceBytes) {
            unwritten.push(given - (await stat(store.stagedPath(key))).size);
            yield Buffer.alloc(pieceBytes);
          }
        }
        await store.append(key, 0, source());
        expect(Math.max(...unwritten)).toBeLessThan(Math.min(100 * pieceBytes, 256 * 1024));
      }),
  );

  test('files that are no blobs are not listed', () =>
    withDirectory(async (directory, store) => {
      await mkdir(join(directory, 'stored/lost+found'));
      for (const path of ['staging/.check-1', 'staging/README', 'stored/ab', 'stored/.DS_Store']) {
        await writeFile(join(directory, path), '');
      }
      expect(await entriesOf(store)).toEqual([]);
    }));

  test.each(['staging', 'stored'])('check fails, and leaves nothing, when %s is gone', (area) =>
    withDirectory(async (directory, store) => {
      await rm(join(directory, area), { recursive: true });
      await expect(store.check()).rejects.toThrow('ENOENT');
      expect(await readdir(directory, { recursive: true })).toHaveLength(1);
    }),
  );

  test('check leaves no file', () =>
    withDirectory(async (directory, store) => {
      await store.check();
      expect((await readdir(directory, { recursive: true })).sort()).toEqual(['staging', 'stored']);
    }));
});

describe.skipIf(process.platform !== 'linux')('file blob store, its handles (Linux)', () => {
  const doings: Record<string, (store: BlobStore) => Promise<unknown>> = {
    'a blob is stored': (store) => storedBlob(store, 'abc'),
    'a source fails': (store) => store.append(newKey(), 0, failing(new Error('gone'))),
    'there is nothing to append to': (store) => store.append(newKey(), 1, pieces('x')),
    'an append would leave a gap': async (store) => {
      const key = newKey();
      await store.append(key, 0, pieces('x'));
      await store.append(key, 2, pieces('x'));
    },
    'a commit finds too few bytes': async (store) => {
      const key = newKey();
      await store.append(key, 0, pieces('x'));
      await store.commit(key, 2);
    },
    'a commit cuts off leftovers': async (store) => {
      const key = newKey();
      await store.append(key, 0, pieces('xyz'));
      await store.commit(key, 1);
    },
    'a range is refused': async (store) => {
      await store.read(await storedBlob(store, 'abc'), { start: 3, end: 3 });
    },
    'a blob is read to its end': async (store) => {
      await text(await store.read(await storedBlob(store, 'abc')));
    },
    'a stream is destroyed unread': async (store) => {
      (await store.read(await storedBlob(store, 'abc'))).destroy();
    },
    'a stream is destroyed midway': async (store) => {
      const stream = await store.read(await storedBlob(store, Buffer.alloc(2 ** 21)));
      for await (const _ of stream) break;
    },
    'a list is left early': async (store) => {
      for (let i = 0; i < 3; i++) await storedBlob(store, 'abc');
      for await (const _ of store.list()) break;
    },
    'the store is checked': (store) => store.check(),
  };

  test.each(Object.entries(doings))('none stays open when %s', (_, work) =>
    withDirectory(async (directory, store) => {
      await work(store).catch(() => {});
      await expect.poll(() => openPaths(directory)).toEqual([]);
    }),
  );

  test('an unread stream holds one, which proves that the count sees them', () =>
    withDirectory(async (directory, store) => {
      const stream = await store.read(await storedBlob(store, 'abc'));
      expect(await openPaths(directory)).toHaveLength(1);
      stream.destroy();
    }));
});

describe('file blob store, what it asks the disk for', () => {
  const key = `01ab${'c'.repeat(28)}`;
  const append = `await store.append('${key}', 0, (async function* () { yield Buffer.of(1) })());`;
  const touched = ['open staging', 'open stored', 'open stored/01', 'open stored/01/ab'];

  test('an append flushes after its last write, then the name of the new file', () =>
    withDirectory(async (directory) => {
      const calls = await traceCalls(directory, append);
      expect(calls.slice(1, -2)).toEqual(['write', 'fdatasync', 'open staging', 'fsync']);
    }));

  test('a commit flushes every directory it touched, after the move', () =>
    withDirectory(async (directory) => {
      const calls = await traceCalls(directory, `${append} await store.commit('${key}', 1);`);
      const after = calls.slice(calls.indexOf('rename') + 1);
      expect(after.filter((call) => call.startsWith('open')).sort()).toEqual(touched);
      expect(after.filter((call) => call === 'fsync')).toHaveLength(touched.length);
    }));

  test('a commit repeated by another process flushes again: the first may not have', () =>
    withDirectory(async (directory, store) => {
      await store.append(key, 0, pieces('a'));
      await store.commit(key, 1);
      const calls = await traceCalls(directory, `await store.commit('${key}', 1);`);
      expect(calls.filter((call) => call.startsWith('open')).sort()).toEqual(touched);
      expect(calls.filter((call) => call === 'fsync')).toHaveLength(touched.length);
    }));

  test.skipIf(process.platform !== 'linux')(
    'a write cut short is never taken for a whole one',
    () =>
      withDirectory(async (directory, store) => {
        await store.append(key, 0, pieces('acknowledged'));
        const code = `const source = (async function* () {
          for (let i = 0; i < 4; i++) yield Buffer.alloc(60_000, 'x');
        })();
        console.log(await store.append('${key}', 12, source).catch((error) => error.code));`;
        // A limit on the size of files, 200 KiB, makes the kernel write part of the second batch.
        expect(await runChild(directory, code, 'ulimit -f 400;')).toBe('EFBIG\n');
        const staged = await readFile(store.stagedPath(key), 'utf8');
        expect(staged).toBe(`acknowledged${'x'.repeat(400 * 512 - 12)}`);
      }),
  );
});

async function withDirectory(work: (directory: string, store: BlobStore) => Promise<void>) {
  const directory = await mkdtemp(join(tmpdir(), 'trivium-blob-'));
  try {
    await work(directory, await createFileBlobStore({ directory }));
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** Where the open handles of this process point, as far as that is in `directory`. */
async function openPaths(directory: string): Promise<string[]> {
  const handles = await readdir('/proc/self/fd');
  const paths = handles.map((handle) => readlink(`/proc/self/fd/${handle}`).catch(() => ''));
  return (await Promise.all(paths)).filter((path) => path.startsWith(directory));
}

/**
 * Runs `code` against `store` in a process of its own, and answers the file system calls that Node's
 * tracing saw it make, in order, from when the store is open; paths are relative to `directory`.
 */
async function traceCalls(directory: string, code: string): Promise<string[]> {
  const file = join(directory, 'trace.json');
  const flags = `--trace-event-categories node.fs.async --trace-event-file-pattern '${file}'`;
  await runChild(directory, code, '', flags);
  const { traceEvents }: { traceEvents: TraceEvent[] } = JSON.parse(await readFile(file, 'utf8'));
  const calls = traceEvents
    .filter(({ ph }) => ph === 'b')
    .map(({ name, args }) => (args.path ? `${name} ${relative(directory, args.path)}` : name));
  // Opening the store ends with a flush of its directory: open, fsync, close.
  return calls.slice(calls.lastIndexOf('open ') + 3);
}

interface TraceEvent {
  ph: string;
  name: string;
  args: { path?: string };
}

async function runChild(directory: string, code: string, before = '', flags = ''): Promise<string> {
  const module = import.meta.resolve('../../src/blob/file-blob-store.ts');
  const script = `import { createFileBlobStore } from '${module}';
    const store = await createFileBlobStore({ directory: '${directory}' });
    ${code}`;
  const command = `${before} exec '${process.execPath}' ${flags} --input-type=module -e "$SCRIPT"`;
  const { stdout } = await promisify(exec)(command, { env: { SCRIPT: script } });
  return stdout;
}
