import { z } from 'zod';
import { groupById } from '../../lib/group.ts';
import { cleanName } from '../../lib/name.ts';
import type { Window } from '../../lib/search.ts';
import { toTerms } from '../../lib/search-text.ts';
import { withoutUndefined } from '../../lib/without-undefined.ts';
import { type Keyset, keysetBy } from '../../store/cursor.ts';
import type { TagRow } from '../../store/table.ts';
import * as store from '../../store/tag/tag.ts';
import { type Context, transact } from '../context.ts';
import { NotFoundError } from '../error.ts';
import { displayName, freeText, parseInput } from '../input.ts';
import { type Page, type PageArgs, parsePageArgs, toPage } from '../page.ts';
import { column, computed, createRowReader, type Only, type RowReader } from '../row-reader.ts';
import { checkSearch } from '../search.ts';
import { authorize } from '../viewer/access.ts';
import { changeDetails, newRowEntry, recordAudit } from '../viewer/audit.ts';
import { indexMediasOf } from './search-words.ts';

/** A label on media, shared by all viewers. */
export interface Tag {
  id: number;
  type: TagType;
  name: string;
  description: string | null;
  /** As given, unchecked: SelfCommunity's clients send any text. Default `#ffffff`. */
  color: string;
  visible: boolean;
  active: boolean;
  /** A flag of SelfCommunity, with a meaning of its own. */
  visibilityBoost: boolean;
  createdAt: Date;
}

/** The kinds of tags that SelfCommunity has. */
export const TAG_TYPES = ['user', 'category', 'contribution'] as const;
export type TagType = (typeof TAG_TYPES)[number];

/** The filter of a list of tags: a tag has to match every given field. */
export interface TagFilter extends Omit<store.TagFilter, 'terms'> {
  /** Words separated by spaces or commas. Each must be part of the name or the description, ignoring case. */
  search?: string | undefined;
}
/** One step of an order of tags. */
export type TagOrder = store.TagOrder;

/** The reader of tags. */
const TAG: RowReader<TagRow, Tag> = createRowReader<TagRow, Tag>({
  id: column('id'),
  type: computed(['type'], (row) => row.type as TagType),
  name: column('name'),
  description: column('description'),
  color: column('color'),
  visible: computed(['visible'], (row) => row.visible === 1),
  active: computed(['active'], (row) => row.active === 1),
  visibilityBoost: computed(['visibility_boost'], (row) => row.visibility_boost === 1),
  createdAt: computed(['created_at'], (row) => new Date(row.created_at)),
});

/** Converts a row that has the columns of all fields. */
export const toTag = TAG.toObject as (row: Omit<TagRow, OtherColumn>) => Tag;

/** The columns that no field shows. */
type OtherColumn = Exclude<
  keyof TagRow,
  | 'id'
  | 'type'
  | 'name'
  | 'description'
  | 'color'
  | 'visible'
  | 'active'
  | 'visibility_boost'
  | 'created_at'
>;

const KEYSETS = {
  newest: keysetBy('newest tags', { name: 'id', type: 'number' }, true),
  name: keysetBy('tags by name_sort', { name: 'name_sort', type: 'string' }),
} satisfies Record<string, Keyset>;

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

/** Throws InvalidInputError with all issues of the input for a new tag. */
export function checkNewTag(input: unknown): void {
  parseInput(tagInput, input);
}

/** Throws InvalidInputError with all issues of a change, which may lack any field. */
export function checkTagChange(input: unknown): void {
  parseInput(tagChange, input);
}

/** Creates a tag. Two tags may have the same name. */
export async function createTag(ctx: Context, input: z.input<typeof tagInput>): Promise<Tag> {
  authorize(ctx, 'tag.create');
  const now = ctx.clock();
  const { name, ...tag } = parseInput(tagInput, input);
  const columns = {
    ...DEFAULT_COLUMNS,
    ...toColumns(tag),
    name,
    created_at: now,
    updated_at: now,
  };
  const target = { kind: 'tag', id: null, name } as const;
  const entry = newRowEntry(ctx, { action: 'create', target });
  const row = await store.insertTag(ctx.db, columns, entry);
  ctx.events.publish({ type: 'tag', kind: 'created', id: row.id });
  return toTag(row);
}

/**
 * Changes the given fields. If the tag is on few media, searches find them by its new name at once; otherwise a job
 * changes their search words. Throws NotFoundError.
 */
