import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openPaths, withFileStorage } from './file-storage.ts';
import type { Storage } from './staging-contract.ts';

type Area = 'stored' | 'staging';

/** Declares the tests of the check of the directory `area`; `other` is beside it. */
export function testCheck(area: Area, other: Area, check: (storage: Storage) => Promise<void>) {
  test('check fails, and leaves nothing behind, when the directory is gone', () =>
    withFileStorage(async ({ directory, ...storage }) => {
      await rm(join(directory, area), { recursive: true });
      await expect(check(storage)).rejects.toThrow('ENOENT');
      expect(await readdir(directory, { recursive: true })).toEqual([other]);
    }));

  test('check leaves no file', () =>
    withFileStorage(async ({ directory, ...storage }) => {
      await check(storage);
      expect(await readdir(join(directory, area))).toEqual([]);
    }));
}

/** Declares a test of each action: it leaves no file open, also if it fails. `how` says what storage it runs on. */
export function testHandles(
  actions: Readonly<Record<string, (storage: Storage) => Promise<unknown>>>,
  how: string,
  withStorage = withFileStorage,
) {
  test.each(Object.entries(actions))(`none stays open when %s (${how})`, (_, work) =>
    withStorage(async ({ directory, ...storage }) => {
      await work(storage).catch(() => {});
      await expect.poll(() => openPaths(directory)).toEqual([]);
    }),
  );
}
