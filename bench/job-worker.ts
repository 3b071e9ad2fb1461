/**
 * `node bench/job-worker.ts trivium|limit <database> <workers>`: runs all jobs of the queue, then prints their ids and
 * its processor time.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import SqliteDatabase from 'better-sqlite3';
import type { Log, Services } from '../src/domain/context.ts';
import { createEvents } from '../src/domain/event/event.ts';
import { UNOBSERVED } from '../src/domain/observer.ts';
import { createWorker } from '../src/job/worker.ts';
import { openDb } from '../src/store/db.ts';

const [kind, path = '', workerCount = '1'] = process.argv.slice(2);
const ran = kind === 'limit' ? drainByHand(path) : await drainAsServed(path, Number(workerCount));
const { user, system } = process.cpuUsage();
console.log(JSON.stringify({ ran, cpuMs: (user + system) / 1000 }));

/** Runs the jobs as the server does. */
async function drainAsServed(path: string, workerCount: number): Promise<number[]> {
  const ran: number[] = [];
  const log: Log = { info() {}, warn: console.error, error: console.error };
  const db = openDb({ url: `sqlite:${path}` });
  const parts = { db, events: createEvents(), clock: Date.now, observer: UNOBSERVED, log };
  const workers = Array.from({ length: workerCount }, () =>
    createWorker({
      services: parts as unknown as Services & { log: Log },
      tasks: { 'delete-blob': async (_ctx, _args, { jobId }) => void ran.push(jobId) },
      concurrency: 2,
    }),
  );
  for (const worker of workers) worker.start();
  const open = db.selectFrom('job').where('status', 'in', ['pending', 'running']).select('id');
  while ((await open.limit(1).execute()).length > 0) await sleep(100);
  await Promise.all(workers.map((worker) => worker.stop()));
  await db.destroy();
  return ran;
}

/** Runs the jobs with the least that keeps each from running twice: one durable statement claims it, one closes it. */
function drainByHand(path: string): number[] {
  const ran: number[] = [];
  const db = new SqliteDatabase(path);
  db.pragma('journal_mode = WAL');
  db.pragma('synchronous = FULL');
  db.pragma('busy_timeout = 5000');
  const claim = db.prepare<[number, number], { id: number }>(`
    update job set status = 'running', started_at = ?
    where id = (
      select id from job where status = 'pending' and scheduled_at <= ?
      order by priority desc, scheduled_at, id limit 1
    )
    returning id`);
  const close = db.prepare(`update job set status = 'completed', finished_at = ? where id = ?`);
  for (let job = claim.get(Date.now(), Date.now()); job; job = claim.get(Date.now(), Date.now())) {
    ran.push(job.id);
    close.run(Date.now(), job.id);
  }
  db.close();
  return ran;
}
