/**
 * `node bite-process.ts <database>`: a worker that runs the jobs of large changes, and only those, until it is killed.
 */
import { randomUUID } from 'node:crypto';
import type { Services } from '../../src/domain/context.ts';
import { createEvents } from '../../src/domain/event/event.ts';
import { UNOBSERVED } from '../../src/domain/observer.ts';
import { createPendingChanges } from '../../src/domain/viewer/pending.ts';
import { scheduleNext } from '../../src/job/schedule.ts';
import { TASKS } from '../../src/job/task/index.ts';
import { createWorker } from '../../src/job/worker.ts';
import { parseConfig } from '../../src/start/config.ts';
import { openDb } from '../../src/store/db.ts';

/** The classes of jobs that work in bites. */
const CLASSES = [
  'delete-subtree',
  'delete-tag',
  'delete-where',
  'index-tag',
  'move-subtree',
  'purge-subtree',
  'restore-subtree',
  'tag-where',
  'update-where',
] as const;

const [url = ''] = process.argv.slice(2);
const log = { info() {}, warn() {}, error: (fields: object) => console.error(fields) };
const db = openDb({ url });
const services = {
  db,
  settings: parseConfig({}),
  events: createEvents(),
  clock: Date.now,
  newId: randomUUID,
  observer: UNOBSERVED,
  pending: createPendingChanges({ db, isShared: false }),
  log,
};
const all = services as unknown as Services & { log: typeof log };
const worker = createWorker({
  services: all,
  tasks: Object.fromEntries(CLASSES.map((jobClass) => [jobClass, TASKS[jobClass]])),
  // A change whose job has used up its retries gets another one.
  schedule: () => scheduleNext(all),
  concurrency: 3,
  leaseMs: 1000,
  heartbeatMs: 200,
  pollMs: 50,
});
worker.start();
