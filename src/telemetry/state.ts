import type { Services } from '../domain/context.ts';
import { JOB_CLASSES } from '../domain/job/class.ts';
import { connectionUse } from '../store/db.ts';
import { type QueueState, readQueue } from '../store/job/queue.ts';
import { gauge, type Sample } from './instrument.ts';

/** Time for which the state of the queue is used again: several may scrape. */
const QUEUE_KEPT_MS = 5000;

/** Maximum wait for the database: a scrape must show the rest also when the database hangs. */
const QUEUE_WAIT_MS = 1000;

/** Creates the function that reads the state of a server: its queue, its connections, its cache. */
export function createStateReader(
  services: Services,
): (options: { hasQueue: boolean }) => Promise<Sample[]> {
  const readQueue = createQueueReader(services);
  return async ({ hasQueue }) => [
    ...(hasQueue ? queueSamples(await readQueue(), services.clock()) : []),
    ...connectionSamples(services),
    ...cacheSamples(services),
  ];
}

/** Returns the last known state if the database does not answer in time; empty: none is known. */
function createQueueReader({ db, clock }: Services): () => Promise<QueueState[]> {
  let known: { states: QueueState[]; at: number } | null = null;
  let running: Promise<void> | null = null;
  const refresh = async () => {
    const states = await readQueue(db, Object.keys(JOB_CLASSES));
    known = { states, at: clock() };
  };
  return async () => {
    if (known !== null && Math.abs(clock() - known.at) < QUEUE_KEPT_MS) return known.states;
    known = null;
    // The error of a database that is away is in its own metrics, and in the log of those who need it.
    running ??= refresh()
      .catch(() => undefined)
      .finally(() => {
        running = null;
      });
    await Promise.race([running, late()]);
    return (known as { states: QueueState[] } | null)?.states ?? [];
  };
}

function late(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  setTimeout(resolve, QUEUE_WAIT_MS).unref();
  return promise;
}

/** All processes of a server read the same queue, at times that differ by seconds: the largest value counts. */
function queueSamples(states: readonly QueueState[], now: number): Sample[] {
  const of = (read: (state: QueueState) => number) =>
    states.map((state) => ({ value: read(state), labels: { class: state.jobClass } }));
  const waitMs = ({ oldestDue }: QueueState) => Math.max(0, now - (oldestDue ?? now));
  return [
    gauge(
      { name: 'trivium_jobs_pending', help: 'Jobs that wait; counted up to 10,000 of each class.' },
      of(({ pending }) => pending),
      'max',
    ),
    gauge(
      {
        name: 'trivium_jobs_oldest_wait_seconds',
        help: 'Time since the longest waiting job was due; 0: none is due.',
      },
      of((state) => waitMs(state) / 1000),
      'max',
    ),
    gauge(
      { name: 'trivium_jobs_running', help: 'Jobs that run, in all processes.' },
      of(({ running }) => running),
      'max',
    ),
  ];
}

function connectionSamples({ db }: Services): Sample[] {
  const use = connectionUse(db);
  if (use === null) return [];
  return [
    gauge(
      {
        name: 'trivium_db_connections',
        help: 'Connections of the pool; with SQLite, processes that read.',
      },
      [
        { value: use.inUse, labels: { state: 'in_use' } },
        { value: use.idle, labels: { state: 'idle' } },
      ],
    ),
    gauge(
      {
        name: 'trivium_db_connection_waits',
        help: 'Statements that wait for a connection of the pool.',
      },
      [{ value: use.waiting, labels: {} }],
    ),
  ];
}

function cacheSamples({ blobs }: Services): Sample[] {
  const { hits, misses, sizeBytes } = blobs.memoryUse();
  const lookups = {
    name: 'trivium_blob_cache_lookups_total',
    help: 'Reads of small blobs, by whether they were in memory.',
  };
  return [
    {
      ...gauge(lookups, [
        { value: hits, labels: { result: 'hit' } },
        { value: misses, labels: { result: 'miss' } },
      ]),
      type: 'counter',
    },
    gauge({ name: 'trivium_blob_cache_bytes', help: 'Size of the small blobs in memory.' }, [
      { value: sizeBytes, labels: {} },
    ]),
  ];
}
