import { sql } from 'kysely';
import { expect, it } from 'vitest';
import { openFile } from '../../../src/domain/file/file.ts';
import { sweep } from '../../../src/domain/file/sweep.ts';
import { countTrash, listTrash } from '../../../src/domain/file/trash.ts';
import { deleteTag } from '../../../src/domain/tag/deletion.ts';
import { deleteNodes } from '../../../src/domain/trash/delete-nodes.ts';
import { emptyTrash, purgeTrash } from '../../../src/domain/trash/purge.ts';
import { restoreNodes } from '../../../src/domain/trash/restore.ts';
import { deleteFolder } from '../../../src/domain/tree/deletion.ts';
import { updateFolder } from '../../../src/domain/tree/folder.ts';
import { findMedia } from '../../../src/domain/tree/media.ts';
import { deleteMedia } from '../../../src/domain/tree/media-change.ts';
import { countMedias } from '../../../src/domain/tree/media-list.ts';
import { moveNodes } from '../../../src/domain/tree/move.ts';
import { uploadFile } from '../../../src/domain/upload/upload-file.ts';
import { storageUsage } from '../../../src/domain/viewer/quota.ts';
import { SYSTEM } from '../../../src/domain/viewer/viewer.ts';
import { type TestServices, user, withServices } from '../../support/app.ts';
import { describeEachBackend } from '../../support/backend.ts';
import { inPieces, PNG } from '../../support/bytes.ts';
import { makeFileRow, makeFolder, makeMediaRow, makeTag } from '../../support/make.ts';
import { sentBytes } from '../../support/sent-bytes.ts';

const admin = user('root', 'admin');
const ALL = { modifiedBefore: Number.POSITIVE_INFINITY };
const DAY_MS = 24 * 60 * 60_000;

