import type { MediaFilter } from '../../../domain/tree/media-list.ts';
import type { NodeOrder } from '../../../domain/tree/order.ts';
import { builder } from '../../builder.ts';
import { parseNodeIds, parseOptionalNodeId } from '../../id.ts';
import { DateTimeRange, OrderDirection, withoutNull } from '../filter.ts';
import { MediaTypeEnum } from './media-type.ts';

const MediaFilterInput = builder.inputType('MediaFilter', {
  description: 'What a list of media is narrowed to: all that is given must hold.',
  fields: (t) => ({
    ids: t.idList({ description: 'One of these, at most 200.' }),
    types: t.field({ type: [MediaTypeEnum], description: 'Of one of these types.' }),
    folderId: t.id({ description: 'Directly in this folder.' }),
    underFolderId: t.id({ description: 'Anywhere below this folder.' }),
    unfiled: t.boolean({ description: 'True: in no folder.' }),
    tagIds: t.idList({ description: 'With all of these tags, at most 200.' }),
    search: t.string({
      description:
        'Words, each from its beginning, all of them in name, title, description, keywords or tags; case and accents do not matter.',
    }),
    ownedBy: t.string({ description: 'Made by the viewer of this id.' }),
    createdAt: t.field({ type: DateTimeRange, description: 'Made in this span.' }),
    mimeTypes: t.stringList({ description: 'The original is of one of these, at most 200.' }),
    md5: t.string({ description: 'One of its files has this MD5, 32 hex digits.' }),
  }),
});

const MediaOrderField = builder.enumType('MediaOrderField', {
  description: 'What media can be ordered by.',
  values: {
    CREATED_AT: { value: 'created_at', description: 'When they were made.' },
    UPDATED_AT: { value: 'updated_at', description: 'When they last changed.' },
    NAME: { value: 'name', description: 'Their name, byte by byte.' },
    SORT_ORDER: { value: 'sort_order', description: 'Their place in their folder.' },
  } as const,
});

const MediaOrderInput = builder.inputType('MediaOrder', {
  description: 'The order of a list of media; those that are alike in it go by their number.',
  fields: (t) => ({
    field: t.field({ type: MediaOrderField, required: true, description: 'What decides.' }),
    direction: t.field({
      type: OrderDirection,
      required: true,
      defaultValue: 'asc',
      description: 'Which end comes first.',
    }),
  }),
});

/** Arguments of every list of media. */
export const mediaListArgs = builder.args((t) => ({
  filter: t.field({ type: MediaFilterInput, description: 'Without: all.' }),
  orderBy: t.field({ type: MediaOrderInput, description: 'Without: the field’s own order.' }),
}));

/** The filter with database ids. Throws InvalidInputError for an id of something else. */
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

/** The order; newest first without one. */
export function toMediaOrder(
  order?: typeof MediaOrderInput.$inferInput | null,
): NodeOrder | undefined {
  return order ? { field: order.field, descending: order.direction === 'desc' } : undefined;
}
