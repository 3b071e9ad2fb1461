import { expect, it } from 'vitest';
import { newBlobKey } from '../../src/domain/file/blob-key.ts';
import { deleteMedia } from '../../src/domain/tree/media-change.ts';
import { appendChunk } from '../../src/domain/upload/upload.ts';
import { uploadFile } from '../../src/domain/upload/upload-file.ts';
import { TASKS } from '../../src/job/task/index.ts';
import { type TestServices, user, withServices } from '../support/app.ts';
import { describeEachBackend } from '../support/backend.ts';
import { fixtureBytes, inPieces, leftovers, NOTHING } from '../support/bytes.ts';
import { addJob, jobIn, withWorker } from '../support/worker.ts';

const PDF = fixtureBytes('document.pdf');
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const ALICE = user('alice');

const run = {
  jobId: 1,
  startedBy: null,
  signal: new AbortController().signal,
  progress: () => undefined,
};

describeEachBackend('delete-blob', (backend) => {
  it('deletes the bytes of deleted files, and may be repeated', () =>
    withServices(
      backend,
      async (services) => {
        const { id } = await upload(services);
        await deleteMedia(services.as(ALICE), id);
        expect(await leftovers(services)).toEqual({ ...NOTHING, stored: 1 });
        const jobs = services.db.selectFrom('job').where('job_class', '=', 'delete-blob');
        const job = await jobs.selectAll().executeTakeFirstOrThrow();
        await withWorker(services, TASKS, () => jobIn(services, job.id, 'completed'));
        expect(await leftovers(services)).toEqual(NOTHING);
        await TASKS['delete-blob'](services.as(), JSON.parse(job.arguments), run);
        await TASKS['delete-blob'](services.as(), { blob_keys: [newBlobKey()] }, run);
      },
      { trashDays: 0 },
    ));

  it('keeps bytes that a row refers to', () =>
    withServices(backend, async (services) => {
      await upload(services);
      const { blob_key } = await fileOf(services);
      await TASKS['delete-blob'](services.as(), { blob_keys: [blob_key] }, run);
      expect(await services.blobs.stat(blob_key)).not.toBeNull();
    }));
});

describeEachBackend('expire-upload', (backend) => {
  it('deletes expired uploads with their bytes, and counts them', () =>
    withServices(backend, async (services) => {
      const place = { offsetBytes: 0, totalBytes: PDF.length };
      const chunk = { bytes: inPieces(PDF.subarray(0, 10)) };
      await appendChunk(services.as(), { filename: 'a.pdf', ...place, chunk });
      const expire = () => TASKS['expire-upload'](services.as(), {}, run);
      expect(await expire()).toEqual({ uploads_expired: 0 });
      services.advance(DAY_MS);
      expect(await expire()).toEqual({ uploads_expired: 1 });
      expect(await leftovers(services)).toEqual(NOTHING);
      expect(await expire()).toEqual({ uploads_expired: 0 });
    }));
});

describeEachBackend('sweep', (backend) => {
  it('deletes bytes without a row after an hour, and reports rows without bytes', () =>
    withServices(backend, async (services) => {
      await upload(services);
      const orphan = newBlobKey();
      await services.staging.append(orphan, 0, inPieces(PDF));
      const sweep = () => TASKS.sweep(services.as(), {}, run);
      const nothing = { blobs_removed: 0, jobs_forgotten: 0, lost_files: 0 };
      expect(await sweep()).toEqual(nothing);
      services.advance(2 * HOUR_MS);
      expect(await sweep()).toEqual({ ...nothing, blobs_removed: 1 });
      await services.blobs.delete((await fileOf(services)).blob_key);
      expect(await sweep()).toEqual({ ...nothing, lost_files: 1 });
      const message = 'the bytes of files are lost';
      expect(services.logged).toContainEqual({ level: 'error', message });
      expect(await leftovers(services)).toMatchObject({ medias: 1, files: 1 });
    }));

  it('deletes completed jobs after a week, and failed jobs after 30 days', () =>
    withServices(backend, async (services) => {
      for (const status of ['completed', 'errored', 'cancelled', 'pending', 'paused']) {
        const id = await addJob(services, status);
        const finished_at = ['pending', 'paused'].includes(status) ? null : services.clock();
        const row = { job_id: id, number: 1, worker: 'w', started_at: services.clock() };
        await services.db.insertInto('job_attempt').values(row).execute();
        const update = services.db.updateTable('job').set({ status, finished_at });
        await update.where('id', '=', id).execute();
      }
      const left = async () => {
        await TASKS.sweep(services.as(), {}, run);
        const rows = await services.db.selectFrom('job').orderBy('id').select('status').execute();
        return rows.map(({ status }) => status);
      };
      services.advance(7 * DAY_MS);
      expect(await left()).toHaveLength(5);
      services.advance(1);
      expect(await left()).toEqual(['errored', 'cancelled', 'pending', 'paused']);
      services.advance(23 * DAY_MS - 1);
      expect(await left()).toHaveLength(4);
      services.advance(1);
      expect(await left()).toEqual(['pending', 'paused']);
      const attempts = await services.db.selectFrom('job_attempt').selectAll().execute();
      expect(attempts).toHaveLength(2);
    }));

  it('ends early when it is aborted', () =>
    withServices(backend, async (services) => {
      await upload(services);
      const told = { ...run, signal: AbortSignal.abort(new Error('Enough.')) };
      await expect(TASKS.sweep(services.as(), {}, told)).rejects.toThrow('Enough.');
    }));
});

function upload(services: TestServices) {
  return uploadFile(services.as(ALICE), { filename: 'a.pdf', bytes: inPieces(PDF) });
}

function fileOf({ db }: TestServices) {
  return db.selectFrom('file').selectAll().executeTakeFirstOrThrow();
}
