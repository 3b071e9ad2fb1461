import type { BlobBytes } from '../../blob/memory.ts';
import { listFilesByMediaIds } from '../../store/file/file.ts';
import type { Context } from '../context.ts';
import { NotAuthenticatedError, NotFoundError } from '../error.ts';
import { PAGE_SIZE_MAX } from '../page.ts';
import { DamagedFileError } from '../storage-error.ts';
import { foldersByIds } from '../tree/folder.ts';
import type { Media } from '../tree/media.ts';
import { listMedias } from '../tree/media-list.ts';
import type { NodeOrder } from '../tree/order.ts';
import { authorize, scopeOf } from '../viewer/access.ts';
import { viewerOfMark } from '../viewer/viewer-mark.ts';
import { type ArchivePaths, createArchivePaths } from './archive-path.ts';
import { ARCHIVE_FILES_MAX, type Group, groupsOf } from './archive-selection.ts';
import type { ArchiveOrder } from './archive-url.ts';
import { FileGoneError, openRow } from './file.ts';

/** A file in an archive. */
export interface ArchiveEntry {
  /** Unique, relative, with `/` between names. */
  path: string;
  mimeType: string;
  sizeBytes: number;
  modifiedAt: Date;
  bytes: BlobBytes;
}

/** Age at which a page of a list is read again: by then, its media may be hidden from the viewer. */
const PAGE_AGE_MS = 3000;

const OLDEST_FIRST: NodeOrder = { field: 'id', descending: false };

/**
 * Returns the context of the viewer who made the URL of an archive, with the rights that it has now. Throws
 * NotAuthenticatedError if its key or session is no longer valid, ForbiddenError, and NotFoundError for a folder that it
 * cannot see.
 */
export async function contextOfOrder(ctx: Context, order: ArchiveOrder): Promise<Context> {
  const viewer = await viewerOfMark(ctx, order.viewer);
  if (viewer === null) throw new NotAuthenticatedError('rejected');
  const own = { ...ctx, viewer };
  authorize(own, 'archive.create');
  const { selection } = order;
  if (selection.by !== 'folder') return own;
  const { missing } = await groupsOf(own, selection);
  if (missing > 0) throw new NotFoundError('folder', selection.id);
  return own;
}

/**
 * Yields the files of an archive, each with its bytes, which the caller has to read or destroy before it goes on. Reads
 * the list in pages, so that its memory does not grow with it, and checks the rights of the viewer for each. A file
 * whose bytes are lost is left out; the last entry, `MISSING.txt`, then names it. Links have no file. Throws as
 * `contextOfOrder`.
 */
export async function* archiveEntries(
  ctx: Context,
  order: ArchiveOrder,
): AsyncGenerator<ArchiveEntry> {
  const paths = createArchivePaths();
  const lost: string[] = [];
  const own = await contextOfOrder(ctx, order);
  const { groups, missing } = await groupsOf(own, order.selection);
  if (missing > 0) lost.push(`${missing} selected items, which have been deleted or hidden`);
  let count = 0;
  for await (const { path, row, ctx: current } of filesOfAll(ctx, order, groups, paths)) {
    // Files may have been added since the URL was made.
    if (++count > ARCHIVE_FILES_MAX) {
      lost.push(`all files after the first ${ARCHIVE_FILES_MAX}`);
      break;
    }
    const entry = await open(current, path, row, ctx);
    if (entry === null) lost.push(path);
    else yield entry;
  }
  if (lost.length > 0) yield missingList(paths.file('', 'MISSING.txt'), lost, ctx.clock());
}

type Row = Awaited<ReturnType<typeof readRows>>[number];

interface Found {
  path: string;
  row: Row;
  ctx: Context;
}

async function* filesOfAll(
  ctx: Context,
  order: ArchiveOrder,
  groups: readonly Group[],
  paths: ArchivePaths,
): AsyncGenerator<Found> {
  for (const group of groups) yield* filesOf(ctx, order, group, paths);
}

