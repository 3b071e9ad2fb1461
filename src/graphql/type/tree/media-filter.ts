import type { MediaFilter } from '../../../domain/tree/media-list.ts';
import type { NodeOrder } from '../../../domain/tree/order.ts';
import { toSearchWords } from '../../../lib/search-text.ts';
import { builder } from '../../builder.ts';
import { parseNodeIds, parseOptionalNodeId } from '../../id.ts';
import { pricedByFilter } from '../../price.ts';
import { DateTimeRange, orderInput, withoutNull } from '../filter.ts';
import { MediaTypeEnum } from './media-type.ts';
import { VisibilityEnum } from './visibility.ts';

/** The filter of every list of media. */
export const MediaFilterInput = builder.inputType('MediaFilter', {
  description: 'Filter for a list of media. A media item must match every given field.',
  fields: (t) => ({
    ids: t.idList({ description: 'Matches media with one of these global ids, at most 200.' }),
    types: t.field({ type: [MediaTypeEnum], description: 'Matches media of one of these types.' }),
    visibility: t.field({
      type: [VisibilityEnum],
      description: 'Matches media with one of these visibilities.',
    }),
    folderId: t.id({
      description: 'Matches media directly in the folder with this global id.',
    }),
    underFolderId: t.id({
      description: 'Matches media anywhere below the folder with this global id.',
    }),
    unfiled: t.boolean({
      description: 'If true, matches media that are in no folder. False has no effect.',
    }),
    tagIds: t.idList({
      description: 'Matches media with all of these tags: global ids, at most 50.',
    }),
    search: t.string({
      description:
        'Words to search for. Each must be the start of a word in the name, title, description, keywords, alternative text, caption, credit or tags; in scripts without spaces, such as Chinese, Japanese and Thai, it may be any part of a text. Case and accents are ignored. An emoji is a word. A search has at most 10 words and 500 characters.',
    }),
    ownedBy: t.string({
      description: 'Matches media created by the viewer with this `Viewer.id`.',
    }),
    createdAt: t.field({
      type: DateTimeRange,
      description: 'Matches media created in this span of time.',
    }),
    mimeTypes: t.stringList({
      description: 'Matches media whose original has one of these MIME types, at most 200.',
    }),
    md5: t.string({
      description: 'Matches media with a file that has this MD5, as 32 hex digits.',
    }),
  }),
});

const MediaOrderInput = orderInput<Exclude<NodeOrder['field'], 'id'>>(
  'Media',
  'media',
  'Ties are broken by `databaseId`.',
  {
    created_at: 'Orders by creation time.',
    updated_at: 'Orders by the time of the last change.',
    name: 'Orders by name as people do: without case and accents, and with numbers by their values, `c2` before `c10`.',
    sort_order: 'Orders by position in the folder.',
    relevance:
      'Orders by how well `MediaFilter.search` matches, best first with `ASC`: media that have all words in the name or title, those that have them there as parts of words, those that have all words in any field, and the others. Without a search, all media match equally.',
  },
);

/** The price of every list of media that takes these arguments. */
export const MEDIA_LIST_PRICE = pricedByFilter(toSearchWords);

/** Arguments of every list of media. */
export const mediaListArgs = builder.args((t) => ({
  filter: t.field({
    type: MediaFilterInput,
    description: 'Limits the list to media that match this filter. Omit it for all media.',
  }),
  orderBy: t.field({
    type: MediaOrderInput,
    description: 'Order of the list. For the default order, see the field that returns the list.',
  }),
}));

/** The values of these arguments. */
export interface MediaListArgs {
  filter?: typeof MediaFilterInput.$inferInput | null | undefined;
  orderBy?: typeof MediaOrderInput.$inferInput | null | undefined;
}

/** Returns the filter with database ids. Throws InvalidInputError for an id of another type. */
export function toMediaFilter(filter?: typeof MediaFilterInput.$inferInput | null): MediaFilter {
  if (!filter) return {};
  const { ids, folderId, underFolderId, tagIds, createdAt, ...rest } = filter;
  return {
    ...withoutNull(rest),
    ids: ids ? parseNodeIds(['Media'], ids, 'ids') : undefined,
    folderId: parseOptionalNodeId('Folder', folderId, 'folderId'),
    underFolderId: parseOptionalNodeId('Folder', underFolderId, 'underFolderId'),
    tagIds: tagIds ? parseNodeIds(['Tag'], tagIds, 'tagIds') : undefined,
    createdAt: createdAt ? withoutNull(createdAt) : undefined,
  };
}
