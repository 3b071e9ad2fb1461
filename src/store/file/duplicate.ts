import { type RawBuilder, sql } from 'kysely';
import { type Columns, type RowOf, withColumns } from '../columns.ts';
import { keysetBy } from '../cursor.ts';
import type { Db } from '../db.ts';
import { listOfEach } from '../group.ts';
import { inline } from '../inline.ts';
import { withActualPaths } from '../path-move.ts';
import { isInScope, type Scope, withScopeColumns } from '../scope.ts';
import type { NodeRow } from '../table.ts';

/** Maximum number of duplicates of a media item that are looked at, whether or not they are in the scope. */
const CANDIDATES_MAX = 200;

const BY_ID = keysetBy('duplicates', { name: 'id', type: 'number' });

/**
 * Returns the media of a scope whose original has the same SHA-256 as that of each media item, without itself, oldest
 * first, in one statement. A media item without duplicates has no entry, nor has one whose SHA-256 is not known yet.
 */
export async function listDuplicatesOfEach<C extends Columns<NodeRow> = undefined>(
  db: Db,
  scope: Scope,
  mediaIds: readonly number[],
  columns?: C,
): Promise<Map<number, RowOf<NodeRow, C>[]>> {
  const page = { limit: CANDIDATES_MAX, looksAhead: false, backward: false };
  const selected = withColumns(withScopeColumns(columns, scope), ['id']);
  const lookups = mediaIds.length * CANDIDATES_MAX;
  const request = { keyset: BY_ID, page, columns: selected };
  const pages = await listOfEach(inline(db, lookups), 'media', copiesOf(), mediaIds, request);
  const found = new Map<number, RowOf<NodeRow, C>[]>();
  for (const [id, { rows }] of pages) {
    const shown = rows.filter((row) => isInScope(scope, row));
    if (shown.length === 0) continue;
    found.set(id, withActualPaths(scope.moved, shown) as unknown[] as RowOf<NodeRow, C>[]);
  }
  return found;
}

/** Selects the media with the same original as the group's. The literals are those of the index. */
function copiesOf(): RawBuilder<{ id: number }> {
  return sql`(select copy.media_id as id from file copy
    where copy.sha256 = (select sha256 from file own where own.media_id = part.value and own.key = '')
    and copy.key = '' and copy.sha256 is not null and copy.media_id <> part.value
    order by copy.media_id limit ${sql.lit(CANDIDATES_MAX)})`;
}
