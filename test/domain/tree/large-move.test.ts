import { Readable } from 'node:stream';
import { expect, it } from 'vitest';
import { BITE_ROWS } from '../../../src/domain/job/bite.ts';
import { deleteFolder, deleteRest } from '../../../src/domain/tree/deletion.ts';
import { createFolder, findFolder } from '../../../src/domain/tree/folder.ts';
import { findMedia } from '../../../src/domain/tree/media.ts';
import { updateMedia } from '../../../src/domain/tree/media-change.ts';
import { countMedias, listMedias } from '../../../src/domain/tree/media-list.ts';
import { moveNodes } from '../../../src/domain/tree/move.ts';
import { resumeMoves, rewriteRest } from '../../../src/domain/tree/path-move.ts';
import { watchMedias } from '../../../src/domain/tree/watch.ts';
import { changeNode } from '../../../src/domain/upload/node-change.ts';
import { uploadFile } from '../../../src/domain/upload/upload-file.ts';
import { resolveStartNodes } from '../../../src/domain/viewer/start-node.ts';
import { SYSTEM } from '../../../src/domain/viewer/viewer.ts';
import { ROOT_ID } from '../../../src/store/tree/folder.ts';
import { type TestServices, user, withServices } from '../../support/app.ts';
import { describeEachBackend } from '../../support/backend.ts';
import { makeBranch } from '../../support/branch.ts';
import { PNG } from '../../support/bytes.ts';
import { makeFolder } from '../../support/make.ts';

/** Media in a branch that is larger than two bites. */
const COUNT = 2 * BITE_ROWS + 50;
const admin = user('root', 'admin');

