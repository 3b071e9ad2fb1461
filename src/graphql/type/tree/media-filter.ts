import type { InputIssue } from '../../../domain/error.ts';
import { FILTER_CONDITIONS_MAX, FILTER_LEVELS_MAX } from '../../../domain/search.ts';
import type { MediaFilter } from '../../../domain/tree/media-filter.ts';
import type { NodeOrder } from '../../../domain/tree/order.ts';
import type { Visibility } from '../../../domain/tree/visibility.ts';
import { toSearchWords } from '../../../lib/search-text.ts';
import { builder } from '../../builder.ts';
import { parseNodeIds, parseOptionalNodeId } from '../../id.ts';
import type { Types } from '../../mutation.ts';
import { pricedByFilter } from '../../price.ts';
import { BigIntRange, DateTimeRange, IntRange, orderInput, withoutNull } from '../filter.ts';
import { MetadataFilter, type MetadataShape, NearFilter } from './media-condition.ts';
import { MediaTypeEnum } from './media-type.ts';
import { type Orientation, OrientationEnum } from './orientation.ts';
import { VisibilityEnum } from './visibility.ts';

type Nullable<T> = { [K in keyof T]?: T[K] | null | undefined };

interface NestedFilters {
  and?: readonly MediaFilterShape[] | null | undefined;
  or?: readonly MediaFilterShape[] | null | undefined;
  not?: MediaFilterShape | null | undefined;
}

interface GlobalIds {
  ids?: readonly string[] | null | undefined;
  folderId?: string | null | undefined;
  underFolderId?: string | null | undefined;
  tagIds?: readonly string[] | null | undefined;
  anyTagIds?: readonly string[] | null | undefined;
}

interface NullableRange<T> {
  min?: T | null | undefined;
  max?: T | null | undefined;
}

interface NullableSpan {
  from?: Date | null | undefined;
  to?: Date | null | undefined;
}

/** The ranges of a filter as clients send them. */
interface NullableRanges {
  createdAt?: NullableSpan | null | undefined;
  updatedAt?: NullableSpan | null | undefined;
  takenAt?: NullableSpan | null | undefined;
  sizeBytes?: NullableRange<number> | null | undefined;
  width?: NullableRange<number> | null | undefined;
  height?: NullableRange<number> | null | undefined;
  durationMs?: NullableRange<number> | null | undefined;
  metadata?: MetadataShape | null | undefined;
}

/** A filter as clients send it. */
interface MediaFilterShape
  extends NestedFilters,
    GlobalIds,
    NullableRanges,
    Nullable<Omit<MediaFilter, keyof NestedFilters | keyof GlobalIds | keyof NullableRanges>> {
  types?: (typeof MediaTypeEnum.$inferType)[] | null | undefined;
  visibility?: Visibility[] | null | undefined;
  orientations?: Orientation[] | null | undefined;
}

/** The filter of every list of media. */
export const MediaFilterInput = builder.inputRef<MediaFilterShape>('MediaFilter').implement({
  description: `Filter for a list of media. A media item must match every given field. Filters in \`and\`, \`or\` and \`not\` may be nested at most ${FILTER_LEVELS_MAX} levels deep, and have at most ${FILTER_CONDITIONS_MAX} conditions together.`,
  fields: (t) => ({
    ...combinationFields(t),
    ...wordFields(t),
    ...originFields(t),
    ...attributeFields(t),
  }),
});

type FieldBuilder = PothosSchemaTypes.InputFieldBuilder<Types, 'InputObject'>;

