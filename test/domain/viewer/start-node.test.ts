import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { tagMedia } from '../../../src/domain/bulk/tagging.ts';
import type { Context } from '../../../src/domain/context.ts';
import { ForbiddenError, NotFoundError } from '../../../src/domain/error.ts';
import { deleteFolder } from '../../../src/domain/tree/deletion.ts';
import { createFolder, type Folder, updateFolder } from '../../../src/domain/tree/folder.ts';
import { createMedia } from '../../../src/domain/tree/link.ts';
import { findMedia, mediasByIds } from '../../../src/domain/tree/media.ts';
import { deleteMedia, updateMedia } from '../../../src/domain/tree/media-change.ts';
import { countMedias, listMedias } from '../../../src/domain/tree/media-list.ts';
import { moveNodes } from '../../../src/domain/tree/move.ts';
import { visibleAncestorIds } from '../../../src/domain/tree/node.ts';
import {
  countTopLevel,
  findPermittedNode,
  listRoots,
  listTopLevel,
} from '../../../src/domain/tree/node-list.ts';
import { watchMedias } from '../../../src/domain/tree/watch.ts';
import { uploadFile } from '../../../src/domain/upload/upload-file.ts';
import { findViewerByKey } from '../../../src/domain/viewer/key.ts';
import { findStartNodes, resolveStartNodes } from '../../../src/domain/viewer/start-node.ts';
import type { KnownViewer } from '../../../src/domain/viewer/viewer.ts';
import type { TestServices } from '../../support/app.ts';
import { describeEachBackend } from '../../support/backend.ts';
import { inPieces } from '../../support/bytes.ts';
import { makeFileRow, makeFolder, makeKey, makeMediaRow, makeTag } from '../../support/make.ts';
import { shareServices } from '../../support/shared-app.ts';
import { READS, type Subtree, WRITES } from './start-node-operation.ts';

/** `/top/mine` is the start node, with a folder and a media item in it; `/top/theirs` holds the same. */
async function makeTree(services: TestServices) {
  const name = randomUUID();
  const admin = services.as({ kind: 'user', id: `admin ${name}`, role: 'admin' });
  const top = await createFolder(admin, { name });
  const mine = await makeSubtree(services, admin, { name: 'mine', top });
  const theirs = await makeSubtree(services, admin, { name: 'theirs', top });
  // An admin, so that only the start nodes limit it.
  const as = async (...uuids: string[]) => {
    const startNodes = await resolveStartNodes(services, uuids);
    return services.as({ kind: 'user', id: `limited ${name}`, role: 'admin', startNodes });
  };
  return { admin, top, mine, theirs, as, viewer: await as(mine.start.uuid) };
}

interface Place {
  name: string;
  top: Folder;
}

/** Creates a subtree. Its contents are public, which makes no difference to a limited viewer. */
async function makeSubtree(
  services: TestServices,
  admin: Context,
  { name, top }: Place,
): Promise<Subtree> {
  const word = `w${randomUUID().replaceAll('-', '')}`;
  const start = await createFolder(admin, { name, parentId: top.id });
  const folder = await createFolder(admin, { name: 'below', parentId: start.id });
  const bytes = inPieces(Buffer.from(`This is ${word}.`));
  const upload = { filename: `${word}.txt`, bytes, title: word, folderId: folder.id };
  const media = await uploadFile(admin, upload);
  await updateMedia(admin, media.id, { isPublic: true });
  const query = services.db.selectFrom('file').where('media_id', '=', media.id);
  const file = await query.select(['id', 'uuid', 'md5']).executeTakeFirstOrThrow();
  const privateUuid = randomUUID();
  const at = { parent_id: folder.id, level: 4, path: `/1/${top.id}/${start.id}/${folder.id}/` };
  await makeFileRow(services.db, await makeMediaRow(services.db, { ...at, uuid: privateUuid }));
  const tag = await makeTag(services.db);
  await tagMedia(admin, { mediaIds: [media.id], addTagIds: [tag.id] });
  return {
    start,
    folder,
    media,
    file,
    privateUuid,
    tagId: tag.id,
    word,
    path: `/${top.name}/${name}`,
  };
}

const idsOf = (nodes: readonly { id: number }[]) => nodes.map(({ id }) => id).sort((a, b) => a - b);
const LINK = { type: 'url', url: 'https://x.org' } as const;

