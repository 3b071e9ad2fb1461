import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setImmediate } from 'node:timers/promises';
import { expect } from 'vitest';
import { BlobNotFoundError, type BlobStore } from '../../src/blob/blob-store.ts';
import type { Staging } from '../../src/blob/staging.ts';
import { countWhile, describeContract, type GuaranteeOf } from './contract.ts';
import { cutAtRandom, entriesOf, failing, HOSTILE_KEYS, newKey, pieces, textOf } from './source.ts';

/** A staging area, and the blob store that it promotes to. */
export interface Storage {
  staging: Staging;
  blobs: BlobStore;
}

/** Opens empty storage, lends it to `work`, and deletes everything afterwards. */
export type WithStorage = (work: (storage: Storage) => Promise<void>) => Promise<void>;

type Guarantee = GuaranteeOf<Storage>;

/** Declares the guarantees of every staging area, on disk or elsewhere. */
export function describeStaging(name: string, withStorage: WithStorage): void {
  describeContract(name, withStorage, {
    append: describeAppend,
    'a failing append': describeFailingAppend,
    promote: describePromote,
    reading: describeReading,
    discard: describeDiscard,
    'list and check': describeList,
    'a hostile key': describeHostileKeys,
  });
}

function describeAppend(guarantee: Guarantee) {
  guarantee('appends add up, and each returns its own count', async ({ staging }) => {
    const key = newKey();
    expect(await staging.append(key, 0, pieces('ab', 'c'))).toBe(3);
    expect(await staging.append(key, 3, pieces('defg'))).toBe(4);
    expect(await textOf(staging.read(key))).toBe('abcdefg');
  });

  guarantee('10 MiB come back identical, however they are cut into pieces', async (storage) => {
    const { staging, blobs } = storage;
    const [key, bytes] = [newKey(), randomBytes(10 * 2 ** 20)];
    const half = 5 * 2 ** 20 + 1;
    await staging.append(key, 0, cutAtRandom(bytes.subarray(0, half), 200_000));
    await staging.append(key, half, cutAtRandom(bytes.subarray(half), 2_000));
    expect(bytes.equals(await buffer(await staging.read(key)))).toBe(true);
    await staging.promote(key, bytes.length);
    expect(bytes.equals(await buffer(await blobs.read(key)))).toBe(true);
  });

  guarantee('an append at 0 replaces what was staged', async ({ staging }) => {
    const key = newKey();
    await staging.append(key, 0, pieces('a longer attempt'));
    await staging.append(key, 0, pieces('short'));
    expect(await textOf(staging.read(key))).toBe('short');
  });

  guarantee('an empty source creates empty bytes, and later adds nothing', async (storage) => {
    const { staging, blobs } = storage;
    const key = newKey();
    expect(await staging.append(key, 0, pieces())).toBe(0);
    expect(await staging.append(key, 0, pieces('', ''))).toBe(0);
    await staging.promote(key, 0);
    expect(await blobs.stat(key)).toEqual({ sizeBytes: 0 });
    expect(await textOf(blobs.read(key))).toBe('');
  });

  guarantee('an offset past the staged bytes is rejected, its source unread', async (storage) => {
    const { staging } = storage;
    const [key, source] = [newKey(), pieces('xyz')];
    await staging.append(key, 0, pieces('abc'));
    await expect(staging.append(key, 4, source)).rejects.toThrow(/3 of 4/);
    await expect(staging.append(newKey(), 4, source)).rejects.toThrow(BlobNotFoundError);
    expect(await textOf(staging.read(key))).toBe('abc');
    expect((await source.next()).value?.toString()).toBe('xyz');
  });

  guarantee('an offset that is not a count of bytes is rejected', async ({ staging }) => {
    const key = newKey();
    await staging.append(key, 0, pieces('abc'));
    for (const offset of [-1, 1.5, Number.NaN, 2 ** 60]) {
      await expect(staging.append(key, offset, pieces('x'))).rejects.toThrow(/count of bytes/);
    }
    expect(await textOf(staging.read(key))).toBe('abc');
  });
}

function describeFailingAppend(guarantee: Guarantee) {
  guarantee('leaves acknowledged bytes intact, and rejects with its error', async (storage) => {
    const { staging } = storage;
    const [key, error] = [newKey(), new Error('The client hung up')];
    await staging.append(key, 0, pieces('acknowledged'));
    await expect(staging.append(key, 12, failing(error))).rejects.toBe(error);
    expect(await textOf(staging.read(key, { start: 0, end: 11 }))).toBe('acknowledged');
  });

  guarantee('rejects when its source is destroyed midway', async ({ staging }) => {
    const source = new Readable({ read() {} });
    source.push('abc');
    const appending = staging.append(newKey(), 0, source);
    await setImmediate();
    source.destroy();
    await expect(appending).rejects.toThrow(/premature/i);
  });

  guarantee('leaves nothing behind that the next append keeps', async ({ staging }) => {
    const key = newKey();
    await staging.append(key, 0, pieces('head '));
    await expect(staging.append(key, 5, failing(new Error('gone')))).rejects.toThrow('gone');
    await staging.append(key, 5, pieces('tail'));
    expect(await textOf(staging.read(key))).toBe('head tail');
  });
}