function combinationFields(t: FieldBuilder) {
  return {
    and: t.field({
      type: [MediaFilterInput],
      description: 'Matches media that match all of these filters. An empty list has no effect.',
    }),
    or: t.field({
      type: [MediaFilterInput],
      description:
        'Matches media that match one or more of these filters. An empty list matches no media.',
    }),
    not: t.field({
      type: MediaFilterInput,
      description:
        'Matches media that do not match this filter: `not: { width: { min: 100 } }` also matches media without a width.',
    }),
    ids: t.idList({ description: 'Matches media with one of these global ids, at most 200.' }),
    types: t.field({ type: [MediaTypeEnum], description: 'Matches media of one of these types.' }),
    visibility: t.field({
      type: [VisibilityEnum],
      description: 'Matches media with one of these visibilities.',
    }),
    isPublic: t.boolean({
      description:
        'If true, matches media whose visibility is `PUBLIC`; if false, media with another visibility.',
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
  };
}

function wordFields(t: FieldBuilder) {
  return {
    tagIds: t.idList({
      description: 'Matches media with all of these tags: global ids, at most 50.',
    }),
    anyTagIds: t.idList({
      description: 'Matches media with one or more of these tags: global ids, at most 50.',
    }),
    tagged: t.boolean({
      description: 'If true, matches media with any tag; if false, media without tags.',
    }),
    search: t.string({
      description:
        'Words to search for. Each must be the start of a word in the name, title, description, keywords, alternative text, caption, credit or tags, or in the camera, the lens, the author or the first text that the original file names; in scripts without spaces, such as Chinese, Japanese and Thai, it may be any part of a text. Case and accents are ignored. An emoji is a word. A search has at most 10 words and 500 characters.',
    }),
    nameContains: t.string({
      description:
        'Matches media whose name contains this text, at most 500 characters. Case is ignored. `search` is faster.',
    }),
    ownedBy: t.string({
      description: 'Matches media created by the viewer with this `Viewer.id`.',
    }),
  };
}

function originFields(t: FieldBuilder) {
  return {
    createdAt: t.field({
      type: DateTimeRange,
      description: 'Matches media created in this span of time.',
    }),
    updatedAt: t.field({
      type: DateTimeRange,
      description: 'Matches media last changed in this span of time.',
    }),
    takenAt: t.field({
      type: DateTimeRange,
      description:
        'Matches media whose original was taken in this span of time, as the file says. Media that were taken at an unknown time do not match.',
    }),
    mimeTypes: t.stringList({
      description:
        'Matches media whose original has one of these MIME types, at most 200. `image/*` stands for all MIME types that begin with `image/`. Case is ignored, and so are parameters, such as a charset.',
    }),
    extensions: t.stringList({
      description:
        'Matches media whose original has one of these filename extensions, such as `jpg`, at most 200. Case and a dot before the extension are ignored.',
    }),
    md5: t.string({
      description: 'Matches media with a file that has this MD5, as 32 hex digits.',
    }),
  };
}

function attributeFields(t: FieldBuilder) {
  return {
    sizeBytes: t.field({
      type: BigIntRange,
      description: 'Matches media whose original has a size in this range, in bytes.',
    }),
    width: t.field({
      type: IntRange,
      description:
        'Matches media whose original is an image with a width in this range, in pixels. Videos do not match: `details` has their width.',
    }),
    height: t.field({
      type: IntRange,
      description:
        'Matches media whose original is an image with a height in this range, in pixels. Videos do not match: `details` has their height.',
    }),
    orientations: t.field({
      type: [OrientationEnum],
      description:
        'Matches media whose original has one of these shapes. Media without a width and a height do not match.',
    }),
    durationMs: t.field({
      type: IntRange,
      description: 'Matches media whose original has a duration in this range, in milliseconds.',
    }),
    hasAltText: t.boolean({
      description: 'If true, matches media with an alternative text; if false, media without one.',
    }),
    near: t.field({
      type: NearFilter,
      description:
        'Matches media whose original was taken in this circle, as the file says. Fails with `NOT_AUTHENTICATED` for viewers without a credential if the server requires one.',
    }),
    metadata: t.field({
      type: MetadataFilter,
      description: 'Matches media with this custom field. For several fields, use `and`.',
    }),
  };
}

const MediaOrderInput = orderInput<Exclude<NodeOrder['field'], 'id'>>(
  'Media',
  'media',
  'Ties are broken by `databaseId`. Media without the value of the field count as lower than all others: they are first with `ASC`, and last with `DESC`.',
  {
    created_at: 'Orders by creation time.',
    updated_at: 'Orders by the time of the last change.',
    name: 'Orders by name as people do: without case and accents, and with numbers by their values, `c2` before `c10`.',
    sort_order: 'Orders by position in the folder.',
    relevance:
      'Orders by how well `MediaFilter.search` matches, best first with `ASC`: media that have all words in the name or title, those that have them there as beginnings of words, those that have all words in any field, and the others. Without a search, all media match equally.',
    size: 'Orders by the size of the original.',
    type: 'Orders by type, so that media of the same type are together.',
    title: 'Orders by title, in the way of `NAME`.',
    taken_at: 'Orders by the time at which the original was taken, as the file says.',
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
  filter?: MediaFilterShape | null | undefined;
  orderBy?: typeof MediaOrderInput.$inferInput | null | undefined;
}

/**
 * Returns the filter with database ids. Throws InvalidInputError for an id of another type. `path` is that of the
 * argument.
 */
export function toMediaFilter(
  filter?: MediaFilterShape | null,
  path: InputIssue['path'] = ['filter'],
): MediaFilter {
  if (!filter) return {};
  const { and, or, not, ids, folderId, underFolderId, tagIds, anyTagIds, ...rest } = filter;
  const { createdAt, updatedAt, takenAt, sizeBytes, width, height, durationMs, metadata, ...own } =
    rest;
  const of = (...steps: InputIssue['path']) => [...path, ...steps];
  return {
    ...withoutNull(own),
    and: and?.map((one, index) => toMediaFilter(one, of('and', index))),
    or: or?.map((one, index) => toMediaFilter(one, of('or', index))),
    not: not ? toMediaFilter(not, of('not')) : undefined,
    ids: ids ? parseNodeIds(['Media'], ids, of('ids')) : undefined,
    folderId: parseOptionalNodeId('Folder', folderId, of('folderId')),
    underFolderId: parseOptionalNodeId('Folder', underFolderId, of('underFolderId')),
    tagIds: tagIds ? parseNodeIds(['Tag'], tagIds, of('tagIds')) : undefined,
    anyTagIds: anyTagIds ? parseNodeIds(['Tag'], anyTagIds, of('anyTagIds')) : undefined,
    createdAt: given(createdAt),
    updatedAt: given(updatedAt),
    takenAt: given(takenAt),
    sizeBytes: given(sizeBytes),
    width: given(width),
    height: given(height),
    durationMs: given(durationMs),
    metadata: given(metadata),
  };
}

function given<T extends object>(value: T | null | undefined) {
  return value ? withoutNull(value) : undefined;
}
