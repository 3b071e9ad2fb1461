import DataLoader from 'dataloader';
import {
  FACET_TAGS_DEFAULT,
  FACET_TAGS_MAX,
  type MediaFacets,
  type MediaSelection,
  mediaFacets,
  parseTagCount,
} from '../../../domain/tree/facet.ts';
import { MEDIA_TYPES } from '../../../domain/tree/media.ts';
import { builder, type GraphqlContext } from '../../builder.ts';
import { type Facet, type ListSize, withListSize } from '../../price.ts';
import { TagRef } from '../tag/tag.ts';
import { MediaTypeEnum } from './media-type.ts';

/** A part of the facets, as a field asks for it. */
type Part = { name: 'types' | 'months' | 'size' } | { name: 'tags'; first: number };

type Facets = DataLoader<Part, MediaFacets, string>;

/** Assumed number of months: those of ten years. */
const MONTHS = 120;

const priced = (facet: Facet, listSize?: ListSize) => ({
  extensions: { facet, ...(listSize !== undefined && withListSize(listSize).extensions) },
});

const count = 'Number of media in the list that have it.';

const TypeFacetRef = builder.objectRef<MediaFacets['types'][number]>('TypeFacet').implement({
  description: 'A type of media, and how many media of a list have it.',
  fields: (t) => ({
    type: t.expose('type', { type: MediaTypeEnum, description: 'The type.' }),
    count: t.exposeInt('count', { description: count }),
  }),
});

const TagFacetRef = builder.objectRef<MediaFacets['tags'][number]>('TagFacet').implement({
  description: 'A tag, and how many media of a list have it.',
  fields: (t) => ({
    tag: t.field({ type: TagRef, description: 'The tag.', resolve: ({ tag }) => tag }),
    count: t.exposeInt('count', { description: count }),
  }),
});

const MonthFacetRef = builder.objectRef<MediaFacets['months'][number]>('MonthFacet').implement({
  description: 'A month, and how many media of a list were created in it.',
  fields: (t) => ({
    month: t.exposeString('month', { description: 'Year and month in UTC, such as `2026-11`.' }),
    count: t.exposeInt('count', { description: 'Number of media created in the month.' }),
  }),
});

/** What the media of a list have in common. */
const MediaFacetsRef = builder.objectRef<Facets>('MediaFacets').implement({
  description:
    'Numbers of the media of a whole filtered list, across all pages, as far as the viewer may see them. The server computes only the fields that are selected, in one pass.',
  fields: (t) => ({
    types: t.field({
      type: [TypeFacetRef],
      ...priced('types', MEDIA_TYPES.length),
      description: 'Types of the media, the most frequent first.',
      resolve: async (facets) => (await facets.load({ name: 'types' })).types,
    }),
    tags: t.field({
      type: [TagFacetRef],
      ...priced('tags', { default: FACET_TAGS_DEFAULT, max: FACET_TAGS_MAX }),
      description: 'Tags of the media, the most frequent first. Ties are ordered by name.',
      args: {
        first: t.arg.int({
          defaultValue: FACET_TAGS_DEFAULT,
          description: `Maximum number of tags: 0 to ${FACET_TAGS_MAX}.`,
        }),
      },
      resolve: async (facets, args) => {
        const first = parseTagCount(args.first);
        return (await facets.load({ name: 'tags', first })).tags.slice(0, first);
      },
    }),
    months: t.field({
      type: [MonthFacetRef],
      ...priced('months', MONTHS),
      description: 'Months in which the media were created, the latest first.',
      resolve: async (facets) => (await facets.load({ name: 'months' })).months,
    }),
    totalSizeBytes: t.field({
      type: 'BigInt',
      ...priced('size'),
      description: 'Total size of the original files of the media, in bytes.',
      resolve: async (facets) => (await facets.load({ name: 'size' })).sizeBytes,
    }),
  }),
});

/** The facets of a list, as a field of its connection. */
export const facetsField = {
  type: MediaFacetsRef,
  description: 'Numbers of the whole list, by type, tag and month, and its total size.',
  resolve: (connection: unknown, _args: object, { domain }: GraphqlContext): Facets => {
    const { whole } = connection as { whole: MediaSelection };
    // All fields that an operation selects are one read.
    return new DataLoader(
      async (parts) => {
        const names = new Set(parts.map(({ name }) => name));
        const found = await mediaFacets(domain, whole, {
          types: names.has('types'),
          months: names.has('months'),
          size: names.has('size'),
          tags: Math.max(0, ...parts.map((part) => (part.name === 'tags' ? part.first : 0))),
        });
        return parts.map(() => found);
      },
      { cacheKeyFn: (part) => JSON.stringify(part) },
    );
  },
};
