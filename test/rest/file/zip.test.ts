import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { toZip } from '../../../src/rest/file/zip.ts';

const FILES = 3000;
const FILE_BYTES = 20_000;

async function* makeEntries() {
  for (let number = 0; number < FILES; number++) {
    const bytes = Buffer.allocUnsafeSlow(FILE_BYTES).fill(number);
    const file = { mimeType: 'image/jpeg', sizeBytes: FILE_BYTES, modifiedAt: new Date(0) };
    yield { ...file, path: `${number}.jpg`, bytes };
  }
}

test('an archive keeps nothing of the files that it has sent', async () => {
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
  let sentBytes = 0;
  let held = 0;
  for await (const piece of toZip(makeEntries())) {
    sentBytes += piece.length;
    const isNearTheEnd = sentBytes > 0.95 * FILES * FILE_BYTES;
    if (isNearTheEnd && held === 0) held = (await heldBytes()) - before;
  }
  expect(sentBytes).toBeGreaterThan(FILES * FILE_BYTES);
  // All files have 57 MiB.
  expect(held).toBeLessThan(8 * 2 ** 20);
});
