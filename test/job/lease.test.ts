import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, vi } from 'vitest';
import { signalJob } from '../../src/domain/job/signal.ts';
import type { Run, Tasks } from '../../src/job/task.ts';
import { type TestServices, user, withServices } from '../support/app.ts';
import { describeEachBackend } from '../support/backend.ts';
import {
  addJob,
  attemptsOf,
  createGate,
  jobIn,
  makeWorker,
  readJob,
  withWorker,
} from '../support/worker.ts';

const ADMIN = user('root', 'admin');
const LEASE_MS = 60_000;

describeEachBackend('a job whose worker is lost', (backend) => {
  it('runs again on another worker, at the cost of a retry', () =>
    withServices(backend, async (services) => {
      const id = await loseJob(services);
      services.advance(LEASE_MS);
      await withWorker(services, passing(), async () => {
        await sleep(40);
        expect(await readJob(services, id)).toMatchObject({ status: 'running' });
      });
      services.advance(1);
      const job = await withWorker(services, passing(), () => jobIn(services, id, 'completed'));
      expect(job).toMatchObject({ retryCount: 1, progress: 1, error: null });
      expect(await attemptsOf(services, id)).toMatchObject([
        { number: 1, worker: 'dead', error: 'WorkerLostError: The worker was lost.' },
        { number: 2, error: null },
      ]);
    }));

  it('waits for the rest of the retry delay', () =>
    withServices(backend, async (services) => {
      const id = await loseJob(services, { retry_count: 4 });
      const heardOf = services.clock();
      services.advance(LEASE_MS + 1);
      const job = await withWorker(services, passing(), () => jobIn(services, id, 'pending'));
      expect(job.scheduledAt.getTime() - heardOf).toBe(320_000);
    }));

  it('is errored when it has no retries left, so that it cannot kill workers for ever', () =>
    withServices(backend, async (services) => {
      const id = await loseJob(services, { retry_count: 10 });
      services.advance(LEASE_MS + 1);
      const job = await withWorker(services, passing(), () => jobIn(services, id, 'errored'));
      expect(job.error).toBe('WorkerLostError: The worker was lost.');
    }));

  it('is cancelled if a user has asked for it', () =>
    withServices(backend, async (services) => {
      const id = await loseJob(services, { cancel_requested_at: 1 });
      services.advance(LEASE_MS + 1);
      await withWorker(services, passing(), () => jobIn(services, id, 'cancelled'));
    }));

  it('stays with a worker that sends heartbeats, however long it takes', () =>
    withServices(backend, async (services) => {
      const gate = createGate();
      const id = await addJob(services);
      const slow = waiting(gate);
      const beating = { leaseMs: LEASE_MS, heartbeatMs: 10 };
      await withWorker(
        services,
        slow,
        async () => {
          await gate.reached(1);
          const other = makeWorker(services, slow, beating);
          other.start();
          for (let minutes = 0; minutes < 5; minutes++) {
            services.advance(LEASE_MS / 2);
            const isHeardOf = async () => (await rowOf(services, id)).heartbeat_at;
            await vi.waitFor(async () => expect(await isHeardOf()).toBe(services.clock()));
            // So that the other worker looks as well.
            await sleep(30);
          }
          gate.open();
          await jobIn(services, id, 'completed');
          await other.stop();
        },
        beating,
      );
      expect(gate.waiting).toHaveLength(1);
      expect(await attemptsOf(services, id)).toHaveLength(1);
    }));
});