/** Every row of the tree, and the rows that depend on them. */
async function everything({ db }: TestServices) {
  return Promise.all([
    db.selectFrom('media').selectAll().orderBy('id').execute(),
    db.selectFrom('file').selectAll().orderBy('id').execute(),
    db.selectFrom('media_tag').selectAll().orderBy('media_id').orderBy('tag_id').execute(),
    db.selectFrom('job').select('id').orderBy('id').execute(),
  ]);
}

describeEachBackend('a viewer with start nodes', (backend) => {
  const shared = shareServices(backend);
  let tree: ReturnType<typeof makeTree> | undefined;

  it.each(Object.entries(READS))(
    'by %s finds nodes below them, and nothing else',
    async (_, read) => {
      tree ??= makeTree(shared());
      const { admin, viewer, mine, theirs } = await tree;
      const found = [await read(admin, mine), await read(admin, theirs)];
      expect([...found, await read(viewer, mine), await read(viewer, theirs)]).toEqual([
        true,
        true,
        true,
        false,
      ]);
    },
  );

  it.each(Object.entries(WRITES))('may %s below them, and nowhere else', async (_, write) => {
    const services = shared();
    const { viewer, mine, theirs } = await makeTree(services);
    const before = await everything(services);
    await expect(write.run(viewer, theirs, mine)).rejects.toThrow(write.outside ?? NotFoundError);
    expect(await everything(services)).toEqual(before);
    await write.run(viewer, mine, mine);
    expect(await everything(services)).not.toEqual(before);
  });

  it('cannot add or move nodes to top level', async () => {
    const services = shared();
    const { viewer, mine } = await makeTree(services);
    const before = await everything(services);
    const tries = [
      () => createFolder(viewer, { name: 'a' }),
      () => createMedia(viewer, { ...LINK, folderId: 1 }),
      () => moveNodes(viewer, { ids: [mine.media.id] }),
    ];
    for (const attempt of tries) await expect(attempt()).rejects.toThrow(ForbiddenError);
    expect(await everything(services)).toEqual(before);
  });

  it('can change a start node, but neither move nor delete it', async () => {
    const { as, viewer, mine } = await makeTree(shared());
    expect((await updateFolder(viewer, mine.start.id, { name: 'new' })).name).toBe('new');
    const tries = [
      () => moveNodes(viewer, { ids: [mine.start.id], parentId: mine.folder.id }),
      () => deleteFolder(viewer, mine.start.id, { recursive: true }),
    ];
    for (const attempt of tries) await expect(attempt()).rejects.toThrow(ForbiddenError);
    const ofMedia = await as(mine.media.uuid);
    expect((await updateMedia(ofMedia, mine.media.id, { title: 'new' })).title).toBe('new');
    await expect(deleteMedia(ofMedia, mine.media.id)).rejects.toThrow(ForbiddenError);
    // Below another start node it is not a limit.
    const both = await as(mine.start.uuid, mine.folder.uuid);
    await deleteFolder(both, mine.folder.id, { recursive: true });
  });

  it('finds them at top level, with nothing above', async () => {
    const { as, viewer, mine, theirs } = await makeTree(shared());
    expect(idsOf(await listRoots(viewer))).toEqual([mine.start.id]);
    expect(visibleAncestorIds(viewer, mine.start)).toEqual([]);
    expect(visibleAncestorIds(viewer, mine.media)).toEqual([mine.start.id, mine.folder.id]);
    const two = await as(mine.media.uuid, theirs.start.uuid);
    const kinds = { any: [theirs.start.id, mine.media.id], folder: [theirs.start.id] };
    for (const [kind, ids] of Object.entries(kinds) as ['any' | 'folder', number[]][]) {
      const { edges } = await listTopLevel(two, kind, {});
      expect(idsOf(edges.map(({ node }) => node))).toEqual(ids.sort((a, b) => a - b));
      expect(await countTopLevel(two, kind)).toBe(ids.length);
    }
    expect(visibleAncestorIds(two, mine.media)).toEqual([]);
  });

  it('sees and changes its own unfiled media, and no others', async () => {
    const { admin, viewer, mine } = await makeTree(shared());
    const own = await createMedia(viewer, LINK);
    const other = await createMedia(admin, { ...LINK, isPublic: true });
    expect(idsOf(await mediasByIds(viewer, [own.id, other.id]))).toEqual([own.id]);
    const { edges } = await listMedias(viewer, {}, { unfiled: true });
    expect(idsOf(edges.map(({ node }) => node))).toEqual([own.id]);
    await updateMedia(viewer, own.id, { title: 'a' });
    await expect(updateMedia(viewer, other.id, { title: 'a' })).rejects.toThrow(NotFoundError);
    await expect(deleteMedia(viewer, other.id)).rejects.toThrow(NotFoundError);
    const move = (id: number) => moveNodes(viewer, { ids: [id], parentId: mine.folder.id });
    await expect(move(other.id)).rejects.toThrow(NotFoundError);
    expect((await move(own.id))[0]?.parentId).toBe(mine.folder.id);
  });

  it('gets different errors in Heartcore for a node outside of them and for a missing node', async () => {
    const { viewer, mine, theirs, top } = await makeTree(shared());
    expect((await findPermittedNode(viewer, mine.folder))?.id).toBe(mine.folder.id);
    for (const { uuid } of [theirs.folder, theirs.media, top]) {
      await expect(findPermittedNode(viewer, { uuid })).rejects.toThrow(ForbiddenError);
    }
    expect(await findPermittedNode(viewer, { uuid: randomUUID() })).toBeNull();
  });

  it('cannot see a folder whose id begins like that of a start node', async () => {
    const services = shared();
    const start = await makeFolder(services.db, { id: 700_000, uuid: randomUUID() });
    const like = await makeFolder(services.db, { id: 7_000_001, uuid: randomUUID() });
    const media = await makeMediaRow(services.db, {
      parent_id: like,
      level: 2,
      path: '/1/7000001/',
    });
    const startNodes = await resolveStartNodes(services, [start]);
    const viewer = services.as({ kind: 'user', id: randomUUID(), role: 'admin', startNodes });
    expect(await findMedia(viewer, { id: media })).toBeNull();
    expect(await countMedias(viewer)).toBe(0);
  });

  it('keeps start nodes that an admin moves, and loses one that is deleted with everything below it', async () => {
    const { admin, as, viewer, mine, theirs } = await makeTree(shared());
    await moveNodes(admin, { ids: [mine.start.id], parentId: theirs.folder.id });
    // The viewer of a request, or a subscription, that has begun before.
    expect((await findMedia(viewer, mine.media))?.id).toBe(mine.media.id);
    expect(await findMedia(viewer, theirs.media)).toBeNull();
    expect(await countMedias(viewer)).toBe(2);
    const later = await as(mine.start.uuid);
    expect(idsOf(await listRoots(later))).toEqual([mine.start.id]);
    expect(await countMedias(later)).toBe(2);
    await deleteFolder(admin, mine.start.id, { recursive: true });
    const last = await as(mine.start.uuid);
    for (const ctx of [viewer, later, last]) {
      expect(await listRoots(ctx)).toEqual([]);
      expect(await countMedias(ctx)).toBe(0);
      expect(await findMedia(ctx, theirs.media)).toBeNull();
      await expect(createFolder(ctx, { name: 'a', parentId: mine.start.id })).rejects.toThrow(
        NotFoundError,
      );
    }
  });

  it('gets events of media below them, and no others', async () => {
    const { admin, viewer, mine, theirs } = await makeTree(shared());
    const abort = new AbortController();
    const kinds: string[] = [];
    const hear = async (folderId: number | undefined, name: string) => {
      for await (const { kind, id } of watchMedias(viewer, { folderId }, abort.signal)) {
        kinds.push(`${name} ${kind} ${id === mine.media.id ? 'mine' : id}`);
      }
    };
    const reading = [hear(undefined, 'all'), hear(theirs.folder.id, 'theirs')];
    await updateMedia(admin, theirs.media.id, { title: 'x' });
    await updateMedia(admin, mine.media.id, { title: 'x' });
    await expect.poll(() => kinds).toEqual(['all updated mine']);
    await deleteMedia(admin, theirs.media.id);
    // A media item that leaves the scope is reported to the viewer as deleted.
    await moveNodes(admin, { ids: [mine.media.id], parentId: theirs.folder.id });
    await expect.poll(() => kinds).toHaveLength(3);
    expect(kinds.slice(1).sort()).toEqual(['all deleted mine', 'theirs deleted mine']);
    await updateMedia(admin, mine.media.id, { title: 'y' });
    await deleteMedia(admin, mine.media.id);
    const own = await createMedia(viewer, LINK);
    await expect.poll(() => kinds.slice(3)).toEqual([`all created ${own.id}`]);
    abort.abort();
    await Promise.all(reading);
  });

  it('costs one statement for a credential, and none for a row', async () => {
    const services = shared();
    const { mine } = await makeTree(services);
    services.statements.length = 0;
    const startNodes = await resolveStartNodes(services, [mine.start.uuid, mine.folder.uuid]);
    expect(services.statements).toHaveLength(1);
    const viewer = services.as({ kind: 'user', id: 'a', role: 'admin', startNodes });
    await listMedias(viewer, {});
    await mediasByIds(viewer, [mine.media.id, mine.folder.id]);
    await listTopLevel(viewer, 'any', {});
    // The first list chooses its way with a statement of its own.
    expect(services.statements).toHaveLength(5);
  });
});

