import { expect, it } from 'vitest';
import { transact } from '../../../src/domain/context.ts';
import { filesByMediaIds, openFile } from '../../../src/domain/file/file.ts';
import { findResourceFile, searchFiles } from '../../../src/domain/file/resource.ts';
import { BITE_ROWS } from '../../../src/domain/job/bite.ts';
import { openRendition } from '../../../src/domain/rendition/rendition.ts';
import { deleteNodes } from '../../../src/domain/trash/delete-nodes.ts';
import { deleteFolder, deleteRest, resumeDeletions } from '../../../src/domain/tree/deletion.ts';
import { createFolder, findFolder, updateFolder } from '../../../src/domain/tree/folder.ts';
import { createMedia } from '../../../src/domain/tree/link.ts';
import { findMedia, mediasByIds } from '../../../src/domain/tree/media.ts';
import { deleteMedia, updateMedia } from '../../../src/domain/tree/media-change.ts';
import { countMedias, countMediasOfEach, listMedias } from '../../../src/domain/tree/media-list.ts';
import { moveNodes } from '../../../src/domain/tree/move.ts';
import { findPermittedNode, listTopLevel, nodesByIds } from '../../../src/domain/tree/node-list.ts';
import { watchMedias } from '../../../src/domain/tree/watch.ts';
import { findResource } from '../../../src/domain/upload/resource-files.ts';
import { createPendingChanges } from '../../../src/domain/viewer/pending.ts';
import { SYSTEM } from '../../../src/domain/viewer/viewer.ts';
import { openDb } from '../../../src/store/db.ts';
import { ROOT_ID } from '../../../src/store/tree/folder.ts';
import { type TestServices, user, withServices } from '../../support/app.ts';
import { describeEachBackend } from '../../support/backend.ts';
import { type Branch, makeBranch, tagAll } from '../../support/branch.ts';
import { makeFolder, makeMediaRow, makeTag } from '../../support/make.ts';

/** Media in a branch that is larger than two bites. */
const COUNT = 2 * BITE_ROWS + 50;
const admin = user('root', 'admin');
const NOT_FOUND = { code: 'NOT_FOUND' };

