import { TAG_TYPES, type Tag, type TagFilter, type TagOrder } from '../../../domain/tag/tag.ts';
import { choice, flag, nullable, queryFlag, text } from '../field.ts';

/** Fields that a body may set: contract §2.6. All others are ignored. */
export const TAG_FIELDS = {
  type: ['type', choice(TAG_TYPES)],
  name: ['name', text],
  description: ['description', nullable(text)],
  color: ['color', text],
  visible: ['visible', flag],
  active: ['active', flag],
  visibilityBoost: ['visibility_boost', flag],
} as const;

/** Returns a tag. Contract §2.6: the superset of what its clients read. */
export function toTagBody(tag: Tag) {
  return {
    id: tag.id,
    type: tag.type,
    name: tag.name,
    description: tag.description,
    color: COLOR.test(tag.color) ? tag.color : COLOR_DEFAULT,
    visible: tag.visible,
    visibility_boost: tag.visibilityBoost,
    created_at: tag.createdAt.toISOString(),
    active: tag.active,
    deleted: false,
  };
}

/**
 * Contract §2.6: "never empty/invalid in output". MUI computes a contrast with these forms; for any
 * other, names of CSS included, it throws, and the page that shows the tag stays blank.
 */
const COLOR = /^(#([\da-f]{3}|[\da-f]{4}|[\da-f]{6}|[\da-f]{8})|(rgb|hsl)a?\([\d\s.,%/+-]+\))$/i;
const COLOR_DEFAULT = '#ffffff';

/** Returns the filter of a query; null if no tag can match. */
export function toTagFilter(query: URLSearchParams): TagFilter | null {
  const type = query.get('type') || undefined;
  const isKnownType = type === undefined || TAG_TYPES.some((one) => one === type);
  // Deleted tags are not kept.
  if (!isKnownType || queryFlag(query.get('deleted')) === true) return null;
  return {
    search: query.get('search') ?? undefined,
    type,
    active: queryFlag(query.get('active')),
    visible: queryFlag(query.get('visible')),
    visibilityBoost: queryFlag(query.get('visibility_boost')),
  };
}

/**
 * Returns the order of a query. Contract §2.6: a list of `name` and `created_at`, each with an
 * optional `-`; default `-created_at`.
 */
export function toTagOrder(query: URLSearchParams): TagOrder[] {
  const order = (query.get('ordering') ?? '').split(',').flatMap((term): TagOrder[] => {
    const field = term.trim().replace(/^-/, '');
    const isKnown = field === 'name' || field === 'created_at';
    return isKnown ? [{ field, descending: term.trim().startsWith('-') }] : [];
  });
  const unique = order.filter(({ field }, at) => order.findIndex((o) => o.field === field) === at);
  return unique.length > 0 ? unique : [{ field: 'created_at', descending: true }];
}