describeEachBackend('start nodes', (backend) => {
  const shared = shareServices(backend);

  it('are found by uuid and by id, without nodes below another one', async () => {
    const services = shared();
    const { mine, theirs } = await makeTree(services);
    const uuids = [mine.media.uuid, mine.start.uuid.toUpperCase()];
    const claim = [...uuids, theirs.start.id, mine.start.id];
    const found = await resolveStartNodes(services, claim);
    expect(idsOf(found)).toEqual(idsOf([mine.start, theirs.start]));
  });

  it('cannot be unfiled nodes', async () => {
    const services = shared();
    const { admin, as } = await makeTree(services);
    const media = await createMedia(admin, LINK);
    const viewer = await as(media.uuid);
    expect(await listRoots(viewer)).toEqual([]);
    expect(await findMedia(viewer, media)).toBeNull();
    expect(await countMedias(viewer)).toBe(0);
  });

  it.each([
    [null],
    ['all'],
    [{}],
    [5],
    [[]],
    [[null, 1.5, {}, -1, 1, true, 2 ** 53]],
    [[randomUUID()]],
    [['\0', '', '00000000-0000-0000-0000-000000000001', "' or 1=1"]],
  ])('a claim %j names no start nodes, which grants the least', async (claim) => {
    const services = shared();
    await makeMediaRow(services.db, { parent_id: 1, level: 1, path: '/1/' });
    const startNodes = await resolveStartNodes(services, claim);
    expect(startNodes).toEqual([]);
    const viewer = services.as({ kind: 'user', id: 'nobody', role: 'admin', startNodes });
    expect(await countMedias(viewer)).toBe(0);
    expect(await listRoots(viewer)).toEqual([]);
  });

  it('are at most two hundred, so that a statement can name them', async () => {
    const services = shared();
    const ids = await Promise.all(Array.from({ length: 210 }, () => makeFolder(services.db)));
    const startNodes = await resolveStartNodes(services, ids);
    expect(startNodes).toHaveLength(200);
    const viewer = services.as({ kind: 'user', id: 'a', role: 'reader', startNodes });
    expect(await countTopLevel(viewer, 'any')).toBe(200);
    expect(await countMedias(viewer)).toBe(0);
  });

  it('can be named by uuid or path', async () => {
    const services = shared();
    const { top, mine } = await makeTree(services);
    const names = [mine.start.uuid.toUpperCase(), `/${top.name}/mine/below`, mine.media.uuid];
    const uuids = [mine.start.uuid, mine.folder.uuid, mine.media.uuid];
    expect(await findStartNodes(services, names)).toEqual(uuids);
    for (const name of [randomUUID(), '/', '', `/${top.name}/none`]) {
      await expect(findStartNodes(services, [name])).rejects.toThrow(NotFoundError);
    }
  });

  it('of a key are those that it was created with; a key with an unreadable column has none', async () => {
    const services = shared();
    const { mine } = await makeTree(services);
    const input = { name: randomUUID(), role: 'editor' } as const;
    const startNodesOf = async (key: string) =>
      ((await findViewerByKey(services, key)) as KnownViewer).startNodes;
    const key = await makeKey(services, { ...input, startNodes: [mine.start.uuid] });
    expect(idsOf((await startNodesOf(key)) ?? [])).toEqual([mine.start.id]);
    expect(await startNodesOf(await makeKey(services, { ...input, name: 'whole' }))).toBe(
      undefined,
    );
    for (const text of ['', '{', 'null', '"a"']) {
      const column = { start_nodes: text };
      await services.db.updateTable('api_key').set(column).where('name', '=', input.name).execute();
      expect(await startNodesOf(key)).toEqual([]);
    }
    const whole = await makeKey(services, { name: randomUUID(), role: 'editor' });
    await findViewerByKey(services, whole);
    services.statements.length = 0;
    await findViewerByKey(services, whole);
    expect(services.statements).toHaveLength(1);
    const unknown = makeKey(services, { ...input, startNodes: [randomUUID()] });
    await expect(unknown).rejects.toThrow(NotFoundError);
  });
});
