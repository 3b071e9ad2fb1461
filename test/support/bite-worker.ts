import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { vi } from 'vitest';
import type { Db } from '../../src/store/db.ts';
import { spawnNode } from './process.ts';
import { skipWaits } from './worker.ts';

/** Starts a process that runs the jobs of large changes. */
export function startBiteWorker(url: string) {
  const child = spawnNode(
    ['test/support/bite-process.ts', url],
    {},
    { stdio: ['ignore', 'inherit', 'inherit'] },
  );
  return { child, exit: once(child, 'exit') };
}

/** Starts a worker and kills it when it has changed some rows, but not all. `count`: the number of rows. */
export async function killInMiddle(
  url: string,
  db: Db,
  count: () => Promise<number>,
): Promise<void> {
  const before = await count();
  const { child, exit } = startBiteWorker(url);
  try {
    await vi.waitUntil(
      async () => {
        await skipWaits(db);
        return (await count()) !== before;
      },
      { timeout: 60_000, interval: 5 },
    );
    await sleep(Math.random() * 50);
  } finally {
    child.kill('SIGKILL');
    await exit;
  }
  await db.updateTable('job').set({ scheduled_at: 0, leased_until: 0 }).execute();
}

/** Lets a worker finish all large changes. */
export async function finishBites(url: string, db: Db, jobClass: string): Promise<void> {
  const { child, exit } = startBiteWorker(url);
  try {
    await vi.waitFor(
      async () => {
        await skipWaits(db);
        const open = db.selectFrom('job').where('job_class', '=', jobClass);
        const left = await open.where('finished_at', 'is', null).select('id').execute();
        if (left.length > 0) throw new Error(`${left.length} jobs are left.`);
      },
      { timeout: 60_000, interval: 50 },
    );
  } finally {
    child.kill('SIGKILL');
    await exit;
  }
}