describeEachBackend('a worker that has lost its lease', (backend) => {
  it.each(['completes', 'fails', 'reports progress'])(
    'has no effect on the job when it %s',
    (what) =>
      withServices(backend, async (services) => {
        const gate = createGate();
        const id = await addJob(services);
        const task: Tasks = {
          'delete-blob': async (_ctx, _args, run) => {
            await gate.pass('old');
            if (what === 'reports progress') {
              run.progress(0.7);
              await sleep(300);
            }
            if (what === 'fails') throw new Error('Too late.');
          },
        };
        await withWorker(services, task, async () => {
          await gate.reached(1);
          await giveAway(services, id);
          gate.open();
          await sleep(what === 'reports progress' ? 400 : 50);
        });
        const job = { status: 'running', progress: 0.2, retry_count: 0, worker: 'new' };
        expect(await rowOf(services, id)).toMatchObject({ ...job, lease_token: 'another' });
        expect(await attemptsOf(services, id)).toMatchObject([{ finished_at: null, error: null }]);
      }),
  );

  it('aborts the run at its next heartbeat', () =>
    withServices(backend, async (services) => {
      const gate = createGate();
      const id = await addJob(services);
      const { task, endOf } = observing(gate);
      await withWorker(
        services,
        task,
        async () => {
          await gate.reached(1);
          await giveAway(services, id);
          await vi.waitFor(() => expect(endOf()).toMatchObject({ reason: 'lost' }));
        },
        { heartbeatMs: 10 },
      );
    }));

  it('aborts the run if it cannot extend the lease, before another worker may start', () =>
    withServices(backend, async (services) => {
      const gate = createGate();
      await addJob(services);
      const { task, endOf } = observing(gate);
      // As if the database could not be reached within the lease.
      await withWorker(
        services,
        task,
        () => vi.waitFor(() => expect(endOf()).toMatchObject({ reason: 'lost' })),
        { leaseMs: 100, heartbeatMs: 60_000 },
      );
    }));

  it('sends heartbeats for the next run of the same job, also after the lost run has ended', () =>
    withServices(backend, async (services) => {
      const id = await addJob(services);
      const [first, second] = [createGate(), createGate()];
      let runs = 0;
      // The first run ignores its signal, and so ends after the second one has begun.
      const task: Tasks = { 'delete-blob': () => (runs++ === 0 ? first : second).pass('x') };
      const isDue = { status: 'pending', lease_token: null, leased_until: null } as const;
      await withWorker(
        services,
        task,
        async () => {
          await first.reached(1);
          await services.db.updateTable('job').set(isDue).where('id', '=', id).execute();
          await second.reached(1);
          first.open();
          await sleep(30);
          services.advance(1000);
          await vi.waitFor(async () => {
            expect(await rowOf(services, id)).toMatchObject({ heartbeat_at: services.clock() });
          });
          second.open();
          await jobIn(services, id, 'completed');
        },
        { heartbeatMs: 10 },
      );
    }));
});

describeEachBackend('cancelling a running job', (backend) => {
  const cancel = (services: TestServices, id: number) =>
    signalJob(services.as(ADMIN), id, { signal: 'cancel', reason: 'not needed' });

  it('aborts its task at once, without a retry', () =>
    withServices(backend, async (services) => {
      const gate = createGate();
      const id = await addJob(services, 'x', { unicity: 'one' });
      const { task, endOf } = observing(gate);
      // Nothing but the signal itself can be the reason.
      const slow = { pollMs: 60_000, heartbeatMs: 60_000 };
      await withWorker(
        services,
        task,
        async () => {
          await gate.reached(1);
          expect(await cancel(services, id)).toMatchObject({
            status: 'running',
            cancelRequestedAt: new Date(services.clock()),
          });
          const job = await jobIn(services, id, 'cancelled');
          expect(endOf()).toMatchObject({ reason: 'cancelled' });
          expect(job).toMatchObject({ retryCount: 0, cancelReason: 'not needed', error: null });
          expect(await addJob(services, 'x', { unicity: 'one' })).not.toBe(id);
        },
        slow,
      );
      expect(await attemptsOf(services, id)).toMatchObject([{ error: 'Cancelled.' }]);
    }));

  it('does not wait for a task that ignores the signal', () =>
    withServices(backend, async (services) => {
      const gate = createGate();
      const id = await addJob(services);
      await withWorker(services, waiting(gate), async () => {
        await gate.reached(1);
        await cancel(services, id);
        await jobIn(services, id, 'cancelled');
        gate.open();
        await sleep(30);
        expect(await readJob(services, id)).toMatchObject({ status: 'cancelled' });
      });
    }));

  it('works if the task fails at that moment', () =>
    withServices(backend, async (services) => {
      const gate = createGate();
      const id = await addJob(services);
      const task: Tasks = {
        'delete-blob': async () => {
          await gate.pass('x');
          throw new Error('By chance.');
        },
      };
      await withWorker(services, task, async () => {
        await gate.reached(1);
        // Without an event: the worker has not heard of it when its task fails.
        const asked = services.db.updateTable('job').set({ cancel_requested_at: 1 });
        await asked.where('id', '=', id).execute();
        gate.open();
        await jobIn(services, id, 'cancelled');
      });
    }));

  it('reaches another process at its next heartbeat, or when it is woken', () =>
    withServices(backend, async (services) => {
      for (const way of ['beat', 'wake'] as const) {
        const gate = createGate();
        const id = await addJob(services);
        const heartbeatMs = way === 'beat' ? 10 : 60_000;
        await withWorker(
          services,
          observing(gate).task,
          async (worker) => {
            await gate.reached(1);
            const asked = services.db.updateTable('job').set({ cancel_requested_at: 1 });
            await asked.where('id', '=', id).execute();
            if (way === 'wake') worker.wake();
            await jobIn(services, id, 'cancelled');
          },
          { heartbeatMs },
        );
      }
    }));
});

