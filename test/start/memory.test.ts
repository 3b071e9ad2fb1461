import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { collectWhenIdle } from '../../src/start/idle.ts';
import { withDataDir, withServerProcess } from '../support/process.ts';

describe.skipIf(!existsSync('/proc/self/cmdline'))('the process of the server', () => {
  it('has the flags that save memory, and one environment', () =>
    withServer({}, async (pid) => {
      expect(await readArguments(pid)).toContain('--max-semi-space-size=8');
      expect(await readFile(`/proc/${pid}/environ`, 'utf8')).toContain('MALLOC_ARENA_MAX=2');
    }));

  it('keeps the flags and the variables of the operator', () => {
    const variables = { NODE_OPTIONS: '--max-semi-space-size=16', MALLOC_ARENA_MAX: '7' };
    return withServer(variables, async (pid) => {
      expect(await readArguments(pid)).not.toContain('--max-semi-space-size=8');
      expect(await readFile(`/proc/${pid}/environ`, 'utf8')).toContain('MALLOC_ARENA_MAX=7');
    });
  });

  it('has written its compile cache, though it is killed', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'trivium-cache-'));
    // A process that reads may still write its own part.
    onTestFinished(() => rm(directory, { recursive: true, maxRetries: 20 }));
    await withServer({ NODE_COMPILE_CACHE: directory }, async () => undefined);
    const files = await readdir(directory, { recursive: true });
    expect(files.length).toBeGreaterThan(1000);
  });
});

describe('an idle process', () => {
  /** Runs the intervals with these loads, and returns the number of collections after each. */
  function collectionsAfter(loads: readonly number[]): number[] {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const collect = vi.fn();
    let load = 0;
    const stop = collectWhenIdle({ intervalMs: 20, collect, measure: () => load });
    const counts = loads.map((next) => {
      load = next;
      vi.advanceTimersByTime(20);
      return collect.mock.calls.length;
    });
    stop();
    return counts;
  }

  const idle = (intervals: number) => Array(intervals).fill(0);

  it('frees memory once after its start, and again only after work', () => {
    expect(collectionsAfter(idle(100)).at(-1)).toBe(1);
    expect(collectionsAfter([...idle(50), 0.5, ...idle(50)]).at(-1)).toBe(2);
    // A little work, as of timers, leaves nothing to free.
    expect(collectionsAfter([...idle(50), 0.05, ...idle(50)]).at(-1)).toBe(1);
  });

  it('frees none while it works, nor soon after it has freed some', () => {
    expect(collectionsAfter(Array(100).fill(0.5)).at(-1)).toBe(0);
    expect(collectionsAfter([0, 0.5, ...idle(20)]).at(-1)).toBe(1);
  });

  it('measures its load by itself', async () => {
    const collect = vi.fn();
    onTestFinished(collectWhenIdle({ intervalMs: 20, collect }));
    for (let round = 0; round < 20; round += 1) {
      work(30);
      await sleep(1);
    }
    expect(collect).not.toHaveBeenCalled();
  });
});

/** Keeps the event loop busy. */
function work(ms: number): void {
  for (const endsAt = performance.now() + ms; performance.now() < endsAt; );
}

async function readArguments(pid: number): Promise<string[]> {
  return (await readFile(`/proc/${pid}/cmdline`, 'utf8')).split('\0');
}

/** Runs `work` with the process id of a server, then kills the server. */
function withServer(
  variables: Record<string, string>,
  work: (pid: number) => Promise<void>,
): Promise<void> {
  return withDataDir((dataDir) =>
    withServerProcess({ TRIVIUM_DATA_DIR: dataDir, ...variables }, ({ child }) => work(child.pid!)),
  );
}
