import { sql } from 'kysely';
import { spellingsOf } from '../../lib/name.ts';
import { parseUuid } from '../../lib/uuid.ts';
import type { Db } from '../db.ts';
import { isAnyOf } from '../dialect.ts';
import { inline } from '../inline.ts';
import { findInScope, type Scope } from '../scope.ts';
import { preparedNodes } from './by-id.ts';

const byId = preparedNodes((db, ids) => mediaRows(db).where(isAnyOf(db, 'id', ids)));

/** Returns the media item; undefined for a folder. */
export const findMediaById = byId.find;

/** Returns the media item; undefined for a folder. Uuids are stored in lower case, and found in any. */
export function findMediaByUuid(db: Db, scope: Scope, uuid: string) {
  return findInScope(medias(db).where('uuid', '=', uuid.toLowerCase()), scope);
}

/**
 * Returns the media item by the Importer's name for its group of files, in any spelling. Each is also found by its uuid.
 * A name that is a UUID, such as a job's, is found in upper case as well.
 */
export async function findMediaByResource(db: Db, scope: Scope, resource: string) {
  const names = new Set([...spellingsOf(resource), parseUuid(resource) ?? resource]);
  for (const name of names) {
    const named = medias(db).where((eb) => eb(eb.fn.coalesce('resource', 'uuid'), '=', name));
    const found = await findInScope(named, scope);
    if (found !== undefined) return found;
  }
  return findMediaByUuid(db, scope, resource);
}

/** Returns the media that exist, unordered. */
export const listMediasByIds = byId.list;

/** Deletes media, or folders, with the rows of their files. The bytes are left to the caller. */
export async function deleteNodes(db: Db, ids: readonly number[]): Promise<void> {
  await db
    .deleteFrom('file')
    .where(isAnyOf(db, 'media_id', ids))
    .execute();
  await db
    .deleteFrom('media')
    .where(isAnyOf(db, 'id', ids))
    .execute();
}

function medias(db: Db) {
  return mediaRows(inline(db)).selectAll();
}

function mediaRows(db: Db) {
  return db.selectFrom('media').where('type', '!=', sql.lit('folder'));
}
