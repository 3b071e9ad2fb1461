import { type Keyset, type KeysetColumn, keysetBy } from '../../store/cursor.ts';

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

/** As people order names. */
export const BY_NAME: NodeOrder = { field: 'name', descending: false };

/** Newest first. */
export const NEWEST_FIRST: NodeOrder = { field: 'id', descending: true };

/** The order by the position of nodes in their folder. */
export const BY_POSITION: NodeOrder = { field: 'sort_order', descending: false };

/** Returns the keyset of an order. */
export function orderKeyset({ field, descending }: NodeOrder): Keyset {
  const column: KeysetColumn =
    field === 'name' ? { name: 'name_sort', type: 'string' } : { name: field, type: 'number' };
  // Part of every cursor that clients have kept.
  const name = `media by ${column.name}${descending ? ', last first' : ''}`;
  return keysetBy(name, column, descending);
}
