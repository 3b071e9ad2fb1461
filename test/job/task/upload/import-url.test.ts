import { Readable } from 'node:stream';
import { describe, expect, it, vi } from 'vitest';
import { createFolder } from '../../../../src/domain/tree/folder.ts';
import { importFile, importUrl } from '../../../../src/domain/upload/import.ts';
import { uploadToResource } from '../../../../src/domain/upload/resource-upload.ts';
import { SYSTEM } from '../../../../src/domain/viewer/viewer.ts';
import { type TestServices, user } from '../../../support/app.ts';
import { BACKENDS, describeEachBackend } from '../../../support/backend.ts';
import { leftovers, md5Of, PNG } from '../../../support/bytes.ts';
import { makeTag } from '../../../support/make.ts';
import { shareServices } from '../../../support/shared-app.ts';
import { type Answer, type Site, withSite } from '../../../support/site.ts';
import { attemptsOf, jobIn, readJob } from '../../../support/worker.ts';
import { allowing, importer, importFrom, readOriginal, send, TASKS, TEXT, work } from './import.ts';

describeEachBackend('import-url', (backend) => {
  const services = shareServices(backend);

  it('creates a media item of the user who started the job, in the chosen folder', async () => {
    const it = services();
    const folder = await createFolder(it.as(importer), { name: 'Imported' });
    const tag = await makeTag(it.db, { name: 'from elsewhere' });
    const placement = { folderId: folder.id, tagIds: [tag.id] };
    await withSite(send(PNG, { 'content-type': 'image/png' }), async (site) => {
      const { job, media } = await importFrom(it, site, '/a/my%20photo.png?x=y', placement);
      expect(job).toMatchObject({
        progress: 1,
        error: null,
        result: { media_uuid: media.uuid, media_id: media.id },
      });
      expect(media).toMatchObject({
        name: 'my photo.png',
        type: 'image',
        owner: 'alice',
        parentId: folder.id,
      });
      const row = await it.db.selectFrom('job').where('id', '=', job.id).selectAll().execute();
      expect(row[0]?.media_id).toBe(media.id);
      const tags = await it.db
        .selectFrom('media_tag')
        .where('media_id', '=', media.id)
        .selectAll()
        .execute();
      expect(tags.map(({ tag_id }) => tag_id)).toEqual([tag.id]);
      const { bytes, file } = await readOriginal(it, media.id);
      expect(bytes.equals(PNG)).toBe(true);
      expect(file).toMatchObject({ md5: md5Of(PNG), mimeType: 'image/png' });
    });
  });

  it('a run after a crash finds the media item of the run before it', async () => {
    const it = services();
    await withSite(send(TEXT), async (site) => {
      const { job, media } = await importFrom(it, site, '/note.txt');
      // The state after a crash between the creation of the media item and the end of the job.
      const lost = { status: 'running', lease_token: 'gone', leased_until: 0, result: null };
      await it.db
        .updateTable('job')
        .set({ ...lost, finished_at: null })
        .where('id', '=', job.id)
        .execute();
      it.advance(60_000);
      await work(it, site, async () => {
        await vi.waitFor(async () => expect((await readJob(it, job.id)).status).toBe('pending'));
      });
      it.advance(60_000);
      const again = await work(it, site, () => jobIn(it, job.id, 'completed'));
      expect(again.result).toEqual({ media_uuid: media.uuid, media_id: media.id });
      expect(site.requests).toHaveLength(1);
      expect(await mediasOf(it, job.uuid)).toBe(1);
    });
  });

  it('fails if another user has uploaded a file under the uuid of the job', async () => {
    const it = services();
    await withSite(send(TEXT), async (site) => {
      const job = await importUrl(it.as(importer), { url: `${site.url}/note.txt` });
      const upload = { resource: job.uuid, key: null };
      const file = { filename: 'a.png', declaredType: null, bytes: Readable.from([PNG]) };
      await uploadToResource(it.as(user('mallory')), upload, async (take) => {
        await take(file);
        return { key: null, projectId: null };
      });
      const { error } = await work(it, site, () => jobIn(it, job.id, 'errored'));
      expect(error).toBe(`PermanentError: Resource ${job.uuid} belongs to another user.`);
      expect(site.requests).toHaveLength(0);
    });
  });

  it('two runs at the same time, which should not happen, create one media item', async () => {
    const it = services();
    const gate = Promise.withResolvers<void>();
    const answer: Answer = async (_request, response) => {
      await gate.promise;
      response.end(TEXT);
    };
    await withSite(answer, async (site) => {
      const job = await importUrl(it.as(importer), { url: `${site.url}/note.txt` });
      const before = await leftovers(it);
      const runs = [runTask(it, site, job.id), runTask(it, site, job.id)];
      await vi.waitFor(() => expect(site.requests).toHaveLength(2));
      gate.resolve();
      const [one, two] = await Promise.all(runs);
      expect(one).toEqual(two);
      const { medias, staged, stored } = await leftovers(it);
      expect({ medias, staged, stored }).toEqual({
        medias: before.medias + 1,
        staged: before.staged,
        stored: before.stored + 1,
      });
      await it.db.deleteFrom('job').where('id', '=', job.id).execute();
    });
  });
});

