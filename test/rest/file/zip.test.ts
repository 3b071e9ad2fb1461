import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { toZip } from '../../../src/rest/file/zip.ts';

const FILES = 3000;

async function* makeEntries(mimeType: string, sizeBytes: number) {
  for (let number = 0; number < FILES; number++) {
    const bytes = Buffer.allocUnsafeSlow(sizeBytes).fill(number);
    const isNearTheEnd = number > 0.95 * FILES;
    yield { mimeType, sizeBytes, modifiedAt: new Date(0), path: `${number}`, bytes, isNearTheEnd };
  }
}

test.for([
  // All files together have 57 MiB.
  ['stored', 'image/jpeg', 20_000],
  // Each takes an output buffer of 16 KiB: 47 MiB.
  ['compressed', 'text/plain', 10],
] as const)(
  'an archive keeps nothing of the %s files that it has sent',
  async ([, type, bytes]) => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const heldBytes = async () => {
      // V8 frees memory outside of its heap a turn after the objects.
      for (let turn = 0; turn < 3; turn++) {
        collect();
        await setImmediate();
      }
      return process.memoryUsage().arrayBuffers;
    };
    const before = await heldBytes();
    let held: number | null = null;
    async function* watchedEntries() {
      for await (const entry of makeEntries(type, bytes)) {
        if (entry.isNearTheEnd) held ??= (await heldBytes()) - before;
        yield entry;
      }
    }
    for await (const _ of toZip(watchedEntries()));
    expect(held).not.toBeNull();
    expect(held).toBeLessThan(8 * 2 ** 20);
  },
);