describeEachBackend('the deletion of a large folder', (backend) => {
  it('hides everything below it at once from each list, read and file', () =>
    withServices(backend, async (services) => {
      const { branch, uuid, tagId } = await makeSite(services);
      const kept = await makeMediaRow(services.db, { name: 'needle' });
      const ctx = services.as(admin);
      const [mediaId = 0] = branch.mediaIds;
      const media = (await findMedia(ctx, { id: mediaId }))!;
      await deleteFolder(ctx, branch.id, { recursive: true });
      expect(await countRows(services)).toBe(COUNT + 13);

      const shown = async (filter: Parameters<typeof listMedias>[2]) => {
        const { edges } = await listMedias(ctx, { first: 10 }, filter);
        expect(await countMedias(ctx, filter)).toBe(edges.length);
        return edges.map(({ node }) => node.id);
      };
      expect(await shown({})).toEqual([kept]);
      expect(await shown({ search: 'needle' })).toEqual([kept]);
      expect(await shown({ tagIds: [tagId] })).toEqual([]);
      expect(await shown({ underFolderId: branch.id })).toEqual([]);
      expect(await shown({ folderId: branch.folderIds[0] })).toEqual([]);
      expect(await shown({ mimeTypes: ['image/png'] })).toEqual([]);
      expect(await countMediasOfEach(ctx, 'tag', [tagId])).toEqual(new Map());
      expect((await listTopLevel(ctx, 'any', {})).edges).toEqual([]);
      expect(await findFolder(ctx, { path: '/Top/Folder 1' })).toBeNull();
      expect(await findFolder(ctx, { uuid })).toBeNull();
      expect(await nodesByIds(ctx, [branch.id, ...branch.folderIds, mediaId])).toEqual([]);
      expect(await findPermittedNode(ctx, { uuid: media.uuid })).toBeNull();
      expect(await filesByMediaIds(ctx, branch.mediaIds)).toEqual(new Map());
      const { dir, name } = branch.urlPath;
      expect(await openFile(ctx, dir, name)).toBeNull();
      expect(await openRendition(services.as(), dir, name, { width: '1' })).toBeNull();
      const resource = findResourceFile(ctx, { resource: media.uuid, key: '' });
      await expect(resource).rejects.toMatchObject(NOT_FOUND);
      const search = { conditions: [], order: [], limit: 5, offset: 0, isCounted: true };
      expect(await searchFiles(ctx, search)).toMatchObject({ nodes: [], count: 0 });
    }));

  it('refuses every change below it, as of nodes that do not exist', () =>
    withServices(backend, async (services) => {
      const { branch } = await makeSite(services);
      const ctx = services.as(admin);
      const other = await makeFolder(services.db, { name: 'Other' });
      await deleteFolder(ctx, branch.id, { recursive: true });
      const [folderId = 0] = branch.folderIds;
      const [mediaId = 0] = branch.mediaIds;
      const changes = [
        createFolder(ctx, { name: 'New', parentId: folderId }),
        createMedia(ctx, { type: 'url', url: 'https://example.org/', folderId }),
        moveNodes(ctx, { ids: [other], parentId: folderId }),
        moveNodes(ctx, { ids: [folderId] }),
        moveNodes(ctx, { ids: [mediaId], parentId: other }),
        updateFolder(ctx, folderId, { name: 'New' }),
        updateMedia(ctx, mediaId, { name: 'New' }),
        deleteMedia(ctx, mediaId),
        deleteFolder(ctx, folderId, { recursive: true }),
        deleteFolder(ctx, branch.id, { recursive: true }),
      ];
      const reasons = (await Promise.allSettled(changes)).map((result) =>
        result.status === 'rejected' ? result.reason.code : result.value,
      );
      expect(reasons).toEqual(changes.map(() => 'NOT_FOUND'));
    }));

  it('for ever deletes the rows in small transactions, and enqueues the deletion of all bytes', () =>
    withServices(backend, async (services) => {
      const { branch, uuid } = await makeSite(services);
      const options = { recursive: true, permanently: true };
      await deleteNodes(services.as(admin), { ids: [branch.id], ...options });
      const all = COUNT + 11;
      const totals = [0];
      const onProgress = (fraction: number) => void totals.push(Math.round(fraction * all));
      expect(await deleteRest(services.as(SYSTEM), uuid, { onProgress })).toBe(all);
      const bites = totals.slice(1).map((total, index) => total - totals[index]!);
      expect(Math.max(...bites)).toBeLessThanOrEqual(BITE_ROWS);
      expect(bites.reduce((sum, rows) => sum + rows, 0)).toBe(all);
      expect(await countRows(services)).toBe(1);
      expect(await services.db.selectFrom('file').select('id').execute()).toEqual([]);
      expect(await services.db.selectFrom('deletion').selectAll().execute()).toEqual([]);
      expect(services.pending.current.subtrees).toEqual([]);
      const jobs = await jobsOf(services, 'delete-blob');
      const keys = jobs.flatMap((job) => JSON.parse(job.arguments).blob_keys);
      expect(new Set(keys).size).toBe(COUNT);
    }));

  it('goes on where an ended run has stopped, also in a process that has just started', () =>
    withServices(backend, async (services) => {
      const { branch, uuid } = await makeSite(services);
      await deleteFolder(services.as(admin), branch.id, { recursive: true });
      const abort = new AbortController();
      const onProgress = () => abort.abort(new Error('The server stops.'));
      const run = deleteRest(services.as(SYSTEM), uuid, { signal: abort.signal, onProgress });
      await expect(run).rejects.toThrow('The server stops.');
      const left = await countRows(services);
      expect(left).toBeLessThan(COUNT);
      expect(left).toBeGreaterThan(BITE_ROWS);

      const pending = createPendingChanges({ db: services.db, isShared: false });
      const restarted = { ...services.as(admin), pending };
      await pending.reload();
      expect(await countMedias(restarted)).toBe(0);
      expect(await deleteRest(restarted, uuid)).toBe(left - 1);
      expect(await countRows(services)).toBe(1);
    }));

  it('gets a new job if its job is deleted, and never a second one', () =>
    withServices(backend, async (services) => {
      const { branch, uuid } = await makeSite(services);
      await deleteFolder(services.as(admin), branch.id, { recursive: true });
      const [job] = await jobsOf(services, 'delete-subtree');
      expect(job).toMatchObject({
        created_by: 'root',
        arguments: JSON.stringify({ folder_uuid: uuid }),
      });
      await resumeDeletions(services.as(SYSTEM));
      expect(await jobsOf(services, 'delete-subtree')).toHaveLength(1);
      await services.db.deleteFrom('job').execute();
      await resumeDeletions(services.as(SYSTEM));
      expect(await jobsOf(services, 'delete-subtree')).toHaveLength(1);
    }));

  it('publishes the deletion of each media item to those who could see it', () =>
    withServices(backend, async (services) => {
      const { branch, uuid } = await makeSite(services);
      await deleteFolder(services.as(admin), branch.id, { recursive: true });
      const abort = new AbortController();
      const changes = watchMedias(services.as(user()), { folderId: undefined }, abort.signal);
      const ids: number[] = [];
      const watching = (async () => {
        for await (const { kind, id } of changes) {
          expect(kind).toBe('deleted');
          if (ids.push(id) === COUNT) return;
        }
      })();
      await deleteRest(services.as(SYSTEM), uuid);
      await watching;
      abort.abort();
      expect(new Set(ids)).toEqual(new Set(branch.mediaIds));
    }));

  it('leaves the name of a resource to a new media item at once', () =>
    withServices(backend, async (services) => {
      const { branch, uuid } = await makeSite(services);
      const [mediaId = 0] = branch.mediaIds;
      await services.db
        .updateTable('media')
        .set({ resource: 'poster' })
        .where('id', '=', mediaId)
        .execute();
      const ctx = services.as(admin);
      await deleteFolder(ctx, branch.id, { recursive: true });
      expect(await findResource(ctx, 'poster', [''])).toBeNull();
      const made = await transact(ctx, async (ctx) => {
        expect(await findResource(ctx, 'poster', [''])).toBeNull();
        return makeMediaRow(ctx.db, { resource: 'poster' });
      });
      expect(await findMedia(ctx, { resource: 'poster' })).toMatchObject({ id: made });
      await deleteRest(services.as(SYSTEM), uuid);
      expect(await mediasByIds(ctx, [made, mediaId])).toMatchObject([{ id: made }]);
    }));

  it('goes on, hidden, when a folder above it is moved or deleted', () =>
    withServices(backend, async (services) => {
      const ctx = services.as(admin);
      const { branch, uuid } = await makeSite(services);
      const [above, target] = [await makeFolder(services.db), await makeFolder(services.db)];
      await moveNodes(ctx, { ids: [branch.id], parentId: above });
      await deleteFolder(ctx, branch.id, { recursive: true });
      await moveNodes(ctx, { ids: [above], parentId: target });
      expect(await countMedias(ctx)).toBe(0);
      expect(await countMedias(ctx, { underFolderId: target })).toBe(0);
      // It shows nothing, so that it counts as empty.
      await deleteFolder(ctx, above, { recursive: false });
      expect(await deleteRest(services.as(SYSTEM), (await uuidOf(services, above)) ?? '')).toBe(
        COUNT + 12,
      );
      expect(await deleteRest(services.as(SYSTEM), uuid)).toBe(0);
      expect(await countRows(services)).toBe(2);
    }));
});

