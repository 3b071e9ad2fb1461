import { expect, it, vi } from 'vitest';
import { enqueueJob } from '../../src/domain/job/enqueue.ts';
import { requestJob } from '../../src/domain/upload/import.ts';
import { SYSTEM } from '../../src/domain/viewer/viewer.ts';
import { resetFuture, SCHEDULE, scheduleNext } from '../../src/job/schedule.ts';
import type { Tasks } from '../../src/job/task.ts';
import { listLostJobs } from '../../src/store/job/run.ts';
import { type TestServices, withServices } from '../support/app.ts';
import { describeEachBackend } from '../support/backend.ts';
import { withWorker } from '../support/worker.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

describeEachBackend('recurring jobs', (backend) => {
  it('wait in the database once each, however many processes enqueue them', () =>
    withServices(backend, async (services) => {
      const hour = startHour(services);
      await Promise.all([1, 2, 3, 4].map(() => scheduleNext(services)));
      await scheduleNext(services);
      expect(await waiting(services)).toEqual(dueIn(hour));
    }));

  it('have a unicity that clients cannot take', () =>
    withServices(backend, async (services) => {
      await scheduleNext(services);
      const rows = await services.db.selectFrom('job').select('unicity').execute();
      expect(rows).toHaveLength(SCHEDULE.length);
      for (const { unicity } of rows) {
        const job = { jobClass: 'import-url', arguments: { url: 'https://a.example/' }, unicity };
        await expect(requestJob(services.as(SYSTEM), job)).rejects.toMatchObject({
          code: 'INVALID_INPUT',
          issues: [{ path: ['unicity'] }],
        });
      }
    }));

  it('are enqueued again by the worker after they have run, and do not pile up', () =>
    withServices(
      backend,
      async (services) => {
        // Nothing is due within the seconds that it advances by.
        startHour(services);
        const ran = { 'expire-upload': 0, 'purge-trash': 0, sweep: 0 };
        const tasks: Tasks = {
          'expire-upload': async () => void ran['expire-upload']++,
          'purge-trash': async () => void ran['purge-trash']++,
          sweep: async () => void ran.sweep++,
        };
        const schedule = () => scheduleNext(services);
        await withWorker(
          services,
          tasks,
          async () => {
            await vi.waitFor(async () => expect(await waiting(services)).toHaveLength(3));
            // As after a night without the server: missed runs are made up for by one run.
            services.advance(24 * HOUR_MS);
            await vi.waitFor(() =>
              expect(ran).toEqual({ 'expire-upload': 1, 'purge-trash': 1, sweep: 1 }),
            );
            // They exist until their end is written, and no others are created.
            await vi.waitFor(async () => expect(await completed(services)).toBe(3));
            services.advance(15_000);
            await vi.waitFor(async () => expect(await waiting(services)).toHaveLength(3));
            services.advance(10 * MINUTE_MS);
            await vi.waitFor(() => expect(ran['expire-upload']).toBe(2));
          },
          { schedule },
        );
        expect(ran.sweep).toBeLessThanOrEqual(2);
      },
      // Leaves out the job that reads files again.
      { rehashDays: 0 },
    ));
});

/** Sets the clock to the first minute of an hour. Returns the time at which the hour began. */
function startHour(services: TestServices): number {
  services.advance(HOUR_MS - (services.clock() % HOUR_MS) + MINUTE_MS);
  return services.clock() - MINUTE_MS;
}

/** Returns the recurring jobs of an hour, and when they are due. */
function dueIn(hour: number): [string, number][] {
  return [
    ['expire-upload', hour + 10 * MINUTE_MS],
    ['purge-trash', hour + HOUR_MS],
    ['rehash-file', hour + 10 * MINUTE_MS],
    ['sweep', hour + HOUR_MS],
  ];
}

async function waiting({ db }: TestServices): Promise<[string, number][]> {
  const query = db.selectFrom('job').where('status', '=', 'pending').orderBy('job_class');
  const rows = await query.select(['job_class', 'scheduled_at']).execute();
  return rows.map(({ job_class, scheduled_at }) => [job_class, scheduled_at]);
}

async function completed({ db }: TestServices): Promise<number> {
  const query = db.selectFrom('job').where('status', '=', 'completed');
  return (await query.select('id').execute()).length;
}

const YEAR_MS = 365 * 24 * HOUR_MS;

describeEachBackend('after a clock that was ahead has been set back', (backend) => {
  it('recurring jobs run within their interval', () =>
    withServices(backend, async (services) => {
      const hour = startHour(services);
      services.advance(YEAR_MS);
      await scheduleNext(services);
      services.advance(-YEAR_MS);
      await scheduleNext(services);
      expect(await waiting(services)).toEqual(dueIn(hour));
    }));

  it('retries and lost jobs of the server are due at the next start, and jobs that clients put off stay', () =>
    withServices(backend, async (services) => {
      const { db } = services;
      const ctx = services.as(SYSTEM);
      services.advance(YEAR_MS);
      const own = await enqueueJob(ctx, 'delete-blob', { blob_keys: [] });
      const lost = await enqueueJob(ctx, 'delete-blob', { blob_keys: [] });
      const startedBy = { id: 'user:a', role: 'editor' };
      const at = new Date(services.clock() + HOUR_MS);
      const theirs = await enqueueJob(
        ctx,
        'delete-blob',
        { blob_keys: [] },
        { startedBy, scheduledAt: at },
      );
      const future = services.clock();
      const lease = {
        status: 'running',
        lease_token: 'x',
        leased_until: future,
        heartbeat_at: future,
      };
      await db.updateTable('job').set(lease).where('id', '=', lost.job.id).execute();
      services.advance(-YEAR_MS);
      await resetFuture(services);
      const now = services.clock();
      const rows = await db.selectFrom('job').selectAll().orderBy('id').execute();
      expect(rows.map(({ id, scheduled_at }) => [id, scheduled_at <= now])).toEqual([
        [own.job.id, true],
        [lost.job.id, false],
        [theirs.job.id, false],
      ]);
      // The worker finds a lease that has expired, and counts the wait of the retry from now.
      expect(rows[1]).toMatchObject({ leased_until: now - 1, heartbeat_at: now });
      const jobs = await listLostJobs(db, now, 10);
      expect(jobs.map(({ id }) => id)).toEqual([lost.job.id]);
    }));
});
