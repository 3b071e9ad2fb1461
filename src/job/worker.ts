import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import { type Context, type Log, type Services, transact } from '../domain/context.ts';
import type { DomainEvent, JobEvent } from '../domain/event/event.ts';
import { concurrencyOf, type JobClass } from '../domain/job/class.ts';
import { SYSTEM } from '../domain/viewer/viewer.ts';
import { claimJob, findNextDue, insertAttempt, listLostJobs } from '../store/job/run.ts';
import { createAlarm } from './alarm.ts';
import { endRun, failure, WorkerLostError } from './outcome.ts';
import { type ActiveRun, startRun } from './run.ts';
import type { Tasks } from './task.ts';

/** Runs jobs until it is stopped. */
export interface Worker {
  start(): void;
  /** Claims no more jobs, gives running jobs a short time to finish, and then returns them to the queue. */
  stop(): Promise<void>;
  /** Looks for due and cancelled jobs at once: another process may have changed some. */
  wake(): void;
}

/** The settings of a worker. */
export interface WorkerOptions {
  services: Services & { log: Log };
  tasks: Tasks;
  /** Maximum number of jobs that it runs at once. */
  concurrency: number;
  /** Time for which a worker keeps a job without a heartbeat. (Default: 60 s) */
  leaseMs?: number;
  /** The interval of its heartbeats. (Default: 15 s) */
  heartbeatMs?: number;
  /** Interval at which it looks for due jobs without a notification. (Default: 5 s) */
  pollMs?: number;
  /** Time for which a job may still run after it was cancelled or the worker stopped. (Default: 5 s) */
  graceMs?: number;
  /** Called at the interval of heartbeats: it enqueues the recurring jobs. (Default: does nothing) */
  schedule?: () => Promise<void>;
  /** Returns random numbers from 0 to 1. (Default: Math.random) */
  random?: () => number;
}

/** The shortest wait: a due job that could not be claimed is locked by another worker, for a moment. */
const IDLE_MIN_MS = 20;

/** Creates a worker that has not been started. */
export function createWorker(options: WorkerOptions): Worker {
  return new JobWorker(options);
}

class JobWorker implements Worker {
  readonly #ctx: Context;
  readonly #options: Required<Omit<WorkerOptions, 'services'>>;
  readonly #name = `${hostname()}/${process.pid}/${randomUUID().slice(0, 8)}`;
  readonly #active = new Map<number, ActiveRun>();
  readonly #alarm = createAlarm();
  /** Aborted when the worker claims no more jobs. */
  readonly #stopping = new AbortController();
  /** Aborted when no job runs any more. */
  readonly #over = new AbortController();
  #claiming: Promise<unknown> = Promise.resolve();
  #watching: Promise<unknown> = Promise.resolve();
  #looking: Promise<unknown> | null = null;
  #keptHouseAt = Number.NEGATIVE_INFINITY;

