import { randomUUID } from 'node:crypto';
import type { Db } from '../../src/store/db.ts';
import { makeFolder } from './make.ts';

const NOW = Date.UTC(2026, 0, 1);
/** Rows of one statement: SQLite allows 32,766 parameters. */
const ROWS = 500;

/** Inserts a folder with media at these positions. Returns the ids of the folder and of the media. */
export async function makeSiblings(
  db: Db,
  sortOrders: readonly number[],
  owner: string | null = null,
): Promise<{ folderId: number; ids: number[] }> {
  const folderId = await makeFolder(db);
  const place = { parent_id: folderId, level: 2, path: `/1/${folderId}/` };
  const common = { type: 'image', name: 'a', is_public: 0, created_at: NOW, updated_at: NOW };
  const ids: number[] = [];
  for (let from = 0; from < sortOrders.length; from += ROWS) {
    const rows = sortOrders
      .slice(from, from + ROWS)
      .map((sort_order) => ({ uuid: randomUUID(), ...place, ...common, sort_order, owner }));
    const inserted = await db.insertInto('media').values(rows).returning('id').execute();
    ids.push(...inserted.map(({ id }) => id));
  }
  return { folderId, ids };
}

/** Returns the children of a folder in their order, with their positions. */
export function childrenOf(
  db: Db,
  folderId: number,
): Promise<{ id: number; sort_order: number }[]> {
  return db
    .selectFrom('media')
    .where('parent_id', '=', folderId)
    .orderBy('sort_order')
    .orderBy('id')
    .select(['id', 'sort_order'])
    .execute();
}
