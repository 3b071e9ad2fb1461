import { existsSync, statSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import sharp from 'sharp';
import { expect, test, vi } from 'vitest';
import { PreviewError } from '../../../src/media/preview/decoder.ts';
import { createPreviewer, type PreviewLimits } from '../../../src/media/preview/previewer.ts';
import { shadesOf } from '../../support/image.ts';

const registry = pathToFileURL(join(import.meta.dirname, '../../support/preview-decoders.ts')).href;
const BOUNDS = { cpuMs: 2000, memoryBytesMax: 400 * 2 ** 20 };

type Draw = (decoder: string, signal?: AbortSignal) => Promise<{ bytes: Buffer }>;

/** Runs `work` with the decoders that misbehave, and with the path of the file that they draw. */
async function withDecoders(
  work: (draw: Draw, path: string) => Promise<void>,
  limits: Partial<PreviewLimits> = {},
): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'trivium-test-'));
  const path = join(directory, 'file');
  const previewer = createPreviewer({
    ...{ registry, searchPath: '/usr/bin:/bin', limits: { ...BOUNDS, ...limits } },
  });
  const draw: Draw = (decoder, signal) =>
    previewer.draw({ path, decoder, mimeType: `test/${decoder}` }, signal);
  try {
    await work(draw, path);
  } finally {
    await previewer.stop();
    await rm(directory, { recursive: true });
  }
}

test('an image in memory, in a file or as pixels becomes a WebP', () =>
  withDecoders(async (draw) => {
    for (const decoder of ['good', 'stored']) {
      const preview = await draw(decoder);
      expect(preview).toMatchObject({ width: 60, height: 40 });
      expect((await sharp(preview.bytes).metadata()).format).toBe('webp');
      expect(await shadesOf(preview.bytes)).toBe('red red red red red');
    }
    expect(await draw('good')).toHaveProperty('pageCount', 3);
    const pixels = await draw('pixels');
    expect(pixels).toMatchObject({ width: 20, height: 40 });
    expect(await shadesOf(pixels.bytes)).toBe('blue blue blue blue blue');
  }));

test('an image is scaled down to the longest side', () =>
  withDecoders(
    async (draw) => {
      expect(await draw('good')).toMatchObject({ width: 30, height: 20 });
      expect(await draw('pixels')).toMatchObject({ width: 15, height: 30 });
    },
    { sideMax: 30 },
  ));

test.each([
  ['no-image', /^The file cannot be read by its decoder\.$/],
  ['reason', /^The file is too strange\.$/],
  // The path is no one's business.
  ['error', /^The file cannot be read by its decoder\.$/],
  ['loop', /takes too long/],
  ['memory', /needs too much memory/],
])('a decoder with %s says why, and the next file is drawn', (decoder, reason) =>
  withDecoders(async (draw) => {
    const failing = draw(decoder);
    const next = draw('good');
    const error = await failing.catch((error: unknown) => error);
    expect(error).toBeInstanceOf(PreviewError);
    expect((error as Error).message).toMatch(reason);
    expect(await next).toMatchObject({ width: 60 });
  }),
);

test('a decoder that waits for ever is given up, and the next file is drawn', () =>
  withDecoders(
    async (draw) => {
      await expect(draw('sleep')).rejects.toThrow(/takes too long/);
      // A process that has just started may take as long.
      await vi.waitUntil(() => draw('good').catch(() => null), { timeout: 60_000 });
    },
    { timeoutMs: 3000 },
  ));

test.each(['crash', 'exit'])(
  'a decoder with %s is tried again, and the next file is drawn',
  (decoder) =>
    withDecoders(async (draw) => {
      const [crashed, next] = await Promise.allSettled([draw(decoder), draw('good')]);
      expect(crashed).toMatchObject({ reason: { message: expect.stringMatching(/has ended/) } });
      expect(crashed).not.toHaveProperty('reason', expect.any(PreviewError));
      expect(next).toMatchObject({ value: { width: 60 } });
    }),
);

test('a drawing that is aborted before its turn does not begin, and the next file is drawn', () =>
  withDecoders(async (draw) => {
    const running = new AbortController();
    const waiting = new AbortController();
    const why = new Error('enough');
    const both = Promise.allSettled([draw('sleep', running.signal), draw('good', waiting.signal)]);
    waiting.abort(why);
    running.abort(why);
    expect(await both).toEqual(Array(2).fill({ status: 'rejected', reason: why }));
    expect(await draw('good')).toMatchObject({ width: 60 });
  }));

test('a program that a decoder has started ends with it, and its directory is deleted', () =>
  withDecoders(async (draw, path) => {
    await expect(draw('program')).rejects.toThrow(/takes too long/);
    await expectNothingLeft(path);
  }));

test('the directory of a drawing is deleted after the programs that write to it have ended', () =>
  withDecoders(async (draw, path) => {
    const running = new AbortController();
    const why = new Error('enough');
    const aborted = expect(draw('writer', running.signal)).rejects.toBe(why);
    await vi.waitUntil(() => existsSync(path) && statSync(path).size > 0, { timeout: 60_000 });
    running.abort(why);
    await aborted;
    await expectNothingLeft(path);
    expect(await draw('good')).toMatchObject({ width: 60 });
  }));

/** Expects that neither the program nor the directory is left that a decoder has named in a file. */
async function expectNothingLeft(path: string): Promise<void> {
  const [pid, directory = ''] = (await readFile(path, 'utf8')).split(' ');
  expect(Number(pid)).toBeGreaterThan(1);
  expect(directory).toContain('trivium-preview-');
  await vi.waitUntil(() => !isRunning(Number(pid)));
  expect(existsSync(directory)).toBe(false);
}

/** A process that has ended may wait for its parent. */
function isRunning(pid: number): boolean {
  return existsSync(`/proc/${pid}/exe`);
}
