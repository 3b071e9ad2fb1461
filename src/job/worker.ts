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
  /** Takes no more jobs; gives those that run a little time, and then puts them back. */
  stop(): Promise<void>;
  /** There may be something to do: jobs that another process has made. */
  wake(): void;
}

/** What a worker runs, and how. */
export interface WorkerOptions {
  services: Services & { log: Log };
  tasks: Tasks;
  /** Jobs at once. */
  concurrency: number;
  /** How long a worker that is not heard of keeps a job. (Default: 60 s) */
  leaseMs?: number;
  /** How often it is heard of. (Default: 15 s) */
  heartbeatMs?: number;
  /** How often it looks for what nobody has told it of. (Default: 5 s) */
  pollMs?: number;
  /** How long jobs may go on when the worker stops, and when one is cancelled. (Default: 5 s) */
  graceMs?: number;
  /** Done as often as it is heard of: what makes sure of the recurring jobs. (Default: nothing) */
  schedule?: () => Promise<void>;
  /** From 0 to 1. (Default: Math.random) */
  random?: () => number;
}

/** A job that is due and was not taken is locked by somebody, for a moment. */
const IDLE_MIN_MS = 20;

/** A worker that has not begun. */
export function createWorker(options: WorkerOptions): Worker {
  return new JobWorker(options);
}

class JobWorker implements Worker {
  readonly #ctx: Context;
  readonly #options: Required<Omit<WorkerOptions, 'services'>>;
  readonly #name = `${hostname()}/${process.pid}/${randomUUID().slice(0, 8)}`;
  readonly #active = new Map<number, ActiveRun>();
  readonly #alarm = createAlarm();
  /** No more jobs are taken. */
  readonly #stopping = new AbortController();
  /** Nothing runs any more. */
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
    // Perhaps it is about one that runs here. Notices come in swarms: one look answers those meanwhile.
    this.#looking ??= this.#look().finally(() => {
      this.#looking = null;
    });
  }

  async stop() {
    this.#stopping.abort();
    this.#alarm.ring();
    // One may just have been taken.
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
    // Before the run tells of its progress.
    this.#ctx.events.publish({ type: 'job', id: row.id });
    const run = startRun(this.#ctx, row, this.#options);
    this.#active.set(row.id, run);
    void run.done.then(() => {
      this.#active.delete(row.id);
      this.#alarm.ring();
    });
    return true;
  }

  /** Classes of which another one may run here. */
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

  /** Jobs of workers that died are tried again: contract §7.4. */
  async #recoverLost(now: number) {
    for (const row of await listLostJobs(this.#ctx.db, now, 100)) {
      const end = failure(this.#ctx, row, new WorkerLostError(), this.#options.random());
      const lease = { id: row.id, leaseToken: row.lease_token ?? '' };
      // It may have been heard of meanwhile.
      if (await endRun(this.#ctx, lease, { ...end, expiredBefore: now })) {
        this.#ctx.log.warn({ job: row.uuid, worker: row.worker }, 'recovered a lost job');
      }
    }
  }

  /** What this process itself does to jobs. */
  async #listen() {
    const { events, log } = this.#ctx;
    // What a run tells of its progress is not for us, and of other processes the database's own notices wake us.
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
        // Too many at once to be kept: whatever they were, it is time to look.
        log.info({ err: error }, 'jobs are made faster than they are looked at');
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

/** Ends early, and without an error, with the signal. */
async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  await setTimeout(ms, undefined, { signal }).catch(() => undefined);
}
