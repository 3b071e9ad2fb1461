import type { SelectQueryBuilder } from 'kysely';
import type { Db } from '../db.ts';
import { isAnyOf, lockRows } from '../dialect.ts';
import { inline } from '../inline.ts';
import { blobKeysOf } from '../result.ts';
import { inScope, type Scope } from '../scope.ts';
import type { Database, FileRow } from '../table.ts';
import { filesInScope } from './file.ts';
import { versionsInScope } from './version.ts';

/**
 * Returns those of the given blob keys that a file or a version of one refers to. In one statement, because a replaced
 * file becomes a version, and a version that is restored becomes the file.
 */
export function listKnownFileBlobKeys(
  db: Db,
  scope: Scope,
  keys: readonly string[],
): Promise<string[]> {
  const executor = inline(db, keys.length);
  return blobKeysOf(
    filesInScope(executor, scope)
      .where(isAnyOf(db, 'blob_key', keys))
      .select('blob_key')
      .unionAll(
        versionsInScope(executor, scope)
          .where(isAnyOf(db, 'blob_key', keys))
          .select('blob_key'),
      ),
  );
}

/** A range of blob keys: `after` is not part of it, `upTo` is; without `upTo` it has no end. */
export interface BlobKeyRange {
  after: string;
  upTo: string | null;
}

/** A file, or a version of one, whose bytes must be stored. */
export type StoredFile = Pick<FileRow, 'uuid' | 'blob_key' | 'size_bytes' | 'updated_at'>;

/**
 * Lists the first `limit` files, and versions of files, whose blob keys are in a range, in the order of the keys. In one
 * statement, as `listKnownFileBlobKeys`.
 */
export function listFilesByBlobKey(
  db: Db,
  scope: Scope,
  range: BlobKeyRange,
  limit: number,
): Promise<StoredFile[]> {
  const executor = inline(db, 2 * limit);
  const files = firstIn(filesInScope(executor, scope), range, limit).select('updated_at');
  // A query over versions has the columns that this one needs, as one over files does.
  const stored = versionsInScope(executor, scope) as unknown as ReturnType<typeof filesInScope>;
  const versions = firstIn(stored, range, limit).select(
    'replaced_at as updated_at' as 'updated_at',
  );
  return executor
    .selectFrom(files.as('files'))
    .selectAll()
    .unionAll(executor.selectFrom(versions.as('versions')).selectAll())
    .orderBy('blob_key')
    .limit(limit)
    .execute();
}

function firstIn(
  files: ReturnType<typeof filesInScope>,
  { after, upTo }: BlobKeyRange,
  limit: number,
) {
  const all = files.where('blob_key', '>', after);
  return (upTo === null ? all : all.where('blob_key', '<=', upTo))
    .orderBy('blob_key')
    .limit(limit)
    .select(['uuid', 'blob_key', 'size_bytes']);
}

/**
 * Returns the blob keys of the files of these media, those of variants and renditions included; `deleteVersionsAndAddresses`
 * returns those of versions. Until the end of the transaction, no other transaction can add bytes to them.
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
