import { expect, it } from 'vitest';
import { countTrash, listTrash } from '../../../src/domain/file/trash.ts';
import { BITE_ROWS } from '../../../src/domain/job/bite.ts';
import { deleteNodes } from '../../../src/domain/trash/delete-nodes.ts';
import { purgeRest } from '../../../src/domain/trash/purge.ts';
import { restoreNodes } from '../../../src/domain/trash/restore.ts';
import { restoreRest } from '../../../src/domain/trash/restore-rest.ts';
import { resumeTrashWork } from '../../../src/domain/trash/work.ts';
import { deleteFolder, deleteRest } from '../../../src/domain/tree/deletion.ts';
import { countMedias } from '../../../src/domain/tree/media-list.ts';
import { moveNodes } from '../../../src/domain/tree/move.ts';
import { SYSTEM } from '../../../src/domain/viewer/viewer.ts';
import { type TestServices, user, withServices } from '../../support/app.ts';
import { describeEachBackend } from '../../support/backend.ts';
import { type Branch, makeBranch, tagAll } from '../../support/branch.ts';
import { makeFolder, makeMediaRow, makeTag } from '../../support/make.ts';

/** Media in a branch that is larger than a bite. */
const COUNT = BITE_ROWS + 50;
/** With the folders that contain them. */
const ALL = COUNT + 11;
const admin = user('root', 'admin');

