import { expect } from 'vitest';
import { tagMedia } from '../../../src/domain/bulk/tagging.ts';
import type { Context } from '../../../src/domain/context.ts';
import { ForbiddenError, InvalidInputError, NotFoundError } from '../../../src/domain/error.ts';
import { filesByIds } from '../../../src/domain/file/file.ts';
import {
  findResourceFile,
  openResourceFile,
  searchFiles,
} from '../../../src/domain/file/resource.ts';
import { deleteFolder } from '../../../src/domain/tree/deletion.ts';
import * as folders from '../../../src/domain/tree/folder.ts';
import { createMedia } from '../../../src/domain/tree/link.ts';
import { findMedia, type Media, mediasByIds } from '../../../src/domain/tree/media.ts';
import { deleteMedia, updateMedia } from '../../../src/domain/tree/media-change.ts';
import type { MediaFilter } from '../../../src/domain/tree/media-filter.ts';
import {
  countMedias,
  countMediasOfEach,
  listMedias,
  mediasOfEach,
} from '../../../src/domain/tree/media-list.ts';
import { moveNodes } from '../../../src/domain/tree/move.ts';
import {
  childrenByOffset,
  childrenOfEach,
  countChildrenOfEach,
  findNode,
  nodesByIds,
} from '../../../src/domain/tree/node-list.ts';
import { createFiledMedia } from '../../../src/domain/upload/filed-media.ts';
import { requestJob } from '../../../src/domain/upload/import.ts';
import { authorizeChange, changeNode } from '../../../src/domain/upload/node-change.ts';
import { uploadToResource } from '../../../src/domain/upload/resource-upload.ts';
import { stageFile } from '../../../src/domain/upload/staging.ts';
import { appendChunk, completeUpload } from '../../../src/domain/upload/upload.ts';
import { replaceFile, uploadFile } from '../../../src/domain/upload/upload-file.ts';
import { inPieces, md5Of } from '../../support/bytes.ts';

/** A folder, a folder in it, and in that one a public text with a tag, beside a private media item. */
export interface Subtree {
  start: folders.Folder;
  folder: folders.Folder;
  media: Media;
  file: { id: number; uuid: string; md5: string };
  privateUuid: string;
  tagId: number;
  /** The title of the media item, and of nothing else. */
  word: string;
  /** The path of `start`. */
  path: string;
}

/** Tells whether the things that a viewer may see of a subtree are found. */
type Read = (ctx: Context, subtree: Subtree) => Promise<boolean>;

const isFound = (promise: Promise<unknown>) =>
  promise.then(
    (found) => found !== null,
    (error) => {
      if (error instanceof NotFoundError) return false;
      throw error;
    },
  );
const holds = (nodes: readonly { id: number }[] | undefined, { id }: { id: number }) =>
  nodes?.some((node) => node.id === id) ?? false;
const nodesOf = <Node>(page: { edges: { node: Node }[] } | undefined) =>
  page?.edges.map(({ node }) => node);

/** A list, and its count, narrowed by a filter to the media of one subtree. */
const byFilter =
  (toFilter: (subtree: Subtree) => MediaFilter): Read =>
  async (ctx, subtree) => {
    const filter = toFilter(subtree);
    const nodes = nodesOf(await listMedias(ctx, { first: 200 }, filter)) ?? [];
    expect(await countMedias(ctx, filter)).toBe(nodes.length);
    return holds(nodes, subtree.media);
  };

