import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { type Context, type Log, type Services, transact } from '../domain/context.ts';
import type { DomainEvent, JobEvent } from '../domain/event/event.ts';
import { isLibraryReadOnly } from '../domain/failure.ts';
import { concurrencyOf, isLowPriority, isRemote, type JobClass } from '../domain/job/class.ts';
import { SYSTEM } from '../domain/viewer/viewer.ts';
import {
  claimJob,
  findNextDue,
  insertAttempt,
  listDueClasses,
  listLostJobs,
} from '../store/job/run.ts';
import { createAlarm } from './alarm.ts';
import { workerName } from './name.ts';
import { endRun, failure, WorkerLostError } from './outcome.ts';
import { type Pace, UNPACED } from './pace.ts';
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
  /** Its name in the rows of its jobs, which no other worker has. (Default: host, process and a random part) */
  name?: string;
  /** Maximum number of jobs that the worker runs at once, in addition to up to four that wait for other servers. */
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
  /** Slows jobs down while requests need the processor. (Default: never) */
  pace?: Pace;
}

/** The shortest wait: a due job that could not be claimed is locked by another worker, for a moment. */
const IDLE_MIN_MS = 20;

/** Slots of the jobs that wait for other servers. Such a job takes a connection and little else. */
const REMOTE_SLOTS = 4;

/** Creates a worker that has not been started. */
export function createWorker(options: WorkerOptions): Worker {
  return new JobWorker(options);
}

class JobWorker implements Worker {
  readonly #ctx: Context;
  readonly #options: Required<Omit<WorkerOptions, 'services'>>;
  /** A job may have two runs here: a new one, and one that has lost its lease and has not ended yet. */
  readonly #active = new Set<ActiveRun>();
  readonly #alarm = createAlarm();
  /** Aborted when the worker claims no more jobs. */
  readonly #stopping = new AbortController();
  /** Aborted when no job runs any more. */
  readonly #over = new AbortController();
  #claiming: Promise<unknown> = Promise.resolve();
  #watching: Promise<unknown> = Promise.resolve();
  #looking: Promise<unknown> | null = null;
  /** The job classes, least recently claimed first, so that classes take turns. */
  #classes: JobClass[];
  /** Remote classes for which this worker already runs a job of every waiting client. */
  #blocked = new Set<JobClass>();
  /** Whether the last try to claim a job has failed because the library was read-only. */
  #isReadOnly = false;
  #keptHouseAt = Number.NEGATIVE_INFINITY;

  constructor({ services, ...options }: WorkerOptions) {
    this.#ctx = { ...services, viewer: SYSTEM };
    this.#classes = Object.keys(options.tasks) as JobClass[];
    this.#options = {
      name: workerName(process.pid),
      leaseMs: 60_000,
      heartbeatMs: 15_000,
      pollMs: 5000,
      graceMs: 5000,
      schedule: async () => undefined,
      random: Math.random,
      pace: UNPACED,
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
    const runs = [...this.#active];
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
        this.#logFailure(error);
        await this.#alarm.wait(this.#options.pollMs);
      }
    }
  }

  #logFailure(error: unknown) {
    const { log } = this.#ctx;
    if (!isLibraryReadOnly(error)) log.error({ err: error }, 'jobs cannot be read');
    else if (!this.#isReadOnly) log.info({}, 'jobs wait: the library is being moved');
    this.#isReadOnly = isLibraryReadOnly(error);
  }

  async #claimAll() {
    this.#blocked.clear();
    while (!this.#stopping.signal.aborted) {
      const jobClass = await this.#claimNext();
      if (jobClass === null) return;
      this.#classes = [...this.#classes.filter((name) => name !== jobClass), jobClass];
    }
  }

  /** Claims a job. Returns its class, or null if there is no job that this worker may run now. */
  async #claimNext(): Promise<JobClass | null> {
    const free = this.#freeClasses();
    if (free.length === 0) return null;
    const due = await listDueClasses(this.#ctx.db, free, this.#ctx.clock());
    // The sort is stable: among classes of one priority the order of `#classes` remains.
    const order = (name: string) => free.indexOf(name as JobClass);
    due.sort((a, b) => b.priority - a.priority || order(a.jobClass) - order(b.jobClass));
    for (const { jobClass } of due as { jobClass: JobClass }[]) {
      if (await this.#claim(jobClass)) return jobClass;
      if (isRemote(jobClass)) this.#blocked.add(jobClass);
    }
    return null;
  }

  async #claim(jobClass: JobClass): Promise<boolean> {
    const exceptClients = isRemote(jobClass) ? this.#clientsOf(jobClass) : [];
    const now = this.#ctx.clock();
    const leaseToken = randomUUID();
    const leasedUntil = now + this.#options.leaseMs;
    const worker = this.#options.name;
    const row = await transact(this.#ctx, async (ctx) => {
      const row = await claimJob(ctx.db, {
        jobClass,
        exceptClients,
        worker,
        leaseToken,
        leasedUntil,
        now,
      });
      if (row !== undefined) await insertAttempt(ctx.db, { jobId: row.id, worker, now });
      return row;
    });
    if (row === undefined) return false;
    // Published before the first progress of the run.
    this.#ctx.events.publish({ type: 'job', id: row.id });
    const run = startRun(this.#ctx, row, this.#options);
    this.#active.add(run);
    const { pace } = this.#options;
    const end = isRemote(jobClass) ? () => undefined : pace.start(isLowPriority(jobClass));
    void run.done.then(() => {
      end();
      this.#active.delete(run);
      this.#alarm.ring();
    });
    return true;
  }

  /** Returns the job classes of which this process may run another job, in the order of their turns. */
  #freeClasses(): JobClass[] {
    const active = [...this.#active].map(({ job }) => job.jobClass as JobClass);
    const remote = active.filter(isRemote).length;
    const { concurrency, pace } = this.#options;
    const isLaneFree = {
      true: remote < REMOTE_SLOTS,
      false: active.length - remote < Math.min(concurrency, pace.slots()),
    };
    const count = (name: JobClass) => active.filter((other) => other === name).length;
    return this.#classes.filter(
      (name) =>
        isLaneFree[`${isRemote(name)}`] &&
        count(name) < concurrencyOf(name) &&
        !this.#blocked.has(name),
    );
  }

  /** Returns the clients that have a job of this class running here. The server itself is not a client. */
  #clientsOf(jobClass: JobClass): string[] {
    const runs = [...this.#active].filter(({ job }) => job.jobClass === jobClass);
    return [...new Set(runs.map(({ client }) => client))].filter((client) => client !== '');
  }

  async #idleMs(): Promise<number> {
    const { pollMs, pace } = this.#options;
    const restMs = pace.restMs();
    if (restMs > 0) return Math.min(pollMs, Math.max(IDLE_MIN_MS, restMs));
    // The end of a run wakes the worker. Jobs that it has left to others need no earlier look.
    const free = this.#freeClasses();
    const due = free.length === 0 ? undefined : await findNextDue(this.#ctx.db, free);
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
          const runs = [...this.#active].filter(({ job }) => job.id === id);
          await Promise.all(runs.map((run) => run.look()));
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
      await Promise.all([...this.#active].map((run) => run.beat()));
    }
  }

  async #look() {
    await Promise.all([...this.#active].map((run) => run.look()));
  }
}

/** Resolves after `ms`, or early, without an error, when the signal aborts. */
async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  await setTimeout(ms, undefined, { signal }).catch(() => undefined);
}
