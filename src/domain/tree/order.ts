import { type Keyset, keysetBy } from '../../store/cursor.ts';

/**
 * The fields that nodes are ordered by. `id` is the order of creation; `relevance` is how well a search matches, best
 * first.
 */
const ORDER_FIELDS = ['id', 'created_at', 'updated_at', 'name', 'sort_order', 'relevance'] as const;

/** An order by one field, then by id. */
export interface NodeOrder {
  field: (typeof ORDER_FIELDS)[number];
  descending: boolean;
}

/** Newest first. */
export const NEWEST_FIRST: NodeOrder = { field: 'id', descending: true };

/** The order by the position of nodes in their folder. */
export const BY_POSITION: NodeOrder = { field: 'sort_order', descending: false };

/** Returns the keyset of an order. */
export function orderKeyset({ field, descending }: NodeOrder): Keyset {
  // Part of every cursor that clients have kept.
  const name = `media by ${field}${descending ? ', last first' : ''}`;
  const type = field === 'name' ? 'string' : 'number';
  return keysetBy(name, { name: field, type }, descending);
}
