import { readdirSync, readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { planThumbnail } from '../../../src/domain/rendition/plan.ts';
import { BrokenImageError, ImageTooLargeError } from '../../../src/media/probe.ts';
import { renderHere } from '../../../src/media/rendition/render-work.ts';
import { createRenderer, type Renderer } from '../../../src/media/rendition/renderer.ts';

const LIMITS = { pixelsMax: 10_000_000, timeoutMs: 30_000 };
const PLAN = planThumbnail({ width: 400, height: 300 }, 20);

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
    withRenderer(async ({ render }) => {
      const image = await render(fixture('picture.png'), PLAN, LIMITS);
      expect(image).toEqual(await renderHere(fixture('picture.png'), PLAN, LIMITS));
      const [pid] = rendererPids();
      const threads = readdirSync(`/proc/${pid}/task`);
      expect(threads.length).toBeGreaterThan(4);
      expect(new Set(threads.map((thread) => getPriority(Number(thread))))).toEqual(new Set([10]));
    }));

  test('reports why an image cannot be rendered, and goes on', () =>
    withRenderer(async ({ render }) => {
      const damaged = render(fixture('crc-broken.png'), PLAN, LIMITS);
      await expect(damaged).rejects.toThrow(BrokenImageError);
      const large = render(fixture('picture.png'), PLAN, { ...LIMITS, pixelsMax: 10 });
      await expect(large).rejects.toThrow(ImageTooLargeError);
      await expect(render(fixture('none.png'), PLAN, LIMITS)).rejects.toThrow('ENOENT');
      expect((await render(fixture('picture.png'), PLAN, LIMITS)).width).toBe(20);
    }));

  test('fails the images that it renders if it dies, and is started again', () =>
    withRenderer(async ({ render }) => {
      const image = render(fixture('picture.png'), PLAN, LIMITS);
      process.kill(rendererPids()[0]!, 'SIGKILL');
      await expect(image).rejects.toThrow('has ended');
      expect((await render(fixture('picture.png'), PLAN, LIMITS)).width).toBe(20);
    }));

  test('ends when there has been no image for a while', () =>
    withRenderer(async ({ render }) => {
      for (const _ of [1, 2]) {
        await render(fixture('picture.png'), PLAN, LIMITS);
        await vi.waitFor(() => expect(rendererPids()).toEqual([]));
      }
    }, 1));
});