/** Every way to read the tree. */
export const READS: Readonly<Record<string, Read>> = {
  'the number of a media item': (ctx, { media }) => isFound(findMedia(ctx, { id: media.id })),
  'the uuid of a media item': (ctx, { media }) => isFound(findMedia(ctx, { uuid: media.uuid })),
  'the resource of a media item': (ctx, { media }) =>
    isFound(findMedia(ctx, { resource: media.uuid })),
  'the numbers of media': async (ctx, { media }) =>
    holds(await mediasByIds(ctx, [media.id]), media),
  'the number of a folder': (ctx, { start }) => isFound(folders.findFolder(ctx, { id: start.id })),
  'the uuid of a folder': (ctx, { folder }) =>
    isFound(folders.findFolder(ctx, { uuid: folder.uuid })),
  'the path of a folder': (ctx, { path }) => isFound(folders.findFolder(ctx, { path })),
  'the numbers of folders': async (ctx, { folder }) =>
    holds(await folders.foldersByIds(ctx, [folder.id]), folder),
  'the uuid of a node': (ctx, { folder }) => isFound(findNode(ctx, { uuid: folder.uuid })),
  'the numbers of nodes': async (ctx, { media }) => holds(await nodesByIds(ctx, [media.id]), media),
  'asking whether it may be changed': (ctx, { media }) => isFound(authorizeChange(ctx, media.id)),
  'the number of a file': async (ctx, { file }) => holds(await filesByIds(ctx, [file.id]), file),
  'the newest media': byFilter(() => ({})),
  'a filter of ids': byFilter(({ media }) => ({ ids: [media.id] })),
  'a filter of a folder': byFilter(({ folder }) => ({ folderId: folder.id })),
  'a filter of a subtree': byFilter(({ start }) => ({ underFolderId: start.id })),
  'a filter of a tag': byFilter(({ tagId }) => ({ tagIds: [tagId] })),
  'a filter of the owner': byFilter(({ media }) => ({ ownedBy: media.owner ?? '' })),
  'a filter of an MD5': byFilter(({ file }) => ({ md5: file.md5 })),
  'a filter of type and time': byFilter(({ media: { type, createdAt } }) => ({
    types: [type],
    mimeTypes: ['text/plain'],
    createdAt: { from: createdAt },
  })),
  'a search': byFilter(({ word }) => ({ search: word })),
  'the children of a folder': async (ctx, { start, folder }) => {
    const children = nodesOf((await childrenOfEach(ctx, [start.id], 'any', {})).get(start.id));
    expect((await countChildrenOfEach(ctx, [start.id], 'any')).get(start.id) ?? 0).toBe(
      children?.length ?? 0,
    );
    return holds(children, folder);
  },
  'a part of the children': async (ctx, { folder, media }) => {
    const { nodes, total } = await childrenByOffset(ctx, folder.id, { offset: 0, limit: 5 });
    expect(total).toBe(nodes.length);
    return holds(nodes, media);
  },
  'the media of a folder': async (ctx, { folder: { id }, media }) => {
    const page = (await mediasOfEach(ctx, 'folder', [id], {})).get(id);
    const count = (await countMediasOfEach(ctx, 'folder', [id])).get(id) ?? 0;
    expect(count).toBe(page?.edges.length ?? 0);
    return holds(nodesOf(page), media);
  },
  'the media of a tag': async (ctx, { tagId, media }) => {
    const page = (await mediasOfEach(ctx, 'tag', [tagId], {})).get(tagId);
    const count = (await countMediasOfEach(ctx, 'tag', [tagId])).get(tagId) ?? 0;
    expect(count).toBe(page?.edges.length ?? 0);
    return holds(nodesOf(page), media);
  },
  'a search of files': async (ctx, { file }) => {
    const conditions = [{ field: 'md5', test: 'any', values: [file.md5] }] as const;
    const order = [{ field: 'uuid', descending: false }] as const;
    const search = { conditions, order, limit: 5, offset: 0, isCounted: true };
    const { nodes, count } = await searchFiles(ctx, search);
    expect(count).toBe(nodes.length);
    return holds(nodes, file);
  },
  // Everybody who knows its name may read a public one.
  'the key of a resource': (ctx, { privateUuid }) =>
    isFound(findResourceFile(ctx, { resource: privateUuid, key: '' })),
  'the bytes of a resource': (ctx, { privateUuid }) =>
    isFound(openResourceFile(ctx, { resource: privateUuid, key: '' })),
};