describeEachBackend('the trash', (backend) => {
  it('gives a folder back exactly as it was: rows, ids, tags, URLs, words and usage', () =>
    withServices(backend, async (services) => {
      const { folderId, mediaId, ctx } = await makeSite(services);
      const before = await snapshot(services);
      const usage = await storageUsage(services.as(admin));
      await deleteFolder(ctx, folderId, { recursive: true });
      expect(await countMedias(ctx)).toBe(0);
      expect(await storageUsage(services.as(admin))).toEqual(usage);
      const restored = await restoreNodes(ctx, { ids: [folderId] });
      expect(restored).toMatchObject([{ id: folderId, deletedAt: null }]);
      expect(await snapshot(services)).toEqual(before);
      expect(await countMedias(ctx, { search: 'needle pin' })).toBe(1);
      expect(await findMedia(ctx, { id: mediaId })).toMatchObject({ deletedAt: null });
      expect(await storageUsage(services.as(admin))).toEqual(usage);
    }));

  it('keeps the bytes, which no sweep takes, and no reader gets', () =>
    withServices(backend, async (services) => {
      const ctx = services.as(user());
      const media = await uploadFile(ctx, { filename: 'a.png', bytes: inPieces(PNG) });
      const { dir, url_name } = await onlyFile(services);
      await deleteMedia(ctx, media.id);
      expect(await openFile(ctx, dir, url_name)).toBeNull();
      expect(await sweep(services, ALL)).toEqual({ removed: 0, lost: 0 });
      await restoreNodes(ctx, { ids: [media.id] });
      const opened = await openFile(ctx, dir, url_name);
      expect(await sentBytes(await opened!.read())).toEqual(PNG);
    }));

  it('reports bytes of its files that are lost, as of those of the library', () =>
    withServices(backend, async (services) => {
      const id = await makeMediaRow(services.db, { owner: 'alice' });
      await makeFileRow(services.db, id);
      await deleteMedia(services.as(user()), id);
      expect(await sweep(services, ALL)).toEqual({ removed: 0, lost: 1 });
    }));

  it('repeats the jobs that a restored media item needs, and lists its jobs again', () =>
    withServices(backend, async (services) => {
      const ctx = services.as(user());
      const media = await uploadFile(ctx, { filename: 'a.png', bytes: inPieces(PNG) });
      const [thumbnail] = await jobsOf(services, media.id);
      await deleteMedia(ctx, media.id);
      expect(await jobsOf(services, media.id)).toEqual([]);
      // Its job has run meanwhile, and has found nothing.
      await services.db.updateTable('job').set({ status: 'completed', finished_at: 1 }).execute();
      await restoreNodes(ctx, { ids: [media.id] });
      const [old, next] = await jobsOf(services, media.id);
      expect(old).toMatchObject({ id: thumbnail!.id, status: 'completed' });
      const { job_class, arguments: args } = thumbnail!;
      expect(next).toMatchObject({ job_class, arguments: args, status: 'pending' });
    }));

  it('lists the top of each deletion, last deleted first, with what it gets back', () =>
    withServices(backend, async (services) => {
      const { folderId, tagId, ctx } = await makeSite(services);
      const lone = await makeMediaRow(services.db, { owner: 'alice', name: 'lone' });
      const file = await makeFileRow(services.db, lone);
      await services.db.insertInto('media_tag').values({ media_id: lone, tag_id: tagId }).execute();
      await deleteFolder(ctx, folderId, { recursive: true });
      services.advance(1);
      await deleteMedia(ctx, lone);
      const page = await listTrash(ctx, { first: 1 });
      expect(page.nodes).toMatchObject([
        {
          id: lone,
          name: 'lone',
          deletedAt: new Date(services.clock()),
          trashed: { files: [{ id: file.id, filename: 'picture.png' }], tags: [{ id: tagId }] },
        },
      ]);
      expect(page.hasNextPage).toBe(true);
      const next = await listTrash(ctx, { first: 1, after: page.edges[0]!.cursor });
      expect(next.nodes).toMatchObject([{ id: folderId, type: 'folder' }]);
      expect(next.hasNextPage).toBe(false);
      expect(await countTrash(ctx)).toBe(2);
    }));

  it('shows and gives each viewer its own nodes only, and an admin all', () =>
    withServices(backend, async (services) => {
      const folder = await makeFolder(services.db, { owner: 'alice' });
      const place = { parent_id: folder, level: 2, path: `/1/${folder}/` };
      const mine = await makeMediaRow(services.db, { ...place, owner: 'alice' });
      const bobs = await makeMediaRow(services.db, { ...place, owner: 'bob' });
      await deleteFolder(services.as(user()), folder, { recursive: true });
      const listed = async (viewer: ReturnType<typeof user>) => {
        const ids = (await listTrash(services.as(viewer), {})).nodes.map(({ id }) => id);
        expect(await countTrash(services.as(viewer))).toBe(ids.length);
        return ids;
      };
      expect(await listed(admin)).toEqual([folder]);
      expect(await listed(user())).toEqual([folder]);
      expect(await listed(user('bob'))).toEqual([bobs]);
      expect(await listed(user('eve'))).toEqual([]);
      const take = (viewer: ReturnType<typeof user>, id: number) =>
        restoreNodes(services.as(viewer), { ids: [id] });
      await expect(take(user('eve'), bobs)).rejects.toMatchObject({ code: 'NOT_FOUND' });
      await expect(take(user('bob', 'reader'), bobs)).rejects.toMatchObject({ code: 'FORBIDDEN' });
      await expect(listTrash(services.as(), {})).rejects.toMatchObject({
        code: 'NOT_AUTHENTICATED',
      });
      // Its folder is in the trash, so it gets to the top level.
      expect(await take(user('bob'), bobs)).toMatchObject([{ id: bobs, parentId: null, level: 1 }]);
      await take(user(), folder);
      expect(await findMedia(services.as(admin), { id: mine })).toMatchObject({ parentId: folder });
      expect(await listed(admin)).toEqual([]);
    }));

  it('limits a viewer to what was below its start nodes, and restores nothing outside of them', () =>
    withServices(backend, async (services) => {
      const [inside, outside] = [await makeFolder(services.db), await makeFolder(services.db)];
      const [one, two, three] = await Promise.all(
        [inside, outside, null].map((id) =>
          makeMediaRow(services.db, {
            ...(id && { parent_id: id, level: 2, path: `/1/${id}/` }),
            owner: id === null ? 'other' : 'alice',
          }),
        ),
      );
      for (const id of [one!, two!, three!]) await deleteMedia(services.as(admin), id);
      const startNodes = [{ id: inside, below: `/1/${inside}/` }];
      const limited = services.as({ kind: 'user', id: 'root', role: 'admin', startNodes });
      expect((await listTrash(limited, {})).nodes.map(({ id }) => id)).toEqual([one]);
      for (const id of [two!, three!]) {
        const code = 'NOT_FOUND';
        await expect(restoreNodes(limited, { ids: [id] })).rejects.toMatchObject({ code });
        const purge = deleteNodes(limited, { ids: [id], permanently: true });
        await expect(purge).rejects.toMatchObject({ code });
      }
      await emptyTrash(limited);
      const job = services.db.selectFrom('job').where('job_class', '=', 'purge-trash');
      const { arguments: args } = await job.selectAll().executeTakeFirstOrThrow();
      await deleteFolder(services.as(admin), inside, { recursive: true });
      // The start node itself is gone: the top level is out of reach.
      const restored = restoreNodes(limited, { ids: [one!] });
      await expect(restored).rejects.toMatchObject({ code: 'FORBIDDEN' });
      services.advance(1);
      expect(await purgeTrash(services.as(SYSTEM), JSON.parse(args))).toBe(2);
      const left = (await listTrash(services.as(admin), {})).nodes.map(({ id }) => id);
      expect(left.sort()).toEqual([two, three].sort());
    }));

  it('restores into the nearest folder that exists, at its end', () =>
    withServices(backend, async (services) => {
      const { folderId, innerId, mediaId, ctx } = await makeSite(services);
      await deleteMedia(ctx, mediaId);
      await deleteFolder(ctx, innerId, { recursive: true });
      const [media] = await restoreNodes(ctx, { ids: [mediaId] });
      expect(media).toMatchObject({ ancestorIds: [folderId], level: 2 });
      await restoreNodes(ctx, { ids: [innerId] });
      await deleteMedia(ctx, mediaId);
      // The folder has been moved since.
      const target = await makeFolder(services.db, { owner: 'alice' });
      await moveNodes(ctx, { ids: [folderId], parentId: target });
      const [again] = await restoreNodes(ctx, { ids: [mediaId] });
      expect(again).toMatchObject({ ancestorIds: [target, folderId], level: 3 });
    }));

  it('restores nodes to their places in whatever order they are named', () =>
    withServices(backend, async (services) => {
      const { folderId, innerId, mediaId, ctx } = await makeSite(services);
      const before = await snapshot(services);
      for (const id of [mediaId, innerId, folderId]) {
        await deleteNodes(ctx, { ids: [id], recursive: true });
      }
      const restored = await restoreNodes(ctx, { ids: [mediaId, innerId, folderId] });
      expect(restored.map(({ id }) => id)).toEqual([mediaId, innerId, folderId]);
      expect(await snapshot(services)).toEqual(before);
      // A folder may get deeper after something in it was deleted.
      await deleteMedia(ctx, mediaId);
      const target = await makeFolder(services.db, { owner: 'alice' });
      await moveNodes(ctx, { ids: [folderId], parentId: target });
      services.advance(1);
      await deleteNodes(ctx, { ids: [innerId], recursive: true });
      const [media] = await restoreNodes(ctx, { ids: [mediaId, innerId] });
      expect(media).toMatchObject({ ancestorIds: [target, folderId, innerId] });
    }));

  it('records each node of a folder as deleted, and each as restored', () =>
    withServices(backend, async (services) => {
      const { folderId, innerId, mediaId, ctx } = await makeSite(services);
      await deleteFolder(ctx, folderId, { recursive: true });
      const { id } = (await listTrash(ctx, {})).nodes[0]!;
      await restoreNodes(ctx, { ids: [id] });
      const entries = await services.db.selectFrom('audit_entry').selectAll().execute();
      const targets = (action: string) =>
        entries.filter((entry) => entry.action === action).map(({ target_id }) => target_id);
      expect(targets('delete')).toEqual(expect.arrayContaining([folderId, innerId, mediaId]));
      expect(targets('restore').sort()).toEqual(targets('delete').sort());
    }));

  it('refuses a node whose resource is taken, and names both', () =>
    withServices(backend, async (services) => {
      const ctx = services.as(user());
      const columns = { owner: 'alice', resource: 'poster' };
      const first = await makeMediaRow(services.db, columns);
      const other = await makeMediaRow(services.db, { owner: 'alice' });
      await deleteNodes(ctx, { ids: [first, other] });
      const second = await makeMediaRow(services.db, columns);
      const restored = restoreNodes(ctx, { ids: [other, first] });
      await expect(restored).rejects.toMatchObject({
        code: 'ALREADY_EXISTS',
        failed: { id: first },
      });
      await expect(restored).rejects.toThrow('"poster"');
      expect(await countTrash(ctx)).toBe(2);
      await deleteMedia(ctx, second);
      await restoreNodes(ctx, { ids: [other, first] });
      expect(await findMedia(ctx, { resource: 'poster' })).toMatchObject({ id: first });
    }));

  it('gives a media item a new address only if its own has been given to another one', () =>
    withServices(backend, async (services) => {
      const ctx = services.as(user());
      const id = await makeMediaRow(services.db, { owner: 'alice' });
      const { dir } = await makeFileRow(services.db, id);
      await deleteMedia(ctx, id);
      await makeFileRow(services.db, await makeMediaRow(services.db), { dir });
      await restoreNodes(ctx, { ids: [id] });
      const own = services.db.selectFrom('file').where('media_id', '=', id).select('dir');
      expect((await own.executeTakeFirstOrThrow()).dir).not.toBe(dir);
    }));

  it('leaves out a tag that has been deleted since', () =>
    withServices(backend, async (services) => {
      const { folderId, mediaId, tagId, ctx } = await makeSite(services);
      await deleteFolder(ctx, folderId, { recursive: true });
      await deleteTag(services.as(admin), tagId);
      await restoreNodes(ctx, { ids: [folderId] });
      expect(await services.db.selectFrom('media_tag').selectAll().execute()).toEqual([]);
      expect(await countMedias(ctx, { search: 'pin' })).toBe(0);
      expect(await findMedia(ctx, { id: mediaId })).not.toBeNull();
    }));
});