function describePromote(guarantee: Guarantee) {
  guarantee('makes the staged bytes a blob', async ({ staging, blobs }) => {
    const key = newKey();
    await staging.append(key, 0, pieces('abc'));
    expect(await blobs.stat(key)).toBeNull();
    await staging.promote(key, 3);
    expect(await blobs.stat(key)).toEqual({ sizeBytes: 3 });
    expect(await entriesOf(staging)).toEqual([]);
  });

  guarantee('may be repeated', async ({ staging, blobs }) => {
    const key = await promoted(staging, 'abc');
    await staging.promote(key, 3);
    expect(await textOf(blobs.read(key))).toBe('abc');
  });

  guarantee('may be raced: every call succeeds, and there is one blob', async (storage) => {
    const { staging, blobs } = storage;
    const key = newKey();
    await staging.append(key, 0, pieces('abc', 'leftover'));
    await Promise.all(Array.from({ length: 20 }, () => staging.promote(key, 3)));
    expect(await entriesOf(blobs)).toMatchObject([{ key, sizeBytes: 3 }]);
    expect(await entriesOf(staging)).toEqual([]);
    expect(await textOf(blobs.read(key))).toBe('abc');
  });

  guarantee('cuts off what an interrupted append left behind', async ({ staging, blobs }) => {
    const key = newKey();
    await staging.append(key, 0, pieces('abc'));
    await expect(staging.append(key, 3, failing(new Error('gone')))).rejects.toThrow('gone');
    await staging.promote(key, 3);
    expect(await textOf(blobs.read(key))).toBe('abc');
  });

  guarantee('rejects a size beyond the staged bytes, and changes nothing', async (storage) => {
    const { staging, blobs } = storage;
    const key = newKey();
    await staging.append(key, 0, pieces('abc'));
    await expect(staging.promote(key, 4)).rejects.toThrow(/3 of 4/);
    expect(await textOf(staging.read(key))).toBe('abc');
    expect(await blobs.stat(key)).toBeNull();
  });

  guarantee('rejects a key that is neither staged nor stored', async ({ staging }) => {
    await expect(staging.promote(newKey(), 0)).rejects.toThrow(BlobNotFoundError);
  });

  guarantee('rejects a repetition with another size, or with no size', async (storage) => {
    const { staging, blobs } = storage;
    const key = await promoted(staging, 'abc');
    for (const size of [2, 4]) await expect(staging.promote(key, size)).rejects.toThrow(/3 bytes/);
    await expect(staging.promote(key, Number.NaN)).rejects.toThrow(/count of bytes/);
    expect(await textOf(blobs.read(key))).toBe('abc');
  });

  guarantee('leaves other staged bytes alone', async ({ staging }) => {
    const other = newKey();
    await staging.append(other, 0, pieces('other'));
    await promoted(staging, 'abc');
    expect(await entriesOf(staging)).toMatchObject([{ key: other, sizeBytes: 5 }]);
  });
}

function describeReading(guarantee: Guarantee) {
  guarantee('returns the bytes, or a range, before and after promotion', async ({ staging }) => {
    const key = newKey();
    await expect(staging.read(key)).rejects.toThrow(BlobNotFoundError);
    await staging.append(key, 0, pieces('abcdef'));
    const read = async () => [
      await textOf(staging.read(key)),
      await textOf(staging.read(key, { start: 1, end: 3 })),
      await textOf(staging.read(key, { start: 4, end: 99 })),
    ];
    expect(await read()).toEqual(['abcdef', 'bcd', 'ef']);
    await staging.promote(key, 6);
    expect(await read()).toEqual(['abcdef', 'bcd', 'ef']);
  });

  guarantee('of a range without a byte is a RangeError', async ({ staging }) => {
    const key = newKey();
    await staging.append(key, 0, pieces('abc'));
    await expect(staging.read(key, { start: 3, end: 3 })).rejects.toThrow(RangeError);
    await expect(staging.read(key, { start: 2, end: 1 })).rejects.toThrow(RangeError);
  });

  guarantee('staged bytes cannot be read as a blob', async ({ staging, blobs }) => {
    const key = newKey();
    await staging.append(key, 0, pieces('abc'));
    await expect(blobs.read(key)).rejects.toThrow(BlobNotFoundError);
  });

  guarantee('a local file holds the bytes, before and after promotion', async ({ staging }) => {
    const key = newKey();
    const text = () => staging.withLocalFile(key, (path) => readFile(path, 'utf8'));
    await expect(text()).rejects.toThrow(BlobNotFoundError);
    await staging.append(key, 0, pieces('abc'));
    expect(await text()).toBe('abc');
    await staging.promote(key, 3);
    expect(await text()).toBe('abc');
  });

  guarantee(
    'a local file is there during a promotion, or is read again as a blob',
    async (storage) => {
      const { staging } = storage;
      const key = newKey();
      await staging.append(key, 0, pieces('abc'));
      const paths: string[] = [];
      const text = await staging.withLocalFile(key, async (path) => {
        if (paths.push(path) === 1) await staging.promote(key, 3);
        return readFile(path, 'utf8');
      });
      expect(text).toBe('abc');
      // Once, if the file is a copy, which a promotion does not remove.
      expect(paths.length).toBeLessThanOrEqual(2);
    },
  );

  guarantee('passes on what fails on a local file', async ({ staging }) => {
    const key = newKey();
    await staging.append(key, 0, pieces('abc'));
    const error = new Error('mine');
    await expect(staging.withLocalFile(key, () => Promise.reject(error))).rejects.toBe(error);
  });
}

