/**
 * `node worker-process.ts <database> <log> <ms>`: a worker whose jobs take `<ms>` milliseconds. Each job writes a
 * line to the log when it begins and when it ends or is stopped. The process stops on SIGTERM as the server does.
 */
import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Services } from '../../src/domain/context.ts';
import { createEvents } from '../../src/domain/event/event.ts';
import { UNOBSERVED } from '../../src/domain/observer.ts';
import { createWorker } from '../../src/job/worker.ts';
import { openDb } from '../../src/store/db.ts';
import { listenForNotices } from '../../src/store/event/notice.ts';

const [url = '', logPath = '', durationMs = ''] = process.argv.slice(2);

const note = (what: string, job: string) =>
  appendFileSync(logPath, `${JSON.stringify({ what, job, pid: process.pid, at: Date.now() })}\n`);
const log = { info() {}, warn() {}, error: (fields: object) => console.error(fields) };
const services = {
  db: openDb({ url }),
  events: createEvents(),
  clock: Date.now,
  observer: UNOBSERVED,
};
const worker = createWorker({
  services: { ...services, log } as unknown as Services & { log: typeof log },
  tasks: {
    'delete-blob': async (_ctx, { blob_keys: [job = ''] }, { signal }) => {
      note('begin', job);
      await sleep(Number(durationMs), undefined, { signal }).catch((error) => {
        note('stop', job);
        throw error;
      });
      note('end', job);
    },
  },
  concurrency: 2,
  leaseMs: 1000,
  heartbeatMs: 200,
  pollMs: 100,
  graceMs: 50,
});
worker.start();
const nothing = () => undefined;
const listeners = { onJob: () => worker.wake(), onEvents: nothing, onGap: nothing };
const notices = url.startsWith('sqlite:') ? null : listenForNotices(url, listeners);

process.once('SIGTERM', async () => {
  await Promise.all([worker.stop(), notices?.stop()]);
  await services.db.destroy();
});
