import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import type { KnownViewer } from '../../src/domain/access.ts';
import type { Context } from '../../src/domain/context.ts';
import { ForbiddenError, NotFoundError } from '../../src/domain/error.ts';
import { createFolder, findFolder, foldersByIds } from '../../src/domain/folder.ts';
import { createKey, findViewerByKey } from '../../src/domain/key.ts';
import { createMedia } from '../../src/domain/link.ts';
import { findMedia, mediasByIds, visibleAncestorIds } from '../../src/domain/media.ts';
import { deleteMedia, updateMedia } from '../../src/domain/media-change.ts';
import { countMedias, listMedias } from '../../src/domain/media-list.ts';
import {
  childrenOfEach,
  countChildrenOfEach,
  countTopLevel,
  findNode,
  findPermittedNode,
  listRoots,
  listTopLevel,
  mediasOfEach,
  nodesByIds,
} from '../../src/domain/node-list.ts';
import { resolveStartNodes } from '../../src/domain/start-node.ts';
import { watchMedias } from '../../src/domain/subscription.ts';
import { tagMedia } from '../../src/domain/tagging.ts';
import { deleteFolder, moveNodes, updateFolder } from '../../src/domain/tree.ts';
import { uploadFile } from '../../src/domain/upload-file.ts';
import { type TestServices, withServices } from '../support/app.ts';
import { describeEachBackend } from '../support/backend.ts';
import { makeTag } from '../support/make.ts';

const ADMIN: KnownViewer = { kind: 'user', id: 'admin', role: 'admin' };

/** `/Top/Mine` is the start node, with a folder and a media in it; `/Top/Theirs` has the same. */
async function makeTree(services: TestServices) {
  const admin = services.as(ADMIN);
  const top = await createFolder(admin, { name: 'Top' });
  const branch = async (name: string) => {
    const start = await createFolder(admin, { name, parentId: top.id });
    const folder = await createFolder(admin, { name: `${name} below`, parentId: start.id });
    const link = { type: 'url', url: 'https://x.org', name, isPublic: true } as const;
    const media = await createMedia(admin, { ...link, folderId: folder.id });
    return { start, folder, media };
  };
  const mine = await branch('Mine');
  const theirs = await branch('Theirs');
  const startNodes = await resolveStartNodes(services, [mine.start.uuid]);
  // An admin: only the start nodes limit what it may do.
  const viewer = services.as({ kind: 'user', id: 'limited', role: 'admin', startNodes });
  return { admin, viewer, top, mine, theirs };
}

type Tree = Awaited<ReturnType<typeof makeTree>>;

interface Write {
  write: (ctx: Context, tree: Tree) => Promise<unknown>;
  fails: typeof ForbiddenError | typeof NotFoundError | null;
}

const LINK = { type: 'url', url: 'https://x.org' } as const;
const text = () => ({
  filename: 'a.txt',
  bytes: (async function* () {
    yield Buffer.from('text');
  })(),
});

