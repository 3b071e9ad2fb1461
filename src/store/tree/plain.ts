import type { Scope } from '../scope.ts';
import type { ToSlot } from '../slot.ts';
import type { NodeFilter } from './filter.ts';

/** The fields of a filter whose queries are prepared. */
const PLAIN_FIELDS: readonly string[] = ['kind', 'folderId'];

/**
 * Tells whether the query of a list is worth preparing: the lists that clients ask for most have no filter but their
 * folder. The texts of the others are too many, and some take long.
 */
export function isPlain({ within }: Scope, filter: NodeFilter): boolean {
  if (within !== null) return false;
  for (const field in filter) {
    const value = filter[field as keyof NodeFilter];
    if (value !== undefined && !PLAIN_FIELDS.includes(field)) return false;
  }
  return true;
}

/** Returns what the text of such a query depends on. */
export function plainKey({ publicOnly }: Scope, { kind, folderId }: NodeFilter): string {
  return `${publicOnly} ${kind} ${folderId !== undefined}`;
}

/** Returns a filter of the same kind with slots for its values. */
export function plainSlots(
  { kind, folderId }: NodeFilter,
  slot: ToSlot<{ filter: NodeFilter }>,
): NodeFilter {
  return {
    kind,
    ...(folderId !== undefined && { folderId: slot(({ filter }) => filter.folderId) }),
  };
}
