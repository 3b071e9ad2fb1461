import { countRows, type Keyset, listPage, type PageRequest, type RowPage } from '../cursor.ts';
import type { Db } from '../db.ts';
import { isAnyOf } from '../dialect.ts';
import { inline } from '../inline.ts';
import { unlessBusy } from '../limit.ts';
import { prepared } from '../prepared.ts';
import type { ApiKeyRow, NewApiKeyRow } from '../table.ts';

/** Inserts a key and returns its row. A second one with the same digest is a unique violation. */
export function insertKey(db: Db, key: NewApiKeyRow): Promise<ApiKeyRow> {
  return db.insertInto('api_key').values(key).returningAll().executeTakeFirstOrThrow();
}

const bySha256 = prepared<{ keySha256: string }, ApiKeyRow>({
  isLookup: true,
  keyOf: () => '',
  lookupsOf: () => 1,
  build: (db, _args, slot) =>
    db
      .selectFrom('api_key')
      .where(
        'key_sha256',
        '=',
        slot(({ keySha256 }) => keySha256),
      )
      .selectAll(),
});

/** Returns the key by lower-case hex digest, also if it has expired or has been revoked. */
export async function findKeyBySha256(db: Db, keySha256: string): Promise<ApiKeyRow | undefined> {
  return (await bySha256(db, { keySha256 }))[0];
}

/**
 * Sets the time of the last use, in milliseconds since 1970, unless the database is busy or another request has set it
 * after `before`.
 */
export async function updateKeyUsed(
  db: Db,
  id: number,
  { now, before }: { now: number; before: number },
): Promise<void> {
  await unlessBusy(db, (db) =>
    db
      .updateTable('api_key')
      .set({ last_used_at: now })
      .where('id', '=', id)
      .where((eb) => eb.or([eb('last_used_at', 'is', null), eb('last_used_at', '<=', before)]))
      .execute(),
  );
}

/** The keys that a list shows. */
export interface KeyFilter {
  /** Only keys that this viewer has created. Null: all. */
  createdBy: string | null;
}

/** Returns one page of the keys that have not been revoked. */
export function listKeys(
  db: Db,
  filter: KeyFilter,
  keyset: Keyset,
  page: PageRequest,
): Promise<RowPage<ApiKeyRow>> {
  return listPage(filtered(inline(db, page.limit), filter).selectAll(), keyset, page);
}

/** Returns the number of keys that have not been revoked. */
export function countKeys(db: Db, filter: KeyFilter): Promise<number> {
  return countRows(filtered(db, filter));
}

/** Returns the keys with these ids, unordered, also revoked ones. */
export function listKeysByIds(
  db: Db,
  { createdBy }: KeyFilter,
  ids: readonly number[],
): Promise<ApiKeyRow[]> {
  let query = inline(db, ids.length)
    .selectFrom('api_key')
    .where(isAnyOf(db, 'id', ids));
  if (createdBy !== null) query = query.where('created_by', '=', createdBy);
  return query.selectAll().execute();
}

/** Returns the unrevoked key with this uuid. */
export function findKeyByUuid(db: Db, uuid: string): Promise<ApiKeyRow | undefined> {
  return filtered(inline(db), { createdBy: null })
    .where('uuid', '=', uuid)
    .selectAll()
    .executeTakeFirst();
}

/** Returns the keys with these uuids, unordered, also revoked ones. */
export function listKeysByUuids(db: Db, uuids: readonly string[]): Promise<ApiKeyRow[]> {
  return inline(db, uuids.length)
    .selectFrom('api_key')
    .where(isAnyOf(db, 'uuid', uuids))
    .selectAll()
    .execute();
}

/** Returns the unrevoked keys with this name. */
export function listKeysByName(db: Db, name: string): Promise<ApiKeyRow[]> {
  return filtered(db, { createdBy: null }).where('name', '=', name).selectAll().execute();
}

/** Marks a key as revoked and returns its row; undefined if it does not exist or has been revoked before. */
export function revokeKey(db: Db, id: number, now: number): Promise<ApiKeyRow | undefined> {
  return db
    .updateTable('api_key')
    .set({ revoked_at: now })
    .where('id', '=', id)
    .where('revoked_at', 'is', null)
    .returningAll()
    .executeTakeFirst();
}

/** Revokes the keys that these viewers have created. Returns their number. */
export async function revokeKeysCreatedBy(
  db: Db,
  viewerIds: readonly string[],
  now: number,
): Promise<number> {
  const { numUpdatedRows } = await db
    .updateTable('api_key')
    .set({ revoked_at: now })
    .where(isAnyOf(db, 'created_by', viewerIds))
    .where('revoked_at', 'is', null)
    .executeTakeFirst();
  return Number(numUpdatedRows);
}

/** Returns the keys that these viewers have created, also revoked ones. */
export function listKeysCreatedBy(
  db: Db,
  viewerIds: readonly string[],
): Promise<Pick<ApiKeyRow, 'uuid'>[]> {
  return db
    .selectFrom('api_key')
    .where(isAnyOf(db, 'created_by', viewerIds))
    .select('uuid')
    .execute();
}

function filtered(db: Db, { createdBy }: KeyFilter) {
  const query = db.selectFrom('api_key').where('revoked_at', 'is', null);
  return createdBy === null ? query : query.where('created_by', '=', createdBy);
}
