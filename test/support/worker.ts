import { randomUUID } from 'node:crypto';
import { vi } from 'vitest';
import { enqueueJob } from '../../src/domain/job/enqueue.ts';
import { type Job, toJob } from '../../src/domain/job/job.ts';
import type { JobStatus } from '../../src/domain/job/state.ts';
import { SYSTEM } from '../../src/domain/viewer/viewer.ts';
import type { Tasks } from '../../src/job/task.ts';
import { createWorker, type Worker, type WorkerOptions } from '../../src/job/worker.ts';
import type { Db } from '../../src/store/db.ts';
import type { JobAttemptRow } from '../../src/store/table.ts';
import type { TestServices } from './app.ts';

type Services = Pick<TestServices, 'db' | 'events' | 'clock' | 'newId' | 'log'>;
type Options = Partial<Omit<WorkerOptions, 'services' | 'tasks'>>;

/** Runs `work` with a started worker, then stops the worker. It polls often and without jitter. */
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

/** Creates a worker without starting it. */
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

/** Enqueues a `delete-blob` job with `name` in its `blob_keys`, whose task the test supplies. Returns its id. */
export async function addJob(
  services: Services,
  name: string = randomUUID(),
  options: Parameters<typeof enqueueJob>[3] = {},
): Promise<number> {
  const ctx = { ...services, viewer: SYSTEM } as never;
  return (await enqueueJob(ctx, 'delete-blob', { blob_keys: [name] }, options)).job.id;
}

/** Reads a job from the database. */
export async function readJob({ db }: Services, id: number): Promise<Job> {
  const query = db.selectFrom('job').where('id', '=', id).selectAll();
  return toJob(await query.executeTakeFirstOrThrow());
}

/** Waits until the job has this status. Returns the job. */
export function jobIn(services: Services, id: number, status: JobStatus): Promise<Job> {
  return vi.waitFor(
    async () => {
      const job = await readJob(services, id);
      if (job.status !== status) throw new Error(`The job is ${job.status}, not ${status}.`);
      return job;
    },
    { timeout: 60_000, interval: 5 },
  );
}

/** Returns the runs of a job, oldest first. */
export function attemptsOf({ db }: Services, id: number): Promise<JobAttemptRow[]> {
  const query = db.selectFrom('job_attempt').where('job_id', '=', id).selectAll();
  return query.orderBy('number').execute();
}

/** Creates a gate at which tasks wait, and which counts them. */
export function createGate() {
  const { promise, resolve } = Promise.withResolvers<void>();
  const waiting: string[] = [];
  return {
    waiting,
    open: resolve,
    /** Waits until the gate is open. Rejects if the run is aborted. */
    async pass(name: string, signal?: AbortSignal): Promise<void> {
      waiting.push(name);
      signal?.throwIfAborted();
      const ended = Promise.withResolvers<never>();
      signal?.addEventListener('abort', () => ended.reject(signal.reason));
      await Promise.race([promise, ended.promise]);
    },
    /** Resolves when `count` tasks have reached the gate. */
    reached: (count: number) =>
      vi.waitUntil(() => waiting.length >= count, { timeout: 60_000, interval: 5 }),
  };
}

/** Makes retries due at once; other tests check the wait. */
export async function skipWaits(db: Db): Promise<void> {
  const now = Date.now();
  const waits = db.updateTable('job').set({ scheduled_at: now }).where('status', '=', 'pending');
  await waits.where('scheduled_at', '>', now).execute();
}