describeEachBackend('whoever may delete a folder', (backend) => {
  it.each([10, COUNT])(
    'deletes the %d media that others have put into it, which is recorded',
    (count) =>
      withServices(backend, async (services) => {
        const branch = await makeBranch(services.db, count, { owner: 'bob' });
        await services.db
          .updateTable('media')
          .set({ sort_order: 0 })
          .where('id', '=', branch.id)
          .execute();
        const mine = await makeFolder(services.db, { name: 'Mine', owner: 'alice' });
        await moveNodes(services.as(admin), { ids: branch.folderIds, parentId: mine });
        const records: object[] = [];
        const log = { ...services.log, info: (fields: object) => void records.push(fields) };
        await deleteFolder({ ...services.as(user('alice')), log }, mine, { recursive: true });
        const uuid = await uuidOf(services, mine);
        if (uuid !== undefined) await deleteRest({ ...services.as(SYSTEM), log }, uuid);
        const counts = { nodes: count + 11, nodesOfOthers: count + 10 };
        expect(records.at(-1)).toMatchObject({ name: 'Mine', deletedBy: 'alice', ...counts });
        expect(await countRows(services)).toBe(2);
      }),
  );
});

const isPostgres = ({ name }: { name: string }) => name === 'postgres';

describeEachBackend('another process of the database', (backend) => {
  it.runIf(isPostgres(backend))('hides a folder as soon as its deletion returns', () =>
    backend.withUrl(async (url) => {
      const [one, two] = [openDb({ url }), openDb({ url })];
      try {
        const pending = createPendingChanges({ db: one, isShared: true });
        const others = createPendingChanges({ db: two, isShared: true });
        for (let round = 0; round < 5; round++) {
          const id = await makeFolder(one);
          await others.refresh();
          await one
            .insertInto('deletion')
            .values({ node_id: id, deleted_by: null, created_at: 0 })
            .execute();
          await pending.announce();
          await others.refresh();
          expect(others.current.subtrees.map((subtree) => subtree.id)).toContain(id);
        }
      } finally {
        await Promise.all([one.destroy(), two.destroy()]);
      }
    }),
  );
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

async function uuidOf({ db }: TestServices, id: number): Promise<string | undefined> {
  const row = db.selectFrom('media').where('id', '=', id).select('uuid');
  return (await row.executeTakeFirst())?.uuid;
}

/** The number of nodes, the root included. */
async function countRows({ db }: TestServices): Promise<number> {
  const rows = await db.selectFrom('media').where('id', '>=', ROOT_ID).select('id').execute();
  return rows.length;
}

function jobsOf({ db }: TestServices, jobClass: string) {
  return db.selectFrom('job').where('job_class', '=', jobClass).selectAll().execute();
}