export async function updateTag(
  ctx: Context,
  id: number,
  input: z.input<typeof tagChange>,
): Promise<Tag> {
  authorize(ctx, 'tag.update');
  return transact(ctx, async (ctx) => {
    await store.lockTags(ctx.db, [id]);
    const before = await store.findTagRow(ctx.db, id);
    if (before === undefined || before.deleted_at !== null) throw new NotFoundError('tag', id);
    const { name } = before;
    const change = parseInput(tagChange, input);
    const columns = toColumns(change);
    const details = changeDetails(before, columns);
    const target = { kind: 'tag', id, name } as const;
    if (details !== null) await recordAudit(ctx, { action: 'update', target, details });
    await store.updateTag(ctx.db, id, { ...columns, updated_at: ctx.clock() });
    if (change.name !== undefined && change.name !== name) await indexMediasOf(ctx, id);
    ctx.events.publish({ type: 'tag', kind: 'updated', id });
    return findTag(ctx, id);
  });
}

/** Returns the tag. Throws NotFoundError. */
export async function findTag(ctx: Context, id: number): Promise<Tag> {
  const [tag] = await tagsByIds(ctx, [id]);
  if (tag === undefined) throw new NotFoundError('tag', id);
  return tag;
}

/** Returns those of the tags that exist, unordered. */
export async function tagsByIds(ctx: Context, ids: readonly number[]): Promise<Tag[]> {
  authorize(ctx, 'tag.read');
  return (await store.listTagsByIds(ctx.db, ids)).map(toTag);
}

/** Returns the tags of each media item, by name. The caller has checked that the viewer may see the media. */
export async function tagsByMediaIds(
  ctx: Context,
  mediaIds: readonly number[],
  only?: Only<Tag>,
): Promise<Map<number, Tag[]>> {
  const { columns, convert } = TAG.part(only);
  const rows = await store.listTagsByMediaIds(ctx.db, mediaIds, columns);
  return groupById(rows, (row) => row.media_id, convert);
}

/** Returns a page of tags. Throws InvalidInputError for the filter and the arguments of the page. */
export async function listTags(
  ctx: Context,
  filter: TagFilter,
  args: PageArgs,
  order: keyof typeof KEYSETS = 'newest',
): Promise<Page<Tag>> {
  authorize(ctx, 'tag.read');
  const keyset = KEYSETS[order];
  const request = parsePageArgs(args, keyset);
  const rows = await store.listTags(ctx.db, toStored(filter), keyset, request);
  return toPage(rows, keyset, request, toTag);
}

/** Returns a window of the tags; ties of the order are broken by id. Throws InvalidInputError for the filter. */
export async function listTagsFrom(
  ctx: Context,
  filter: TagFilter,
  order: readonly TagOrder[],
  window: Window,
): Promise<Tag[]> {
  authorize(ctx, 'tag.read');
  const stable = [...order, { field: 'id', descending: order[0]?.descending ?? true } as const];
  return (await store.listTagsFrom(ctx.db, toStored(filter), stable, window)).map(toTag);
}

/** Returns the number of tags that match the filter. Throws InvalidInputError for the filter. */
export async function countTags(ctx: Context, filter: TagFilter): Promise<number> {
  authorize(ctx, 'tag.read');
  return store.countTags(ctx.db, toStored(filter));
}

function toStored({ search, name, ...filter }: TagFilter): store.TagFilter {
  checkSearch('search', search, toTerms);
  return {
    ...filter,
    name: name === undefined ? undefined : cleanName(name),
    terms: search === undefined ? [] : toTerms(cleanName(search)),
  };
}

/** Throws NotFoundError for the first tag that does not exist. In a transaction, the tags are locked until its end. */
export async function checkTags(ctx: Context, tagIds: readonly number[]): Promise<void> {
  if (tagIds.length === 0) return;
  await store.lockTags(ctx.db, tagIds);
  const found = new Set((await store.listTagsByIds(ctx.db, tagIds)).map((tag) => tag.id));
  const missing = tagIds.find((id) => !found.has(id));
  if (missing !== undefined) throw new NotFoundError('tag', missing);
}

/** Adds tags to a new media item. Throws NotFoundError for the first tag that does not exist. */
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

/** Returns the columns of the given fields; null stands for the default, where there is one. */
function toColumns({ visibilityBoost, ...tag }: z.output<typeof tagChange>) {
  return withoutUndefined({
    type: tag.type,
    name: tag.name,
    description: tag.description,
    // Clients compute a contrast with it, which fails for an empty text.
    color: tag.color === undefined ? undefined : tag.color?.trim() || DEFAULT_COLUMNS.color,
    visible: toColumn(tag.visible),
    active: toColumn(tag.active),
    visibility_boost: toColumn(visibilityBoost),
  });
}

function toColumn(flag: boolean | null | undefined): number | undefined {
  return flag === null || flag === undefined ? undefined : Number(flag);
}
