import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import type { ByteSource } from '../../../src/media/file/details.ts';
import { createDetailsReader, type DetailsLimits } from '../../../src/media/file/reader.ts';
import { fixtureBytes } from '../../support/bytes.ts';
import { detailsOf, watchedSource } from './details-source.ts';

async function withReader(
  work: (reader: ReturnType<typeof createDetailsReader>) => Promise<void>,
  limits?: Partial<DetailsLimits>,
): Promise<void> {
  const reader = createDetailsReader(limits);
  await work(reader).finally(reader.stop);
}

const sourceOf = (name: string) => watchedSource(fixtureBytes(name)).source;
/** A source that never returns any bytes. */
const SILENT: ByteSource = { sizeBytes: 1000, read: () => new Promise(() => undefined) };

test('the process reads the same details as this one, of many files at once', () =>
  withReader(async ({ read }) => {
    const names = ['photo-with-details.jpg', 'phone.mov', 'sound.mp3', 'document-with-text.pdf'];
    const kinds = ['image', 'video', 'audio', 'pdf'] as const;
    const found = await Promise.all(names.map((name, i) => read(sourceOf(name), kinds[i]!)));
    expect(found).toEqual(await Promise.all(names.map((name) => detailsOf(name))));
  }));

test('a file that takes too long says nothing, and the next one is read', () =>
  withReader(
    async ({ read }) => {
      expect(await read(SILENT, 'image')).toEqual({});
      // A process that has just started may take as long: it is tried until it is fast enough.
      await vi.waitUntil(
        async () => (await read(sourceOf('photo-with-details.jpg'), 'image')).iso,
        {
          timeout: 60_000,
        },
      );
    },
    { timeoutMs: 2000 },
  ));

test('a file that needs too much memory ends the process, and nothing else', () =>
  withReader(
    async ({ read }) => {
      expect(await read(sourceOf('phone.mov'), 'video')).toEqual({});
      expect(await read(sourceOf('phone.mov'), 'video')).toEqual({});
    },
    { heapMiB: 2 },
  ));

test.each([{ readBytesMax: 100 }, { readsMax: 0 }])(
  'a file of which more would be read than %j says nothing',
  (limits) =>
    withReader(async ({ read }) => {
      const { source, read: done } = watchedSource(fixtureBytes('phone.mov'));
      expect(await read(source, 'video')).toEqual({});
      expect(done.bytes).toBe(0);
    }, limits),
);

test('an error of the storage is not hidden, and the next file is read', () =>
  withReader(async ({ read }) => {
    const lost = new Error('lost');
    const failing = { sizeBytes: 10, read: () => Promise.reject(lost) };
    await expect(read(failing, 'image')).rejects.toBe(lost);
    expect(await read(sourceOf('photo-with-details.jpg'), 'image')).toMatchObject({ iso: 400 });
  }));

test('a read ends when it is aborted, before and during its turn', () =>
  withReader(async ({ read }) => {
    const stopped = new Error('stopped');
    await expect(read(SILENT, 'image', AbortSignal.abort(stopped))).rejects.toBe(stopped);
    const controller = new AbortController();
    const asked = Promise.withResolvers<void>();
    const source: ByteSource = {
      sizeBytes: 10,
      read() {
        asked.resolve();
        return SILENT.read(0, 1);
      },
    };
    const details = read(source, 'image', controller.signal);
    await asked.promise;
    controller.abort(stopped);
    await expect(details).rejects.toBe(stopped);
  }));

test('the process ends after a time without work, and starts again', () =>
  withReader(
    async ({ read }) => {
      for (let turn = 0; turn < 3; turn++) {
        expect(await read(sourceOf('document.pdf'), 'pdf')).toEqual({ pageCount: 1 });
        await sleep(20);
      }
    },
    { idleMs: 1 },
  ));