  constructor({ services, ...options }: WorkerOptions) {
    this.#ctx = { ...services, viewer: SYSTEM };
    this.#options = {
      leaseMs: 60_000,
      heartbeatMs: 15_000,
      pollMs: 5000,
      graceMs: 5000,
      schedule: async () => undefined,
      random: Math.random,
      ...options,
    };
  }

  start() {
    if (this.#options.concurrency === 0) return;
    this.#claiming = this.#run();
    this.#watching = Promise.all([this.#listen(), this.#beat()]);
  }

  wake() {
    this.#alarm.ring();
    // The notice may concern a job that runs here. Notices come in bursts: one look serves all that arrive meanwhile.
    this.#looking ??= this.#look().finally(() => {
      this.#looking = null;
    });
  }

  async stop() {
    this.#stopping.abort();
    this.#alarm.ring();
    // A job may have been claimed meanwhile.
    await this.#claiming;
    const runs = [...this.#active.values()];
    const ended = Promise.all(runs.map(({ done }) => done));
    await Promise.race([ended, sleep(this.#options.graceMs, this.#over.signal)]);
    for (const run of runs) run.end('stopping');
    await ended;
    this.#over.abort();
    await Promise.all([this.#watching, this.#looking]);
  }

  async #run() {
    while (!this.#stopping.signal.aborted) {
      try {
        await this.#keepHouse();
        await this.#claimAll();
        await this.#alarm.wait(await this.#idleMs());
      } catch (error) {
        this.#ctx.log.error({ err: error }, 'jobs cannot be read');
        await this.#alarm.wait(this.#options.pollMs);
      }
    }
  }

  async #claimAll() {
    while (this.#active.size < this.#options.concurrency && !this.#stopping.signal.aborted) {
      const jobClasses = this.#freeClasses();
      if (jobClasses.length === 0 || !(await this.#claim(jobClasses))) return;
    }
  }

  async #claim(jobClasses: readonly JobClass[]): Promise<boolean> {
    const now = this.#ctx.clock();
    const leaseToken = randomUUID();
    const leasedUntil = now + this.#options.leaseMs;
    const worker = this.#name;
    const row = await transact(this.#ctx, async (ctx) => {
      const row = await claimJob(ctx.db, { jobClasses, worker, leaseToken, leasedUntil, now });
      if (row !== undefined) await insertAttempt(ctx.db, { jobId: row.id, worker, now });
      return row;
    });
    if (row === undefined) return false;
    // Published before the first progress of the run.
    this.#ctx.events.publish({ type: 'job', id: row.id });
    const run = startRun(this.#ctx, row, this.#options);
    this.#active.set(row.id, run);
    void run.done.then(() => {
      this.#active.delete(row.id);
      this.#alarm.ring();
    });
    return true;
  }

  /** Returns the job classes of which this process may run another job. */
  #freeClasses(): JobClass[] {
    const counts = Map.groupBy(this.#active.values(), ({ job }) => job.jobClass);
    const isFree = (name: JobClass) => (counts.get(name)?.length ?? 0) < concurrencyOf(name);
    return (Object.keys(this.#options.tasks) as JobClass[]).filter(isFree);
  }

  async #idleMs(): Promise<number> {
    const { concurrency, pollMs } = this.#options;
    if (this.#active.size >= concurrency) return pollMs;
    const due = await findNextDue(this.#ctx.db, this.#freeClasses());
    if (due === undefined) return pollMs;
    return Math.min(pollMs, Math.max(IDLE_MIN_MS, due - this.#ctx.clock()));
  }

  async #keepHouse() {
    const now = this.#ctx.clock();
    if (now - this.#keptHouseAt < this.#options.heartbeatMs) return;
    this.#keptHouseAt = now;
    await this.#recoverLost(now);
    await this.#options.schedule();
  }

  /** Retries the jobs of lost workers: contract §7.4. */
  async #recoverLost(now: number) {
    for (const row of await listLostJobs(this.#ctx.db, now, 100)) {
      const end = failure(this.#ctx, row, new WorkerLostError(), this.#options.random());
      const lease = { id: row.id, leaseToken: row.lease_token ?? '' };
      // The worker may have sent a heartbeat meanwhile.
      if (await endRun(this.#ctx, lease, { ...end, expiredBefore: now })) {
        this.#ctx.log.warn({ job: row.uuid, worker: row.worker }, 'recovered a lost job');
      }
    }
  }

  /** Reacts to the job events of this process. */
  async #listen() {
    const { events, log } = this.#ctx;
    // Skips progress, and events of other processes, for which the database's notices wake the worker.
    const isJob = (event: DomainEvent): event is JobEvent =>
      event.type === 'job' && event.progress === undefined && !event.isElsewhere;
    const { signal } = this.#over;
    while (!signal.aborted) {
      try {
        for await (const { id } of events.subscribe(isJob, signal)) {
          this.#alarm.ring();
          await this.#active.get(id)?.look();
        }
      } catch (error) {
        // The buffer of events has overflowed: some were lost, so look at everything.
        log.info({ err: error }, 'job events arrive faster than the worker reads them');
        this.wake();
      }
    }
  }

  async #beat() {
    while (!this.#over.signal.aborted) {
      await sleep(this.#options.heartbeatMs, this.#over.signal);
      await Promise.all([...this.#active.values()].map((run) => run.beat()));
    }
  }

  async #look() {
    await Promise.all([...this.#active.values()].map((run) => run.look()));
  }
}

/** Resolves after `ms`, or early, without an error, when the signal aborts. */
async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  await setTimeout(ms, undefined, { signal }).catch(() => undefined);
}
