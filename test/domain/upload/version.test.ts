import { expect, it, vi } from 'vitest';
import type { Context } from '../../../src/domain/context.ts';
import { ForbiddenError, NotFoundError } from '../../../src/domain/error.ts';
import { deleteUnnamedBlobs } from '../../../src/domain/file/delete-bytes.ts';
import { filesByMediaIds } from '../../../src/domain/file/file.ts';
import { sweep } from '../../../src/domain/file/sweep.ts';
import {
  countVersionsOfEach,
  versionsByIds,
  versionsOfEach,
} from '../../../src/domain/file/version.ts';
import { createThumbnail } from '../../../src/domain/rendition/thumbnail.ts';
import { purgeTrash } from '../../../src/domain/trash/purge.ts';
import { restoreNodes } from '../../../src/domain/trash/restore.ts';
import { deleteFolder } from '../../../src/domain/tree/deletion.ts';
import { createFolder } from '../../../src/domain/tree/folder.ts';
import { mediasByIds } from '../../../src/domain/tree/media.ts';
import { deleteMedia, updateMedia } from '../../../src/domain/tree/media-change.ts';
import { restoreVersion } from '../../../src/domain/upload/restore-version.ts';
import { replaceFile, uploadFile } from '../../../src/domain/upload/upload-file.ts';
import { type TestServices, user, withServices } from '../../support/app.ts';
import { describeEachBackend } from '../../support/backend.ts';
import { fixtureBytes, inPieces } from '../../support/bytes.ts';

const EVERYTHING = { modifiedBefore: Number.POSITIVE_INFINITY };

async function upload(ctx: Context, filename: string, input: object = {}): Promise<number> {
  const { id } = await uploadFile(ctx, { filename, bytes: bytesOf(filename), ...input });
  return id;
}

function replace(ctx: Context, mediaId: number, filename: string) {
  return replaceFile(ctx, mediaId, { filename, bytes: bytesOf(filename) });
}

/** A fixture of that name, or the name itself as text. */
function bytesOf(filename: string) {
  return inPieces(filename.endsWith('.txt') ? Buffer.from(filename) : fixtureBytes(filename), 500);
}

async function versionsOf(ctx: Context, mediaId: number) {
  return (await versionsOfEach(ctx, [mediaId], {})).get(mediaId)?.nodes ?? [];
}

async function namesOf(ctx: Context, mediaId: number): Promise<string[]> {
  return (await versionsOf(ctx, mediaId)).map(({ filename }) => filename);
}

async function originalOf(ctx: Context, mediaId: number) {
  return (await filesByMediaIds(ctx, [mediaId])).get(mediaId)![0]!;
}

/** The blob keys that a job will delete. */
async function deletions({ db }: TestServices): Promise<string[]> {
  const jobs = db.selectFrom('job').where('job_class', '=', 'delete-blob').select('arguments');
  return (await jobs.execute()).flatMap((row) => JSON.parse(row.arguments).blob_keys);
}

async function storedKeys({ blobs }: TestServices): Promise<string[]> {
  return (await Array.fromAsync(blobs.list())).map(({ key }) => key).sort();
}

/** Checks that rows and bytes agree, once the jobs and the sweep have done their work. */
async function expectWhole(services: TestServices, count: number): Promise<void> {
  await deleteUnnamedBlobs(services, await deletions(services));
  expect(await storedKeys(services)).toHaveLength(count);
  expect(await sweep(services, EVERYTHING)).toEqual({ removed: 0, lost: 0 });
  expect(await storedKeys(services)).toHaveLength(count);
}

