import type { Window } from '../../lib/search.ts';
import { isInScope } from '../../store/scope.ts';
import type { NodeRow } from '../../store/table.ts';
import type { NodeFilter } from '../../store/tree/condition.ts';
import { ROOT_ID } from '../../store/tree/folder.ts';
import { countNodesOfEach, listNodesOfEach } from '../../store/tree/group.ts';
import * as store from '../../store/tree/node.ts';
import type { Context } from '../context.ts';
import { ForbiddenError } from '../error.ts';
import { type Page, type PageArgs, parsePageArgs, toPage, toPages } from '../page.ts';
import type { Only, Part } from '../row-reader.ts';
import { checkValues } from '../search.ts';
import { existing, isVisible, reachOf, scopeOf } from '../viewer/access.ts';
import { FOLDER, type Folder, toFolder } from './folder.ts';
import { MEDIA, type Media, toMedia } from './media.ts';
import { resolveFilter } from './media-list.ts';
import { BY_NAME, BY_POSITION, type NodeOrder, orderKeyset } from './order.ts';

/** A folder or a media item. */
export type TreeNode = Folder | Media;

/** Returns those of the nodes that exist and that the viewer may see, in the order of the ids. */
export async function nodesByIds(ctx: Context, ids: readonly number[]): Promise<TreeNode[]> {
  const rows = await store.listNodesByIds(ctx.db, scopeOf(ctx), ids);
  const found = new Map(rows.map((row) => [row.id, row]));
  return ids.flatMap((id) => found.get(id) ?? []).map(toNode);
}

/** Returns the folder or media item, or null if none exists that the viewer may see. */
export async function findNode(ctx: Context, { uuid }: { uuid: string }): Promise<TreeNode | null> {
  const row = await store.findNodeByUuid(ctx.db, scopeOf(ctx), uuid.toLowerCase());
  return row ? toNode(row) : null;
}

/**
 * Returns the node as `findNode` does if it is in the tree: null for an unfiled one, whoever asks. Throws
 * ForbiddenError for a node outside the viewer's start nodes. Heartcore's clients tell that from a node that does not
 * exist.
 */
export async function findPermittedNode(
  ctx: Context,
  { uuid }: { uuid: string },
): Promise<TreeNode | null> {
  const row = await store.findNodeByUuid(ctx.db, existing(ctx), uuid.toLowerCase());
  if (row === undefined || row.parent_id === null) return null;
  if (!isInScope(reachOf(ctx), row)) throw new ForbiddenError();
  return isVisible(ctx, row) ? toNode(row) : null;
}

/** Returns all nodes at top level, in their order; the start nodes of a viewer that is limited to some. */
export async function listRoots(ctx: Context): Promise<TreeNode[]> {
  const rows = await store.listNodesInOrder(ctx.db, scopeOf(ctx), topLevelFilter(ctx, 'any'));
  return rows.map(toNode);
}

/** Returns a window of a folder's children, in their order, and the number of all of them. */
export async function childrenByOffset(
  ctx: Context,
  folderId: number,
  window: Window,
): Promise<{ nodes: TreeNode[]; total: number }> {
  const scope = scopeOf(ctx);
  const filter = { kind: 'any', folderId } as const;
  const rows = await store.listNodesInOrder(ctx.db, scope, filter, window);
  return { nodes: rows.map(toNode), total: await store.countNodes(ctx.db, scope, filter) };
}

/** Returns a page of the nodes that `listRoots` returns, or of the folders among them. Throws InvalidInputError. */
export async function listTopLevel(
  ctx: Context,
  kind: 'any' | 'folder',
  args: PageArgs,
  only?: Only<Media>,
): Promise<Page<TreeNode>> {
  const keyset = orderKeyset(BY_POSITION);
  const request = parsePageArgs(args, keyset);
  const filter = topLevelFilter(ctx, kind);
  const { columns, convert } = nodePart(kind, only);
  const rows = await store.listNodes(ctx.db, scopeOf(ctx), filter, keyset, request, columns);
  return toPage(rows, keyset, request, convert);
}

