import type { Keyset, PageRequest } from '../../store/cursor.ts';
import type { MediaRow } from '../../store/table.ts';
import { ROOT_ID } from '../../store/tree/folder.ts';
import { countNodes, listNodes } from '../../store/tree/media.ts';
import type { MediaFilter as StoredFilter } from '../../store/tree/media-filter.ts';
import * as store from '../../store/tree/media-group.ts';
import {
  findNodeByUuid,
  listNodesByIds,
  listNodesInOrder,
  type Window,
} from '../../store/tree/tree.ts';
import type { Context } from '../context.ts';
import { ForbiddenError } from '../error.ts';
import { type Page, type PageArgs, parsePageArgs, toPage } from '../page.ts';
import { isVisible, isWithin, sightOf } from '../viewer/access.ts';
import { type Folder, toFolder } from './folder.ts';
import { type Media, toMedia } from './media.ts';
import { type MediaFilter, type MediaOrder, toKeyset, toStored } from './media-list.ts';

/** A folder or a media. */
export type TreeNodeOf = Folder | Media;

/** By their place in their folder. */
const SORT_ORDER: MediaOrder = { field: 'sort_order', descending: false };

/** Those of the nodes that there are and that the viewer may see, in the order of the ids. */
export async function nodesByIds(ctx: Context, ids: readonly number[]): Promise<TreeNodeOf[]> {
  const rows = await listNodesByIds(ctx.db, ids);
  const visible = new Map(rows.filter((row) => isVisible(ctx, row)).map((row) => [row.id, row]));
  return ids.flatMap((id) => visible.get(id) ?? []).map(toNode);
}

/** The folder or media, or null if there is none that the viewer may see. */
export async function findNode(
  ctx: Context,
  { uuid }: { uuid: string },
): Promise<TreeNodeOf | null> {
  const row = await findNodeByUuid(ctx.db, uuid.toLowerCase());
  return row && isVisible(ctx, row) ? toNode(row) : null;
}

/**
 * The node, as `findNode`, or ForbiddenError for what the viewer's start nodes keep it from: on Heartcore's
 * road that is told apart from what is not there.
 */
export async function findPermittedNode(
  ctx: Context,
  { uuid }: { uuid: string },
): Promise<TreeNodeOf | null> {
  const row = await findNodeByUuid(ctx.db, uuid.toLowerCase());
  if (row && !isWithin(ctx, row)) throw new ForbiddenError();
  return row && isVisible(ctx, row) ? toNode(row) : null;
}

/** Everything at top level, in its order: for who is limited to start nodes, these. */
export async function listRoots(ctx: Context): Promise<TreeNodeOf[]> {
  return (await listNodesInOrder(ctx.db, topLevelFilter(ctx, 'any'))).map(toNode);
}

/** Part of what is in a folder, in its order, and how much there is in all. */
export async function childrenByOffset(
  ctx: Context,
  folderId: number,
  window: Window,
): Promise<{ nodes: TreeNodeOf[]; total: number }> {
  const filter = { ...kindFilter(ctx, 'any'), parentId: folderId };
  const rows = await listNodesInOrder(ctx.db, filter, window);
  return { nodes: rows.map(toNode), total: await countNodes(ctx.db, filter) };
}

/** A page of what is at top level, as `listRoots`: folders and media, or folders alone. Throws InvalidInputError. */
export async function listTopLevel(
  ctx: Context,
  kind: 'any' | 'folder',
  args: PageArgs,
): Promise<Page<TreeNodeOf>> {
  const { keyset, request } = parse(args, SORT_ORDER);
  const rows = await listNodes(ctx.db, topLevelFilter(ctx, kind), keyset, request);
  return toPage(rows, keyset, request, toNode);
}

/** How many nodes there are at top level. */
export function countTopLevel(ctx: Context, kind: 'any' | 'folder'): Promise<number> {
  return countNodes(ctx.db, topLevelFilter(ctx, kind));
}

/** The same page of each of many folders, in one statement. Throws InvalidInputError. */
export async function childrenOfEach(
  ctx: Context,
  folderIds: readonly number[],
  kind: 'any' | 'folder',
  args: PageArgs,
): Promise<Map<number, Page<TreeNodeOf>>> {
  const { keyset, request } = parse(args, SORT_ORDER);
  const filter = kindFilter(ctx, kind);
  return toPages(ctx, { by: 'folder', groups: folderIds, filter, keyset, request }, toNode);
}

/** How many nodes each folder holds; one that holds none has no entry. */
export function countChildrenOfEach(
  ctx: Context,
  folderIds: readonly number[],
  kind: 'any' | 'folder',
): Promise<Map<number, number>> {
  return store.countMediasOfEach(ctx.db, 'folder', folderIds, kindFilter(ctx, kind));
}

/** The same page of media of each of many folders, or tags, in one statement. Throws InvalidInputError. */
export async function mediasOfEach(
  ctx: Context,
  by: store.Grouping,
  groups: readonly number[],
  args: PageArgs,
  filter: MediaFilter = {},
  order: MediaOrder = by === 'folder' ? SORT_ORDER : { field: 'id', descending: true },
): Promise<Map<number, Page<Media>>> {
  const { keyset, request } = parse(args, order);
  const stored = await toStored(ctx, filter);
  return toPages(ctx, { by, groups, filter: stored, keyset, request }, toMedia);
}

/** How many media each folder holds, or each tag is on; none has no entry. */
export async function countMediasOfEach(
  ctx: Context,
  by: store.Grouping,
  groups: readonly number[],
  filter: MediaFilter = {},
): Promise<Map<number, number>> {
  return store.countMediasOfEach(ctx.db, by, groups, await toStored(ctx, filter));
}

interface GroupQuery {
  by: store.Grouping;
  groups: readonly number[];
  filter: StoredFilter;
  keyset: Keyset;
  request: PageRequest;
}

async function toPages<Node>(
  { db }: Context,
  { by, groups, filter, keyset, request }: GroupQuery,
  toNode: (row: MediaRow) => Node,
): Promise<Map<number, Page<Node>>> {
  const rows = await store.listMediasOfEach(db, by, groups, filter, keyset, request);
  return new Map([...rows].map(([id, rows]) => [id, toPage(rows, keyset, request, toNode)]));
}

function parse(args: PageArgs, order: MediaOrder) {
  const keyset = toKeyset(order);
  return { keyset, request: parsePageArgs(args, keyset) };
}

function kindFilter(ctx: Context, kind: 'any' | 'folder'): StoredFilter {
  return { kind, ...sightOf(ctx) };
}

function topLevelFilter(ctx: Context, kind: 'any' | 'folder'): StoredFilter {
  const { within } = sightOf(ctx);
  const top = within ? { ids: within.branches.map(({ id }) => id) } : { parentId: ROOT_ID };
  return { ...kindFilter(ctx, kind), ...top };
}

function toNode(row: MediaRow): TreeNodeOf {
  return row.type === 'folder' ? toFolder(row) : toMedia(row);
}
