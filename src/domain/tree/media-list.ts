import type { Keyset } from '../../store/cursor.ts';
import { findFolderById } from '../../store/tree/folder.ts';
import * as store from '../../store/tree/media.ts';
import type { MediaFilter as StoredFilter } from '../../store/tree/media-filter.ts';
import type { Context } from '../context.ts';
import { InvalidInputError } from '../error.ts';
import { type Page, type PageArgs, parsePageArgs, toPage } from '../page.ts';
import { sightOf } from '../viewer/access.ts';
import { type Media, type MediaType, toMedia } from './media.ts';

/** What a list of media is narrowed to: all that is given must hold. */
export interface MediaFilter {
  ids?: readonly number[] | undefined;
  types?: readonly MediaType[] | undefined;
  /** Directly in this folder. */
  folderId?: number | undefined;
  /** Anywhere below this folder. */
  underFolderId?: number | undefined;
  /** True: in no folder. */
  unfiled?: boolean | undefined;
  /** With all of these tags. */
  tagIds?: readonly number[] | undefined;
  /** Words, each from its beginning, in name, title, description, keywords and tags. Blank: no limit. */
  search?: string | undefined;
  /** `Viewer.id` of the creator. */
  ownedBy?: string | undefined;
  /** Both ends included. */
  createdAt?: { from?: Date | undefined; to?: Date | undefined } | undefined;
  /** Of the original. */
  mimeTypes?: readonly string[] | undefined;
  /** Of any of its files; 32 hex digits. */
  md5?: string | undefined;
}

/** What a list of media can be ordered by; `id` is the order in which they were made. */
const MEDIA_ORDER_FIELDS = ['id', 'created_at', 'updated_at', 'name', 'sort_order'] as const;

/** By one field, then by id. */
export interface MediaOrder {
  field: (typeof MEDIA_ORDER_FIELDS)[number];
  descending: boolean;
}

/** The newest first. */
const NEWEST_FIRST: MediaOrder = { field: 'id', descending: true };

/** Lists take at most so many values in one field of a filter. */
const VALUES_MAX = 200;

/** A page of media, filed or not. Throws InvalidInputError for filter and page. */
export async function listMedias(
  ctx: Context,
  args: PageArgs,
  filter: MediaFilter = {},
  order: MediaOrder = NEWEST_FIRST,
): Promise<Page<Media>> {
  const keyset = toKeyset(order);
  const request = parsePageArgs(args, keyset);
  const rows = await store.listNodes(ctx.db, await toStored(ctx, filter), keyset, request);
  return toPage(rows, keyset, request, toMedia);
}

/** How many media the filter lets through. Throws InvalidInputError. */
export async function countMedias(ctx: Context, filter: MediaFilter = {}): Promise<number> {
  return store.countNodes(ctx.db, await toStored(ctx, filter));
}

/** The keyset of an order. */
export function toKeyset({ field, descending }: MediaOrder): Keyset {
  const id = { name: 'id', type: 'number' } as const;
  const first = { name: field, type: field === 'name' ? 'string' : 'number' } as const;
  return {
    name: `media by ${field}${descending ? ', last first' : ''}`,
    columns: field === 'id' ? [id] : [first, id],
    descending,
  };
}

/** The filter as the store has it. Throws InvalidInputError. */
export async function toStored(ctx: Context, filter: MediaFilter): Promise<StoredFilter> {
  const { ids, types, tagIds, mimeTypes, createdAt, search } = filter;
  for (const [field, values] of Object.entries({ ids, types, tagIds, mimeTypes })) {
    if (values === undefined || values.length <= VALUES_MAX) continue;
    throw InvalidInputError.of(field, 'TOO_BIG', `At most ${VALUES_MAX} values.`);
  }
  if (filter.unfiled && filter.folderId !== undefined) {
    throw InvalidInputError.of(
      'unfiled',
      'CONFLICT',
      'Give `folderId` or `unfiled`, and not both.',
    );
  }
  return {
    ...sightOf(ctx),
    ids,
    types,
    tagIds,
    mimeTypes,
    parentId: filter.unfiled ? null : filter.folderId,
    below: await toPath(ctx, filter.underFolderId),
    words: search?.trim() ? toWords(search) : undefined,
    owner: filter.ownedBy,
    createdFrom: createdAt?.from?.getTime(),
    createdTo: createdAt?.to?.getTime(),
    md5: filter.md5?.toLowerCase(),
  };
}

/** The path of what is in a folder; one that nothing has for a folder that is not there. */
async function toPath(ctx: Context, folderId: number | undefined): Promise<string | undefined> {
  if (folderId === undefined) return undefined;
  const folder = await findFolderById(ctx.db, folderId);
  return folder === undefined ? '/none/' : `${folder.path}${folder.id}/`;
}

/** Words as the index has them: letters and digits, without accents and case. */
function toWords(search: string): string[] {
  const plain = search
    .normalize('NFD')
    .replace(/\p{M}+/gu, '')
    .toLowerCase();
  return plain.match(/[\p{L}\p{N}]+/gu)?.slice(0, 16) ?? [];
}
