import type { SelectQueryBuilder } from 'kysely';
import type { Db } from '../db.ts';
import { isAnyOf, lockRows } from '../dialect.ts';
import { inline } from '../inline.ts';
import { blobKeysOf } from '../result.ts';
import { inScope, type Scope } from '../scope.ts';
import type { Database } from '../table.ts';
import { filesInScope } from './file.ts';

/** Returns those of the given blob keys that a file row refers to. */
export function listKnownFileBlobKeys(
  db: Db,
  scope: Scope,
  keys: readonly string[],
): Promise<string[]> {
  return blobKeysOf(
    filesInScope(inline(db, keys.length), scope)
      .where(isAnyOf(db, 'blob_key', keys))
      .select('blob_key'),
  );
}

/**
 * Returns the blob keys of these media, those of variants and renditions included. Until the end of the transaction, no
 * other transaction can add bytes to them.
 */
export function listBlobKeysByMediaIds(
  db: Db,
  scope: Scope,
  mediaIds: readonly number[],
): Promise<string[]> {
  const medias = db.selectFrom('media').where(isAnyOf(db, 'media.id', mediaIds));
  return lockedBlobKeys(db, inScope(db, medias, scope).select('media.id'));
}

async function lockedBlobKeys(
  db: Db,
  medias: SelectQueryBuilder<Database, 'media', { id: number }>,
): Promise<string[]> {
  await lockRows(db, medias.orderBy('id'));
  const renditions = db
    .selectFrom('rendition')
    .innerJoin('file', 'file.id', 'rendition.file_id')
    .where('file.media_id', 'in', medias)
    .select('rendition.blob_key');
  return blobKeysOf(
    db.selectFrom('file').where('media_id', 'in', medias).select('blob_key').unionAll(renditions),
  );
}