/** A change of a subtree. In `own` the viewer may do everything. */
interface Write {
  run: (ctx: Context, subtree: Subtree, own: Subtree) => Promise<unknown>;
  /** The error outside. (Default: NotFoundError) */
  outside?: typeof ForbiddenError | typeof InvalidInputError;
}

const LINK = { type: 'url', url: 'https://x.org' } as const;
const TEXT = Buffer.from('A text.');
const FILE = { filename: 'a.txt', declaredType: null };
const POLICY = { type: 'file' } as const;
const stage = (ctx: Context) => stageFile(ctx, inPieces(TEXT), FILE);

/** Every way to change the tree. */
export const WRITES: Readonly<Record<string, Write>> = {
  'make a folder': {
    run: (ctx, { start }) => folders.createFolder(ctx, { name: 'a', parentId: start.id }),
  },
  'change a folder': {
    run: (ctx, { folder }) => folders.updateFolder(ctx, folder.id, { name: 'a' }),
  },
  'delete a folder': {
    run: (ctx, { folder }) => deleteFolder(ctx, folder.id, { recursive: true }),
  },
  'move from a folder': {
    run: (ctx, { media }, own) => moveNodes(ctx, { ids: [media.id], parentId: own.start.id }),
  },
  'move to a folder': {
    run: (ctx, { start }, own) => moveNodes(ctx, { ids: [own.media.id], parentId: start.id }),
  },
  'make a link': { run: (ctx, { folder }) => createMedia(ctx, { ...LINK, folderId: folder.id }) },
  'change a media item': { run: (ctx, { media }) => updateMedia(ctx, media.id, { title: 'a' }) },
  'delete a media item': { run: (ctx, { media }) => deleteMedia(ctx, media.id) },
  'tag a media item': {
    run: (ctx, { media, tagId }) => tagMedia(ctx, { mediaIds: [media.id], removeTagIds: [tagId] }),
  },
  'change a node': { run: (ctx, { media }) => changeNode(ctx, media.id, { name: 'a' }) },
  'change a node’s place': {
    run: (ctx, { start }, own) => changeNode(ctx, own.media.id, { parentId: start.id }),
  },
  'replace a file': {
    run: (ctx, { media }) => replaceFile(ctx, media.id, { ...FILE, bytes: inPieces(TEXT) }),
  },
  'replace a staged file': {
    run: async (ctx, { media }) =>
      changeNode(ctx, media.id, {}, { staged: await stage(ctx), policy: POLICY }),
  },
  'upload a file': {
    run: (ctx, { folder }) =>
      uploadFile(ctx, { ...FILE, bytes: inPieces(TEXT), folderId: folder.id }),
  },
  'upload a file with a place': {
    run: async (ctx, { folder }) => {
      const input = { name: 'a', folderId: folder.id, mediaTypeAlias: 'File' };
      await createFiledMedia(ctx, input, { staged: await stage(ctx), policy: POLICY });
    },
  },
  'upload a file in chunks': {
    run: async (ctx, { folder }) => {
      const chunk = { bytes: inPieces(TEXT) };
      const place = { offsetBytes: 0, totalBytes: TEXT.length };
      const { uploadId } = await appendChunk(ctx, { ...FILE, ...place, chunk });
      await completeUpload(ctx, { uploadId, md5: md5Of(TEXT), folderId: folder.id });
    },
  },
  'add a file to a resource': {
    run: (ctx, { media }) =>
      uploadToResource(ctx, { resource: media.uuid, key: 'variant' }, async (take) => {
        await take({ ...FILE, bytes: inPieces(TEXT) });
        return { key: 'variant', projectId: null };
      }),
    outside: ForbiddenError,
  },
  'have a URL imported': {
    run: (ctx, { folder }) => {
      const args = { url: 'https://x.org/a.png', folder_uuid: folder.uuid };
      return requestJob(ctx, { jobClass: 'import-url', arguments: args });
    },
    outside: InvalidInputError,
  },
};
