import { readdirSync, readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, test, vi } from 'vitest';
import { planThumbnail } from '../../../src/domain/rendition/plan.ts';
import { DamagedImageError, ImageTooLargeError } from '../../../src/media/probe.ts';
import { LostMotionError } from '../../../src/media/render.ts';
import { renderSet } from '../../../src/media/rendition/image-set.ts';
import { createRenderer, type Renderer } from '../../../src/media/rendition/renderer.ts';

const LIMITS = { pixelsMax: 10_000_000, timeoutMs: 30_000 };
const PLANS = [20, 10].map((side) => planThumbnail({ width: 400, height: 300 }, side));

async function withRenderer(work: (renderer: Renderer) => Promise<void>, idleMs?: number) {
  const renderer = createRenderer(idleMs);
  await work(renderer).finally(renderer.stop);
  await vi.waitFor(() => expect(rendererPids()).toEqual([]));
}

function fixture(name: string): string {
  return join(import.meta.dirname, '../../support/fixture', name);
}

/** Returns the processes that this one has started to render images. Linux only. */
function rendererPids(): number[] {
  const pids = readdirSync('/proc/self/task').flatMap((thread) =>
    readFileSync(`/proc/self/task/${thread}/children`, 'utf8').split(' ').filter(Boolean),
  );
  const isRenderer = (pid: string) =>
    readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('renderer-process');
  return pids.filter(isRenderer).map(Number);
}

describe.skipIf(process.platform !== 'linux')('the process that renders images (Linux)', () => {
  test('makes the same image as this process, at a low priority in all of its threads', () =>
    withRenderer(async (renderer) => {
      const set = await renderer.renderSet(fixture('picture.png'), PLANS, LIMITS);
      expect(set).toEqual(await renderSet(fixture('picture.png'), PLANS, LIMITS));
      const [pid] = rendererPids();
      const threads = readdirSync(`/proc/${pid}/task`);
      expect(threads.length).toBeGreaterThan(4);
      expect(new Set(threads.map((thread) => getPriority(Number(thread))))).toEqual(new Set([10]));
    }));

  test('renders single images, and reports that one would stand still', () =>
    withRenderer(async ({ renderImage }) => {
      const plan = { ...PLANS[0]!, format: 'avif', mayMove: true } as const;
      const image = await renderImage(fixture('picture.png'), plan, LIMITS);
      expect((await sharp(image.bytes).metadata()).compression).toBe('av1');
      const moving = renderImage(fixture('animation.gif'), plan, LIMITS);
      await expect(moving).rejects.toThrow(LostMotionError);
    }));

  test('reports why an image cannot be rendered, and goes on', () =>
    withRenderer(async ({ renderSet }) => {
      const damaged = renderSet(fixture('crc-broken.png'), PLANS, LIMITS);
      await expect(damaged).rejects.toThrow(DamagedImageError);
      const large = renderSet(fixture('picture.png'), PLANS, { ...LIMITS, pixelsMax: 10 });
      await expect(large).rejects.toThrow(ImageTooLargeError);
      await expect(renderSet(fixture('none.png'), PLANS, LIMITS)).rejects.toThrow('ENOENT');
      expect((await renderSet(fixture('picture.png'), PLANS, LIMITS)).images[0]?.width).toBe(20);
    }));

  test('fails the images that it renders if it dies, and is started again', () =>
    withRenderer(async ({ renderSet }) => {
      const image = renderSet(fixture('picture.png'), PLANS, LIMITS);
      process.kill(rendererPids()[0]!, 'SIGKILL');
      await expect(image).rejects.toThrow('has ended');
      expect((await renderSet(fixture('picture.png'), PLANS, LIMITS)).images[0]?.width).toBe(20);
    }));

  test('ends when there has been no image for a while', () =>
    withRenderer(async ({ renderSet }) => {
      for (const _ of [1, 2]) {
        await renderSet(fixture('picture.png'), PLANS, LIMITS);
        await vi.waitFor(() => expect(rendererPids()).toEqual([]));
      }
    }, 1));
});