describeEachBackend('a large folder', (backend) => {
  it('gets into the trash and back in small transactions, in a job that can be repeated', () =>
    withServices(backend, async (services) => {
      const { branch, uuid, tagId } = await makeSite(services);
      const ctx = services.as(admin);
      const target = await makeFolder(services.db);
      await deleteFolder(ctx, branch.id, { recursive: true });
      // The trash shows it before the job has moved it.
      expect((await listTrash(ctx, {})).nodes).toMatchObject([{ id: branch.id, name: 'Top' }]);
      expect(await bites((options) => deleteRest(services.as(SYSTEM), uuid, options))).toBe(ALL);
      expect(await counts(services)).toEqual({ medias: 0, files: 0, trashed: ALL });
      expect(await countTrash(ctx)).toBe(1);
      const [folderId = 0] = branch.folderIds;
      const top = await restoreNodes(ctx, { ids: [branch.id] });
      expect(top).toMatchObject([{ id: branch.id, level: 1 }]);
      expect(await countTrash(ctx)).toBe(0);
      // What is on its way can be neither restored nor purged, and follows a move.
      const again = restoreNodes(ctx, { ids: [folderId] });
      await expect(again).rejects.toMatchObject({ code: 'NOT_FOUND' });
      await moveNodes(ctx, { ids: [branch.id], parentId: target });
      const work = await onlyWork(services);
      const abort = new AbortController();
      const stop = { signal: abort.signal, onProgress: () => abort.abort(new Error('stop')) };
      await expect(restoreRest(services.as(SYSTEM), work, stop)).rejects.toThrow('stop');
      expect((await counts(services)).trashed).toBeLessThan(ALL);
      await bites((options) => restoreRest(services.as(SYSTEM), work, options));
      expect(await counts(services)).toEqual({ medias: COUNT, files: COUNT, trashed: 0 });
      expect(await countMedias(ctx, { underFolderId: target, tagIds: [tagId] })).toBe(COUNT);
      expect(await countMedias(ctx, { search: 'needle pin' })).toBe(COUNT);
      expect(await services.db.selectFrom('trash_work').selectAll().execute()).toEqual([]);
    }));

  it('is purged in small transactions with all bytes, also by a new job', () =>
    withServices(backend, async (services) => {
      const { branch, uuid } = await makeSite(services);
      const ctx = services.as(admin);
      await deleteFolder(ctx, branch.id, { recursive: true });
      await deleteRest(services.as(SYSTEM), uuid);
      await deleteNodes(ctx, { ids: [branch.id], permanently: true });
      expect(await countTrash(ctx)).toBe(0);
      await services.db.deleteFrom('job').execute();
      await resumeTrashWork(services.as(SYSTEM));
      await resumeTrashWork(services.as(SYSTEM));
      const jobs = services.db.selectFrom('job').where('job_class', '=', 'purge-subtree');
      expect(await jobs.select('id').execute()).toHaveLength(1);
      const work = await onlyWork(services);
      const purged = await bites((options) => purgeRest(services.as(SYSTEM), work, options));
      expect(purged).toBe(ALL - 1);
      expect(await counts(services)).toEqual({ medias: 0, files: 0, trashed: 0 });
      expect(await deletedKeys(services)).toBe(COUNT);
    }));

  it.each([0, 1])('comes back at once while %d bites of it are in the trash', (count) =>
    withServices(backend, async (services) => {
      const { branch, uuid } = await makeSite(services);
      const ctx = services.as(admin);
      await deleteFolder(ctx, branch.id, { recursive: true });
      if (count > 0) await deleteOneBite(services, uuid);
      await restoreNodes(ctx, { ids: [branch.id] });
      expect(await deleteRest(services.as(SYSTEM), uuid)).toBe(0);
      await restoreRest(services.as(SYSTEM), await onlyWork(services));
      expect(await countMedias(ctx, { underFolderId: branch.id })).toBe(COUNT);
      expect(await counts(services)).toEqual({ medias: COUNT, files: COUNT, trashed: 0 });
    }),
  );

  it('cannot be restored in part before all of it is in the trash', () =>
    withServices(backend, async (services) => {
      const { branch, uuid } = await makeSite(services);
      const ctx = services.as(admin);
      await deleteFolder(ctx, branch.id, { recursive: true });
      await deleteOneBite(services, uuid);
      const one = services.db.selectFrom('trashed_node').where('is_top', '=', 0).select('id');
      const { id } = await one.executeTakeFirstOrThrow();
      const code = 'BEING_DELETED';
      await expect(restoreNodes(ctx, { ids: [id] })).rejects.toMatchObject({ code });
      const purge = deleteNodes(ctx, { ids: [id], permanently: true });
      await expect(purge).rejects.toMatchObject({ code });
      await deleteRest(services.as(SYSTEM), uuid);
      expect(await restoreNodes(ctx, { ids: [id] })).toMatchObject([{ id, level: 1 }]);
    }));

  it('is deleted for ever with what is in the trash already', () =>
    withServices(backend, async (services) => {
      const { branch, uuid } = await makeSite(services);
      const ctx = services.as(admin);
      await deleteFolder(ctx, branch.id, { recursive: true });
      await deleteOneBite(services, uuid);
      await deleteNodes(ctx, { ids: [branch.id], permanently: true });
      expect(await countTrash(ctx)).toBe(0);
      await deleteRest(services.as(SYSTEM), uuid);
      expect(await counts(services)).toEqual({ medias: 0, files: 0, trashed: 0 });
      expect(await deletedKeys(services)).toBe(COUNT);
    }));

  it('that is deleted again while it comes back is in the trash as a whole', () =>
    withServices(backend, async (services) => {
      const { branch, uuid } = await makeSite(services);
      const ctx = services.as(admin);
      await deleteFolder(ctx, branch.id, { recursive: true });
      await deleteRest(services.as(SYSTEM), uuid);
      await restoreNodes(ctx, { ids: [branch.id] });
      const first = await onlyWork(services);
      await deleteFolder(ctx, branch.id, { recursive: true });
      await restoreRest(services.as(SYSTEM), first);
      expect(await counts(services)).toEqual({ medias: 0, files: 0, trashed: ALL });
      expect((await listTrash(ctx, {})).nodes).toMatchObject([{ id: branch.id }]);
      await restoreNodes(ctx, { ids: [branch.id] });
      await restoreRest(services.as(SYSTEM), await onlyWork(services));
      expect(await counts(services)).toEqual({ medias: COUNT, files: COUNT, trashed: 0 });
    }));

  it('that is deleted for ever while it comes back leaves nothing', () =>
    withServices(backend, async (services) => {
      const { branch, uuid } = await makeSite(services);
      const ctx = services.as(admin);
      await deleteFolder(ctx, branch.id, { recursive: true });
      await deleteRest(services.as(SYSTEM), uuid);
      await restoreNodes(ctx, { ids: [branch.id] });
      await deleteNodes(ctx, { ids: [branch.id], recursive: true, permanently: true });
      await restoreRest(services.as(SYSTEM), await onlyWork(services));
      expect(await counts(services)).toEqual({ medias: 0, files: 0, trashed: 0 });
      expect(await deletedKeys(services)).toBe(COUNT);
    }));

  it('leaves the node in the trash whose resource is taken while the others come back', () =>
    withServices(backend, async (services) => {
      const { branch, uuid } = await makeSite(services);
      const ctx = services.as(admin);
      const [mediaId = 0] = branch.mediaIds;
      const named = services.db.updateTable('media').set({ resource: 'poster' });
      await named.where('id', '=', mediaId).execute();
      await deleteFolder(ctx, branch.id, { recursive: true });
      await deleteRest(services.as(SYSTEM), uuid);
      const other = await makeMediaRow(services.db, { resource: 'poster' });
      const refused = restoreNodes(ctx, { ids: [branch.id] });
      await expect(refused).rejects.toMatchObject({ failed: { id: branch.id } });
      await expect(refused).rejects.toThrow('"poster"');
      await deleteNodes(ctx, { ids: [other], permanently: true });
      await restoreNodes(ctx, { ids: [branch.id] });
      await makeMediaRow(services.db, { resource: 'poster' });
      await restoreRest(services.as(SYSTEM), await onlyWork(services));
      expect((await listTrash(ctx, {})).nodes).toMatchObject([{ id: mediaId }]);
      expect(await counts(services)).toMatchObject({ medias: COUNT, trashed: 1 });
    }));
});