describeEachBackend('the move of a large folder', (backend) => {
  it('shows the new place at once to each read, list, count and start node', () =>
    withServices(backend, async (services) => {
      const { ctx, branch, a, b } = await makeSite(services);
      const [folderId = 0] = branch.folderIds;
      const [mediaId = 0] = branch.mediaIds;
      const [moved] = await moveNodes(ctx, { ids: [branch.id], parentId: b });
      expect(moved).toMatchObject({ ancestorIds: [b], level: 2 });
      expect(await pathOf(services, mediaId)).toBe(`/1/${a}/${branch.id}/${folderId}/`);

      const place = { ancestorIds: [b, branch.id, folderId], level: 4, parentId: folderId };
      expect(await findMedia(ctx, { id: mediaId })).toMatchObject(place);
      const filter = { folderId };
      const { edges } = await listMedias(ctx, { first: 1 }, filter);
      expect(edges[0]?.node).toMatchObject({ ancestorIds: place.ancestorIds, level: 4 });
      expect(await updateMedia(ctx, mediaId, { name: 'New' })).toMatchObject(place);
      expect(await changeNode(ctx, mediaId, { name: 'Newer' })).toMatchObject(place);
      expect(await countMedias(ctx, { underFolderId: a })).toBe(0);
      expect(await countMedias(ctx, { underFolderId: b })).toBe(COUNT);
      expect(await countMedias(ctx, { underFolderId: folderId })).toBe(COUNT / 10);
      expect(await findFolder(ctx, { path: '/B/Top/Folder 1' })).not.toBeNull();

      const inA = { ...services.as(await limitedTo(services, a)) };
      expect(await countMedias(inA)).toBe(0);
      expect(await findMedia(inA, { id: mediaId })).toBeNull();
      for (const start of [b, folderId]) {
        const viewer = services.as(await limitedTo(services, start));
        expect(await countMedias(viewer)).toBe(start === b ? COUNT : COUNT / 10);
        expect(await findMedia(viewer, { id: mediaId })).not.toBeNull();
      }
      await expectEnd(services);
    }));

  it('lets folders be added, moved and deleted in it, and refuses a cycle', () =>
    withServices(backend, async (services) => {
      const { ctx, branch, a, b } = await makeSite(services);
      const [first = 0, second = 0, third = 0] = branch.folderIds;
      await moveNodes(ctx, { ids: [branch.id], parentId: b });
      const cycle = moveNodes(ctx, { ids: [b], parentId: first });
      await expect(cycle).rejects.toMatchObject({ code: 'FOLDER_CYCLE' });
      const made = await createFolder(ctx, { name: 'New', parentId: first });
      expect(made).toMatchObject({ ancestorIds: [b, branch.id, first], level: 4 });
      await moveNodes(ctx, { ids: [second], parentId: a });
      expect(await countMedias(ctx, { underFolderId: a })).toBe(COUNT / 10);
      await deleteFolder(ctx, third, { recursive: true });
      expect(await countMedias(ctx, { underFolderId: b })).toBe((8 * COUNT) / 10);
      await expectEnd(services);
      expect(await findFolder(ctx, { id: made.id })).toMatchObject(made);
    }));

  it('files uploads in it at the new place, and notifies those who may see that place', () =>
    withServices(backend, async (services) => {
      const { ctx, branch, a, b } = await makeSite(services);
      const [folderId = 0] = branch.folderIds;
      await moveNodes(ctx, { ids: [branch.id], parentId: b });
      const abort = new AbortController();
      const changesOf = async (start: number) => {
        const viewer = services.as(await limitedTo(services, start));
        return watchMedias(viewer, { folderId: undefined }, abort.signal)[Symbol.asyncIterator]();
      };
      const [inA, inB] = await Promise.all([changesOf(a), changesOf(b)]);
      const bytes = Readable.from([PNG]);
      const media = await uploadFile(ctx, { filename: 'logo.png', bytes, folderId });
      expect(media).toMatchObject({ ancestorIds: [b, branch.id, folderId], level: 4 });
      expect(await inB.next()).toMatchObject({ value: { id: media.id, media: { level: 4 } } });
      const nothing = inA.next();
      abort.abort();
      expect(await nothing).toMatchObject({ done: true });
      await expectEnd(services);
      expect(await findMedia(ctx, { id: media.id })).toMatchObject(media);
    }));

  it('may be followed by a move back, of a folder above it and of one in it', () =>
    withServices(backend, async (services) => {
      const { ctx, branch, a, b } = await makeSite(services);
      await moveNodes(ctx, { ids: [branch.id], parentId: b });
      await rewriteSome(services);
      await moveNodes(ctx, { ids: [b], parentId: a });
      await rewriteSome(services);
      await moveNodes(ctx, { ids: [branch.id], parentId: a });
      await moveNodes(ctx, { ids: branch.folderIds.slice(0, 2), parentId: b });
      expect(await countMedias(ctx, { underFolderId: b })).toBe((2 * COUNT) / 10);
      expect(await countMedias(ctx, { underFolderId: branch.id })).toBe((8 * COUNT) / 10);
      await moveNodes(ctx, { ids: [b] });
      await expectEnd(services);
      expect(await countMedias(ctx, { underFolderId: a })).toBe((8 * COUNT) / 10);
    }));

  it('may be followed by its deletion', () =>
    withServices(backend, async (services) => {
      const { ctx, branch, a, b } = await makeSite(services);
      await moveNodes(ctx, { ids: [branch.id], parentId: b });
      await rewriteSome(services);
      const { uuid = '' } = (await findFolder(ctx, { id: branch.id })) ?? {};
      await deleteFolder(ctx, branch.id, { recursive: true });
      expect(await countMedias(ctx)).toBe(0);
      expect(await deleteRest(services.as(SYSTEM), uuid)).toBe(COUNT + 11);
      await expectEnd(services);
      const left = await services.db.selectFrom('media').select('id').orderBy('id').execute();
      expect(left.map(({ id }) => id)).toEqual([ROOT_ID, a, b]);
    }));

  it('is done by one job, which is created again and goes on where it has stopped', () =>
    withServices(backend, async (services) => {
      const { ctx, branch, b } = await makeSite(services);
      await moveNodes(ctx, { ids: [branch.id], parentId: b });
      await resumeMoves(services.as(SYSTEM));
      expect(await jobs(services)).toMatchObject([{ created_by: 'root' }]);
      await services.db.deleteFrom('job').execute();
      await resumeMoves(services.as(SYSTEM));
      expect(await jobs(services)).toHaveLength(1);
      const done = await rewriteSome(services);
      expect(await rewriteRest(services.as(SYSTEM))).toBe(COUNT + 10 - done);
    }));

  it('is done at once if the folder is small', () =>
    withServices(backend, async (services) => {
      const { ctx, a, b } = await makeSite(services);
      const small = await makeBranch(services.db, BITE_ROWS - 10);
      await moveNodes(ctx, { ids: [small.id], parentId: a });
      await moveNodes(ctx, { ids: [a], parentId: b });
      const [mediaId = 0] = small.mediaIds;
      await rewriteRest(services.as(SYSTEM));
      expect(await pathOf(services, mediaId)).toBe(
        `/1/${b}/${a}/${small.id}/${small.folderIds[0]}/`,
      );
    }));
});