/** Returns the number of nodes at top level. */
export function countTopLevel(ctx: Context, kind: 'any' | 'folder'): Promise<number> {
  return store.countNodes(ctx.db, scopeOf(ctx), topLevelFilter(ctx, kind));
}

/** Returns the same page of each of many folders, in one statement. Throws InvalidInputError. */
export async function childrenOfEach(
  ctx: Context,
  folderIds: readonly number[],
  kind: 'any' | 'folder',
  args: PageArgs,
  only?: Only<Media>,
): Promise<Map<number, Page<TreeNode>>> {
  const keyset = orderKeyset(BY_POSITION);
  const request = parsePageArgs(args, keyset);
  const { columns, convert } = nodePart(kind, only);
  const scope = scopeOf(ctx);
  const groups = { by: 'folder', ids: folderIds } as const;
  const pages = await listNodesOfEach(ctx.db, scope, groups, { kind }, keyset, request, columns);
  return toPages(pages, keyset, request, convert);
}

/** Returns the number of nodes in each folder; an empty folder has no entry. */
export function countChildrenOfEach(
  ctx: Context,
  folderIds: readonly number[],
  kind: 'any' | 'folder',
): Promise<Map<number, number>> {
  return countNodesOfEach(ctx.db, scopeOf(ctx), { by: 'folder', ids: folderIds }, { kind });
}

/** Maximum number of folders of a page: a page of them is the tree that a picker shows. */
export const FOLDERS_MAX = 1000;

/** The filter of a list of all folders: a folder has to match every given field. */
export interface FolderFilter {
  ids?: readonly number[] | undefined;
  /** Words, each from its beginning, in the name. */
  search?: string | undefined;
  /** The folder is anywhere below this folder. */
  underFolderId?: number | undefined;
  /** The folder is directly in this folder. */
  parentId?: number | undefined;
}

/** Returns a page of all folders, of every level, by name. Throws InvalidInputError for the filter and the page. */
export async function listFolders(
  ctx: Context,
  args: PageArgs,
  filter: FolderFilter = {},
  order: NodeOrder = BY_NAME,
  only?: Only<Folder>,
): Promise<Page<Folder>> {
  const keyset = orderKeyset(order);
  const request = parsePageArgs(args, keyset, FOLDERS_MAX);
  const resolved = await toNodeFilter(ctx, filter);
  const { columns, convert } = FOLDER.part(only);
  const rows = await store.listNodes(ctx.db, scopeOf(ctx), resolved, keyset, request, columns);
  return toPage(rows, keyset, request, convert);
}

/** Returns the number of folders that match the filter. Throws InvalidInputError. */
export async function countFolders(ctx: Context, filter: FolderFilter = {}): Promise<number> {
  return store.countNodes(ctx.db, scopeOf(ctx), await toNodeFilter(ctx, filter));
}

async function toNodeFilter(
  ctx: Context,
  { parentId, ids, ...filter }: FolderFilter,
): Promise<NodeFilter> {
  checkValues('ids', ids, FOLDERS_MAX);
  return { ...(await resolveFilter(ctx, filter)), ids, folderId: parentId, kind: 'folder' };
}

function topLevelFilter(ctx: Context, kind: 'any' | 'folder'): NodeFilter {
  const { within } = scopeOf(ctx);
  return within === null
    ? { kind, folderId: ROOT_ID }
    : { kind, ids: within.subtrees.map(({ id }) => id) };
}

/** Media items have every field that folders have. */
function nodePart(kind: 'any' | 'folder', only: Only<Media>): Part<NodeRow, TreeNode> {
  if (kind === 'folder') return FOLDER.part(only as Only<Folder>);
  const media = MEDIA.part(only && [...only, 'type']);
  const folder = FOLDER.part(only && []);
  return {
    columns: media.columns,
    convert: (row) => (row.type === 'folder' ? folder : media).convert(row),
  };
}

/** Converts the row of a folder or a media item. */
export function toNode(row: NodeRow): TreeNode {
  return row.type === 'folder' ? toFolder(row) : toMedia(row);
}