describeEachBackend('many nodes', (backend) => {
  it('are deleted and restored all or not at all, and the first that fails is named', () =>
    withServices(backend, async (services) => {
      const { folderId, mediaId, ctx } = await makeSite(services);
      const mine = await makeMediaRow(services.db, { owner: 'alice' });
      const bobs = await makeMediaRow(services.db, { owner: 'bob' });
      const before = await snapshot(services);
      const failures: [number[], string, number][] = [
        [[mine, bobs, 9999], 'FORBIDDEN', bobs],
        [[mine, 9999, bobs], 'NOT_FOUND', 9999],
        [[mine, folderId], 'FOLDER_NOT_EMPTY', folderId],
      ];
      for (const [ids, code, id] of failures) {
        const deleted = deleteNodes(ctx, { ids });
        await expect(deleted).rejects.toMatchObject({ code, failed: { id } });
      }
      expect(await snapshot(services)).toEqual(before);
      await deleteNodes(ctx, { ids: [mediaId, folderId, mine], recursive: true });
      expect(await countTrash(ctx)).toBe(2);
      const missing = restoreNodes(ctx, { ids: [mine, folderId, 9999] });
      await expect(missing).rejects.toThrow('"9999"');
      expect(await countTrash(ctx)).toBe(2);
      // With the folder comes what is below it.
      const restored = await restoreNodes(ctx, { ids: [mediaId, mine, folderId] });
      expect(restored.map(({ id }) => id)).toEqual([mediaId, mine, folderId]);
      expect(await snapshot(services)).toEqual(before);
      const none = deleteNodes(ctx, { ids: [] });
      await expect(none).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    }));

  it('are deleted for ever if that is asked for, from the tree and from the trash', () =>
    withServices(backend, async (services) => {
      const { folderId, ctx } = await makeSite(services);
      const lone = await makeMediaRow(services.db, { owner: 'alice' });
      const { blob_key } = await makeFileRow(services.db, lone);
      await deleteFolder(ctx, folderId, { recursive: true });
      await deleteNodes(ctx, { ids: [lone, folderId], recursive: true, permanently: true });
      expect(await countTrash(services.as(admin))).toBe(0);
      expect(await storageUsage(services.as(admin))).toMatchObject({ items: 0, storedBytes: 0 });
      expect(await deletedKeys(services)).toContain(blob_key);
      expect(await services.db.selectFrom('trashed_row').selectAll().execute()).toEqual([]);
    }));

  it('leave the trash after their time, with their bytes, and not before', () =>
    withServices(backend, async (services) => {
      const { folderId, ctx } = await makeSite(services);
      await deleteFolder(ctx, folderId, { recursive: true });
      services.advance(30 * DAY_MS);
      expect(await purgeTrash(services.as(SYSTEM), {})).toBe(0);
      services.advance(1);
      expect(await purgeTrash(services.as(SYSTEM), {})).toBe(3);
      expect(await countTrash(ctx)).toBe(0);
      expect(await deletedKeys(services)).toHaveLength(1);
    }));

  it('do not get into the trash if it keeps nothing', () =>
    withServices(
      backend,
      async (services) => {
        const { folderId, ctx } = await makeSite(services);
        await deleteFolder(ctx, folderId, { recursive: true });
        expect(await countTrash(ctx)).toBe(0);
        expect(await deletedKeys(services)).toHaveLength(1);
      },
      { trashDays: 0 },
    ));
});

