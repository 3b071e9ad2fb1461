import { z } from 'zod';
import { withoutUndefined } from '../../lib/without-undefined.ts';
import type { Keyset } from '../../store/cursor.ts';
import type { TagRow } from '../../store/table.ts';
import * as store from '../../store/tag/tag.ts';
import { type Context, transact } from '../context.ts';
import { NotFoundError } from '../error.ts';
import { displayName, freeText, parseInput } from '../input.ts';
import { type Page, type PageArgs, parsePageArgs, toPage } from '../page.ts';
import type { Window } from '../search.ts';
import { authorize } from '../viewer/access.ts';

/** A label of media, shared by all viewers. */
export interface Tag {
  id: number;
  type: TagType;
  name: string;
  description: string | null;
  /** As given, not checked: SelfCommunity's clients send any text. Default `#ffffff`. */
  color: string;
  visible: boolean;
  active: boolean;
  /** SelfCommunity's flag; its own meaning. */
  visibilityBoost: boolean;
  createdAt: Date;
}

/** What SelfCommunity's tags can be for. */
export const TAG_TYPES = ['user', 'category', 'contribution'] as const;
export type TagType = (typeof TAG_TYPES)[number];

/** What a list of tags is narrowed to; everything absent means no limit. */
export type TagFilter = store.TagFilter;
/** What tags can be ordered by. */
export type TagOrder = store.TagOrder;

const KEYSETS = {
  newest: { name: 'newest tags', columns: [{ name: 'id', type: 'number' }], descending: true },
  name: {
    name: 'tags by name',
    columns: [
      { name: 'name', type: 'string' },
      { name: 'id', type: 'number' },
    ],
    descending: false,
  },
} as const satisfies Record<string, Keyset>;

const tagInput = z.object({
  type: z.enum(TAG_TYPES).optional(),
  name: displayName(64),
  description: freeText(500).nullish(),
  color: freeText(64).nullish(),
  visible: z.boolean().nullish(),
  active: z.boolean().nullish(),
  visibilityBoost: z.boolean().nullish(),
});
const tagChange = tagInput.partial();

/** Throws InvalidInputError with all that keeps a tag from being made of this. */
export function checkNewTag(input: unknown): void {
  parseInput(tagInput, input);
}

/** The same of a change, which may lack any field. */
export function checkTagChange(input: unknown): void {
  parseInput(tagChange, input);
}

/** Makes a tag; two may have the same name. */
export async function createTag(ctx: Context, input: z.input<typeof tagInput>): Promise<Tag> {
  authorize(ctx, 'tag.create');
  const now = ctx.clock();
  const { name, ...tag } = parseInput(tagInput, input);
  const row = await store.insertTag(ctx.db, {
    ...DEFAULT_COLUMNS,
    ...toColumns(tag),
    name,
    created_at: now,
    updated_at: now,
  });
  return toTag(row);
}

/** Changes what is given. Throws NotFoundError. */
export async function updateTag(
  ctx: Context,
  id: number,
  input: z.input<typeof tagChange>,
): Promise<Tag> {
  authorize(ctx, 'tag.update');
  return transact(ctx, async (ctx) => {
    await lockTagAndMedias(ctx, id);
    await findTag(ctx, id);
    const change = parseInput(tagChange, input);
    await store.updateTag(ctx.db, id, { ...toColumns(change), updated_at: ctx.clock() });
    return findTag(ctx, id);
  });
}

/** Deletes a tag and takes it off all media. Throws NotFoundError. */
export async function deleteTag(ctx: Context, id: number): Promise<void> {
  authorize(ctx, 'tag.delete');
  await transact(ctx, async (ctx) => {
    await lockTagAndMedias(ctx, id);
    if (!(await store.deleteTag(ctx.db, id))) throw new NotFoundError('tag', id);
  });
}

/** The tag first: nobody then puts it on others, and two that wait for each other would end in an error. */
async function lockTagAndMedias({ db }: Context, id: number): Promise<void> {
  await store.lockTags(db, [id]);
  await store.lockMediasOfTag(db, id);
}