/** A branch with a tag on its media. */
async function makeSite({
  db,
}: TestServices): Promise<{ branch: Branch; uuid: string; tagId: number }> {
  const branch = await makeBranch(db, COUNT);
  const tag = await makeTag(db, { name: 'pin' });
  await tagAll(db, tag.id, branch.mediaIds);
  const top = db.selectFrom('media').where('id', '=', branch.id).select('uuid');
  return { branch, tagId: tag.id, uuid: (await top.executeTakeFirstOrThrow()).uuid };
}

type Job = (options: { onProgress: (fraction: number) => void }) => Promise<number>;

/** Runs a job, and checks that no bite is large. Returns its result. */
async function bites(run: Job): Promise<number> {
  const fractions = [0];
  const nodes = await run({ onProgress: (fraction) => void fractions.push(fraction) });
  const rows = fractions.slice(1).map((one, index) => (one - fractions[index]!) * nodes);
  expect(Math.max(...rows)).toBeLessThanOrEqual(BITE_ROWS + 0.01);
  return nodes;
}

async function deleteOneBite(services: TestServices, uuid: string): Promise<void> {
  const abort = new AbortController();
  const stop = { signal: abort.signal, onProgress: () => abort.abort(new Error('stop')) };
  await expect(deleteRest(services.as(SYSTEM), uuid, stop)).rejects.toThrow('stop');
}

async function onlyWork({ db }: TestServices): Promise<number> {
  const works = await db.selectFrom('trash_work').select('id').execute();
  expect(works).toHaveLength(1);
  return works[0]!.id;
}

async function counts({ db }: TestServices) {
  const medias = db.selectFrom('media').where('type', '!=', 'folder').select('id');
  const files = db.selectFrom('file').select('id');
  const trashed = db.selectFrom('trashed_node').select('id');
  return {
    medias: (await medias.execute()).length,
    files: (await files.execute()).length,
    trashed: (await trashed.execute()).length,
  };
}

/** The number of blobs that jobs delete. */
async function deletedKeys({ db }: TestServices): Promise<number> {
  const jobs = db.selectFrom('job').where('job_class', '=', 'delete-blob').select('arguments');
  const keys = (await jobs.execute()).flatMap((job) => JSON.parse(job.arguments).blob_keys);
  return new Set(keys).size;
}