describe('an import', () => {
  const services = shareServices(BACKENDS[0]!);

  it('reports its progress, and ends when it is cancelled', async () => {
    const it = services();
    const answer: Answer = (_request, response) => {
      response.writeHead(200, { 'content-length': TEXT.length * 2 });
      response.write(TEXT);
    };
    await withSite(answer, async (site) => {
      const before = await leftovers(it);
      const { id } = await importUrl(it.as(importer), { url: `${site.url}/note.txt` });
      const cancelled = await work(it, site, async () => {
        await vi.waitFor(async () => expect((await readJob(it, id)).progress).toBeCloseTo(0.5));
        await it.db
          .updateTable('job')
          .set({ cancel_requested_at: 1 })
          .where('id', '=', id)
          .execute();
        it.events.publish({ type: 'job', id });
        return jobIn(it, id, 'cancelled');
      });
      expect(cancelled.result).toBeNull();
      expect((await attemptsOf(it, id)).map(({ error }) => error)).toEqual(['Cancelled.']);
      expect(await leftovers(it)).toEqual(before);
    });
  });

  it('that is cancelled at its last byte creates no media item and leaves no bytes', async () => {
    const it = services();
    const { id, uuid } = await importUrl(it.as(importer), { url: 'https://example.org/a.txt' });
    const before = await leftovers(it);
    const abort = new AbortController();
    const reason = new Error('enough');
    const last = async function* () {
      yield TEXT;
      abort.abort(reason);
    };
    const file = { bytes: last(), filename: 'a.txt', declaredType: null, sizeBytes: null };
    const imported = importFile(it.as(importer), { id, uuid, arguments: {} }, file, abort.signal);
    await expect(imported).rejects.toBe(reason);
    expect(await leftovers(it)).toEqual(before);
    await it.db.deleteFrom('job').where('id', '=', id).execute();
  });

  it('fails before the download if the folder has been deleted', async () => {
    const it = services();
    const folder = await createFolder(it.as(importer), { name: 'Gone soon' });
    await withSite(send(TEXT), async (site) => {
      const job = await importUrl(it.as(importer), {
        url: `${site.url}/a.txt`,
        folderId: folder.id,
      });
      await it.db.deleteFrom('media').where('id', '=', folder.id).execute();
      const failed = await work(it, site, () => jobIn(it, job.id, 'errored'));
      expect(failed.error).toContain('folder');
      expect(site.requests).toHaveLength(0);
    });
  });
});

function runTask(services: TestServices, site: Site, jobId: number) {
  const ctx = { ...allowing(services, site), viewer: SYSTEM };
  const startedBy = { id: 'alice', role: 'editor' };
  const { signal } = new AbortController();
  const args = { url: `${site.url}/note.txt` };
  return TASKS['import-url'](ctx, args, { jobId, startedBy, signal, progress: () => undefined });
}

async function mediasOf({ db }: TestServices, resource: string): Promise<number> {
  return (await db.selectFrom('media').where('resource', '=', resource).select('id').execute())
    .length;
}
