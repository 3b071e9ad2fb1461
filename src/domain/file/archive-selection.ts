import type { Context } from '../context.ts';
import { InvalidInputError, NotFoundError } from '../error.ts';
import { foldersByIds } from '../tree/folder.ts';
import type { MediaFilter } from '../tree/media-filter.ts';
import { countMedias } from '../tree/media-list.ts';
import { nodesByIds, type TreeNode } from '../tree/node-list.ts';

/** The nodes that an archive is made of: folders stand for the media below them. */
export type Selection =
  | { by: 'ids'; ids: readonly number[] }
  | { by: 'folder'; id: number }
  | { by: 'filter'; filter: MediaFilter };

/** Media of a selection that lie together in the archive. */
export interface Group {
  filter: MediaFilter;
  /** The folders below this one become directories. Null: the media are at the top of the archive. */
  belowId: number | null;
  /** The name of the directory that stands for this folder; null: its content is at the top. */
  directory: string | null;
}

/** Maximum number of folders among the ids of a selection: each is counted and listed by itself. */
const FOLDERS_MAX = 50;

/** Maximum number of files in an archive. */
export const ARCHIVE_FILES_MAX = 10_000;

/** Returns the groups of a selection that the viewer may see, and the number of the ids that it may not. */
export async function groupsOf(
  ctx: Context,
  selection: Selection,
): Promise<{ groups: Group[]; missing: number }> {
  if (selection.by === 'filter') {
    return { groups: [{ filter: selection.filter, belowId: null, directory: null }], missing: 0 };
  }
  if (selection.by === 'folder') {
    const { id } = selection;
    const isThere = (await foldersByIds(ctx, [id], ['id'])).length > 0;
    const group: Group = { filter: { underFolderId: id }, belowId: id, directory: null };
    return { groups: isThere ? [group] : [], missing: isThere ? 0 : 1 };
  }
  const nodes = await nodesByIds(ctx, selection.ids);
  return { groups: groupsOfNodes(nodes), missing: selection.ids.length - nodes.length };
}

/** Nodes below another selected folder are part of its group. */
function groupsOfNodes(nodes: readonly TreeNode[]): Group[] {
  const folderIds = new Set(nodes.filter(({ type }) => type === 'folder').map(({ id }) => id));
  const tops = nodes.filter(({ ancestorIds }) => !ancestorIds.some((id) => folderIds.has(id)));
  const ids = tops.filter(({ type }) => type !== 'folder').map(({ id }) => id);
  const ofFolders = tops
    .filter(({ type }) => type === 'folder')
    .map(({ id, name }) => ({ filter: { underFolderId: id }, belowId: id, directory: name }));
  if (ids.length === 0) return ofFolders;
  return [{ filter: { ids }, belowId: null, directory: null }, ...ofFolders];
}

/**
 * Returns the number of media of a selection that have a file. Throws NotFoundError for an id that the viewer cannot
 * see, and InvalidInputError for an invalid filter, an empty selection, or more files than an archive may have.
 */
export async function countSelected(ctx: Context, selection: Selection): Promise<number> {
  const field = selection.by === 'folder' ? 'folderId' : selection.by;
  const { groups, missing } = await groupsOf(ctx, selection);
  if (missing > 0) throw await notFound(ctx, selection);
  if (groups.filter(({ belowId }) => belowId !== null).length > FOLDERS_MAX) {
    throw InvalidInputError.of(field, 'TOO_BIG', `Expected at most ${FOLDERS_MAX} folders.`);
  }
  let count = 0;
  for (const { filter } of groups) count += await countMedias(ctx, withFile(filter));
  if (count === 0) throw InvalidInputError.of(field, 'EMPTY', 'There are no media to archive.');
  if (count <= ARCHIVE_FILES_MAX) return count;
  const message = `An archive has at most ${ARCHIVE_FILES_MAX} files; the selection has ${count}.`;
  throw InvalidInputError.of(field, 'TOO_BIG', message);
}

/** Only media with an original have a size; links have none. */
function withFile(filter: MediaFilter): MediaFilter {
  const { min = 0, max } = filter.sizeBytes ?? {};
  return { ...filter, sizeBytes: { min, max } };
}

async function notFound(ctx: Context, selection: Selection): Promise<NotFoundError> {
  if (selection.by !== 'ids') {
    return new NotFoundError('folder', selection.by === 'folder' ? selection.id : '');
  }
  const seen = new Set((await nodesByIds(ctx, selection.ids)).map(({ id }) => id));
  const id = selection.ids.find((id) => !seen.has(id)) ?? 0;
  return Object.assign(new NotFoundError('node', id), { failed: { id } });
}
