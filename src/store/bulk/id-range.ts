import { type Keyset, keysetBy } from '../cursor.ts';
import type { Db } from '../db.ts';
import type { Scope } from '../scope.ts';
import type { NodeFilter } from '../tree/condition.ts';
import { listNodes } from '../tree/node.ts';

const BY_ID: Keyset = keysetBy('nodes by id', { name: 'id', type: 'number' });

/** A part of a list in the order of the ids. */
export interface IdRange {
  /** The last id before it. */
  after: number;
  /** Its last possible id. */
  upTo: number;
  limit: number;
}

/** Returns the first ids of a range that match a filter, in their order. */
export async function listIds(
  db: Db,
  scope: Scope,
  filter: NodeFilter,
  { after, upTo, limit }: IdRange,
): Promise<number[]> {
  const page = { limit, looksAhead: false, backward: false, after: [after], before: [upTo + 1] };
  const { rows } = await listNodes(db, scope, filter, BY_ID, page, ['id'] as const);
  return rows.flatMap(({ id }) => id ?? []);
}

/** Returns the highest id of all nodes. Later nodes get higher ones. */
export async function findLastId(db: Db): Promise<number> {
  const { last } = await db
    .selectFrom('media')
    .select((eb) => eb.fn.max<number>('id').as('last'))
    .executeTakeFirstOrThrow();
  return Number(last);
}
