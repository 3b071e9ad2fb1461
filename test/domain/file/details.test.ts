import { expect, it, vi } from 'vitest';
import type { DomainEvent } from '../../../src/domain/event/event.ts';
import { readDetails } from '../../../src/domain/file/details.ts';
import { filesByMediaIds } from '../../../src/domain/file/file.ts';
import { enqueueMissingDetails } from '../../../src/domain/file/missing-details.ts';
import { versionsOfEach } from '../../../src/domain/file/version.ts';
import { deleteMedia } from '../../../src/domain/tree/media-change.ts';
import { restoreVersion } from '../../../src/domain/upload/restore-version.ts';
import { replaceFile, uploadFile } from '../../../src/domain/upload/upload-file.ts';
import { readDetails as readDetailsTask } from '../../../src/job/task/file/read-details.ts';
import { createThumbnail } from '../../../src/job/task/rendition/create-thumbnail.ts';
import { PermanentError } from '../../../src/job/task.ts';
import { type TestServices, user, withServices } from '../../support/app.ts';
import { describeEachBackend } from '../../support/backend.ts';
import { fixtureBytes, inPieces } from '../../support/bytes.ts';

const TAKEN_AT = Date.parse('2023-05-06T07:08:09.120+02:00');
const UNREAD = {
  ...{ details: null, taken_at: null, duration_ms: null },
  ...{ latitude: null, longitude: null },
};
const RUN = {
  ...{ jobId: 1, startedBy: null, progress: () => undefined },
  signal: new AbortController().signal,
};

