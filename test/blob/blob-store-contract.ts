import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { expect } from 'vitest';
import { BlobNotFoundError, type BlobStore } from '../../src/blob/blob-store.ts';
import { countWhile, describeContract, type GuaranteeOf } from './contract.ts';
import { cutAtRandom, entriesOf, failing, HOSTILE_KEYS, newKey, pieces, textOf } from './source.ts';

/** Opens an empty store, lends it to `work`, and deletes everything afterwards. */
export type WithStore = (work: (store: BlobStore) => Promise<void>) => Promise<void>;

type Guarantee = GuaranteeOf<BlobStore>;

/**
 * Declares the guarantees of every blob store, on disk or elsewhere. `listsAtOnce`: a listing of 100 blobs is one page, made
 * before any of them can vanish.
 */
export function describeBlobStore(
  name: string,
  withStore: WithStore,
  { listsAtOnce = false } = {},
): void {
  describeContract(name, withStore, {
    put: describePut,
    read: describeRead,
    'a local file': describeLocalFile,
    delete: describeDelete,
    'list and check': (guarantee) => describeList(guarantee, listsAtOnce),
    'a hostile key': describeHostileKeys,
  });
}

function describePut(guarantee: Guarantee) {
  guarantee('stores a blob with its size', async (store) => {
    const key = newKey();
    expect(await store.stat(key)).toBeNull();
    await store.put(key, 7, pieces('ab', 'c', 'defg'));
    expect(await store.stat(key)).toEqual({ sizeBytes: 7 });
    expect(await textOf(store.read(key))).toBe('abcdefg');
  });

  guarantee('10 MiB come back identical, however they are cut into pieces', async (store) => {
    for (const pieceBytesMax of [200_000, 20_000]) {
      const [key, bytes] = [newKey(), randomBytes(10 * 2 ** 20)];
      await store.put(key, bytes.length, cutAtRandom(bytes, pieceBytesMax));
      expect(bytes.equals(await buffer(await store.read(key)))).toBe(true);
    }
  });

  guarantee('stores an empty blob from a source without bytes', async (store) => {
    for (const source of [pieces(), pieces('', '')]) {
      const key = newKey();
      await store.put(key, 0, source);
      expect(await store.stat(key)).toEqual({ sizeBytes: 0 });
      expect(await textOf(store.read(key))).toBe('');
    }
  });

  guarantee('stores nothing if the source fails, and rejects with its error', async (store) => {
    const [key, error] = [newKey(), new Error('The client hung up')];
    await expect(store.put(key, 2 ** 20 + 9, failing(error))).rejects.toBe(error);
    expect(await entriesOf(store)).toEqual([]);
  });

  guarantee('stores nothing if the source has another size than declared', async (store) => {
    for (const sizeBytes of [2, 4]) {
      await expect(store.put(newKey(), sizeBytes, pieces('abc'))).rejects.toThrow(/got 3$/);
    }
    await expect(store.put(newKey(), Number.NaN, pieces('abc'))).rejects.toThrow(/count of bytes/);
    expect(await entriesOf(store)).toEqual([]);
  });

  guarantee('may be repeated, and raced, with the same bytes', async (store) => {
    const key = await storedBlob(store, 'abc');
    await Promise.all(Array.from({ length: 20 }, () => store.put(key, 3, pieces('a', 'bc'))));
    expect(await textOf(store.read(key))).toBe('abc');
    expect(await entriesOf(store)).toMatchObject([{ key, sizeBytes: 3 }]);
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
    guarantee(`a range returns ${what}`, async (store) => {
      const key = await storedBlob(store, 'abcdefghij');
      expect(await textOf(store.read(key, { start, end }))).toBe(expected);
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

  guarantee('an absent blob is an error before there is a stream', async (store) => {
    await expect(store.read(newKey())).rejects.toThrow(BlobNotFoundError);
    expect(await store.stat(newKey())).toBeNull();
  });

  guarantee('a recycled piece never overwrites a piece that is still kept', async (store) => {
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

function describeLocalFile(guarantee: Guarantee) {
  guarantee('holds the blob', async (store) => {
    const key = await storedBlob(store, 'abc');
    expect(await store.withLocalFile(key, (path) => readFile(path, 'utf8'))).toBe('abc');
  });

  guarantee('of an absent blob is an error, and the work does not run', async (store) => {
    const work = () => Promise.reject(new Error('It ran.'));
    await expect(store.withLocalFile(newKey(), work)).rejects.toThrow(BlobNotFoundError);
  });

  guarantee('of a blob that is deleted while the work fails is an error', async (store) => {
    const key = await storedBlob(store, 'abc');
    const failed = store.withLocalFile(key, async (path) => {
      await store.delete(key);
      throw new Error(path);
    });
    await expect(failed).rejects.toThrow(BlobNotFoundError);
  });

  guarantee('passes on the error of the work', async (store) => {
    const [key, error] = [await storedBlob(store, 'abc'), new Error('mine')];
    await expect(store.withLocalFile(key, () => Promise.reject(error))).rejects.toBe(error);
  });
}

function describeDelete(guarantee: Guarantee) {
  guarantee('removes a blob, and may be repeated', async (store) => {
    const [key, other] = [await storedBlob(store, 'abc'), await storedBlob(store, 'other')];
    for (let i = 0; i < 2; i++) await store.delete(key);
    expect(await store.stat(key)).toBeNull();
    await expect(store.read(key)).rejects.toThrow(BlobNotFoundError);
    expect(await entriesOf(store)).toMatchObject([{ key: other }]);
  });
}

function describeList(guarantee: Guarantee, listsAtOnce: boolean) {
  guarantee('list returns keys, sizes and times', async (store) => {
    const before = Date.now() - 2_000;
    const key = await storedBlob(store, 'abcd');
    const [entry, ...others] = await entriesOf(store);
    expect(entry).toMatchObject({ key, sizeBytes: 4 });
    expect(entry!.modifiedAt.getTime()).toBeGreaterThan(before);
    expect(others).toEqual([]);
  });

  guarantee('list is in the order of the keys', async (store) => {
    const near = newKey().slice(0, 31);
    const keys = [...Array.from({ length: 30 }, newKey), `${near}0`, `${near}9`, `${near}a`];
    for (const key of keys.toReversed()) await store.put(key, 3, pieces('abc'));
    expect((await entriesOf(store)).map(({ key }) => key)).toEqual(keys.toSorted());
  });

  guarantee('list goes on when blobs vanish while it runs', async (store) => {
    const keys = await Promise.all(Array.from({ length: 100 }, () => storedBlob(store, 'abc')));
    const remove = () => Promise.all(keys.map((key) => store.delete(key)));
    const listed = await countWhile(store, remove);
    if (listsAtOnce) expect(listed).toBe(100);
    else expect(listed).toBeLessThan(100);
    expect(await entriesOf(store)).toEqual([]);
  });

  guarantee('list misses no blob that stays while others are stored', async (store) => {
    const keys = await Promise.all(Array.from({ length: 50 }, () => storedBlob(store, 'abc')));
    const listed = new Set<string>();
    for await (const { key } of store.list()) {
      if (listed.size % 5 === 0) await storedBlob(store, 'new');
      listed.add(key);
      if (listed.size > 200) break;
    }
    expect(keys.filter((key) => !listed.has(key))).toEqual([]);
  });

  guarantee(
    'check passes repeatedly and concurrently, and leaves nothing behind',
    async (store) => {
      await Promise.all([store.check(), store.check(), store.check()]);
      await store.check();
      expect(await entriesOf(store)).toEqual([]);
    },
  );
}

function describeHostileKeys(guarantee: Guarantee) {
  for (const key of HOSTILE_KEYS) {
    guarantee(`is rejected everywhere: ${JSON.stringify(key)}`, async (store) => {
      const calls = [
        () => store.put(key, 1, pieces('x')),
        () => store.stat(key),
        () => store.read(key),
        () => store.withLocalFile(key, async () => undefined),
        () => store.delete(key),
        async () => store.adopt?.(key, '/dev/null') ?? store.delete(key),
      ];
      for (const call of calls) await expect(call()).rejects.toThrow(/^Not a blob key/);
      expect(await entriesOf(store)).toEqual([]);
    });
  }
}

/** Stores a blob under a new key. Returns the key. */
export async function storedBlob(store: BlobStore, content: string | Buffer): Promise<string> {
  const [key, bytes] = [newKey(), Buffer.from(content)];
  await store.put(
    key,
    bytes.length,
    (async function* () {
      yield bytes;
    })(),
  );
  return key;
}
