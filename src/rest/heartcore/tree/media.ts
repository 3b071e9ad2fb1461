import type { Context } from '../../../domain/context.ts';
import { type InputIssue, InvalidInputError, NotFoundError } from '../../../domain/error.ts';
import { childItemsByOffset, type Item, itemOf, listRootItems } from '../../../domain/file/item.ts';
import { deleteFolder } from '../../../domain/tree/deletion.ts';
import { deleteMedia } from '../../../domain/tree/media-change.ts';
import { findPermittedNode, type TreeNode } from '../../../domain/tree/node-list.ts';
import { TOP_LEVEL_ID } from '../../../domain/tree/place.ts';
import { type Answer, type Call, pathParameter } from '../../../http/dialect.ts';
import { parseUuidOrDigits } from '../../../lib/uuid.ts';
import { issueOf, noSuchItem } from '../error.ts';
import { type Paging, toChildrenBody, toItemBody, toRootBody } from './shape.ts';

/** `GET /media`: contract §4.1. */
export async function getRoots(call: Call): Promise<Answer> {
  return { status: 200, body: toRootBody(await listRootItems(call.ctx), call.toUrl) };
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
  const { items, total } = await childItemsByOffset(call.ctx, folder, window);
  return {
    status: 200,
    body: toChildrenBody(folder.uuid, items, { total, paging }, call.toUrl),
  };
}

/** `DELETE /media/{id}`: contract §4.6. Deletes the item with its subtree. */
export async function deleteItem(call: Call): Promise<Answer> {
  const { ctx, toUrl } = call;
  const node = await findItem(call);
  const item = await toItem(call, node);
  const deleted =
    node.type === 'folder'
      ? deleteFolder(ctx, node.id, { recursive: true })
      : deleteMedia(ctx, node.id);
  await deleted.catch((error) => {
    // Another request has deleted it meanwhile.
    throw error instanceof NotFoundError ? noSuchItem(pathParameter(call, 'id')) : error;
  });
  return { status: 200, body: toItemBody(item, toUrl, new Date(ctx.clock())) };
}

/**
 * Returns the node of the URL. Throws RefusedError if it does not exist or is unfiled: this dialect has no place for
 * it.
 */
export async function findItem(call: Call): Promise<TreeNode> {
  const id = pathParameter(call, 'id');
  const uuid = parseUuidOrDigits(id);
  const node = uuid === null ? null : await findPermittedNode(call.ctx, { uuid });
  if (node === null) throw noSuchItem(id);
  return node;
}

/** Returns the item of a node. Throws RefusedError if it has been deleted since. */
export async function toItem(call: Call, node: TreeNode): Promise<Item> {
  const item = await itemOf(call.ctx, node);
  if (item === null) throw noSuchItem(pathParameter(call, 'id') || node.uuid);
  return item;
}

/**
 * Returns the id of the folder that a body names as the parent. Anything else is added to `issues`, because a client
 * takes 404 to be about the item itself (contract §12-A10); only folders have children (§5.3). Throws ForbiddenError
 * for a parent outside of the viewer's start nodes.
 */
export async function findParentId(
  ctx: Context,
  parentId: string | null,
  issues: InputIssue[],
): Promise<number> {
  if (parentId === null) return TOP_LEVEL_ID;
  const parent = await findPermittedNode(ctx, { uuid: parentId });
  if (parent?.type === 'folder') return parent.id;
  const message =
    parent === null
      ? `There is no media with id '${parentId}'.`
      : 'Only a folder can have children.';
  issues.push(issueOf('parentId', message));
  return TOP_LEVEL_ID;
}

/** Throws InvalidInputError if the error says that the parent has been deleted since. Rethrows any other error. */
export function refuseParent(error: unknown): never {
  if (!(error instanceof NotFoundError) || error.noun !== 'folder') throw error;
  throw new InvalidInputError([issueOf('parentId', 'The parent has been deleted.')]);
}

/** The contract asks for a thousand at least. */
const PAGE_SIZE_MAX = 1000;
const PAGE_SIZE = 10;

/**
 * Reads the page number and size. Contract §4.3: anything but a positive number is replaced by the default. .NET's
 * delivery client begins with page 0.
 */
function readPaging({ request }: Call): Paging {
  // The service, which is made with ASP.NET, reads names in any case.
  const entries = Object.entries(request.query as Record<string, unknown>);
  const query = Object.fromEntries(entries.map(([name, value]) => [name.toLowerCase(), value]));
  const pageSize = toCount(query.pagesize);
  return {
    page: toCount(query.page) ?? 1,
    pageSize: Math.min(pageSize ?? PAGE_SIZE, PAGE_SIZE_MAX),
    isSized: query.pagesize !== undefined,
  };
}

/** Returns a whole number from 1 to the maximum of .NET's `int`; null for anything else. */
function toCount(value: unknown): number | null {
  const count = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : 0;
  return count >= 1 && count < 2 ** 31 ? count : null;
}
