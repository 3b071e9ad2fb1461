import type { Db } from '../db.ts';
import { findBy } from '../inline.ts';
import { unlessBusy } from '../limit.ts';
import type { ApiKeyRow, NewApiKeyRow } from '../table.ts';

/** Inserts a key. A second one with the same digest is a unique violation. */
export async function insertKey(db: Db, key: NewApiKeyRow): Promise<void> {
  await db.insertInto('api_key').values(key).execute();
}

/** Returns the key by lower-case hex digest, also if it has expired. */
export function findKeyBySha256(db: Db, keySha256: string): Promise<ApiKeyRow | undefined> {
  return findBy(db, 'api_key', 'key_sha256', keySha256);
}

/** Sets the time of the last use, in milliseconds since 1970, unless the database is busy. */
export async function updateKeyUsed(db: Db, id: number, now: number): Promise<void> {
  await unlessBusy(db, (db) =>
    db.updateTable('api_key').set({ last_used_at: now }).where('id', '=', id).execute(),
  );
}
