import { readdir, readlink } from 'node:fs/promises';
import { vi } from 'vitest';

/** Throws if this process keeps a file below the directory open. Checks on Linux only, by `/proc`. */
export async function checkNoOpenFiles(directory: string): Promise<void> {
  if (process.platform !== 'linux') return;
  // The file of a stream is closed a moment after the stream.
  await vi.waitFor(async () => {
    const left = (await openPaths()).filter((path) => path.startsWith(directory));
    if (left.length > 0) throw new Error(`Files were left open: ${left.join(', ')}`);
  });
}

async function openPaths(): Promise<string[]> {
  const handles = await readdir('/proc/self/fd');
  return Promise.all(handles.map((handle) => readlink(`/proc/self/fd/${handle}`).catch(() => '')));
}
