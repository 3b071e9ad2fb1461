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
  it('frees memory once after its start, and again only after work', async () => {
    const collect = vi.fn();
    const stop = collectWhenIdle({ intervalMs: 50, collect });
    onTestFinished(stop);
    await vi.waitFor(() => expect(collect).toHaveBeenCalledTimes(1), { timeout: 20_000 });
    await sleep(1000);
    expect(collect).toHaveBeenCalledTimes(1);
    work(100);
    await vi.waitFor(() => expect(collect).toHaveBeenCalledTimes(2), { timeout: 20_000 });
  });

  it('frees none while it works', async () => {
    const collect = vi.fn();
    const stop = collectWhenIdle({ intervalMs: 20, collect });
    onTestFinished(stop);
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
