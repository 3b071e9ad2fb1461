import { randomUUID } from 'node:crypto';
import { vi } from 'vitest';
import { enqueueJob } from '../../src/domain/job/enqueue.ts';
import { type Job, toJob } from '../../src/domain/job/job.ts';
import type { JobStatus } from '../../src/domain/job/state.ts';
import { SYSTEM } from '../../src/domain/viewer/viewer.ts';
import type { Tasks } from '../../src/job/task.ts';
import { createWorker, type Worker, type WorkerOptions } from '../../src/job/worker.ts';
import type { JobAttemptRow } from '../../src/store/table.ts';
import type { TestServices } from './app.ts';

type Services = Pick<TestServices, 'db' | 'events' | 'clock' | 'newId' | 'log'>;
type Options = Partial<Omit<WorkerOptions, 'services' | 'tasks'>>;

/** Runs work while a worker does, and stops it. It looks often, and its jitter is none. */
export async function withWorker<T>(
  services: Services,
  tasks: Tasks,
  work: (worker: Worker) => Promise<T>,
  options: Options = {},
): Promise<T> {
  const worker = makeWorker(services, tasks, options);
  worker.start();
  try {
    return await work(worker);
  } finally {
    await worker.stop();
  }
}

/** One that has not begun. */
export function makeWorker(services: Services, tasks: Tasks, options: Options = {}): Worker {
  return createWorker({
    services: services as TestServices,
    tasks,
    concurrency: 4,
    pollMs: 20,
    graceMs: 50,
    random: () => 0.5,
    ...options,
  });
}

/** A job of a class that any test may give a task of its own. `name`: what the task finds in `blob_keys`. */
export async function addJob(
  services: Services,
  name: string = randomUUID(),
  options: Parameters<typeof enqueueJob>[3] = {},
): Promise<number> {
  const ctx = { ...services, viewer: SYSTEM } as never;
  return (await enqueueJob(ctx, 'delete-blob', { blob_keys: [name] }, options)).id;
}

/** The job as it is stored. */
export async function readJob({ db }: Services, id: number): Promise<Job> {
  const query = db.selectFrom('job').where('id', '=', id).selectAll();
  return toJob(await query.executeTakeFirstOrThrow());
}

/** The job once it is in this state. */
export function jobIn(services: Services, id: number, status: JobStatus): Promise<Job> {
  return vi.waitFor(
    async () => {
      const job = await readJob(services, id);
      if (job.status !== status) throw new Error(`The job is ${job.status}, not ${status}.`);
      return job;
    },
    { timeout: 20_000, interval: 5 },
  );
}

/** Its runs, in their order. */
export function attemptsOf({ db }: Services, id: number): Promise<JobAttemptRow[]> {
  const query = db.selectFrom('job_attempt').where('job_id', '=', id).selectAll();
  return query.orderBy('number').execute();
}

/** A gate that tasks wait at, and how many have come to it. */
export function createGate() {
  const { promise, resolve } = Promise.withResolvers<void>();
  const waiting: string[] = [];
  return {
    waiting,
    open: resolve,
    /** Waits until it is open, or the run is told to end. */
    async pass(name: string, signal?: AbortSignal): Promise<void> {
      waiting.push(name);
      signal?.throwIfAborted();
      const ended = Promise.withResolvers<never>();
      signal?.addEventListener('abort', () => ended.reject(signal.reason));
      await Promise.race([promise, ended.promise]);
    },
    /** Resolves when so many have come. */
    reached: (count: number) =>
      vi.waitUntil(() => waiting.length >= count, { timeout: 20_000, interval: 5 }),
  };
}