describeEachBackend('the details of an original', (backend) => {
  it('are read by the job of its thumbnail or by one of their own, and known to be empty of other types', () =>
    withServices(backend, async (services) => {
      const classes: Record<string, string> = {
        'picture.png': 'make-rendition',
        'picture.heic': 'read-details',
        'clip.mp4': 'read-details',
        'sound.mp3': 'read-details',
        'document.pdf': 'read-details',
        'note.txt': 'none {}',
        'archive.zip': 'none {}',
        'drawing.svg': 'none {}',
      };
      for (const [name, expected] of Object.entries(classes)) {
        const { id } = await store(services, name);
        const job = services.db
          .selectFrom('job')
          .where('media_id', '=', id)
          .where('job_class', '!=', 'draw-preview')
          .select('job_class');
        const [found, ...others] = (await job.execute()).map(({ job_class }) => job_class);
        const { details } = await columnsOf(services, id);
        expect([name, found ?? `none ${details}`, others]).toEqual([name, expected, []]);
      }
    }));

  it('are stored with the columns that lists filter by, and told to subscribers, without a new `updatedAt`', () =>
    withServices(backend, async (services) => {
      const { id, fileUuid } = await store(services, 'photo-with-details.jpg');
      expect(await columnsOf(services, id)).toEqual(UNREAD);
      const before = await updatedAt(services, id);
      services.advance(1000);
      const heard: DomainEvent[] = [];
      vi.spyOn(services.events, 'publish').mockImplementation((event) => void heard.push(event));
      await createThumbnail(services.as(), { file_uuid: fileUuid }, RUN);
      const { details, ...columns } = await columnsOf(services, id);
      expect(columns).toEqual({
        ...{ taken_at: TAKEN_AT, duration_ms: null, latitude: 52.52, longitude: -13.4 },
      });
      expect(JSON.parse(details!)).toMatchObject({ camera: 'Canon EOS R5', takenAt: TAKEN_AT });
      expect(await updatedAt(services, id)).toBe(before);
      const told = heard.filter(({ type }) => type === 'media');
      expect(told.map((event) => 'changed' in event && [event.kind, event.changed]).sort()).toEqual(
        [
          ['updated', ['details']],
          ['updated', ['thumbnail']],
        ],
      );
      // The second run finds them.
      heard.length = 0;
      await createThumbnail(services.as(), { file_uuid: fileUuid }, RUN);
      expect(heard).toEqual([]);
    }));

  it('are read of a damaged image as well', () =>
    withServices(backend, async (services) => {
      const { id, fileUuid } = await store(services, 'photo-with-details.jpg');
      vi.spyOn(services.blobs, 'withLocalFile').mockImplementation((_key, work) =>
        work(import.meta.filename),
      );
      const job = createThumbnail(services.as(), { file_uuid: fileUuid }, RUN);
      await expect(job).rejects.toThrow(PermanentError);
      expect((await columnsOf(services, id)).taken_at).toBe(TAKEN_AT);
    }));

  it('are those of the new file after a replacement, and after a restored version', () =>
    withServices(backend, async (services) => {
      const ctx = services.as(user());
      const { id, fileUuid } = await store(services, 'photo-with-details.jpg');
      await readDetails(ctx, fileUuid);
      const file = { filename: 'phone.mov', bytes: inPieces(fixtureBytes('phone.mov'), 1000) };
      await replaceFile(ctx, id, file);
      expect(await columnsOf(services, id)).toEqual(UNREAD);
      await readDetailsTask(ctx, { file_uuid: fileUuid }, RUN);
      expect(await columnsOf(services, id)).toMatchObject({ duration_ms: 400, longitude: 13.405 });
      await replaceFile(ctx, id, { filename: 'a.txt', bytes: inPieces(Buffer.from('text')) });
      expect(await columnsOf(services, id)).toEqual({ ...UNREAD, details: '{}' });
      const pages = await versionsOfEach(ctx, [id], {});
      const [, photo] = pages.get(id)!.edges.map(({ node }) => node);
      await restoreVersion(ctx, { mediaId: id, versionId: photo!.id });
      expect(await columnsOf(services, id)).toEqual(UNREAD);
      await readDetails(ctx, fileUuid);
      expect((await columnsOf(services, id)).taken_at).toBe(TAKEN_AT);
    }));

  it('are not stored if the file is replaced or deleted meanwhile', () =>
    withServices(backend, async (services) => {
      const ctx = services.as(user());
      const [one, two] = [
        await store(services, 'photo-with-details.jpg'),
        await store(services, 'photo-with-details.jpg'),
      ];
      const { read } = services.detailsReader;
      const meanwhile = (work: () => Promise<unknown>) =>
        vi.spyOn(services.detailsReader, 'read').mockImplementationOnce(async (...file) => {
          const details = await read(...file);
          await work();
          return details;
        });
      const bytes = inPieces(fixtureBytes('picture.png'), 1000);
      meanwhile(() => replaceFile(ctx, one.id, { filename: 'picture.png', bytes }));
      await readDetails(services.as(), one.fileUuid);
      expect(await columnsOf(services, one.id)).toEqual(UNREAD);
      meanwhile(() => deleteMedia(ctx, two.id));
      await readDetails(services.as(), two.fileUuid);
      await readDetails(services.as(), two.fileUuid);
    }));

  it('fail for ever if the bytes are lost, and are left to a retry if they cannot be read now', () =>
    withServices(backend, async (services) => {
      const { id, fileUuid } = await store(services, 'phone.mov');
      const task = () => readDetailsTask(services.as(), { file_uuid: fileUuid }, RUN);
      const broken = new Error('EIO');
      vi.spyOn(services.blobs, 'read').mockRejectedValue(broken);
      vi.spyOn(services.detailsReader, 'read').mockImplementation(async (source) => {
        await source.read(0, 10);
        return {};
      });
      await expect(task()).rejects.toBe(broken);
      vi.mocked(services.blobs.read).mockRestore();
      const { blob_key } = await services.db
        .selectFrom('file')
        .where('uuid', '=', fileUuid)
        .select('blob_key')
        .executeTakeFirstOrThrow();
      await services.blobs.delete(blob_key);
      await expect(task()).rejects.toThrow(PermanentError);
      expect(await columnsOf(services, id)).toEqual(UNREAD);
    }));

  it('that are missing get one job each, however often they are asked for', () =>
    withServices(backend, async (services) => {
      const names = ['photo-with-details.jpg', 'phone.mov', 'note.txt', 'archive.zip'];
      const stored = [];
      for (const name of names) stored.push(await store(services, name));
      const { db } = services;
      // As rows of an older version.
      await db.deleteFrom('job').execute();
      await db.updateTable('media').set({ details: null }).execute();
      for (let turn = 0; turn < 2; turn++) {
        expect(await enqueueMissingDetails(services.as())).toBe(2);
        const rows = await db
          .selectFrom('job')
          .select(['job_class', 'media_id', 'priority'])
          .execute();
        expect(rows).toEqual(
          stored.slice(0, 2).map(({ id }) => ({
            ...{ job_class: 'read-details', media_id: id, priority: -1 },
          })),
        );
      }
      for (const { id } of stored.slice(2)) {
        expect((await columnsOf(services, id)).details).toBe('{}');
      }
      for (const { fileUuid } of stored) await readDetails(services.as(), fileUuid);
      expect(await enqueueMissingDetails(services.as())).toBe(0);
    }));

  it('of which nothing was found are read again on request, as of a video once ffprobe is there', () =>
    withServices(backend, async (services) => {
      const names = ['phone.mov', 'sound.mp3', 'clip.mp4', 'photo-with-details.jpg', 'note.txt'];
      const stored = [];
      for (const name of names) stored.push(await store(services, name));
      const { db } = services;
      const found = ['{}', '{}', '{"videoCodec":"h264"}', '{"camera":"A"}', '{}'];
      for (const [index, details] of found.entries()) {
        await db
          .updateTable('media')
          .set({ details })
          .where('id', '=', stored[index]!.id)
          .execute();
      }
      await db.deleteFrom('job').execute();
      expect(await enqueueMissingDetails(services.as())).toBe(0);
      expect(await enqueueMissingDetails(services.as(), { isRetry: true })).toBe(3);
      const jobs = await db.selectFrom('job').select(['media_id', 'arguments']).execute();
      expect(jobs.map(({ media_id }) => media_id)).toEqual(stored.slice(0, 3).map(({ id }) => id));
      for (const job of jobs) await readDetailsTask(services.as(), JSON.parse(job.arguments), RUN);
      for (const { id } of stored.slice(0, 3)) {
        const { details } = await columnsOf(services, id);
        expect(JSON.parse(details!)).toMatchObject({ durationMs: expect.any(Number) });
      }
      expect(await columnsOf(services, stored[2]!.id)).toMatchObject({
        details: expect.stringContaining('"width":'),
      });
      expect((await columnsOf(services, stored[3]!.id)).details).toBe('{"camera":"A"}');
    }));
});

async function store(services: TestServices, filename: string) {
  const bytes = inPieces(fixtureBytes(filename), 65_536);
  const { id } = await uploadFile(services.as(user()), { filename, bytes });
  const [file] = (await filesByMediaIds(services.as(user()), [id])).get(id) ?? [];
  return { id, fileUuid: file!.uuid };
}

function columnsOf({ db }: TestServices, id: number) {
  return db
    .selectFrom('media')
    .where('id', '=', id)
    .select(['details', 'taken_at', 'duration_ms', 'latitude', 'longitude'])
    .executeTakeFirstOrThrow();
}

async function updatedAt({ db }: TestServices, id: number): Promise<number> {
  const row = db.selectFrom('media').where('id', '=', id).select('updated_at');
  return (await row.executeTakeFirstOrThrow()).updated_at;
}
