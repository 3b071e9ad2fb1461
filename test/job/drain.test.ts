import { expect, it, vi } from 'vitest';
import type { Tasks } from '../../src/job/task.ts';
import { withServices } from '../support/app.ts';
import { describeEachBackend } from '../support/backend.ts';
import { addJob, makeWorker } from '../support/worker.ts';

/** Number of jobs; more with TEST_JOBS. `npm run bench jobs` drains 10,000. */
const JOBS = Number(process.env.TEST_JOBS ?? 300);

describeEachBackend('four workers at one queue', (backend) => {
  it(`run each of ${JOBS} jobs exactly once`, () =>
    withServices(backend, async (services) => {
      const names = Array.from({ length: JOBS }, (_, index) => `job ${index}`);
      for (const name of names) await addJob(services, name);
      const ran: string[] = [];
      const tasks: Tasks = {
        'delete-blob': async (_ctx, { blob_keys: [name = ''] }) => void ran.push(name),
      };
      const workers = [1, 2, 3, 4].map(() => makeWorker(services, tasks, { concurrency: 2 }));
      for (const worker of workers) worker.start();
      const done = services.db.selectFrom('job').where('status', '=', 'completed').select('id');
      try {
        await vi.waitFor(async () => expect(await done.execute()).toHaveLength(JOBS), {
          timeout: 60_000,
          interval: 20,
        });
      } finally {
        await Promise.all(workers.map((worker) => worker.stop()));
      }
      expect(ran.toSorted()).toEqual(names.toSorted());
      const attempts = await services.db.selectFrom('job_attempt').selectAll().execute();
      expect(attempts).toHaveLength(JOBS);
      expect(new Set(attempts.map(({ job_id }) => job_id)).size).toBe(JOBS);
      expect(new Set(attempts.map(({ worker }) => worker)).size).toBe(4);
    }));
});
