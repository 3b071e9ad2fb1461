import { randomInt } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ScratchDatabase } from '../../store/postgres/scratch.ts';
import { runCommandOf, type ScratchServer, startServer, type Variables } from './scratch-server.ts';
import { createTortureClient } from './torture-client.ts';
import { checkAll, createLedger, type Ledger } from './torture-ledger.ts';
import { runLoad } from './torture-load.ts';

/** A scratch installation. */
export interface Scratch {
  /** Environment of its servers. */
  variables: Variables;
  adminKey: string;
  /** A directory on the disk of its files. */
  directory: string;
  /** Null: SQLite, which has no connections to cut. */
  database: ScratchDatabase | null;
  /** Deletes the bytes that no row refers to, as if they were old. Returns how many, and how many files have no bytes. */
  sweep: () => Promise<{ removed: number; lost: number }>;
}

/** What happened, and whether it is as it has to be. */
export interface Verdict extends Omit<Ledger, 'items'> {
  kills: number;
  /** Runs of the server to which the system refused large files. */
  fills: number;
  /** Times at which all connections to the database were cut. */
  cuts: number;
  /** Bytes without a row that the sweep has deleted: leftovers of killed requests. */
  leftovers: number;
  /** Median time to make 4 KiB durable. */
  flushMs: number;
}

/** Length of one life of the server, in milliseconds. */
const LIFE_MS = { min: 200, max: 4000 };

/** The largest file of a run in which the disk seems to be full: enough for a start. */
const FILLED_BYTES = { min: 2 ** 18, max: 2 ** 21 };

/**
 * Starts the server of a scratch installation again and again under load, kills it, lets its disk seem full and cuts its
 * connections to the database, until the signal aborts. Then compares what it serves with what it has acknowledged.
 */
export async function torture(scratch: Scratch, signal: AbortSignal): Promise<Verdict> {
  const counts = { kills: 0, fills: 0, cuts: 0 };
  const ledger = createLedger();
  const flushMs = await measureFlush(scratch.directory);
  do {
    // Not before the server has acknowledged something.
    const isFilled = ledger.uploads > 0 && randomInt(4) === 0;
    const limit = isFilled ? randomInt(FILLED_BYTES.min, FILLED_BYTES.max) : null;
    const server = await startServer(scratch.variables, limit);
    if (server === null) {
      if (!isFilled) ledger.violations.push('the server does not start any more');
      if (!isFilled) break;
      continue;
    }
    if (isFilled) counts.fills += 1;
    counts.cuts += await live(scratch, { server, ledger, signal });
    counts.kills += 1;
  } while (!signal.aborted);
  await checkLast(scratch, ledger);
  const leftovers = await checkStorage(scratch, ledger);
  const { items: _, ...figures } = ledger;
  return { ...figures, ...counts, leftovers, flushMs };
}

interface Life {
  server: ScratchServer;
  ledger: Ledger;
  signal: AbortSignal;
}

/** Loads a server until it is killed. Returns how often its connections were cut. */
async function live(
  { adminKey, database }: Scratch,
  { server, ledger, signal }: Life,
): Promise<number> {
  const ending = new AbortController();
  const load = runLoad(createTortureClient(server.url, adminKey), ledger, ending.signal);
  const halfMs = randomInt(LIFE_MS.min, LIFE_MS.max) / 2;
  const wait = () => sleep(halfMs, undefined, { signal }).catch(() => undefined);
  await wait();
  const isCut = database !== null && randomInt(2) === 0;
  if (isCut) await database.cut();
  await wait();
  await untilAcknowledged(ledger);
  ending.abort();
  await server.end('SIGKILL');
  await load;
  return isCut ? 1 : 0;
}

/** Time within which a server acknowledges something. */
const PATIENCE_MS = 60_000;

/** Waits until the server has acknowledged an upload: otherwise nothing could be lost. */
async function untilAcknowledged(ledger: Ledger): Promise<void> {
  const endsAt = performance.now() + PATIENCE_MS;
  while (ledger.uploads === 0) {
    if (performance.now() > endsAt) {
      ledger.violations.push('the server has acknowledged nothing within a minute');
      return;
    }
    await sleep(20);
  }
}

/** Starts the server for the last time, and checks all files. */
async function checkLast({ variables, adminKey }: Scratch, ledger: Ledger): Promise<void> {
  const server = await startServer(variables, null);
  if (server === null) {
    ledger.violations.push('the server does not start any more');
    return;
  }
  try {
    await checkAll(createTortureClient(server.url, adminKey), ledger);
  } catch (error) {
    ledger.violations.push(`the last check failed: ${String(error)}`);
  } finally {
    await server.end('SIGTERM');
  }
}

/** Checks rows and bytes against each other while no server runs. Returns the number of leftovers. */
async function checkStorage({ variables, sweep }: Scratch, ledger: Ledger): Promise<number> {
  const first = await sweep();
  const second = await sweep();
  if (first.lost > 0) ledger.violations.push(`${first.lost} rows have no bytes`);
  if (second.removed > 0) ledger.violations.push(`the sweep left ${second.removed} blobs behind`);
  const { code, output } = await runCommandOf(['fsck', '--rehash'], variables);
  if (code !== 0) ledger.violations.push(`fsck failed: ${output}`);
  return first.removed;
}

/** Number of flushes that are measured. */
const FLUSHES = 51;

async function measureFlush(directory: string): Promise<number> {
  const path = join(directory, 'flush');
  const file = await open(path, 'wx', 0o600);
  const times: number[] = [];
  try {
    for (let count = 0; count < FLUSHES; count++) {
      const startedAt = performance.now();
      await file.write(Buffer.alloc(4096, count));
      await file.datasync();
      times.push(performance.now() - startedAt);
    }
  } finally {
    await file.close();
    await rm(path);
  }
  return times.sort((one, other) => one - other)[Math.floor(FLUSHES / 2)] ?? 0;
}
