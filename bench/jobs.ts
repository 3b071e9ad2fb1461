import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { type Db, openDb } from '../src/store/db.ts';
import { migrate } from '../src/store/migrate.ts';
import { toJobRow } from '../test/support/job-row.ts';
import { printTable } from './report.ts';
import type { ServerSetup } from './server.ts';

const JOBS = 10_000;
const WORKERS = 4;
/** Below SQLite's 32,766 parameters a statement. */
const BATCH_ROWS = 1000;

const NAMES = { trivium: 'Trivium', limit: 'hand-written SQL' } as const;
type Kind = keyof typeof NAMES;

interface Drain {
  kind: Kind;
  seconds: number;
  /** For one job. */
  cpuMs: number;
}

/**
 * Runs 10,000 jobs that do nothing with four workers on one SQLite file, and checks that each ran exactly once. The
 * limit claims and closes each with one statement, and keeps neither a log of runs nor leases.
 */
export async function benchJobs({ scratch }: ServerSetup): Promise<void> {
  const limit = await drain('limit', scratch.path('limit.db'));
  const ours = await drain('trivium', scratch.path('trivium.db'));
  const rows = [ours, limit].map(({ kind, seconds, cpuMs }) => [
    NAMES[kind],
    Math.round(JOBS / seconds).toLocaleString('en'),
    cpuMs.toFixed(3),
    kind === 'limit' ? (seconds / ours.seconds).toFixed(2) : '',
  ]);
  const title = `${JOBS.toLocaleString('en')} jobs, ${WORKERS} workers, each ran exactly once`;
  printTable(title, ['', 'jobs/s', 'CPU ms/job', 'Trivium/limit'], rows);
}

async function drain(kind: Kind, path: string): Promise<Drain> {
  const db = openDb({ url: `sqlite:${path}` });
  try {
    await migrate(db);
    await db.transaction().execute(insertJobs);
    const args = ['bench/job-worker.ts', kind, path, String(WORKERS)];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    const report: { ran: number[]; cpuMs: number } = JSON.parse(stdout);
    await checkRuns(db, report.ran);
    return { kind, seconds: await secondsOf(db), cpuMs: report.cpuMs / JOBS };
  } finally {
    await db.destroy();
  }
}

async function insertJobs(db: Db): Promise<void> {
  const now = Date.now();
  for (let at = 0; at < JOBS; at += BATCH_ROWS) {
    const rows = Array.from({ length: BATCH_ROWS }, () =>
      toJobRow(now, { job_class: 'delete-blob', arguments: '{"blob_keys":[]}' }),
    );
    await db.insertInto('job').values(rows).execute();
  }
}

/** Throws unless every job is done and ran once, as the workers say. */
async function checkRuns(db: Db, ran: readonly number[]): Promise<void> {
  const done = db.selectFrom('job').where('status', '=', 'completed').select('id');
  const completed = (await done.execute()).length;
  const distinct = new Set(ran).size;
  if (completed === JOBS && ran.length === JOBS && distinct === JOBS) return;
  throw new Error(`${completed} jobs are done, in ${ran.length} runs of ${distinct}.`);
}

async function secondsOf(db: Db): Promise<number> {
  const { first, last } = await db
    .selectFrom('job')
    .select((eb) => [eb.fn.min('started_at').as('first'), eb.fn.max('finished_at').as('last')])
    .executeTakeFirstOrThrow();
  return (Number(last) - Number(first)) / 1000;
}