describeEachBackend('a replaced file', (backend) => {
  it('is kept as the latest version, with its bytes, up to the configured number', () =>
    withServices(
      backend,
      async (services) => {
        const ctx = services.as(user());
        const id = await upload(ctx, '0.txt');
        const { createdAt } = await originalOf(ctx, id);
        services.advance(1000);
        await replace(ctx, id, '1.txt');
        const [first] = await versionsOf(ctx, id);
        expect(first).toMatchObject({
          ...{ filename: '0.txt', mimeType: 'text/plain', sizeBytes: 5, replacedBy: 'alice' },
          ...{ createdAt, replacedAt: new Date(services.clock()), width: null },
        });
        await replace(ctx, id, '2.txt');
        expect(await namesOf(ctx, id)).toEqual(['1.txt', '0.txt']);
        expect(await deletions(services)).toEqual([]);
        await replace(ctx, id, '3.txt');
        expect(await namesOf(ctx, id)).toEqual(['2.txt', '1.txt']);
        expect(await versionsByIds(ctx, [first!.id])).toEqual([]);
        await expectWhole(services, 3);
      },
      { versionsMax: 2 },
    ));

  it('is deleted at once if none are kept, and so are the versions from before', () =>
    withServices(backend, async (services) => {
      const ctx = services.as(user());
      const id = await upload(ctx, '0.txt');
      await replace(ctx, id, '1.txt');
      const none = { ...ctx, settings: { ...ctx.settings, versionsMax: 0 } };
      await replace(none, id, '2.txt');
      expect(await namesOf(ctx, id)).toEqual([]);
      await expectWhole(services, 1);
    }));

  it('is deleted with its media item or its folder, and so are the old names of the original', () =>
    withServices(
      backend,
      async (services) => {
        const ctx = services.as(user());
        const { id: folderId } = await createFolder(ctx, { name: 'folder' });
        const ids = [await upload(ctx, '0.txt', { folderId }), await upload(ctx, '1.txt')] as const;
        for (const id of ids) await replace(ctx, id, '2.txt');
        await deleteFolder(ctx, folderId, { recursive: true });
        await deleteMedia(ctx, ids[1]);
        for (const table of ['file_version', 'file_address'] as const) {
          expect(await services.db.selectFrom(table).selectAll().execute()).toEqual([]);
        }
        await expectWhole(services, 0);
      },
      { trashDays: 0 },
    ));

  it('comes back with its media item from the trash, and is deleted when the trash is emptied', () =>
    withServices(backend, async (services) => {
      const ctx = services.as(user());
      const id = await upload(ctx, '0.txt');
      await replace(ctx, id, '1.txt');
      const before = await versionsOf(ctx, id);
      expect(before).toHaveLength(1);
      await deleteMedia(ctx, id);
      expect(await versionsOf(ctx, id)).toEqual([]);
      await expectWhole(services, 2);
      await restoreNodes(ctx, { ids: [id] });
      expect(await versionsOf(ctx, id)).toEqual(before);
      await deleteMedia(ctx, id);
      await purgeTrash(services.as(), { deleted_before: services.clock() + 1 });
      await expectWhole(services, 0);
    }));

  it('whose bytes are missing is reported by the sweep', () =>
    withServices(backend, async (services) => {
      const ctx = services.as(user());
      const id = await upload(ctx, '0.txt');
      const [key] = await storedKeys(services);
      await replace(ctx, id, '1.txt');
      await services.blobs.delete(key!);
      expect(await sweep(services, EVERYTHING)).toEqual({ removed: 0, lost: 1 });
    }));

  it('is seen by its creator and by admins only', () =>
    withServices(backend, async (services) => {
      const alice = services.as(user());
      const id = await upload(alice, '0.txt');
      await replace(alice, id, '1.txt');
      const [{ id: versionId } = { id: 0 }] = await versionsOf(alice, id);
      const sees = async (ctx: Context) => [
        (await namesOf(ctx, id)).length,
        (await countVersionsOfEach(ctx, [id])).get(id) ?? 0,
        (await versionsByIds(ctx, [versionId])).length,
      ];
      expect(await sees(alice)).toEqual([1, 1, 1]);
      expect(await sees(services.as(user('root', 'admin')))).toEqual([1, 1, 1]);
      for (const viewer of [user('bob'), user('alice', 'reader'), undefined]) {
        expect(await sees(services.as(viewer))).toEqual([0, 0, 0]);
      }
      await updateMedia(alice, id, { visibility: 'private' });
      expect(await sees(alice)).toEqual([1, 1, 1]);
      const restore = (ctx: Context, mediaId = id) => restoreVersion(ctx, { mediaId, versionId });
      await expect(restore(services.as(user('bob')))).rejects.toBeInstanceOf(NotFoundError);
      await updateMedia(alice, id, { visibility: 'public' });
      await expect(restore(services.as(user('bob')))).rejects.toBeInstanceOf(ForbiddenError);
      const other = await upload(alice, '2.txt');
      await expect(restore(alice, other)).rejects.toBeInstanceOf(NotFoundError);
      expect(await namesOf(alice, id)).toEqual(['0.txt']);
    }));
});

