import { type RawBuilder, sql } from 'kysely';
import { type Keyset, type PageRequest, pageClause } from '../cursor.ts';
import type { Db } from '../db.ts';
import { selectedFrom } from '../dialect.ts';
import { hidesOnly, type Scope } from '../scope.ts';
import type { ToSlot } from '../slot.ts';
import type { Condition, NodeFilter } from './condition.ts';
import { conditionsOf } from './filter.ts';
import { orderOf, partsOf, refsOf } from './selection.ts';
import { walkOf } from './walk.ts';

/** The fields of a filter that an index begins with, in each order. */
const PLAIN_FIELDS: readonly string[] = ['kind', 'folderId'];

/**
 * Tells whether a list is one of all nodes, or of those in a folder: an index has its order, and nothing but private
 * media is passed over. Clients ask for these lists most. Their queries are prepared: there are few texts, and each
 * page is a bounded number of look-ups.
 */
export function isPlain(scope: Scope, filter: NodeFilter): boolean {
  if (!hidesOnly(scope)) return false;
  for (const field in filter) {
    const value = filter[field as keyof NodeFilter];
    if (value !== undefined && !PLAIN_FIELDS.includes(field)) return false;
  }
  return true;
}

/** Returns what the text of such a query depends on. */
export function plainKey({ hiding }: Scope, { kind, folderId }: NodeFilter): string {
  const hidden = hiding && (hiding.exceptOf === null ? 'all' : 'some');
  return `${kind} ${folderId !== undefined} ${hidden}`;
}

/** Returns the conditions of such a query, with slots for their values. */
export function plainConditions(
  db: Db,
  scope: Scope,
  { kind, folderId }: NodeFilter,
  slot: ToSlot<{ scope: Scope; filter: NodeFilter }>,
): Condition[] {
  const ownerSlot = () => slot(({ scope }) => scope.hiding?.exceptOf ?? null);
  const hiding = scope.hiding && { exceptOf: scope.hiding.exceptOf === null ? null : ownerSlot() };
  return conditionsOf(
    db,
    { ...scope, hiding },
    {
      kind,
      ...(folderId !== undefined && { folderId: slot(({ filter }) => filter.folderId) }),
    },
  );
}

/** Selects a page under conditions of plain lists: the index that has its order is one of `media` itself. */
export function plainRows<Row>(
  db: Db,
  conditions: readonly Condition[],
  keyset: Keyset,
  page: PageRequest,
  columns: readonly string[] | undefined,
): RawBuilder<Row> {
  const walk = walkOf(db, conditions, orderOf(keyset));
  const { from, where } = partsOf(db, walk, conditions, keyset);
  return sql`select ${selectedFrom('media', columns)} from ${from}
    ${pageClause(refsOf(walk, keyset), keyset, page, where, walk.leading)}`;
}