const WRITES: Record<string, Write> = {
  'makes a folder below one': {
    write: (ctx, { mine }) => createFolder(ctx, { name: 'a', parentId: mine.start.id }),
    fails: null,
  },
  'makes none elsewhere': {
    write: (ctx, { theirs }) => createFolder(ctx, { name: 'a', parentId: theirs.start.id }),
    fails: NotFoundError,
  },
  'makes none at top level': {
    write: (ctx) => createFolder(ctx, { name: 'a' }),
    fails: ForbiddenError,
  },
  'files a link below one': {
    write: (ctx, { mine }) => createMedia(ctx, { ...LINK, folderId: mine.folder.id }),
    fails: null,
  },
  'files none elsewhere': {
    write: (ctx, { top }) => createMedia(ctx, { ...LINK, folderId: top.id }),
    fails: NotFoundError,
  },
  'uploads below one': {
    write: (ctx, { mine }) => uploadFile(ctx, { ...text(), folderId: mine.folder.id }),
    fails: null,
  },
  'uploads nothing elsewhere': {
    write: (ctx, { theirs }) => uploadFile(ctx, { ...text(), folderId: theirs.folder.id }),
    fails: NotFoundError,
  },
  'changes a media below one': {
    write: (ctx, { mine }) => updateMedia(ctx, mine.media.id, { title: 'a' }),
    fails: null,
  },
  'changes none elsewhere': {
    write: (ctx, { theirs }) => updateMedia(ctx, theirs.media.id, { title: 'a' }),
    fails: NotFoundError,
  },
  'renames a start node': {
    write: (ctx, { mine }) => updateFolder(ctx, mine.start.id, { name: 'a' }),
    fails: null,
  },
  'renames nothing above it': {
    write: (ctx, { top }) => updateFolder(ctx, top.id, { name: 'a' }),
    fails: NotFoundError,
  },
  'deletes a folder below one': {
    write: (ctx, { mine }) => deleteFolder(ctx, mine.folder.id, { recursive: true }),
    fails: null,
  },
  'deletes none elsewhere': {
    write: (ctx, { theirs }) => deleteFolder(ctx, theirs.folder.id, { recursive: true }),
    fails: NotFoundError,
  },
  'does not delete a start node': {
    write: (ctx, { mine }) => deleteFolder(ctx, mine.start.id, { recursive: true }),
    fails: ForbiddenError,
  },
  'deletes a media below one': {
    write: (ctx, { mine }) => deleteMedia(ctx, mine.media.id),
    fails: null,
  },
  'deletes no media elsewhere': {
    write: (ctx, { theirs }) => deleteMedia(ctx, theirs.media.id),
    fails: NotFoundError,
  },
  'moves within its branch': {
    write: (ctx, { mine }) => moveNodes(ctx, { ids: [mine.media.id], parentId: mine.start.id }),
    fails: null,
  },
  'moves nothing out of it': {
    write: (ctx, { mine, theirs }) =>
      moveNodes(ctx, { ids: [mine.media.id], parentId: theirs.folder.id }),
    fails: NotFoundError,
  },
  'moves nothing to top level': {
    write: (ctx, { mine }) => moveNodes(ctx, { ids: [mine.media.id] }),
    fails: ForbiddenError,
  },
  'moves nothing in from elsewhere': {
    write: (ctx, { mine, theirs }) =>
      moveNodes(ctx, { ids: [theirs.media.id], parentId: mine.folder.id }),
    fails: NotFoundError,
  },
  'does not move a start node': {
    write: (ctx, { mine }) => moveNodes(ctx, { ids: [mine.start.id], parentId: mine.start.id }),
    fails: ForbiddenError,
  },
  'tags nothing elsewhere': {
    write: (ctx, { theirs }) => tagMedia(ctx, { mediaIds: [theirs.media.id] }),
    fails: NotFoundError,
  },
};