function describeDiscard(guarantee: Guarantee) {
  guarantee('deletes staged bytes, and may be repeated', async ({ staging }) => {
    const key = newKey();
    await staging.append(key, 0, pieces('abc'));
    for (let i = 0; i < 2; i++) await staging.discard(key);
    expect(await entriesOf(staging)).toEqual([]);
    await expect(staging.promote(key, 3)).rejects.toThrow(BlobNotFoundError);
  });

  guarantee('leaves blobs alone, as deleting a blob leaves staged bytes', async (storage) => {
    const { staging, blobs } = storage;
    const [staged, stored] = [newKey(), await promoted(staging, 'abc')];
    await staging.append(staged, 0, pieces('abc'));
    await staging.discard(stored);
    await blobs.delete(staged);
    expect(await entriesOf(staging)).toMatchObject([{ key: staged }]);
    expect(await entriesOf(blobs)).toMatchObject([{ key: stored }]);
  });

  guarantee('after a blob was deleted, its bytes cannot be promoted', async (storage) => {
    const { staging, blobs } = storage;
    const key = await promoted(staging, 'abc');
    await blobs.delete(key);
    await expect(staging.promote(key, 3)).rejects.toThrow(BlobNotFoundError);
  });
}

function describeList(guarantee: Guarantee) {
  guarantee('list returns keys, sizes and times', async ({ staging }) => {
    const before = Date.now() - 2_000;
    const key = newKey();
    await promoted(staging, 'abcd');
    await staging.append(key, 0, pieces('abc'));
    const [entry, ...others] = await entriesOf(staging);
    expect(entry).toMatchObject({ key, sizeBytes: 3 });
    expect(entry!.modifiedAt.getTime()).toBeGreaterThan(before);
    expect(others).toEqual([]);
  });

  guarantee(
    'stat returns the number of staged bytes, and null once they are a blob',
    async (storage) => {
      const { staging } = storage;
      const key = newKey();
      expect(await staging.stat(key)).toBeNull();
      await staging.append(key, 0, pieces('abc'));
      expect(await staging.stat(key)).toEqual({ sizeBytes: 3 });
      await staging.promote(key, 3);
      expect(await staging.stat(key)).toBeNull();
    },
  );

  guarantee('list goes on when bytes vanish while it runs', async ({ staging }) => {
    const keys = await stagedKeys(staging, 100);
    const remove = () => Promise.all(keys.map((key) => staging.discard(key)));
    expect(await countWhile(staging, remove)).toBeLessThan(100);
    expect(await entriesOf(staging)).toEqual([]);
  });

  guarantee('bytes that are promoted meanwhile are in one of both lists', async (storage) => {
    const { staging, blobs } = storage;
    const keys = await stagedKeys(staging, 100);
    const listed = new Set<string>();
    for await (const { key } of staging.list()) {
      if (listed.size === 0) await Promise.all(keys.map((key) => staging.promote(key, 3)));
      listed.add(key);
    }
    for await (const { key } of blobs.list()) listed.add(key);
    expect([...listed].sort()).toEqual(keys.sort());
  });

  guarantee('check passes repeatedly and concurrently, and leaves nothing', async (storage) => {
    const { staging } = storage;
    await Promise.all([staging.check(), staging.check(), staging.check()]);
    await staging.check();
    expect(await entriesOf(staging)).toEqual([]);
  });
}

function describeHostileKeys(guarantee: Guarantee) {
  for (const key of HOSTILE_KEYS) {
    guarantee(`is rejected everywhere: ${JSON.stringify(key)}`, async ({ staging, blobs }) => {
      const calls = [
        () => staging.append(key, 0, pieces('x')),
        () => staging.read(key),
        () => staging.stat(key),
        () => staging.withLocalFile(key, async () => undefined),
        () => staging.promote(key, 0),
        () => staging.discard(key),
      ];
      for (const call of calls) await expect(call()).rejects.toThrow(/^Not a blob key/);
      expect([...(await entriesOf(staging)), ...(await entriesOf(blobs))]).toEqual([]);
    });
  }
}

/** Stages these bytes under a new key and promotes them. Returns the key. */
export async function promoted(staging: Staging, content: string): Promise<string> {
  const key = newKey();
  await staging.promote(key, await staging.append(key, 0, pieces(content)));
  return key;
}

async function stagedKeys(staging: Staging, count: number): Promise<string[]> {
  const keys = Array.from({ length: count }, newKey);
  await Promise.all(keys.map((key) => staging.append(key, 0, pieces('abc'))));
  return keys;
}