describeEachBackend('restoring a version', (backend) => {
  it('makes it the original again, which becomes the latest version, and keeps the ids of both', () =>
    withServices(backend, async (services) => {
      const ctx = services.as(user());
      const id = await upload(ctx, 'picture.png');
      const image = await originalOf(ctx, id);
      await replace(ctx, id, 'document.pdf');
      const [media] = await mediasByIds(ctx, [id]);
      expect(media).toMatchObject({ type: 'doc', name: 'picture.png' });
      services.advance(1000);
      const publish = vi.spyOn(services.events, 'publish');
      const [{ id: versionId } = { id: 0 }] = await versionsOf(ctx, id);
      expect(await restoreVersion(ctx, { mediaId: id, versionId })).toEqual({
        ...media,
        type: 'image',
        updatedAt: new Date(services.clock()),
      });
      const updated = expect.objectContaining({ type: 'media', kind: 'updated' });
      expect(publish).toHaveBeenCalledWith(updated);
      const restored = await originalOf(ctx, id);
      expect(restored).toEqual({ ...image, updatedAt: new Date(services.clock()) });
      expect(await namesOf(ctx, id)).toEqual(['document.pdf']);
      await createThumbnail(ctx, restored.uuid);
      expect(await filesByMediaIds(ctx, [id])).toMatchObject(
        new Map([[id, [{ key: '' }, { key: 'thumbnail.webp' }]]]),
      );
      await expectWhole(services, 3);
      // It is no version any more.
      await expect(restoreVersion(ctx, { mediaId: id, versionId })).rejects.toThrow(NotFoundError);
    }));

  it('deletes no bytes, even if fewer versions are kept by now', () =>
    withServices(backend, async (services) => {
      const ctx = services.as(user());
      const id = await upload(ctx, '0.txt');
      for (const name of ['1.txt', '2.txt']) await replace(ctx, id, name);
      const [, oldest] = await versionsOf(ctx, id);
      const none = { ...ctx, settings: { ...ctx.settings, versionsMax: 0 } };
      await restoreVersion(none, { mediaId: id, versionId: oldest!.id });
      expect(await namesOf(ctx, id)).toEqual(['2.txt', '1.txt']);
      await expectWhole(services, 3);
    }));

  it('at the same time as replacements, deletions of bytes and sweeps loses no bytes', () =>
    withServices(backend, async (services) => {
      const ctx = services.as(user());
      const id = await upload(ctx, '0.txt');
      await replace(ctx, id, '1.txt');
      const restore = async () => {
        const [{ id: versionId } = { id: 0 }] = await versionsOf(ctx, id);
        // Another one may have restored it first.
        await restoreVersion(ctx, { mediaId: id, versionId }).catch((error) =>
          expect(error).toBeInstanceOf(NotFoundError),
        );
      };
      await Promise.all([
        ...['2.txt', '3.txt'].map((name) => replace(ctx, id, name)),
        ...[restore(), restore(), restore()],
        ...Array.from({ length: 4 }, async () => {
          await deleteUnnamedBlobs(services, await storedNamed(services));
        }),
      ]);
      expect((await namesOf(ctx, id)).length).toBe(3);
      await expectWhole(services, 4);
    }));
});

/** The stored keys that a row refers to at this moment: bytes on their way have no row yet. */
async function storedNamed({ db }: TestServices): Promise<string[]> {
  const files = db.selectFrom('file').select('blob_key');
  const all = files.unionAll(db.selectFrom('file_version').select('blob_key'));
  return (await all.execute()).map((row) => row.blob_key);
}