describeEachBackend('a viewer with start nodes', (backend) => {
  it('reads what is below them, and nothing else', () =>
    withServices(backend, async (services) => {
      const { viewer, top, mine, theirs } = await makeTree(services);
      const all = [top, mine.start, mine.folder, mine.media, theirs.start, theirs.media];
      const ids = all.map(({ id }) => id);
      const idsOf = (nodes: readonly { id: number }[]) => nodes.map(({ id }) => id);
      expect(idsOf(await nodesByIds(viewer, ids))).toEqual(
        idsOf([mine.start, mine.folder, mine.media]),
      );
      expect(idsOf(await foldersByIds(viewer, ids)).sort()).toEqual(
        idsOf([mine.start, mine.folder]),
      );
      expect(idsOf(await mediasByIds(viewer, ids))).toEqual([mine.media.id]);
      expect(await findMedia(viewer, { id: theirs.media.id })).toBeNull();
      expect(await findFolder(viewer, { path: '/Top/Theirs' })).toBeNull();
      expect((await findFolder(viewer, { path: '/Top/Mine' }))?.id).toBe(mine.start.id);
      expect(await findNode(viewer, { uuid: theirs.folder.uuid })).toBeNull();
      await expect(findPermittedNode(viewer, { uuid: theirs.folder.uuid })).rejects.toThrow(
        ForbiddenError,
      );
      expect(await findPermittedNode(viewer, { uuid: randomUUID() })).toBeNull();
      for (const filter of [{}, { search: 'Mine Theirs' }, { types: ['url'] as const }]) {
        const shown = 'search' in filter ? [] : [mine.media.id];
        expect((await listMedias(viewer, {}, filter)).edges.map(({ node }) => node.id)).toEqual(
          shown,
        );
        expect(await countMedias(viewer, filter)).toBe(shown.length);
      }
      expect((await listMedias(viewer, {}, { search: 'theirs' })).edges).toEqual([]);
      expect((await listMedias(viewer, {}, { underFolderId: top.id })).edges).toHaveLength(1);
      expect((await listMedias(viewer, {}, { folderId: theirs.folder.id })).edges).toEqual([]);
    }));

  it('finds the start nodes at top level, with nothing above them', () =>
    withServices(backend, async (services) => {
      const { viewer, mine, theirs, top } = await makeTree(services);
      expect((await listRoots(viewer)).map(({ id }) => id)).toEqual([mine.start.id]);
      const page = await listTopLevel(viewer, 'folder', {});
      expect(page.edges.map(({ node }) => node.id)).toEqual([mine.start.id]);
      expect(await countTopLevel(viewer, 'any')).toBe(1);
      const groups = [top.id, mine.start.id, theirs.start.id];
      const children = await childrenOfEach(viewer, groups, 'any', {});
      expect(groups.map((id) => children.get(id)?.edges.length ?? 0)).toEqual([1, 1, 0]);
      expect(await countChildrenOfEach(viewer, groups, 'any')).toEqual(
        new Map([
          [top.id, 1],
          [mine.start.id, 1],
        ]),
      );
      expect(visibleAncestorIds(viewer, mine.start)).toEqual([]);
      expect(visibleAncestorIds(viewer, mine.media)).toEqual([mine.start.id, mine.folder.id]);
    }));

  it('finds the media of a tag only there', () =>
    withServices(backend, async (services) => {
      const { admin, viewer, mine, theirs } = await makeTree(services);
      const { id } = await makeTag(services.db);
      await tagMedia(admin, { mediaIds: [mine.media.id, theirs.media.id], addTagIds: [id] });
      const page = (await mediasOfEach(viewer, 'tag', [id], {})).get(id);
      expect(page?.edges.map(({ node }) => node.id)).toEqual([mine.media.id]);
    }));

  it('sees what it has itself put in no folder, and nothing of others there', () =>
    withServices(backend, async (services) => {
      const { admin, viewer } = await makeTree(services);
      const own = await createMedia(viewer, { type: 'url', url: 'https://x.org/own' });
      const other = await createMedia(admin, { type: 'url', url: 'https://x.org/other' });
      const found = await mediasByIds(viewer, [own.id, other.id]);
      expect(found.map(({ id }) => id)).toEqual([own.id]);
      const page = await listMedias(viewer, {}, { unfiled: true });
      expect(page.edges.map(({ node }) => node.id)).toEqual([own.id]);
    }));

  it.each(Object.entries(WRITES))('%s', (_, { write, fails }) =>
    withServices(backend, async (services) => {
      const tree = await makeTree(services);
      const done = write(tree.viewer, tree);
      if (fails === null) await done;
      else await expect(done).rejects.toThrow(fails);
    }),
  );

  it('hears of what becomes of media there, and of nothing else', () =>
    withServices(backend, async (services) => {
      const { admin, viewer, mine, theirs } = await makeTree(services);
      const abort = new AbortController();
      const changes = watchMedias(viewer, { folderId: undefined }, abort.signal);
      const kinds: string[] = [];
      const reading = (async () => {
        for await (const { kind, id } of changes) {
          if (kinds.push(`${kind} ${id === mine.media.id}`) === 2) return;
        }
      })();
      await updateMedia(admin, theirs.media.id, { title: 'x' });
      await updateMedia(admin, mine.media.id, { title: 'x' });
      await expect.poll(() => kinds).toHaveLength(1);
      await deleteMedia(admin, theirs.media.id);
      await moveNodes(admin, { ids: [mine.media.id], parentId: theirs.folder.id });
      await reading;
      // What has gone out of sight is gone.
      expect(kinds).toEqual(['updated true', 'deleted true']);
      abort.abort();
    }));

  it('costs one statement for a credential, and none for a row', () =>
    withServices(backend, async (services) => {
      const { viewer, mine } = await makeTree(services);
      services.statements.length = 0;
      await resolveStartNodes(services, [mine.start.uuid, mine.folder.uuid]);
      await listMedias(viewer, {});
      expect(services.statements).toHaveLength(2);
    }));

  it('is one whose key names them', () =>
    withServices(backend, async (services) => {
      const { mine } = await makeTree(services);
      const input = { name: 'k', role: 'editor' } as const;
      const key = await createKey(services, {
        ...input,
        startNodes: [mine.start.uuid.toUpperCase()],
      });
      const viewer = await findViewerByKey(services, key);
      expect(viewer?.startNodes?.map(({ id }) => id)).toEqual([mine.start.id]);
      await expect(createKey(services, { ...input, startNodes: [randomUUID()] })).rejects.toThrow(
        NotFoundError,
      );
      const whole = await findViewerByKey(services, await createKey(services, input));
      expect(whole).not.toHaveProperty('startNodes');
    }));
});

describeEachBackend('start nodes', (backend) => {
  it('are found by uuid and by number, without what is below another one', () =>
    withServices(backend, async (services) => {
      const { mine, theirs } = await makeTree(services);
      const claim = [
        mine.media.uuid,
        mine.start.uuid.toUpperCase(),
        theirs.start.id,
        mine.start.id,
      ];
      const ids = (await resolveStartNodes(services, claim)).map(({ id }) => id);
      expect(ids.sort()).toEqual([mine.start.id, theirs.start.id]);
    }));

  it.each([[null], ['all'], [{}], [[]], [[null, 1.5, {}, -1, 1]], [[randomUUID()]]])(
    'of a claim %j are none: the least',
    (claim) =>
      withServices(backend, async (services) => {
        await makeTree(services);
        expect(await resolveStartNodes(services, claim)).toEqual([]);
        const viewer = services.as({ ...ADMIN, startNodes: [] });
        expect(await countMedias(viewer)).toBe(0);
        expect(await listRoots(viewer)).toEqual([]);
      }),
  );
});