/** Yields the originals of a group, with the context of the page that they were found in. */
async function* filesOf(
  ctx: Context,
  order: ArchiveOrder,
  group: Group,
  paths: ArchivePaths,
): AsyncGenerator<Found> {
  const top = group.directory === null ? '' : paths.directory('', group.directory);
  const directories = new Map([[group.belowId ?? 0, top]]);
  let after: string | null = null;
  for (let isLast = false; !isLast; ) {
    const own = await contextOfOrder(ctx, order);
    const readAt = ctx.clock();
    const args = { first: PAGE_SIZE_MAX, after };
    const page = await listMedias(own, args, group.filter, OLDEST_FIRST, ['id', 'ancestorIds']);
    const rows = await readRows(own, page.nodes);
    await nameDirectories(own, group, page.nodes, directories, paths);
    isLast = !page.hasNextPage;
    for (const { node, cursor } of page.edges) {
      after = cursor;
      const row = rows.find(({ media_id }) => media_id === node.id);
      if (row === undefined) continue;
      const parent = group.belowId === null ? 0 : (node.ancestorIds.at(-1) ?? 0);
      yield { path: paths.file(directories.get(parent) ?? top, row.filename), row, ctx: own };
      if (ctx.clock() - readAt <= PAGE_AGE_MS) continue;
      isLast = false;
      break;
    }
  }
}

/** Returns the originals of media. */
async function readRows(ctx: Context, medias: readonly Pick<Media, 'id'>[]) {
  const ids = medias.map(({ id }) => id);
  const rows = await listFilesByMediaIds(ctx.db, scopeOf(ctx), ids);
  return rows.filter(({ key }) => key === '');
}

/** Gives a path to each folder between the group's own and the media that has none yet. */
async function nameDirectories(
  ctx: Context,
  { belowId }: Group,
  medias: readonly Pick<Media, 'ancestorIds'>[],
  directories: Map<number, string>,
  paths: ArchivePaths,
): Promise<void> {
  if (belowId === null) return;
  const chains = medias.map(({ ancestorIds }) => ancestorIds.slice(ancestorIds.indexOf(belowId)));
  const unknown = new Set(chains.flat().filter((id) => !directories.has(id)));
  if (unknown.size === 0) return;
  const folders = await foldersByIds(ctx, [...unknown], ['id', 'name']);
  const names = new Map(folders.map(({ id, name }) => [id, name]));
  for (const chain of chains) {
    for (const [index, id] of chain.entries()) {
      if (directories.has(id)) continue;
      const parent = directories.get(chain[index - 1] ?? 0) ?? '';
      directories.set(id, paths.directory(parent, names.get(id) ?? ''));
    }
  }
}

/** Opens a file; null if its bytes are lost. A file that has been replaced meanwhile is looked up again. */
async function open(
  ctx: Context,
  path: string,
  row: Row,
  sender: Context,
): Promise<ArchiveEntry | null> {
  try {
    return await toEntry(ctx, path, row, sender);
  } catch (error) {
    if (error instanceof DamagedFileError) return null;
    if (!(error instanceof FileGoneError)) throw error;
  }
  const [now] = await readRows(ctx, [{ id: row.media_id ?? 0 }]);
  if (now === undefined || now.blob_key === row.blob_key) return null;
  return open(ctx, path, now, sender);
}

async function toEntry(
  ctx: Context,
  path: string,
  row: Row,
  sender: Context,
): Promise<ArchiveEntry> {
  const { file, read } = await openRow(ctx, row, sender);
  const { mimeType, sizeBytes, updatedAt: modifiedAt } = file;
  return { path, mimeType, sizeBytes, modifiedAt, bytes: await read() };
}

function missingList(path: string, lost: readonly string[], now: number): ArchiveEntry {
  const text = ['These files could not be read, and are not in this archive:', '', ...lost, ''];
  const bytes = Buffer.from(text.join('\r\n'));
  const modifiedAt = new Date(now);
  return { path, mimeType: 'text/plain', sizeBytes: bytes.length, modifiedAt, bytes };
}