describeEachBackend('a worker that stops', (backend) => {
  it('lets running jobs finish, and starts no others', () =>
    withServices(backend, async (services) => {
      const gate = createGate();
      const ids = [await addJob(services), await addJob(services)];
      const worker = makeWorker(services, waiting(gate), { concurrency: 1, graceMs: 5000 });
      worker.start();
      await gate.reached(1);
      const stopped = worker.stop();
      await sleep(20);
      gate.open();
      await stopped;
      expect(await statusesOf(services, ids)).toEqual(['completed', 'pending']);
    }));

  it('returns slow jobs to the queue without the cost of a retry', () =>
    withServices(backend, async (services) => {
      const gate = createGate();
      const id = await addJob(services);
      const { task, endOf } = observing(gate);
      await withWorker(services, task, () => gate.reached(1));
      expect(endOf()).toMatchObject({ reason: 'stopping' });
      const job = await readJob(services, id);
      expect(job).toMatchObject({ status: 'pending', retryCount: 0, progress: 0, error: null });
      expect(job.scheduledAt.getTime()).toBeLessThanOrEqual(services.clock());
      expect(await rowOf(services, id)).toMatchObject({ lease_token: null, leased_until: null });
      expect(await attemptsOf(services, id)).toMatchObject([{ error: 'The server stopped.' }]);
      await withWorker(services, passing(), () => jobIn(services, id, 'completed'));
    }));
});

function passing(): Tasks {
  return { 'delete-blob': async () => undefined };
}

/** A task that ignores its signal. */
function waiting(gate: ReturnType<typeof createGate>): Tasks {
  return { 'delete-blob': () => gate.pass('x') };
}

/** Returns a task that observes its signal, and a function that returns the reason of the end. */
function observing(gate: ReturnType<typeof createGate>) {
  let ended: unknown;
  const task: Tasks = {
    'delete-blob': async (_ctx, _args, run: Run) => {
      await gate.pass('x', run.signal).catch((error) => {
        ended = error;
        throw error;
      });
    },
  };
  return { task, endOf: () => ended };
}

/** Leaves a job in the state in which a killed worker leaves it. */
async function loseJob(services: TestServices, columns: object = {}): Promise<number> {
  const id = await addJob(services);
  const now = services.clock();
  const lease = { lease_token: 'dead', leased_until: now + LEASE_MS, heartbeat_at: now };
  const row = { status: 'running', worker: 'dead', started_at: now, ...lease, ...columns };
  await services.db.updateTable('job').set(row).where('id', '=', id).execute();
  const attempt = { job_id: id, number: 1, worker: 'dead', started_at: now };
  await services.db.insertInto('job_attempt').values(attempt).execute();
  return id;
}

/** Gives the job to another worker, as after the lease has expired. */
async function giveAway({ db, clock }: TestServices, id: number): Promise<void> {
  const lease = { lease_token: 'another', leased_until: clock() + LEASE_MS, progress: 0.2 };
  await db
    .updateTable('job')
    .set({ ...lease, worker: 'new' })
    .where('id', '=', id)
    .execute();
}

function rowOf({ db }: TestServices, id: number) {
  return db.selectFrom('job').where('id', '=', id).selectAll().executeTakeFirstOrThrow();
}

async function statusesOf(services: TestServices, ids: readonly number[]): Promise<string[]> {
  const jobs = await Promise.all(ids.map((id) => readJob(services, id)));
  return jobs.map(({ status }) => status);
}
