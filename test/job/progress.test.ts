import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, vi } from 'vitest';
import { watchJobs } from '../../src/domain/job/watch.ts';
import { TaskError, type Tasks } from '../../src/job/task.ts';
import { type TestServices, user, withServices } from '../support/app.ts';
import { describeEachBackend } from '../support/backend.ts';
import { addJob, createGate, jobIn, readJob, withWorker } from '../support/worker.ts';

describeEachBackend('the progress of a job', (backend) => {
  it('reaches subscribers at once, and is 1 only when the job is completed', () =>
    withServices(backend, async (services) => {
      const told: [string, number][] = [];
      const gate = createGate();
      const fractions = [
        [0.25, 0.25],
        [0.1, 0.25],
        [Number.NaN, 0.25],
        [0.25, 0.25],
        [0.5, 0.5],
        [1, 0.999],
        [7, 0.999],
      ] as const;
      const tasks: Tasks = {
        'delete-blob': async (ctx, _args, { jobId, progress }) => {
          const isTold = (at: number) =>
            vi.waitUntil(() => told.at(-1)?.join() === `running,${at}`, { interval: 1 });
          await isTold(0);
          for (const [fraction, shown] of fractions) {
            progress(fraction);
            // Several changes between two reads would be one.
            await isTold(shown);
            if (fraction !== 0.25) continue;
            // Other changes of the job are read from the database, whose progress is behind.
            const toldTimes = told.length;
            ctx.events.publish({ type: 'job', id: jobId });
            await vi.waitUntil(() => told.length > toldTimes, { interval: 1 });
          }
          await gate.pass('x');
        },
      };
      await watching(services, told, async () => {
        const id = await addJob(services);
        await withWorker(services, tasks, async () => {
          await vi.waitUntil(() => told.at(-1)?.[1] === 0.999, { interval: 5 });
          gate.open();
          await jobIn(services, id, 'completed');
          await vi.waitUntil(() => told.at(-1)?.[0] === 'completed');
        });
      });
      const running = told.filter(([status]) => status === 'running').map(([, at]) => at);
      expect([...new Set(running)]).toEqual([0, 0.25, 0.5, 0.999]);
      expect(running).toEqual(running.toSorted((one, two) => one - two));
      expect(told.at(-1)).toEqual(['completed', 1]);
    }));

  it('is written at most four times a second, however often it is reported', () =>
    withServices(backend, async (services) => {
      let toldTimes = 0;
      let tookMs = 0;
      const tasks: Tasks = {
        'delete-blob': async (_ctx, _args, { progress }) => {
          const begun = performance.now();
          for (; tookMs < 1100; tookMs = performance.now() - begun) {
            progress(tookMs / 1100);
            toldTimes++;
            await sleep(1);
          }
        },
      };
      const id = await addJob(services);
      services.statements.length = 0;
      await withWorker(services, tasks, async () => {
        await vi.waitFor(
          async () => expect((await readJob(services, id)).progress).toBeGreaterThan(0.1),
          { interval: 20 },
        );
        await jobIn(services, id, 'completed');
      });
      const isWrite = (text: string) => text.startsWith('update "job" set "progress"');
      const writes = services.statements.filter(isWrite).length;
      expect(writes).toBeGreaterThanOrEqual(2);
      expect(writes).toBeLessThanOrEqual(1 + tookMs / 250);
      expect(toldTimes).toBeGreaterThan(2 * writes);
    }));

  it('is 0 again while the job waits for a retry, and after it has failed for good', () =>
    withServices(backend, async (services) => {
      const [first, second] = [createGate(), createGate()];
      const gates = [first, second];
      const tasks: Tasks = {
        'delete-blob': async (_ctx, _args, { progress }) => {
          progress(0.5);
          await gates.shift()?.pass('x');
          throw new TaskError('No.');
        },
      };
      const id = await addJob(services);
      await services.db.updateTable('job').set({ max_retries: 1 }).execute();
      await withWorker(services, tasks, async () => {
        const reached = async (status: string, progress: number) =>
          expect(await readJob(services, id)).toMatchObject({ status, progress });
        await vi.waitFor(() => reached('running', 0.5), { interval: 5 });
        first.open();
        await vi.waitFor(() => reached('pending', 0), { interval: 5 });
        services.advance(5000);
        await vi.waitFor(() => reached('running', 0.5), { interval: 5 });
        second.open();
        await vi.waitFor(() => reached('errored', 0), { interval: 5 });
      });
    }));
});

/** Records the events that a subscriber receives while `work` runs. */
async function watching(
  services: TestServices,
  told: [string, number][],
  work: () => Promise<void>,
): Promise<void> {
  const controller = new AbortController();
  const ctx = services.as(user('alice', 'admin'));
  const jobs = watchJobs(ctx, { id: undefined, filter: {} }, controller.signal);
  const reading = (async () => {
    for await (const { status, progress } of jobs) told.push([status, progress]);
  })();
  await work().finally(() => controller.abort());
  await reading;
}