/** Throws NotFoundError. */
export async function findTag(ctx: Context, id: number): Promise<Tag> {
  const [tag] = await tagsByIds(ctx, [id]);
  if (tag === undefined) throw new NotFoundError('tag', id);
  return tag;
}

/** Those of the tags that there are, unordered. */
export async function tagsByIds(ctx: Context, ids: readonly number[]): Promise<Tag[]> {
  authorize(ctx, 'tag.read');
  return (await store.listTagsByIds(ctx.db, ids)).map(toTag);
}

/** The tags of each media, by name. The caller has seen to it that the viewer may see the media. */
export async function tagsByMediaIds(
  ctx: Context,
  mediaIds: readonly number[],
): Promise<Map<number, Tag[]>> {
  const rows = await store.listTagsByMediaIds(ctx.db, mediaIds);
  const byMedia = Map.groupBy(rows, (row) => row.media_id);
  return new Map([...byMedia].map(([mediaId, rows]) => [mediaId, rows.map(toTag)]));
}

/** A page of tags. Throws InvalidInputError for the page's arguments. */
export async function listTags(
  ctx: Context,
  filter: TagFilter,
  args: PageArgs,
  order: keyof typeof KEYSETS = 'newest',
): Promise<Page<Tag>> {
  authorize(ctx, 'tag.read');
  const keyset = KEYSETS[order];
  const request = parsePageArgs(args, keyset);
  const rows = await store.listTags(ctx.db, filter, keyset, request);
  return toPage(rows, keyset, request, toTag);
}

/** Some of the tags, counted from the start; `order` is completed by id. */
export async function listTagsFrom(
  ctx: Context,
  filter: TagFilter,
  order: readonly TagOrder[],
  window: Window,
): Promise<Tag[]> {
  authorize(ctx, 'tag.read');
  const stable = [...order, { field: 'id', descending: order[0]?.descending ?? true } as const];
  return (await store.listTagsFrom(ctx.db, filter, stable, window)).map(toTag);
}

/** How many tags the filter lets through. */
export async function countTags(ctx: Context, filter: TagFilter): Promise<number> {
  authorize(ctx, 'tag.read');
  return store.countTags(ctx.db, filter);
}

/**
 * Throws NotFoundError for the first tag that is not there; in a transaction, the others stay to its end.
 */
export async function checkTags(ctx: Context, tagIds: readonly number[]): Promise<void> {
  if (tagIds.length === 0) return;
  await store.lockTags(ctx.db, tagIds);
  const found = new Set((await store.listTagsByIds(ctx.db, tagIds)).map((tag) => tag.id));
  const missing = tagIds.find((id) => !found.has(id));
  if (missing !== undefined) throw new NotFoundError('tag', missing);
}

/** Ties a new media to tags. Throws NotFoundError for the first that is not there. */
export async function tagNewMedia(
  ctx: Context,
  mediaId: number,
  tagIds: readonly number[],
): Promise<void> {
  await checkTags(ctx, tagIds);
  await store.insertMediaTags(ctx.db, [mediaId], tagIds);
}

const DEFAULT_COLUMNS = {
  type: 'user',
  color: '#ffffff',
  visible: 1,
  active: 1,
  visibility_boost: 0,
};

/** The columns that are given; null, where there is a default, is the default. */
function toColumns({ visibilityBoost, ...tag }: z.output<typeof tagChange>) {
  return withoutUndefined({
    type: tag.type,
    name: tag.name,
    description: tag.description,
    // Clients compute a contrast with it, which fails for an empty one.
    color: tag.color === undefined ? undefined : tag.color?.trim() || DEFAULT_COLUMNS.color,
    visible: toColumn(tag.visible),
    active: toColumn(tag.active),
    visibility_boost: toColumn(visibilityBoost),
  });
}

function toColumn(flag: boolean | null | undefined): number | undefined {
  return flag === null || flag === undefined ? undefined : Number(flag);
}

function toTag(row: TagRow): Tag {
  return {
    id: row.id,
    type: row.type as TagType,
    name: row.name,
    description: row.description,
    color: row.color,
    visible: row.visible === 1,
    active: row.active === 1,
    visibilityBoost: row.visibility_boost === 1,
    createdAt: new Date(row.created_at),
  };
}
