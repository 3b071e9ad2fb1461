import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { SCHEDULE } from '../../src/job/schedule.ts';
import { openDb } from '../../src/store/db.ts';
import { insertJob } from '../../src/store/job/job.ts';
import { upload } from '../rest/importer/call.ts';
import { type TestApp, withApp } from '../support/app.ts';
import { BACKENDS, describeEachBackend } from '../support/backend.ts';
import { fixtureBytes } from '../support/bytes.ts';

/** Interval at which a worker looks for jobs without a notice, in milliseconds. */
const POLL_MS = 5000;

const PDF = fixtureBytes('document.pdf');
const POSTGRES = BACKENDS.find(({ name }) => name === 'postgres');

describeEachBackend('a server', (backend) => {
  it('runs its jobs: recurring jobs wait, and the bytes of deleted files are deleted', () =>
    withApp(
      backend,
      async (app) => {
        expect((await upload(app, 'a', { name: 'a.pdf', bytes: PDF })).status).toBe(200);
        expect(await blobCount(app)).toBe(1);
        const recurring = await vi.waitFor(async () => {
          const jobs = await jobsIn(app, 'pending');
          expect(jobs).toHaveLength(SCHEDULE.length);
          return jobs;
        });
        expect(recurring.toSorted()).toEqual(SCHEDULE.map(({ jobClass }) => jobClass).toSorted());
        const { id } = await app.services.db
          .selectFrom('media')
          .where('resource', '=', 'a')
          .select('id')
          .executeTakeFirstOrThrow();
        const api = `/api/v2/media/${id}/`;
        expect((await app.fetch(api, { method: 'DELETE', asAdmin: true })).ok).toBe(true);
        await vi.waitFor(async () => expect(await blobCount(app)).toBe(0));
        await vi.waitFor(async () =>
          expect(await jobsIn(app, 'completed')).toContain('delete-blob'),
        );
      },
      { TRIVIUM_JOB_CONCURRENCY: '2', TRIVIUM_TRASH_DAYS: '0' },
    ));
});

describe.skipIf(POSTGRES === undefined)('a server on postgres', () => {
  it('runs a job of another process at once, without polling', () =>
    POSTGRES!.withUrl((url) =>
      withApp(
        { ...POSTGRES!, withUrl: (work) => work(url) },
        async (app) => {
          await vi.waitFor(async () =>
            expect(await jobsIn(app, 'pending')).toHaveLength(SCHEDULE.length),
          );
          const other = openDb({ url });
          let count = 0;
          const runOne = async () => {
            // The work of its start, or of the job before, is done, and it sleeps.
            await sleep(300);
            const begun = performance.now();
            await insertJob(other, aJob());
            count += 1;
            await vi.waitFor(async () =>
              expect(await jobsIn(app, 'completed')).toHaveLength(count),
            );
            return performance.now() - begun;
          };
          // By polling, each would take the whole interval, as each follows the job before. One may be late by chance.
          await expect.poll(runOne).toBeLessThan(POLL_MS / 2);
          await other.destroy();
        },
        { TRIVIUM_JOB_CONCURRENCY: '1' },
      ),
    ));
});

async function jobsIn({ services }: TestApp, status: string): Promise<string[]> {
  const query = services.db.selectFrom('job').where('status', '=', status).select('job_class');
  return (await query.execute()).map(({ job_class }) => job_class);
}

async function blobCount({ services }: TestApp): Promise<number> {
  return (await Array.fromAsync(services.blobs.list())).length;
}

function aJob() {
  const now = Date.now();
  const counts = { priority: 0, progress: 0, retry_count: 0, max_retries: 0 };
  const times = { scheduled_at: now, created_at: now, updated_at: now };
  const work = { job_class: 'delete-blob', arguments: '{"blob_keys":[]}' };
  return { uuid: randomUUID(), status: 'pending', ...work, ...counts, ...times };
}
