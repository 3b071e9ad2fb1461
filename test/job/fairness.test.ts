import { expect, it, vi } from 'vitest';
import type { JobClass } from '../../src/domain/job/class.ts';
import { enqueueJob } from '../../src/domain/job/enqueue.ts';
import type { Tasks } from '../../src/job/task.ts';
import { type TestServices, user, withServices } from '../support/app.ts';
import { describeEachBackend } from '../support/backend.ts';
import { createGate, withWorker } from '../support/worker.ts';

const UUID = '00000000-0000-4000-8000-000000000001';

/** Arguments whose `blob_keys`, or else the job's id, name the job. */
function add(
  services: TestServices,
  viewer: string,
  name: string,
  jobClass: JobClass = 'delete-blob',
) {
  const ctx = services.as(user(viewer));
  const args =
    jobClass === 'import-url'
      ? { url: `https://example.org/${name}` }
      : jobClass === 'delete-blob'
        ? { blob_keys: [name] }
        : { media_uuid: UUID };
  return enqueueJob(ctx, jobClass, args as never);
}

describeEachBackend('the jobs of a class', (backend) => {
  it('of several clients take turns, whatever one of them has waiting', () =>
    withServices(backend, async (services) => {
      for (let index = 1; index <= 6; index += 1) await add(services, 'ann', `ann${index}`);
      const order: string[] = [];
      const tasks: Tasks = {
        'delete-blob': async (_ctx, { blob_keys }) => {
          order.push(blob_keys[0] ?? '');
          // Arrives when two of the others have run.
          if (order.length === 2) {
            await add(services, 'bob', 'bob1');
            await add(services, 'bob', 'bob2');
            await add(services, 'eve', 'eve1');
          }
        },
      };
      await withWorker(
        services,
        tasks,
        () => vi.waitUntil(() => order.length === 9, { timeout: 60_000 }),
        { concurrency: 1 },
      );
      expect(order).toEqual([
        ...['ann1', 'ann2'],
        // One of each, then the next of each.
        ...['ann3', 'bob1', 'eve1', 'ann4', 'bob2', 'ann5', 'ann6'],
      ]);
    }));

  it('that wait for other servers do not hold up the others', () =>
    withServices(backend, async (services) => {
      const gate = createGate();
      for (const viewer of ['ann', 'bob', 'eve']) {
        for (let index = 0; index < 5; index += 1)
          await add(services, viewer, `${index}`, 'import-url');
      }
      const order: string[] = [];
      const tasks: Tasks = {
        'import-url': (_ctx, _args, { jobId, signal }) => gate.pass(`${jobId}`, signal),
        'delete-blob': async (_ctx, { blob_keys }) => void order.push(blob_keys[0] ?? ''),
      };
      await withWorker(
        services,
        tasks,
        async () => {
          await gate.reached(2);
          await add(services, 'eve', 'thumbnail');
          await vi.waitUntil(() => order.length === 1, { timeout: 60_000 });
          expect(gate.waiting).toHaveLength(2);
          gate.open();
          await gate.reached(15);
        },
        { concurrency: 1 },
      );
    }));

  it('and that wait for other servers run for different clients', () =>
    withServices(backend, async (services) => {
      const gate = createGate();
      const owners = new Map<number, string>();
      const enqueue = async (viewer: string) => {
        const { job } = await add(services, viewer, viewer, 'import-url');
        owners.set(job.id, viewer);
      };
      for (let index = 0; index < 5; index += 1) await enqueue('ann');
      const tasks: Tasks = {
        'import-url': (_ctx, _args, { jobId, signal }) =>
          gate.pass(owners.get(jobId) ?? '', signal),
      };
      await withWorker(services, tasks, async () => {
        await gate.reached(1);
        await enqueue('bob');
        await gate.reached(2);
        expect(gate.waiting).toEqual(['ann', 'bob']);
        gate.open();
        await gate.reached(6);
      });
    }));
});
