import type { Context } from '../../domain/context.ts';
import { NotFoundError } from '../../domain/error.ts';
import { filesByMediaIds, originalAmong } from '../../domain/file/file.ts';
import { foldersByIds } from '../../domain/tree/folder.ts';
import { deleteMedia } from '../../domain/tree/media-change.ts';
import {
  childrenByOffset,
  countChildrenOfEach,
  findPermittedNode,
  listRoots,
  nodesByIds,
  type TreeNodeOf,
} from '../../domain/tree/node-list.ts';
import { deleteFolder } from '../../domain/tree/tree.ts';
import { type Answer, type Call, pathParameter } from '../../http/dialect.ts';
import { parseUuidOrDigits } from '../../lib/uuid.ts';
import { noSuchItem } from './error.ts';
import { type Item, type Paging, toChildrenBody, toItemBody, toRootBody } from './shape.ts';

/** `GET /media`: contract §4.1. */
export async function getRoots(call: Call): Promise<Answer> {
  const items = await toItems(call, await listRoots(call.ctx));
  return { status: 200, body: toRootBody(items, call.toUrl) };
}

/** `GET /media/{id}`: contract §4.2. */
export async function getItem(call: Call): Promise<Answer> {
  return { status: 200, body: toItemBody(await toItem(call, await findItem(call)), call.toUrl) };
}

/** `GET /media/{id}/children`: contract §4.3. */
export async function getChildren(call: Call): Promise<Answer> {
  const folder = await findItem(call);
  const paging = readPaging(call);
  const { page, pageSize } = paging;
  const window = { offset: (page - 1) * pageSize, limit: pageSize };
  const { nodes, total } = await childrenByOffset(call.ctx, folder.id, window);
  const items = await toItems(call, nodes, [folder]);
  return {
    status: 200,
    body: toChildrenBody(folder.uuid, items, { total, paging }, call.toUrl),
  };
}

/** `DELETE /media/{id}`: contract §4.6, with all that is below it. */
export async function deleteItem(call: Call): Promise<Answer> {
  const { ctx, toUrl } = call;
  const node = await findItem(call);
  const item = await toItem(call, node);
  const deleted =
    node.type === 'folder'
      ? deleteFolder(ctx, node.id, { recursive: true })
      : deleteMedia(ctx, node.id);
  await deleted.catch((error) => {
    // By somebody else, meanwhile.
    throw error instanceof NotFoundError ? noSuchItem(pathParameter(call, 'id')) : error;
  });
  return { status: 200, body: toItemBody(item, toUrl, new Date(ctx.clock())) };
}

/** The node of the URL. Throws RefusedError for what is not there, or in no folder: this road has no place for it. */
export async function findItem(call: Call): Promise<TreeNodeOf> {
  const id = pathParameter(call, 'id');
  const uuid = parseUuidOrDigits(id);
  const node = uuid === null ? null : await findPermittedNode(call.ctx, { uuid });
  if (node === null || node.level === 0) throw noSuchItem(id);
  return node;
}

/** One node with all that is shown of it. Throws RefusedError if it has been deleted since. */
export async function toItem(call: Call, node: TreeNodeOf): Promise<Item> {
  const [item] = await toItems(call, [node]);
  if (item === undefined) throw noSuchItem(pathParameter(call, 'id') || node.uuid);
  return item;
}

/** Without those that have been deleted since. `parents`: those that are known already. */
async function toItems(
  { ctx }: Call,
  nodes: readonly TreeNodeOf[],
  parents: readonly TreeNodeOf[] = [],
): Promise<Item[]> {
  const isFolder = ({ type }: TreeNodeOf) => type === 'folder';
  const folderIds = nodes.filter(isFolder).map(({ id }) => id);
  const mediaIds = nodes.filter((node) => !isFolder(node)).map(({ id }) => id);
  const counts = folderIds.length === 0 ? null : await countChildrenOfEach(ctx, folderIds, 'any');
  const files = mediaIds.length === 0 ? null : await filesByMediaIds(ctx, mediaIds);
  const fileless = mediaIds.filter((id) => originalAmong(files?.get(id)) === null);
  const deleted = await deletedAmong(ctx, fileless);
  const uuids = new Map(parents.map(({ id, uuid }) => [id, uuid]));
  const unknown = nodes.flatMap(({ parentId }) => parentId ?? []).filter((id) => !uuids.has(id));
  if (unknown.length > 0) {
    for (const { id, uuid } of await foldersByIds(ctx, [...new Set(unknown)])) uuids.set(id, uuid);
  }
  const isThere = ({ id }: TreeNodeOf) => !deleted.has(id);
  return nodes.filter(isThere).map((node) => ({
    node,
    file: originalAmong(files?.get(node.id)),
    parentUuid: uuids.get(node.parentId ?? 0) ?? null,
    hasChildren: (counts?.get(node.id) ?? 0) > 0,
  }));
}

/** A picture whose file was deleted after the picture was read is no link. */
async function deletedAmong(ctx: Context, fileless: readonly number[]): Promise<Set<number>> {
  if (fileless.length === 0) return new Set();
  const left = new Set((await nodesByIds(ctx, fileless)).map(({ id }) => id));
  return new Set(fileless.filter((id) => !left.has(id)));
}

/** As many as one answer brings; the contract asks for a thousand at least. */
const PAGE_SIZE_MAX = 1000;
const PAGE_SIZE = 10;

/** Contract §4.3: what is no number, or too small, is the default. .NET's delivery client begins with page 0. */
function readPaging({ request }: Call): Paging {
  const query = request.query as Record<string, unknown>;
  const pageSize = toCount(query.pageSize);
  return {
    page: toCount(query.page) ?? 1,
    pageSize: Math.min(pageSize ?? PAGE_SIZE, PAGE_SIZE_MAX),
    isSized: query.pageSize !== undefined,
  };
}

/** From 1 up to what .NET's `int` holds. */
function toCount(value: unknown): number | null {
  const count = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : 0;
  return count >= 1 && count < 2 ** 31 ? count : null;
}
