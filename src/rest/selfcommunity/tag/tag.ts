import { NotFoundError } from '../../../domain/error.ts';
import { deleteTag } from '../../../domain/tag/deletion.ts';
import {
  checkNewTag,
  checkTagChange,
  countTags,
  createTag,
  listTagsFrom,
  type Tag,
  type TagFilter,
  updateTag,
} from '../../../domain/tag/tag.ts';

import type { Answer, Call } from '../../../http/dialect.ts';
import { readBody } from '../body.ts';
import { readFields } from '../field.ts';
import { parseId, parseQuery, toPageBody } from '../list.ts';
import { TAG_FIELDS, toTagBody, toTagFilter, toTagOrder } from './tag-shape.ts';

/** `GET /tag/` and `GET /tag/search/`: contract §2.6. */
export function listTags(call: Call): Promise<Answer> {
  return list(call, {});
}

/** `GET /tag/user/search/`: the search of the shipped user interface, contract §2.7. */
export function listUserTags(call: Call): Promise<Answer> {
  return list(call, { type: 'user' });
}

/** `POST /tag/` */
export async function postTag({ ctx, request }: Call): Promise<Answer> {
  const { fields } = await readBody(request);
  const { name, ...tag } = readFields(fields, TAG_FIELDS, checkNewTag);
  // The name is present: it has been checked.
  return { status: 201, body: toTagBody(await createTag(ctx, { ...tag, name: name as string })) };
}

/** `GET /tag/{id}/` */
export async function getTag(call: Call): Promise<Answer> {
  return { status: 200, body: toTagBody(await findTag(call)) };
}

/** `PUT /tag/{id}/`: the name is required; other absent fields do not change. */
export function putTag(call: Call): Promise<Answer> {
  return change(call, checkNewTag);
}

/** `PATCH /tag/{id}/`: absent fields do not change; a missing body changes nothing. */
export function patchTag(call: Call): Promise<Answer> {
  return change(call, checkTagChange);
}

/** `DELETE /tag/{id}/` */
export async function removeTag(call: Call): Promise<Answer> {
  const { id } = await findTag(call);
  await deleteTag(call.ctx, id);
  return { status: 204, body: null };
}

/**
 * `POST /tag/{id}/assign/`, `add/` and `remove/`: contract §2.7. The users and categories belong to
 * the community and are not stored here, so the request has no effect.
 */
export async function assignTag(call: Call): Promise<Answer> {
  await findTag(call);
  await readBody(call.request);
  return { status: 204, body: null };
}

async function change(call: Call, check: typeof checkNewTag) {
  const { id } = await findTag(call);
  const { fields } = await readBody(call.request);
  const tag = readFields(fields, TAG_FIELDS, check);
  return { status: 200, body: toTagBody(await updateTag(call.ctx, id, tag)) };
}

/** Returns the tag of the URL. Contract §2.6: a search that does not match the tag hides it, on these routes too. */
async function findTag({ ctx, request }: Call): Promise<Tag> {
  const id = parseId(request, 'tag');
  const filter = { id, search: parseQuery(request).get('search') ?? undefined };
  const [tag] = await listTagsFrom(ctx, filter, [], { limit: 1, offset: 0 });
  if (tag === undefined) throw new NotFoundError('tag', id);
  return tag;
}

async function list(call: Call, fixed: TagFilter): Promise<Answer> {
  const { ctx } = call;
  const query = parseQuery(call.request);
  const asked = toTagFilter(query);
  if (asked === null) return toPageBody(call, { count: 0, nodes: async () => [] });
  const filter = { ...asked, ...fixed };
  const order = toTagOrder(query);
  return toPageBody(call, {
    count: await countTags(ctx, filter),
    nodes: async (window) => (await listTagsFrom(ctx, filter, order, window)).map(toTagBody),
  });
}
