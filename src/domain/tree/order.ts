import { type Keyset, type KeysetColumn, keysetBy } from '../../store/cursor.ts';

/**
 * The columns of the fields that nodes are ordered by. `id` is the order of creation; `relevance` is how well a search
 * matches, best first. No column is null: media without a size, a title or a time have a value below all others.
 */
const COLUMNS = {
  id: { name: 'id', type: 'number' },
  created_at: { name: 'created_at', type: 'number' },
  updated_at: { name: 'updated_at', type: 'number' },
  name: { name: 'name_sort', type: 'string' },
  sort_order: { name: 'sort_order', type: 'number' },
  relevance: { name: 'relevance', type: 'number' },
  size: { name: 'size_bytes', type: 'number' },
  type: { name: 'type', type: 'string' },
  title: { name: 'title_sort', type: 'string' },
  taken_at: { name: 'taken_sort', type: 'number' },
} as const satisfies Record<string, KeysetColumn>;

/** An order by one field, then by id. */
export interface NodeOrder {
  field: keyof typeof COLUMNS;
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
  const column = COLUMNS[field];
  // Part of every cursor that clients have kept.
  const name = `media by ${column.name}${descending ? ', last first' : ''}`;
  return keysetBy(name, column, descending);
}
