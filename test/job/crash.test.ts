import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, vi } from 'vitest';
import { createEvents } from '../../src/domain/event/event.ts';
import { UNOBSERVED } from '../../src/domain/observer.ts';
import { type Db, openDb } from '../../src/store/db.ts';
import { type Backend, describeEachBackend } from '../support/backend.ts';
import { spawnNode, withDataDir } from '../support/process.ts';
import { addJob, attemptsOf, skipWaits } from '../support/worker.ts';

/** Number of workers to kill. Fewer on PostgreSQL, because each takes longer there. */
const KILLS = Number(process.env.TRIVIUM_TEST_KILLS || 6);
/** Workers that live at the same time. */
const WORKERS = 4;
/** Longer than a lease, so that only heartbeats keep a job with its worker. */
const JOB_MS = 1100;

interface Line {
  what: 'begin' | 'end' | 'stop';
  job: string;
  pid: number;
  at: number;
}

describeEachBackend('workers that are killed during a job', (backend) => {
  const kills = backend.name === 'sqlite' ? KILLS : Math.ceil(KILLS / 2);
  const jobCount = Math.ceil(kills * 0.6);

  it(
    `${kills} times lose no job, and no job runs twice at the same time`,
    () =>
      withCrashSite(backend, async ({ db, url, logPath, services }) => {
        const ids: number[] = [];
        for (let job = 0; job < jobCount; job++) ids.push(await addJob(services, `job ${job}`));
        const lines = () => readLines(logPath);
        const diedAt = new Map<number, number>();
        const workers = new Set<Worker>();
        const start = () => workers.add(startWorker(url, logPath));
        for (let count = 0; count < WORKERS; count++) start();
        const hurried = setInterval(() => void skipWaits(db), 100);
        try {
          for (let kill = 0; kill < kills; kill++) {
            const victim = await strike(workers, lines);
            await victim.exit;
            diedAt.set(victim.child.pid!, Date.now());
            workers.delete(victim);
            start();
          }
          await vi.waitFor(async () => expect(await countOpen(db)).toBe(0), {
            timeout: 60_000,
            interval: 50,
          });
        } finally {
          clearInterval(hurried);
          for (const { child } of workers) child.kill('SIGTERM');
          await Promise.all([...workers].map(({ exit }) => exit));
        }
        expect(diedAt.size).toBe(kills);
        checkRuns(lines(), diedAt);
        const jobs = await db.selectFrom('job').select(['status', 'retry_count', 'id']).execute();
        expect(jobs.map(({ status }) => status)).toEqual(ids.map(() => 'completed'));
        const attempts = (await Promise.all(ids.map((id) => attemptsOf(services, id)))).flat();
        const lost = attempts.filter(({ error }) => error?.startsWith('WorkerLostError'));
        // A worker may be killed in the moment after the end of its job.
        const ownLines = Map.groupBy(lines(), ({ pid }) => pid);
        const cut = [...diedAt.keys()].filter((pid) => isInMiddle(ownLines.get(pid)));
        expect(cut).not.toEqual([]);
        expect(lost.length).toBeGreaterThanOrEqual(cut.length);
        expect(attempts.filter(({ error }) => error === null)).toHaveLength(ids.length);
        expect(jobs.reduce((sum, job) => sum + job.retry_count, 0)).toBe(lost.length);
      }),
    60_000 + KILLS * 15_000,
  );

  it('return their jobs to the queue on SIGTERM, and exit', () =>
    withCrashSite(backend, async ({ db, url, logPath, services }) => {
      const id = await addJob(services, 'job');
      const { child, exit } = startWorker(url, logPath, 60_000);
      await vi.waitUntil(() => readLines(logPath).length === 1, { timeout: 60_000 });
      child.kill('SIGTERM');
      expect(await exit).toBe(0);
      const job = await db.selectFrom('job').selectAll().executeTakeFirstOrThrow();
      expect(job).toMatchObject({ status: 'pending', retry_count: 0, lease_token: null });
      expect(await attemptsOf(services, id)).toMatchObject([{ error: 'The server stopped.' }]);
    }));
});

