import { expect, it, vi } from 'vitest';
import { InvalidInputError } from '../../src/domain/error.ts';
import { enqueueJob } from '../../src/domain/job/enqueue.ts';
import { SYSTEM } from '../../src/domain/viewer/viewer.ts';
import { PermanentError, TaskError, type Tasks } from '../../src/job/task.ts';
import { type TestServices, withServices } from '../support/app.ts';
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

/** Creates tasks that do with each job what its name says. */
function tasks(work: (name: string, run: { signal: AbortSignal }) => unknown): Tasks {
  return {
    'delete-blob': async (_ctx, { blob_keys: [name = ''] }, run) =>
      (await work(name, run)) as undefined,
  };
}

const failing = (error: Error) =>
  tasks(() => {
    throw error;
  });

describeEachBackend('a worker', (backend) => {
  it('runs due jobs by priority, then by due time, then by age', () =>
    withServices(backend, async (services) => {
      const now = services.clock();
      const at = (offsetMs: number) => ({ scheduledAt: new Date(now + offsetMs) });
      await addJob(services, 'low', { priority: -1, ...at(-9000) });
      await addJob(services, 'second');
      await addJob(services, 'third');
      await addJob(services, 'due for long', at(-1000));
      await addJob(services, 'high', { priority: 7 });
      const later = await addJob(services, 'later', { priority: 9, ...at(1) });
      const ran: string[] = [];
      const note = tasks((name) => void ran.push(name));
      await withWorker(
        services,
        note,
        async () => {
          await vi.waitUntil(() => ran.length === 5);
          expect(ran).toEqual(['high', 'due for long', 'second', 'third', 'low']);
          expect(await readJob(services, later)).toMatchObject({ status: 'pending' });
          services.advance(1);
          await jobIn(services, later, 'completed');
        },
        { concurrency: 1 },
      );
    }));

  it('completes a job with its result, and records the run', () =>
    withServices(backend, async (services) => {
      const id = await addJob(services);
      const started = services.clock();
      const work = tasks(() => {
        services.advance(70);
        return { answer: 42 };
      });
      await withWorker(services, work, () => jobIn(services, id, 'completed'));
      expect(await readJob(services, id)).toMatchObject({
        progress: 1,
        error: null,
        retryCount: 0,
        result: { answer: 42 },
        startedAt: new Date(started),
        finishedAt: new Date(started + 70),
      });
      const run = { number: 1, error: null, started_at: started, finished_at: started + 70 };
      expect(await attemptsOf(services, id)).toMatchObject([run]);
    }));

  it('respects the limits of concurrent jobs, in total and per class', () =>
    withServices(backend, async (services) => {
      const gate = createGate();
      for (let count = 0; count < 2; count++) await addSweep(services);
      for (let count = 0; count < 5; count++) await addJob(services, 'blob');
      const both: Tasks = {
        ...tasks((name) => gate.pass(name)),
        sweep: () => gate.pass('sweep'),
      };
      await withWorker(
        services,
        both,
        async () => {
          await gate.reached(4);
          await vi.waitFor(async () => expect(await countOf(services, 'running')).toBe(4));
          expect(gate.waiting.filter((name) => name === 'sweep')).toHaveLength(1);
          gate.open();
          await vi.waitFor(async () => expect(await countOf(services, 'completed')).toBe(7));
        },
        { concurrency: 4 },
      );
    }));

  it('does not claim jobs without a task; a process without tasks claims none', () =>
    withServices(backend, async (services) => {
      const other = await addSweep(services);
      const own = await addJob(services);
      const work = tasks(() => undefined);
      const idle = makeWorker(services, work, { concurrency: 0 });
      idle.start();
      await idle.stop();
      expect(await readJob(services, own)).toMatchObject({ status: 'pending' });
      await withWorker(services, work, () => jobIn(services, own, 'completed'));
      expect(await readJob(services, other)).toMatchObject({ status: 'pending' });
    }));

  it('starts a job of its own process at once', () =>
    withServices(backend, async (services) => {
      const work = tasks(() => undefined);
      await withWorker(
        services,
        work,
        async () => {
          await jobIn(services, await addJob(services), 'completed');
        },
        { pollMs: 600_000 },
      );
    }));
});

