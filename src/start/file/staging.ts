import { join } from 'node:path';
import type { BlobStore } from '../../blob/blob-store.ts';
import { createFileStaging } from '../../blob/file-staging.ts';
import type { OnWritten } from '../../blob/file-write.ts';
import type { Staging } from '../../blob/staging.ts';
import { createStagedRows } from '../../domain/upload/staged-rows.ts';
import type { Db } from '../../store/db.ts';
import { dialectOf } from '../../store/dialect.ts';
import type { OpenedBlobs } from './storage.ts';
import type { Storage } from './storage-setting.ts';

/** What staged bytes belong to. */
export interface StagingParts {
  /** Null: a SQLite database, which holds no staged bytes. */
  db: Db | null;
  storage: Storage;
  client: OpenedBlobs['client'];
  blobs: BlobStore;
  onWritten?: OnWritten;
}

/**
 * Opens the staged bytes: in the bucket and the database if both serve many machines, otherwise in files, beside the
 * blobs if those are files.
 */
export async function openStaging({
  db,
  storage: { directory },
  client,
  blobs,
  onWritten,
}: StagingParts): Promise<Staging> {
  if (client === null || db === null || dialectOf(db) !== 'postgres') {
    const options = { directory: join(directory, 'staging'), blobs };
    return createFileStaging({ ...options, ...(onWritten && { onWritten }) });
  }
  const { createS3Staging } = await import('../../blob/s3/s3-staging.ts');
  const rows = createStagedRows(db, Date.now);
  const scratchDirectory = join(directory, 'scratch');
  const options = { client, rows, blobs, scratchDirectory };
  return createS3Staging({ ...options, ...(onWritten && { onPiece: onWritten }) });
}
