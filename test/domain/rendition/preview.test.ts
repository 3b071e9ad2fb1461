import sharp from 'sharp';
import { expect, it, vi } from 'vitest';
import type { DomainEvent } from '../../../src/domain/event/event.ts';
import { type File, filesByMediaIds, openFile } from '../../../src/domain/file/file.ts';
import { sweep } from '../../../src/domain/file/sweep.ts';
import { enqueueMissingPreviews } from '../../../src/domain/rendition/missing.ts';
import { drawPreview } from '../../../src/domain/rendition/preview.ts';
import { findMedia } from '../../../src/domain/tree/media.ts';
import { deleteMedia } from '../../../src/domain/tree/media-change.ts';
import { replaceFile, uploadFile } from '../../../src/domain/upload/upload-file.ts';
import { drawPreview as drawPreviewTask } from '../../../src/job/task/rendition/draw-preview.ts';
import { PermanentError } from '../../../src/job/task.ts';
import { PreviewError } from '../../../src/media/preview/decoder.ts';
import { type TestServices, user, withServices } from '../../support/app.ts';
import { describeEachBackend } from '../../support/backend.ts';
import { fixtureBytes, inPieces, md5Of } from '../../support/bytes.ts';
import { sentBytes } from '../../support/sent-bytes.ts';

const RUN = {
  ...{ jobId: 1, startedBy: null, progress: () => undefined },
  signal: new AbortController().signal,
};

