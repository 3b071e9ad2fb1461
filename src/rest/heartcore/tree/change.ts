import { isDeepStrictEqual } from 'node:util';
import { type InputIssue, NotFoundError } from '../../../domain/error.ts';
import type { Item } from '../../../domain/file/item.ts';
import type { Media } from '../../../domain/tree/media.ts';
import {
  authorizeChange,
  changeNode,
  type NodeChange,
} from '../../../domain/upload/node-change.ts';
import type { NewOriginal } from '../../../domain/upload/original.ts';
import { type Answer, type Call, pathParameter } from '../../../http/dialect.ts';
import { type ItemBody, withItemBody } from '../body.ts';
import { issueOf, noSuchItem } from '../error.ts';
import { takeReplacement } from '../upload/file-name.ts';
import { type FileValue, readFile, readItem, readUrl, refuse } from './item-input.ts';
import { findItem, findParentId, refuseParent, toItem } from './media.ts';
import { findItemType, type ItemType, itemTypeOf, replacementPolicy } from './media-type.ts';
import { toImageBody, toItemBody, toLinkUrl } from './shape.ts';

/** `PUT /media/{id}`: contract §4.5, §12-A8. Absent properties do not change. */
export async function putItem(call: Call): Promise<Answer> {
  const { ctx, toUrl } = call;
  const node = await findItem(call);
  // First: a viewer who may not change the item learns nothing about the body's faults.
  await authorizeChange(ctx, node.id);
  const item = await toItem(call, node);
  const changed = await withItemBody(call, async (body) => {
    const { change, replacement } = await readChange(call, item, body);
    return changeNode(ctx, node.id, change, replacement).catch((error) => {
      // Another request has deleted it meanwhile.
      const isGone = error instanceof NotFoundError && error.id === String(node.id);
      if (isGone) throw noSuchItem(pathParameter(call, 'id'));
      return refuseParent(error);
    });
  });
  return { status: 200, body: toItemBody(await toItem(call, changed), toUrl) };
}

interface ItemChange {
  change: NodeChange;
  replacement?: NewOriginal;
}

async function readChange({ ctx }: Call, item: Item, body: ItemBody): Promise<ItemChange> {
  const issues: InputIssue[] = [];
  const { node, file } = item;
  const type = itemTypeOf(node, file);
  const { name, mediaTypeAlias, parentId, sortOrder } = readItem(body.content, issues);
  if (mediaTypeAlias !== undefined && findItemType(mediaTypeAlias) !== type) {
    issues.push(
      issueOf('mediaTypeAlias', `The media type is ${type.alias} and cannot be changed.`),
    );
  }
  const change: NodeChange = {
    ...(name !== undefined && { name }),
    ...(parentId !== undefined && { parentId: await findParentId(ctx, parentId, issues) }),
    // §5.5: an order that is sent back unchanged does not ask for that place in another folder.
    ...(sortOrder !== undefined && sortOrder !== node.sortOrder && { sortOrder }),
  };
  if (node.type === 'folder') {
    refuse(issues);
    return { change };
  }
  return { ...readMediaChange({ body, item, media: node, type, issues, change }) };
}

interface MediaChange extends ItemChange {
  body: ItemBody;
  item: Item;
  media: Media;
  type: ItemType;
  issues: InputIssue[];
}

function readMediaChange({ body, item, media, type, issues, change }: MediaChange): ItemChange {
  const { file } = item;
  const policy = replacementPolicy(media, type);
  if (file === null || policy === null) {
    const url = readUrl(body.content, issues);
    const isOther = url !== undefined && url !== toLinkUrl(media);
    if (isOther) issues.push(issueOf('url', 'The URL of a link cannot be changed.'));
    refuse(issues);
    return { change };
  }
  const value = readFile(body.content, issues);
  const full = { ...change, ...(type.alias === 'Image' && value && readImage(media, value)) };
  if (body.file !== null) {
    const target = { type, policy, value: value ?? null, stored: file.urlPath };
    return { change: full, replacement: takeReplacement(body, target, issues) };
  }
  if (value === null)
    issues.push(issueOf('umbracoFile', 'The file is required and cannot be cleared.'));
  if (value?.src && !isStored(value.src, item)) {
    const message = 'Send the new file as a part of a multipart body.';
    issues.push(issueOf('umbracoFile', message));
  }
  refuse(issues);
  return { change: full };
}

/** Returns whether a value names the file of the item: by its path, its URL, or its name. */
function isStored(src: string, { file }: Item): boolean {
  const path = src.replace(/^https?:\/\/[^/]*/i, '').replace(/[?#].*$/, '');
  const name = file?.urlPath.split('/').at(-1);
  return path === file?.urlPath || path === name || src === file?.filename;
}

/** Returns the values that differ from those that were shown. The domain checks them. */
function readImage(media: Media, { focalPoint, crops }: FileValue): NodeChange {
  const shown = toImageBody(media);
  const isOther = (value: unknown, was: unknown) =>
    value !== undefined && !isDeepStrictEqual(value, was);
  return {
    ...(isOther(focalPoint, shown.focalPoint) && {
      focalPoint: focalPoint as NodeChange['focalPoint'],
    }),
    ...(isOther(crops, shown.crops) && { crops: crops as NodeChange['crops'] }),
  };
}
