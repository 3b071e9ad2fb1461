import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, vi } from 'vitest';
import { watchJobs } from '../../src/domain/subscription.ts';
import { TaskError, type Tasks } from '../../src/job/task.ts';
import { type TestServices, user, withServices } from '../support/app.ts';
import { describeEachBackend } from '../support/backend.ts';
import { addJob, createGate, jobIn, readJob, withWorker } from '../support/worker.ts';

describeEachBackend('the progress of a job', (backend) => {
  it('is told at once to who watches, and is 1 only when the job is completed', () =>
    withServices(backend, async (services) => {
      const told: [string, number][] = [];
      const gate = createGate();
      const fractions = [0.25, 0.1, Number.NaN, 0.25, 0.5, 1, 7];
      const tasks: Tasks = {
        'delete-blob': async (ctx, _args, { jobId, progress }) => {
          for (const fraction of fractions) {
            progress(fraction);
            // Before anything of it is written: writes wait for a quarter of a second.
            await sleep(30);
            // What else happens to the job is read from the database, which is behind.
            if (fraction === 0.25) ctx.events.publish({ type: 'job', id: jobId });
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

  it('is written at most four times a second, however often it is told', () =>
    withServices(backend, async (services) => {
      let toldTimes = 0;
      const tasks: Tasks = {
        'delete-blob': async (_ctx, _args, { progress }) => {
          const begun = performance.now();
          for (let at = 0; at < 1; at = (performance.now() - begun) / 1100) {
            progress(at);
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
          { timeout: 5000, interval: 20 },
        );
        await jobIn(services, id, 'completed');
      });
      const isWrite = (text: string) => text.startsWith('update "job" set "progress"');
      const writes = services.statements.filter(isWrite).length;
      expect(toldTimes).toBeGreaterThan(50);
      expect(writes).toBeGreaterThanOrEqual(2);
      expect(writes).toBeLessThanOrEqual(5);
    }));

  it('is 0 again when the job waits for its next try, and when it has failed for good', () =>
    withServices(backend, async (services) => {
      const tasks: Tasks = {
        'delete-blob': async (_ctx, _args, { progress }) => {
          progress(0.5);
          await sleep(300);
          throw new TaskError('No.');
        },
      };
      const id = await addJob(services);
      await services.db.updateTable('job').set({ max_retries: 1 }).execute();
      await withWorker(services, tasks, async () => {
        const reached = async (status: string, progress: number) =>
          expect(await readJob(services, id)).toMatchObject({ status, progress });
        await vi.waitFor(() => reached('running', 0.5), { interval: 5 });
        await vi.waitFor(() => reached('pending', 0), { interval: 5 });
        services.advance(5000);
        await vi.waitFor(() => reached('running', 0.5), { interval: 5 });
        await vi.waitFor(() => reached('errored', 0), { interval: 5 });
      });
    }));
});

/** Notes what a subscriber is told while work goes on. */
async function watching(
  services: TestServices,
  told: [string, number][],
  work: () => Promise<void>,
): Promise<void> {
  const controller = new AbortController();
  const ctx = services.as(user('alice', 'reader'));
  const jobs = watchJobs(ctx, { id: undefined, filter: {} }, controller.signal);
  const reading = (async () => {
    for await (const { status, progress } of jobs) told.push([status, progress]);
  })();
  await work().finally(() => controller.abort());
  await reading;
}
