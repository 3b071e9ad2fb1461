import type { InputIssue } from '../../../domain/error.ts';
import { createFolder } from '../../../domain/tree/folder.ts';
import { createMedia } from '../../../domain/tree/link.ts';
import type { TreeNode } from '../../../domain/tree/node-list.ts';
import { createFiledMedia } from '../../../domain/upload/filed-media.ts';
import type { NodeChange } from '../../../domain/upload/node-change.ts';
import type { Policy } from '../../../domain/upload/policy.ts';
import { authorize } from '../../../domain/viewer/access.ts';
import type { Answer, Call } from '../../../http/dialect.ts';
import { type ItemBody, withItemBody } from '../body.ts';
import { linksOf } from '../hal.ts';
import { takeReplacement } from '../upload/file-name.ts';
import { noteMissing, readFile, readItem, readUrl, refuse } from './item-input.ts';
import { findParentId, refuseParent, toItem } from './media.ts';
import { findItemType, type ItemType, newPolicy } from './media-type.ts';
import { toItemBody } from './shape.ts';

/** `POST /media`: contract §4.4. */
export async function postItem(call: Call): Promise<Answer> {
  authorize(call.ctx, 'media.create');
  const node = await withItemBody(call, (body) => create(call, body)).catch(refuseParent);
  const item = await toItem(call, node);
  const { href } = linksOf(call.toUrl).item(node.uuid);
  return { status: 201, headers: { location: href }, body: toItemBody(item, call.toUrl) };
}

/** The properties of every new item. */
interface Basics {
  name: string;
  folderId: number;
  sortOrder: number | undefined;
}

async function create({ ctx }: Call, body: ItemBody): Promise<TreeNode> {
  const issues: InputIssue[] = [];
  const { name, mediaTypeAlias, parentId, sortOrder } = readItem(body.content, issues);
  if (name === undefined) noteMissing('name', 'Media has no name.', issues);
  const folderId = await findParentId(ctx, parentId ?? null, issues);
  const type = findItemType(mediaTypeAlias ?? '');
  if (type === null) {
    noteMissing('mediaTypeAlias', unknownType(mediaTypeAlias), issues);
    refuse(issues);
    throw new Error('An item without a type must be refused.');
  }
  const basics: Basics = { name: name ?? '', folderId, sortOrder };
  const policy = newPolicy(type);
  if (policy !== null) return createOfFile({ ctx, body, basics, issues }, type, policy);
  if (type.alias === 'Link') return createLink({ ctx, body, basics, issues });
  refuse(issues);
  return createFolder(ctx, { name: basics.name, parentId: folderId, sortOrder });
}

function unknownType(alias: string | undefined): string {
  return alias === undefined
    ? 'A media type is required.'
    : `There is no media type with alias '${alias}'.`;
}

interface Creation extends Pick<Call, 'ctx'> {
  body: ItemBody;
  basics: Basics;
  issues: InputIssue[];
}

function createLink({ ctx, body, basics, issues }: Creation): Promise<TreeNode> {
  const url = readUrl(body.content, issues);
  if (!url) noteMissing('url', 'A link must have a URL.', issues);
  refuse(issues);
  return createMedia(ctx, { type: 'url', url, ...basics });
}

/**
 * Creates an item of a type with a file. Contract §12-A6: the file itself is required, because a mere name would point
 * to nothing, in every dialect.
 */
function createOfFile(
  { ctx, body, basics, issues }: Creation,
  type: ItemType,
  policy: Policy,
): Promise<TreeNode> {
  const value = readFile(body.content, issues) ?? null;
  const replacement = takeReplacement(body, { type, policy, value, stored: null }, issues);
  const image = type.alias === 'Image' ? value : null;
  return createFiledMedia(
    ctx,
    {
      ...basics,
      mediaTypeAlias: type.alias,
      // The domain checks their content.
      focalPoint: image?.focalPoint as NodeChange['focalPoint'],
      crops: image?.crops as NodeChange['crops'],
    },
    replacement,
  );
}