describeEachBackend('a job that fails', (backend) => {
  it('is retried after 5, 10, 40, 110 … seconds, up to its limit, and keeps every error', () =>
    withServices(backend, async (services) => {
      let runs = 0;
      const work = tasks(() => {
        throw new TaskError(`Try ${++runs}.`);
      });
      const id = await addJob(services);
      await withWorker(services, work, async () => {
        const waits: number[] = [];
        for (let retry = 1; retry <= 10; retry++) {
          const job = await vi.waitFor(async () => {
            const job = await readJob(services, id);
            expect(job).toMatchObject({ status: 'pending', retryCount: retry, progress: 0 });
            return job;
          });
          expect(job.error).toBe(`TaskError: Try ${retry}.`);
          const waitMs = job.scheduledAt.getTime() - services.clock();
          waits.push(waitMs / 1000);
          services.advance(waitMs - 1);
          await new Promise((resolve) => setTimeout(resolve, 30));
          expect(runs).toBe(retry);
          services.advance(1);
        }
        expect(waits).toEqual([5, 10, 40, 110, 320, 905, 2560, 3600, 3600, 3600]);
        const job = await jobIn(services, id, 'errored');
        expect(job).toMatchObject({ retryCount: 10, error: 'TaskError: Try 11.', progress: 0 });
        expect(job.finishedAt).toEqual(new Date(services.clock()));
      });
      const errors = (await attemptsOf(services, id)).map(({ number, error }) => [number, error]);
      const expected = Array.from({ length: 11 }, (_, index) => index + 1);
      expect(errors).toEqual(expected.map((number) => [number, `TaskError: Try ${number}.`]));
    }));

  it('permanently is not retried', () =>
    withServices(backend, async (services) => {
      const id = await addJob(services);
      const work = failing(new PermanentError('No such file.'));
      const job = await withWorker(services, work, () => jobIn(services, id, 'errored'));
      expect(job).toMatchObject({ retryCount: 0, error: 'PermanentError: No such file.' });
      expect(await attemptsOf(services, id)).toHaveLength(1);
    }));

  it.each([
    [
      'a bug: nothing of it',
      new TypeError('select * from /etc/passwd'),
      'InternalError: The task failed; the log of the server says why.',
    ],
    [
      'a refusal: the sentence',
      InvalidInputError.of('url', 'INVALID', 'Not this.'),
      'InvalidInputError: url: Not this.',
    ],
    [
      'more than anybody reads: its beginning',
      new PermanentError('x'.repeat(5000)),
      `PermanentError: ${'x'.repeat(984)}`,
    ],
  ])('shows of %s', (_what, error, shown) =>
    withServices(backend, async (services) => {
      const id = await addJob(services);
      await withWorker(services, failing(error), () =>
        vi.waitFor(async () => expect((await readJob(services, id)).error).toBe(shown)),
      );
      expect(services.logged).toContainEqual({ level: expect.any(String), message: 'job failed' });
    }),
  );

  it('waits as long as the other server asked for', () =>
    withServices(backend, async (services) => {
      const id = await addJob(services);
      const work = failing(new TaskError('Not now.', { retryAfterMs: 120_000 }));
      const job = await withWorker(services, work, () =>
        vi.waitFor(async () => {
          const job = await readJob(services, id);
          expect(job.retryCount).toBe(1);
          return job;
        }),
      );
      expect(job.scheduledAt.getTime() - services.clock()).toBe(120_000);
    }));
});

async function addSweep(services: TestServices): Promise<number> {
  return (await enqueueJob(services.as(SYSTEM), 'sweep', {})).job.id;
}

async function countOf({ db }: TestServices, status: string): Promise<number> {
  const jobs = await db.selectFrom('job').where('status', '=', status).select('id').execute();
  return jobs.length;
}