/** A folder, a folder in it, and in that one a media item with a file, a tag and words. */
async function makeSite(services: TestServices) {
  const { db } = services;
  const ctx = services.as(user());
  const owner = 'alice';
  const folderId = await makeFolder(db, { owner });
  const inner = { parent_id: folderId, level: 2, path: `/1/${folderId}/` };
  const innerId = await makeFolder(db, { ...inner, owner, sort_order: 7 });
  const place = { parent_id: innerId, level: 3, path: `/1/${folderId}/${innerId}/` };
  const columns = { ...place, name: 'needle', resource: 'pictures', sort_order: 5, is_public: 1 };
  const mediaId = await makeMediaRow(db, { ...columns, owner, client_hash: 'address' });
  await makeFileRow(db, mediaId, { created_by: owner, size_bytes: 7 });
  const { id: tagId } = await makeTag(db, { name: 'pin' });
  await db.insertInto('media_tag').values({ media_id: mediaId, tag_id: tagId }).execute();
  await updateFolder(ctx, innerId, { visibility: 'public' });
  return { ctx, folderId, innerId, mediaId, tagId };
}

/** Every row of a node, and of what hangs on it. */
async function snapshot({ db }: TestServices) {
  const read = async (table: string, order: string) =>
    (await sql`select * from ${sql.table(table)} order by ${sql.ref(order)}`.execute(db)).rows;
  return {
    media: await read('media', 'id'),
    file: await read('file', 'id'),
    tags: await read('media_tag', 'media_id'),
    words: await read('media_words', 'media_id'),
    trash: await read('trashed_node', 'id'),
    rows: await read('trashed_row', 'id'),
  };
}

function onlyFile({ db }: TestServices) {
  return db.selectFrom('file').where('key', '=', '').selectAll().executeTakeFirstOrThrow();
}

function jobsOf({ db }: TestServices, mediaId: number) {
  const jobs = db.selectFrom('job').where('media_id', '=', mediaId).orderBy('id');
  return jobs.selectAll().execute();
}

/** The keys of all bytes that jobs delete. */
async function deletedKeys({ db }: TestServices): Promise<string[]> {
  const jobs = db.selectFrom('job').where('job_class', '=', 'delete-blob').select('arguments');
  return (await jobs.execute()).flatMap((job) => JSON.parse(job.arguments).blob_keys);
}
