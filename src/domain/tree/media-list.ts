import { pathBelow } from '../../store/path.ts';
import type { NodeFilter } from '../../store/tree/condition.ts';
import { listFoldersByIds } from '../../store/tree/folder.ts';
import { countNodesOfEach, type Grouping, listNodesOfEach } from '../../store/tree/group.ts';
import { countNodes, listNodes } from '../../store/tree/node.ts';
import type { Context } from '../context.ts';
import { NotAuthenticatedError } from '../error.ts';
import { type Page, type PageArgs, parsePageArgs, toPage, toPages } from '../page.ts';
import type { Only } from '../row-reader.ts';
import { existing, locationSight, scopeOf } from '../viewer/access.ts';
import { MEDIA, type Media } from './media.ts';
import {
  asksForPlace,
  checkMediaFilter,
  foldersIn,
  type MediaFilter,
  toNodeFilter,
} from './media-filter.ts';
import { BY_POSITION, NEWEST_FIRST, type NodeOrder, orderKeyset } from './order.ts';

/** Returns a page of media, filed and unfiled. Throws InvalidInputError for the filter and the page. */
export async function listMedias(
  ctx: Context,
  args: PageArgs,
  filter: MediaFilter = {},
  order: NodeOrder = NEWEST_FIRST,
  only?: Only<Media>,
): Promise<Page<Media>> {
  const keyset = orderKeyset(order);
  const request = parsePageArgs(args, keyset);
  const resolved = await resolveFilter(ctx, filter);
  const { columns, convert } = MEDIA.part(only);
  const rows = await listNodes(ctx.db, scopeOf(ctx), resolved, keyset, request, columns);
  return toPage(rows, keyset, request, convert);
}

/** Returns the number of media that match the filter. Throws InvalidInputError. */
export async function countMedias(ctx: Context, filter: MediaFilter = {}): Promise<number> {
  return countNodes(ctx.db, scopeOf(ctx), await resolveFilter(ctx, filter));
}

/** Returns the same page of media of each of many folders, or tags, in one statement. Throws InvalidInputError. */
export async function mediasOfEach(
  ctx: Context,
  by: Grouping,
  ids: readonly number[],
  args: PageArgs,
  filter: MediaFilter = {},
  order: NodeOrder = by === 'folder' ? BY_POSITION : NEWEST_FIRST,
  only?: Only<Media>,
): Promise<Map<number, Page<Media>>> {
  const keyset = orderKeyset(order);
  const request = parsePageArgs(args, keyset);
  const resolved = await resolveFilter(ctx, filter);
  const groups = { by, ids };
  const { columns, convert } = MEDIA.part(only);
  const scope = scopeOf(ctx);
  const pages = await listNodesOfEach(ctx.db, scope, groups, resolved, keyset, request, columns);
  return toPages(pages, keyset, request, convert);
}

/** Returns the number of media in each folder, or with each tag; a group without media has no entry. */
export async function countMediasOfEach(
  ctx: Context,
  by: Grouping,
  ids: readonly number[],
  filter: MediaFilter = {},
): Promise<Map<number, number>> {
  return countNodesOfEach(ctx.db, scopeOf(ctx), { by, ids }, await resolveFilter(ctx, filter));
}

/**
 * Returns the filter as the store takes it. The page, the count and the facets of one list have the same filter, and
 * share the result. Another context resolves it again: it has another viewer, or the folders have moved since. Throws
 * InvalidInputError, NotAuthenticatedError.
 */
export function resolveFilter(ctx: Context, filter: MediaFilter): Promise<NodeFilter> {
  const ofContext = resolved.get(ctx) ?? new WeakMap<MediaFilter, Promise<NodeFilter>>();
  resolved.set(ctx, ofContext);
  const found = ofContext.get(filter) ?? resolve(ctx, filter);
  ofContext.set(filter, found);
  return found;
}

const resolved = new WeakMap<Context, WeakMap<MediaFilter, Promise<NodeFilter>>>();

async function resolve(ctx: Context, filter: MediaFilter): Promise<NodeFilter> {
  checkMediaFilter(filter);
  // What a filter finds tells as much as the field.
  const sight = locationSight(ctx);
  if (asksForPlace(filter) && sight === 'none' && ctx.viewer.kind === 'anonymous') {
    throw new NotAuthenticatedError();
  }
  const ids = foldersIn(filter);
  // Whether the viewer may see the folders does not matter: the list is narrowed to its scope.
  const folders = ids.length === 0 ? [] : await listFoldersByIds(ctx.db, existing(ctx), ids);
  const paths = new Map(folders.map((folder) => [folder.id, pathBelow(folder)]));
  return toNodeFilter(filter, {
    pathBelow: (id) => paths.get(id),
    placesOf: sight === 'all' ? undefined : sight === 'own' ? ctx.viewer.id : null,
    isDeleted: (id) => ctx.pending.current.tagIds.has(id),
  });
}
