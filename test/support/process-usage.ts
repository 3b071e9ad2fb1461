import { readdir, readFile } from 'node:fs/promises';

/** What a process and its children use. */
export interface ProcessUsage {
  rssBytes: number;
  /** Open file descriptors of the process itself. */
  descriptors: number;
}

/** Returns what a process uses now. On Linux only, by `/proc`. */
export async function usageOf(pid: number): Promise<ProcessUsage> {
  const pids = await familyOf(pid);
  const sizes = await Promise.all(pids.map(residentBytes));
  const rssBytes = sizes.reduce((sum, size) => sum + size, 0);
  return { rssBytes, descriptors: (await readdir(`/proc/${pid}/fd`)).length };
}

/** Returns the highest RSS while `work` runs, and its result. Looks every 50 ms. */
export async function peakRssOf<T>(
  pid: number,
  work: () => Promise<T>,
): Promise<{ peakBytes: number; result: T }> {
  let peakBytes = 0;
  let isOver = false;
  const look = async () => {
    const { rssBytes } = await usageOf(pid);
    peakBytes = Math.max(peakBytes, rssBytes);
  };
  const watch = (async () => {
    while (!isOver) {
      await look();
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  })();
  try {
    const result = await work();
    await look();
    return { peakBytes, result };
  } finally {
    isOver = true;
    await watch;
  }
}

async function familyOf(pid: number): Promise<number[]> {
  const tasks = await readdir(`/proc/${pid}/task`);
  const lists = await Promise.all(
    tasks.map((task) => readFile(`/proc/${pid}/task/${task}/children`, 'utf8').catch(() => '')),
  );
  const children = lists.flatMap((list) => list.split(' ').filter(Boolean).map(Number));
  return [pid, ...children];
}

async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/^VmRSS:\s*(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
}
