import { randomBytes, randomInt } from 'node:crypto';
import { access, readFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { type BlobEntry, BlobNotFoundError, type BlobStore } from '../../src/blob/blob-store.ts';

/** Opens an empty store, lends it to `work`, and takes everything away again. */
export type WithStore = (work: (store: BlobStore) => Promise<void>) => Promise<void>;

type Guarantee = (name: string, work: (store: BlobStore) => Promise<void>) => void;

/** What every blob store guarantees, whatever keeps the bytes. */
export function describeBlobStore(name: string, withStore: WithStore): void {
  const guarantee: Guarantee = (name, work) => test(name, () => withStore(work));
  describe(name, () => {
    describe('append', () => describeAppend(guarantee));
    describe('a failing append', () => describeFailingAppend(guarantee));
    describe('commit', () => describeCommit(guarantee));
    describe('read', () => describeRead(guarantee));
    describe('removal', () => describeRemoval(guarantee));
    describe('list and check', () => describeList(guarantee));
    describe('a hostile key', () => describeHostileKeys(guarantee));
  });
}

function describeAppend(guarantee: Guarantee) {
  guarantee('appends add up, and each answers its own count', async (store) => {
    const key = newKey();
    expect(await store.append(key, 0, pieces('ab', 'c'))).toBe(3);
    expect(await store.append(key, 3, pieces('defg'))).toBe(4);
    await store.commit(key, 7);
    expect(await textOf(store, key)).toBe('abcdefg');
  });

  guarantee('10 MiB come back identical, however they are cut into pieces', async (store) => {
    const [key, bytes] = [newKey(), randomBytes(10 * 2 ** 20)];
    const half = 5 * 2 ** 20 + 1;
    await store.append(key, 0, Readable.from(cutAtRandom(bytes.subarray(0, half), 200_000)));
    await store.append(key, half, Readable.from(cutAtRandom(bytes.subarray(half), 2_000)));
    await store.commit(key, bytes.length);
    expect(bytes.equals(await buffer(await store.read(key)))).toBe(true);
  });

  guarantee('an append at 0 replaces what was staged', async (store) => {
    const key = newKey();
    await store.append(key, 0, pieces('a longer attempt'));
    await store.append(key, 0, pieces('short'));
    expect(await readFile(store.stagedPath(key), 'utf8')).toBe('short');
  });

  guarantee('an empty source makes an empty blob, and later adds nothing', async (store) => {
    const key = newKey();
    expect(await store.append(key, 0, pieces())).toBe(0);
    expect(await store.append(key, 0, pieces('', ''))).toBe(0);
    await store.commit(key, 0);
    expect(await store.stat(key)).toEqual({ sizeBytes: 0 });
    expect(await textOf(store, key)).toBe('');
  });

  guarantee('an offset past what is staged is refused, its source unread', async (store) => {
    const key = newKey();
    const source = pieces('xyz');
    await store.append(key, 0, pieces('abc'));
    await expect(store.append(key, 4, source)).rejects.toThrow(/3 of 4/);
    await expect(store.append(newKey(), 4, source)).rejects.toThrow(BlobNotFoundError);
    expect(await readFile(store.stagedPath(key), 'utf8')).toBe('abc');
    expect((await source.next()).value?.toString()).toBe('xyz');
  });

  guarantee('an offset that is no count of bytes is refused', async (store) => {
    const key = newKey();
    await store.append(key, 0, pieces('abc'));
    for (const offset of [-1, 1.5, Number.NaN, 2 ** 60]) {
      await expect(store.append(key, offset, pieces('x'))).rejects.toThrow(/count of bytes/);
    }
    expect(await readFile(store.stagedPath(key), 'utf8')).toBe('abc');
  });
}

function describeFailingAppend(guarantee: Guarantee) {
  guarantee('leaves the acknowledged bytes intact, and rejects with its error', async (store) => {
    const [key, error] = [newKey(), new Error('The client hung up')];
    await store.append(key, 0, pieces('acknowledged'));
    await expect(store.append(key, 12, failing(error))).rejects.toBe(error);
    expect((await readFile(store.stagedPath(key), 'utf8')).slice(0, 12)).toBe('acknowledged');
  });

  guarantee('rejects when its source is destroyed midway', async (store) => {
    const source = new Readable({ read() {} });
    source.push('abc');
    const appending = store.append(newKey(), 0, source);
    await setImmediate();
    source.destroy();
    await expect(appending).rejects.toThrow(/premature/i);
  });

  guarantee('leaves nothing behind that the next append keeps', async (store) => {
    const key = newKey();
    await store.append(key, 0, pieces('head '));
    await expect(store.append(key, 5, failing(new Error('gone')))).rejects.toThrow('gone');
    await store.append(key, 5, pieces('tail'));
    expect(await readFile(store.stagedPath(key), 'utf8')).toBe('head tail');
  });
}

function describeCommit(guarantee: Guarantee) {
  guarantee('turns the staged blob into the stored one', async (store) => {
    const key = newKey();
    await store.append(key, 0, pieces('abc'));
    expect(await store.stat(key)).toBeNull();
    await store.commit(key, 3);
    expect(await store.stat(key)).toEqual({ sizeBytes: 3 });
    await expect(access(store.stagedPath(key))).rejects.toThrow('ENOENT');
  });

  guarantee('may be repeated', async (store) => {
    const key = await storedBlob(store, 'abc');
    await store.commit(key, 3);
    expect(await textOf(store, key)).toBe('abc');
  });

  guarantee('may be raced: every call succeeds, on one blob', async (store) => {
    const key = newKey();
    await store.append(key, 0, pieces('abc', 'leftover'));
    await Promise.all(Array.from({ length: 20 }, () => store.commit(key, 3)));
    expect(await entriesOf(store)).toMatchObject([{ key, area: 'stored', sizeBytes: 3 }]);
  });

  guarantee(
    'leaves a local file with the bytes, before and after, and none without',
    async (store) => {
      const key = newKey();
      const text = () => store.withLocalFile(key, (path) => readFile(path, 'utf8'));
      await expect(text()).rejects.toThrow(BlobNotFoundError);
      await store.append(key, 0, pieces('abc'));
      expect(await text()).toBe('abc');
      await store.commit(key, 3);
      expect(await text()).toBe('abc');
    },
  );

  guarantee('while a local file is being read has it read again', async (store) => {
    const key = newKey();
    await store.append(key, 0, pieces('abc'));
    const paths: string[] = [];
    const text = await store.withLocalFile(key, async (path) => {
      if (paths.push(path) === 1) await store.commit(key, 3);
      return readFile(path, 'utf8');
    });
    expect(text).toBe('abc');
    expect(paths).toHaveLength(2);
  });

  guarantee('leaves what fails on a local file to its caller', async (store) => {
    const key = newKey();
    await store.append(key, 0, pieces('abc'));
    const error = new Error('mine');
    await expect(store.withLocalFile(key, () => Promise.reject(error))).rejects.toBe(error);
  });

  guarantee('cuts off what an interrupted append left', async (store) => {
    const key = newKey();
    await store.append(key, 0, pieces('abc'));
    await expect(store.append(key, 3, failing(new Error('gone')))).rejects.toThrow('gone');
    await store.commit(key, 3);
    expect(await textOf(store, key)).toBe('abc');
  });

  guarantee('refuses fewer bytes than it was told of, and changes nothing', async (store) => {
    const key = newKey();
    await store.append(key, 0, pieces('abc'));
    await expect(store.commit(key, 4)).rejects.toThrow(/3 of 4/);
    expect(await readFile(store.stagedPath(key), 'utf8')).toBe('abc');
    expect(await store.stat(key)).toBeNull();
  });

  guarantee('refuses what is neither staged nor stored', async (store) => {
    await expect(store.commit(newKey(), 0)).rejects.toThrow(BlobNotFoundError);
  });

  guarantee('refuses to repeat with another size, or with no size', async (store) => {
    const key = await storedBlob(store, 'abc');
    for (const size of [2, 4]) await expect(store.commit(key, size)).rejects.toThrow(/3 bytes/);
    await expect(store.commit(key, Number.NaN)).rejects.toThrow(/count of bytes/);
    expect(await textOf(store, key)).toBe('abc');
  });
}

function describeRead(guarantee: Guarantee) {
  const ranges: [string, number, number, string][] = [
    ['the first byte', 0, 0, 'a'],
    ['the last byte', 9, 9, 'j'],
    ['the middle', 3, 5, 'def'],
    ['all of it', 0, 9, 'abcdefghij'],
    ['what there is, when it ends past the end', 8, 99, 'ij'],
  ];
  for (const [what, start, end, expected] of ranges) {
    guarantee(`a range gives ${what}`, async (store) => {
      const key = await storedBlob(store, 'abcdefghij');
      expect(await textOf(store, key, { start, end })).toBe(expected);
    });
  }

  guarantee('a range that has no byte of the blob is a RangeError', async (store) => {
    const [key, empty] = [await storedBlob(store, 'abc'), await storedBlob(store, '')];
    for (const start of [-1, 0.5, 3, Number.NaN]) {
      await expect(store.read(key, { start, end: 3 })).rejects.toThrow(RangeError);
    }
    await expect(store.read(key, { start: 2, end: 1 })).rejects.toThrow(RangeError);
    await expect(store.read(empty, { start: 0, end: 0 })).rejects.toThrow(RangeError);
  });

  guarantee('an absent blob is refused before there is a stream', async (store) => {
    await expect(store.read(newKey())).rejects.toThrow(BlobNotFoundError);
    expect(await store.stat(newKey())).toBeNull();
  });

  guarantee('a blob that is only staged cannot be read', async (store) => {
    const key = newKey();
    await store.append(key, 0, pieces('abc'));
    await expect(store.read(key)).rejects.toThrow(BlobNotFoundError);
  });

  guarantee('memory that is given back spoils no piece that is still kept', async (store) => {
    const contents = [randomBytes(3_000_000), randomBytes(2_000_000)];
    const copies = await Promise.all(
      contents.map(async (bytes, index) => {
        const stream = await store.read(await storedBlob(store, bytes));
        const copied: Buffer[] = [];
        for await (const piece of stream) {
          if (index === 1) copied.push(piece);
          else {
            copied.push(Buffer.from(piece));
            stream.recycle?.(piece);
          }
        }
        return Buffer.concat(copied);
      }),
    );
    expect(copies.map((copy, index) => copy.equals(contents[index]!))).toEqual([true, true]);
  });

  guarantee('a blob deleted while it is read does not end early', async (store) => {
    const bytes = randomBytes(2 ** 21);
    const key = await storedBlob(store, bytes);
    const stream = await store.read(key);
    await store.delete(key);
    const read = await buffer(stream).catch(() => 'failed');
    expect(read === 'failed' || bytes.equals(read as Buffer)).toBe(true);
  });
}

function describeRemoval(guarantee: Guarantee) {
  guarantee('discard removes staged bytes, and may be repeated', async (store) => {
    const key = newKey();
    await store.append(key, 0, pieces('abc'));
    for (let i = 0; i < 2; i++) await store.discard(key);
    expect(await entriesOf(store)).toEqual([]);
    await expect(store.commit(key, 3)).rejects.toThrow(BlobNotFoundError);
  });

  guarantee('delete removes a stored blob, and may be repeated', async (store) => {
    const key = await storedBlob(store, 'abc');
    for (let i = 0; i < 2; i++) await store.delete(key);
    expect(await store.stat(key)).toBeNull();
    await expect(store.commit(key, 3)).rejects.toThrow(BlobNotFoundError);
  });

  guarantee('discard spares what is stored, and delete what is staged', async (store) => {
    const [staged, stored] = [newKey(), await storedBlob(store, 'abc')];
    await store.append(staged, 0, pieces('abc'));
    await store.discard(stored);
    await store.delete(staged);
    expect((await entriesOf(store)).map(({ key }) => key).sort()).toEqual([staged, stored].sort());
  });
}

function describeList(guarantee: Guarantee) {
  guarantee('list tells both areas, sizes and times', async (store) => {
    const before = Date.now() - 2_000;
    const [staged, stored] = [newKey(), await storedBlob(store, 'abcd')];
    await store.append(staged, 0, pieces('abc'));
    const entries = (await entriesOf(store)).sort((a, b) => a.sizeBytes - b.sizeBytes);
    expect(entries).toMatchObject([
      { key: staged, area: 'staged', sizeBytes: 3 },
      { key: stored, area: 'stored', sizeBytes: 4 },
    ]);
    for (const { modifiedAt } of entries) expect(modifiedAt.getTime()).toBeGreaterThan(before);
  });

  guarantee('list goes on when blobs vanish while it runs', async (store) => {
    const keys = await Promise.all(Array.from({ length: 100 }, () => storedBlob(store, 'abc')));
    await Promise.all(keys.map((key) => store.append(key, 0, pieces('abc'))));
    let listed = 0;
    for await (const _ of store.list()) {
      if (listed++ > 0) continue;
      await Promise.all(keys.flatMap((key) => [store.delete(key), store.discard(key)]));
    }
    expect(listed).toBeLessThan(200);
    expect(await entriesOf(store)).toEqual([]);
  });

  guarantee('list misses no blob that is committed while it runs', async (store) => {
    const keys = Array.from({ length: 100 }, newKey);
    await Promise.all(keys.map((key) => store.append(key, 0, pieces('abc'))));
    const listed = new Set<string>();
    for await (const { key } of store.list()) {
      if (listed.size === 0) await Promise.all(keys.map((key) => store.commit(key, 3)));
      listed.add(key);
    }
    expect([...listed].sort()).toEqual(keys.sort());
  });

  guarantee(
    'check passes on a working store, again and at once, and leaves nothing',
    async (store) => {
      await Promise.all([store.check(), store.check(), store.check()]);
      await store.check();
      expect(await entriesOf(store)).toEqual([]);
    },
  );
}

function describeHostileKeys(guarantee: Guarantee) {
  const hex = 'a'.repeat(32);
  const paths = [
    '',
    '.',
    '..',
    '../../../etc/passwd',
    `../staging/${hex}`,
    `${hex}/..`,
    `${hex}\n`,
  ];
  const near = [
    hex.slice(1),
    `${hex}a`,
    hex.toUpperCase(),
    `${hex.slice(1)}\0`,
    `${hex.slice(1)}é`,
  ];
  for (const key of [...paths, ...near]) {
    guarantee(`is refused everywhere: ${JSON.stringify(key)}`, async (store) => {
      const calls = [
        async () => store.stagedPath(key),
        () => store.append(key, 0, pieces('x')),
        () => store.withLocalFile(key, async () => undefined),
        () => store.commit(key, 0),
        () => store.discard(key),
        () => store.stat(key),
        () => store.read(key),
        () => store.delete(key),
      ];
      for (const call of calls) await expect(call()).rejects.toThrow(/^Not a blob key/);
      expect(await entriesOf(store)).toEqual([]);
    });
  }
}

export function newKey(): string {
  return randomBytes(16).toString('hex');
}

/** A source of these texts, piece by piece. */
export async function* pieces(...texts: string[]): AsyncGenerator<Buffer> {
  for (const text of texts) yield Buffer.from(text);
}

/** A source that gives more than any store holds back before it writes, and then fails. */
export async function* failing(error: Error): AsyncGenerator<Buffer> {
  yield randomBytes(2 ** 20);
  yield Buffer.from('and a bit');
  throw error;
}

/** Stores a blob under a new key, which it answers. */
export async function storedBlob(store: BlobStore, content: string | Buffer): Promise<string> {
  const key = newKey();
  const sizeBytes = await store.append(key, 0, Readable.from([Buffer.from(content)]));
  await store.commit(key, sizeBytes);
  return key;
}

function* cutAtRandom(bytes: Buffer, pieceBytesMax: number) {
  for (let at = 0; at < bytes.length; ) {
    const end = at + randomInt(pieceBytesMax);
    yield bytes.subarray(at, end);
    at = end;
  }
}

async function textOf(store: BlobStore, key: string, range?: { start: number; end: number }) {
  return (await buffer(await store.read(key, range))).toString();
}

/** All that the store lists. */
export async function entriesOf(store: BlobStore): Promise<BlobEntry[]> {
  const entries: BlobEntry[] = [];
  for await (const entry of store.list()) entries.push(entry);
  return entries;
}