/**
 * Checks that every job has ended, and that no run of a job began before its previous run had ended or the worker had
 * died.
 */
function checkRuns(lines: readonly Line[], diedAt: ReadonlyMap<number, number>): void {
  for (const [job, own] of Map.groupBy(lines, (line) => line.job)) {
    // More than once only where a worker was killed between the end of the work and its commit.
    expect(own.filter(({ what }) => what === 'end').length, job).toBeGreaterThan(0);
    const begins = own.filter(({ what }) => what === 'begin');
    for (const [index, next] of begins.slice(1).entries()) {
      const before = begins[index]!;
      const isEnd = ({ what, pid, at }: Line) =>
        what !== 'begin' && pid === before.pid && at >= before.at;
      const end = own.find(isEnd);
      const over = end?.at ?? diedAt.get(before.pid) ?? Number.POSITIVE_INFINITY;
      expect(next.at, `run ${index + 2} of ${job}`).toBeGreaterThanOrEqual(over);
    }
  }
}

interface Worker {
  child: ChildProcess;
  exit: Promise<number | null>;
}

function startWorker(url: string, logPath: string, durationMs = JOB_MS): Worker {
  const args = ['test/support/worker-process.ts', url, logPath, String(durationMs)];
  const child = spawnNode(args, {}, { stdio: ['ignore', 'inherit', 'inherit'] });
  return { child, exit: once(child, 'exit').then(([code]) => code as number | null) };
}

/** Returns a worker that is running a job. */
function busyWorker(workers: ReadonlySet<Worker>, lines: () => Line[]): Promise<Worker> {
  return vi.waitFor(
    () => {
      const jobs = Map.groupBy(lines(), ({ pid }) => pid);
      const busy = [...workers].find(({ child }) => isInMiddle(jobs.get(child.pid!)));
      if (busy === undefined) throw new Error('No worker is busy.');
      return busy;
    },
    { timeout: 60_000, interval: 10 },
  );
}

/** Kills a worker that is running a job, at a random moment of it. */
async function strike(workers: ReadonlySet<Worker>, lines: () => Line[]): Promise<Worker> {
  for (;;) {
    const victim = await busyWorker(workers, lines);
    await sleep(Math.random() * 150);
    // Its job may have ended meanwhile.
    if (!isInMiddle(lines().filter(({ pid }) => pid === victim.child.pid))) continue;
    victim.child.kill('SIGKILL');
    return victim;
  }
}

function isInMiddle(lines: readonly Line[] = []): boolean {
  const begun = lines.filter(({ what }) => what === 'begin');
  return begun.length > lines.length - begun.length;
}

async function countOpen(db: Db): Promise<number> {
  const open = db.selectFrom('job').where('status', 'in', ['pending', 'running']);
  return (await open.select('id').execute()).length;
}

function readLines(path: string): Line[] {
  if (!existsSync(path)) return [];
  const text = readFileSync(path, 'utf8');
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}

interface CrashSite {
  db: Db;
  url: string;
  logPath: string;
  services: Parameters<typeof addJob>[0];
}

function withCrashSite(backend: Backend, work: (site: CrashSite) => Promise<void>): Promise<void> {
  return backend.withUrl((url) =>
    withDataDir(async (directory) => {
      const db = openDb({ url });
      let ids = 0;
      const newId = () => `00000000-0000-4000-8000-${String(++ids).padStart(12, '0')}`;
      const log = { info() {}, warn() {}, error() {} };
      const services = {
        db,
        events: createEvents(),
        clock: Date.now,
        newId,
        observer: UNOBSERVED,
        log,
      };
      const site = { db, url, logPath: join(directory, 'log'), services };
      await work(site).finally(() => db.destroy());
    }),
  );
}
