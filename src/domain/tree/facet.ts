import {
  countFacets,
  type FacetGroup,
  type FacetRequest,
  type FacetRows,
} from '../../store/tree/facet.ts';
import type { Context } from '../context.ts';
import { InvalidInputError } from '../error.ts';
import { type Tag, toTag } from '../tag/tag.ts';
import { scopeOf } from '../viewer/access.ts';
import type { Media } from './media.ts';
import type { MediaFilter } from './media-filter.ts';
import { resolveFilter } from './media-list.ts';

/** Default and maximum number of tags among the facets of a list. */
export const FACET_TAGS_DEFAULT = 20;
export const FACET_TAGS_MAX = 100;

/** A whole list of media: those that match a filter; with `group`, of one folder or tag. */
export interface MediaSelection {
  filter: MediaFilter;
  group?: FacetGroup;
}

/** What the media of a list have, and how many have it. */
export interface MediaFacets {
  /** Most frequent first, with ties by type. */
  types: { type: Media['type']; count: number }[];
  /** The tags that most media have, with ties by name. */
  tags: { tag: Tag; count: number }[];
  /** Months of creation in UTC, `2026-11`, latest first. */
  months: { month: string; count: number }[];
  /** Total size of the original files. */
  sizeBytes: number;
}

/** Returns the number of tags to show. Throws InvalidInputError if it is out of range. */
export function parseTagCount(first: number | null | undefined): number {
  const count = first ?? FACET_TAGS_DEFAULT;
  if (count >= 0 && count <= FACET_TAGS_MAX) return count;
  throw InvalidInputError.of('first', 'OUT_OF_RANGE', `Expected 0 to ${FACET_TAGS_MAX}.`);
}

/** Returns the requested facets of the media of a list that the viewer may see; others are empty. */
export async function mediaFacets(
  ctx: Context,
  { filter, group }: MediaSelection,
  request: FacetRequest,
): Promise<MediaFacets> {
  const selection = { filter: await resolveFilter(ctx, filter), group };
  const facets = await countFacets(ctx.db, scopeOf(ctx), selection, request);
  const { types, days, tags, sizeBytes } = facets;
  return {
    types: types
      .map(({ name, count }) => ({ type: name as Media['type'], count }))
      .sort((a, b) => b.count - a.count || (a.type < b.type ? -1 : 1)),
    tags: tags.map(({ tag, count }) => ({ tag: toTag(tag), count })),
    months: toMonths(days),
    sizeBytes,
  };
}

const DAY_MS = 86_400_000;

/** Databases count days, whose numbers are simple arithmetic in both. */
function toMonths(days: FacetRows['days']): MediaFacets['months'] {
  const counts = new Map<string, number>();
  for (const { day, count } of days) {
    const month = new Date(day * DAY_MS).toISOString().slice(0, 7);
    counts.set(month, (counts.get(month) ?? 0) + count);
  }
  return [...counts]
    .map(([month, count]) => ({ month, count }))
    .sort((a, b) => (a.month < b.month ? 1 : -1));
}