/** A large branch in the folder A, and an empty folder B. */
async function makeSite(services: TestServices) {
  const ctx = services.as(admin);
  const a = await makeFolder(services.db, { name: 'A' });
  const b = await makeFolder(services.db, { name: 'B' });
  const branch = await makeBranch(services.db, COUNT);
  await moveNodes(ctx, { ids: [branch.id], parentId: a });
  await rewriteRest(services.as(SYSTEM));
  await services.db.deleteFrom('job').execute();
  return { ctx, branch, a, b };
}

/** A viewer that is limited to a start node. */
async function limitedTo(services: TestServices, id: number) {
  return { ...user('eve', 'editor'), startNodes: await resolveStartNodes(services, [id]) };
}

/** Runs one bite of the job. Returns the number of nodes. */
async function rewriteSome(services: TestServices): Promise<number> {
  const abort = new AbortController();
  const { signal } = abort;
  let fraction = 0;
  const onProgress = (part: number) => {
    fraction = part;
    abort.abort(new Error('The server stops.'));
  };
  const all = (await services.db.selectFrom('media').select('id').execute()).length;
  const before = await paths(services);
  const run = rewriteRest(services.as(SYSTEM), { signal, onProgress });
  await expect(run).rejects.toThrow('The server stops.');
  expect(fraction).toBeGreaterThan(0);
  expect(fraction).toBeLessThan(1);
  const after = await paths(services);
  const done = [...after].filter(([id, path]) => before.get(id) !== path).length;
  expect(done).toBeLessThan(all);
  return done;
}

/** Finishes all moves, and checks the place of each node by the rows of the folders above it. */
async function expectEnd(services: TestServices): Promise<void> {
  await rewriteRest(services.as(SYSTEM));
  expect(services.pending.current.moved).toEqual([]);
  expect(await services.db.selectFrom('path_move').selectAll().execute()).toEqual([]);
  const rows = await services.db.selectFrom('media').selectAll().execute();
  const byId = new Map(rows.map((row) => [row.id, row]));
  for (const { id, parent_id, path, level } of rows) {
    if (id === ROOT_ID) continue;
    const parent = byId.get(parent_id ?? 0)!;
    expect({ path, level }).toEqual({
      path: parent.id === ROOT_ID ? '/1/' : `${parent.path}${parent.id}/`,
      level: parent.level + 1,
    });
  }
}

async function paths({ db }: TestServices): Promise<Map<number, string>> {
  const rows = await db.selectFrom('media').select(['id', 'path']).execute();
  return new Map(rows.map(({ id, path }) => [id, path]));
}

async function pathOf(services: TestServices, id: number): Promise<string | undefined> {
  return (await paths(services)).get(id);
}

function jobs({ db }: TestServices) {
  return db.selectFrom('job').where('job_class', '=', 'move-subtree').selectAll().execute();
}