describeEachBackend('a preview', (backend) => {
  it('is drawn by a job of each original that a decoder draws, and of no other file', () =>
    withServices(backend, async (services) => {
      const drawn = ['picture.heic', 'drawing.svg', 'document.pdf'];
      for (const name of drawn) await store(services, name);
      for (const name of ['picture.png', 'picture.avif', 'note.txt', 'archive.zip']) {
        await store(services, name);
      }
      expect(await jobs(services)).toHaveLength(drawn.length);
    }));

  it.each([
    ['phone.heic', 64, 96],
    ['drawing.svg', 1024, 1024],
    ['document.pdf', 1600, 800],
  ])('of %s is a WebP of the same media item, with a thumbnail of it', (name, width, height) =>
    withServices(backend, async (services) => {
      const { id, file } = await store(services, name);
      const heard = listen(services);
      await drawPreview(services.as(), file.uuid);
      const [original, ...made] = await filesOf(services, id);
      const preview = made.find(({ key }) => key === 'preview.webp')!;
      const thumbnail = made.find(({ key }) => key === 'thumbnail.webp')!;
      expect([original, made.length]).toEqual([file, 2]);
      const dir = file.urlPath.split('/')[2];
      expect(preview).toMatchObject({
        ...{ filename: 'preview.webp', extension: 'webp', mimeType: 'image/webp', width, height },
        ...{ mediaId: id, resource: file.resource, urlPath: `/media/${dir}/preview.webp` },
      });
      const bytes = await bytesAt(services, preview.urlPath);
      expect([md5Of(bytes), bytes.length]).toEqual([preview.md5, preview.sizeBytes]);
      expect(await sharp(bytes).metadata()).toMatchObject({ format: 'webp', width, height });
      expect(Math.max(thumbnail.width!, thumbnail.height!)).toBe(
        Math.min(320, Math.max(width, height)),
      );
      expect(thumbnail.color).toMatch(/^#[0-9a-f]{6}$/);
      const created = await services.db
        .selectFrom('file')
        .where('uuid', '=', preview.uuid)
        .select(['created_by', 'created_role'])
        .executeTakeFirst();
      expect(created).toEqual({ created_by: null, created_role: 'processor' });
      expect(heard).toEqual([
        [id, ['preview']],
        [id, ['thumbnail']],
      ]);
    }),
  );

  it('says how many pages there are, if the details do not', () =>
    withServices(backend, async (services) => {
      const ctx = services.as(user());
      for (const [details, pageCount] of [
        ['{}', 2],
        ['{"pageCount":7}', 7],
        [null, undefined],
      ] as const) {
        const { id, file } = await store(services, 'document-with-text.pdf');
        await services.db.updateTable('media').where('id', '=', id).set({ details }).execute();
        await drawPreview(ctx, file.uuid);
        expect((await findMedia(ctx, { id }))!.details?.pageCount).toBe(pageCount);
      }
    }));

  it('is drawn once, even by repeated and simultaneous calls', () =>
    withServices(backend, async (services) => {
      const { id, file } = await store(services, 'drawing.svg');
      const heard = listen(services);
      const ctx = services.as();
      await Promise.all([drawPreview(ctx, file.uuid), drawPreview(ctx, file.uuid)]);
      await drawPreview(ctx, file.uuid);
      expect(await filesOf(services, id)).toHaveLength(3);
      // Those of the files, and of three sizes of the preview.
      expect(await countBlobs(services)).toBe(6);
      expect(heard).toHaveLength(2);
    }));

  it('is drawn after a crash between any two writes, and the remains are swept', () =>
    withServices(backend, async (services) => {
      const { id, file } = await store(services, 'drawing.svg');
      const { blobs } = services;
      const put = blobs.put.bind(blobs);
      const dead = new Error('dead');
      const die = async (...blob: Parameters<typeof put>) => {
        await put(...blob);
        throw dead;
      };
      vi.spyOn(blobs, 'put').mockImplementationOnce(die);
      await expect(drawPreview(services.as(), file.uuid)).rejects.toBe(dead);
      vi.mocked(blobs.put).mockImplementationOnce(put).mockImplementationOnce(die);
      await expect(drawPreview(services.as(), file.uuid)).rejects.toBe(dead);
      vi.restoreAllMocks();
      expect(await filesOf(services, id)).toHaveLength(2);
      await drawPreview(services.as(), file.uuid);
      expect(await filesOf(services, id)).toHaveLength(3);
      const modifiedBefore = Number.POSITIVE_INFINITY;
      expect(await sweep(services, { modifiedBefore })).toEqual({ removed: 2, lost: 0 });
    }));

  it('is dropped with a replaced original, and not stored if that happens meanwhile', () =>
    withServices(backend, async (services) => {
      const { id, file } = await store(services, 'drawing.svg');
      const ctx = services.as(user());
      await drawPreview(ctx, file.uuid);
      await replaceFile(ctx, id, source('document.pdf'));
      expect(await filesOf(services, id)).toHaveLength(1);
      expect((await jobs(services)).length).toBe(2);
      const { draw } = services.previewer;
      vi.spyOn(services.previewer, 'draw').mockImplementationOnce(async (...args) => {
        const preview = await draw(...args);
        await replaceFile(ctx, id, source('note.txt'));
        return preview;
      });
      await drawPreview(ctx, file.uuid);
      expect(await filesOf(services, id)).toHaveLength(1);
      await drawPreview(ctx, file.uuid);
      await deleteMedia(ctx, id);
      await drawPreview(ctx, file.uuid);
    }));

  it('that cannot be drawn leaves a reason, until the original is replaced', () =>
    withServices(backend, async (services) => {
      const { id, file } = await store(services, 'drawing.svg');
      const ctx = services.as(user());
      const heard = listen(services);
      const task = () => drawPreviewTask(services.as(), { file_uuid: file.uuid }, RUN);
      const reason = async () => (await findMedia(ctx, { id }))!.previewError;
      const draw = vi.spyOn(services.previewer, 'draw');
      draw.mockRejectedValue(new PreviewError('Too strange.'));
      for (let turn = 0; turn < 2; turn++) {
        await expect(task()).rejects.toThrow(new PermanentError('Too strange.'));
      }
      expect(await reason()).toBe('Too strange.');
      // A crash is tried again.
      const crash = new Error('The process has ended.');
      draw.mockRejectedValueOnce(crash);
      await expect(task()).rejects.toBe(crash);
      expect(await reason()).toBe('The decoder of the file has crashed.');
      expect(heard).toEqual([
        [id, ['preview']],
        [id, ['preview']],
      ]);
      draw.mockRestore();
      await replaceFile(ctx, id, source('document.pdf'));
      expect(await reason()).toBeNull();
    }));

  it('that can be drawn at last leaves no reason', () =>
    withServices(backend, async (services) => {
      const { id, file } = await store(services, 'drawing.svg');
      vi.spyOn(services.previewer, 'draw').mockRejectedValueOnce(new PreviewError('Not today.'));
      await expect(drawPreview(services.as(), file.uuid)).rejects.toThrow('Not today.');
      await drawPreview(services.as(), file.uuid);
      expect((await findMedia(services.as(user()), { id }))!.previewError).toBeNull();
    }));

  it('fails for ever if the bytes are lost, and leaves nothing when its job is cancelled', () =>
    withServices(backend, async (services) => {
      const { id, file } = await store(services, 'drawing.svg');
      const cancelled = drawPreview(services.as(), file.uuid, AbortSignal.abort());
      await expect(cancelled).rejects.toMatchObject({ name: 'AbortError' });
      const { blob_key } = await services.db
        .selectFrom('file')
        .where('uuid', '=', file.uuid)
        .select('blob_key')
        .executeTakeFirstOrThrow();
      await services.blobs.delete(blob_key);
      const task = drawPreviewTask(services.as(), { file_uuid: file.uuid }, RUN);
      await expect(task).rejects.toThrow(PermanentError);
      expect((await findMedia(services.as(user()), { id }))!.previewError).toBeNull();
      expect(await countBlobs(services)).toBe(0);
    }));

  it('waits for a decoder that is missing', () =>
    withServices(backend, async (services) => {
      const { id, file } = await store(services, 'drawing.svg');
      vi.spyOn(services.decoders, 'isAvailable').mockResolvedValueOnce(false);
      await drawPreview(services.as(), file.uuid);
      expect(await filesOf(services, id)).toHaveLength(1);
      await drawPreview(services.as(), file.uuid);
      expect(await filesOf(services, id)).toHaveLength(3);
    }));

  it('that is missing gets one job, however often it is asked for, and a failed one if asked', () =>
    withServices(backend, async (services) => {
      const [drawing, document] = [
        await store(services, 'drawing.svg'),
        await store(services, 'document.pdf'),
      ];
      await store(services, 'note.txt');
      await store(services, 'picture.png');
      const { db } = services;
      await db.deleteFrom('job').execute();
      const ctx = services.as();
      for (let turn = 0; turn < 2; turn++) {
        expect(await enqueueMissingPreviews(ctx)).toBe(2);
        const rows = await db.selectFrom('job').select(['media_id', 'priority']).execute();
        expect(rows).toEqual([drawing, document].map(({ id }) => ({ media_id: id, priority: -1 })));
      }
      await drawPreview(ctx, drawing.file.uuid);
      expect(await enqueueMissingPreviews(ctx)).toBe(1);
      await db.updateTable('media').set({ preview_error: 'Too strange.' }).execute();
      expect(await enqueueMissingPreviews(ctx)).toBe(0);
      expect(await enqueueMissingPreviews(ctx, { isRetry: true })).toBe(1);
      vi.spyOn(services.decoders, 'mimeTypes').mockResolvedValue([]);
      expect(await enqueueMissingPreviews(ctx, { isRetry: true })).toBe(0);
    }));
});

function source(filename: string) {
  return { filename, bytes: inPieces(fixtureBytes(filename), 65_536) };
}

async function store(services: TestServices, filename: string) {
  const { id } = await uploadFile(services.as(user()), source(filename));
  const [file] = await filesOf(services, id);
  return { id, file: file! };
}

async function filesOf(services: TestServices, mediaId: number): Promise<File[]> {
  return (await filesByMediaIds(services.as(), [mediaId])).get(mediaId) ?? [];
}

async function bytesAt(services: TestServices, urlPath: string): Promise<Buffer> {
  const [, , dir = '', name = ''] = urlPath.split('/');
  const { read } = (await openFile(services.as(), dir, name))!;
  return sentBytes(await read());
}

async function jobs({ db }: TestServices) {
  return db.selectFrom('job').where('job_class', '=', 'draw-preview').selectAll().execute();
}

async function countBlobs({ blobs }: TestServices): Promise<number> {
  return (await Array.fromAsync(blobs.list())).length;
}

/** Returns the changes of media from now on. */
function listen(services: TestServices): [id: number, parts: unknown][] {
  const heard: [number, unknown][] = [];
  vi.spyOn(services.events, 'publish').mockImplementation((event: DomainEvent) => {
    if (event.type === 'media') heard.push([event.id, event.changed]);
  });
  return heard;
}
