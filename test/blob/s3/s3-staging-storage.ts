import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { S3Client } from '../../../src/blob/s3/client.ts';
import { createS3BlobStore } from '../../../src/blob/s3/s3-blob-store.ts';
import { createS3Staging } from '../../../src/blob/s3/s3-staging.ts';
import type { StagedRows } from '../../../src/blob/s3/staged-rows.ts';
import { createStagedRows } from '../../../src/domain/upload/staged-rows.ts';
import type { Db } from '../../../src/store/db.ts';
import type { Storage } from '../staging-contract.ts';

/** Parts that are small enough for tests. */
export const PART_BYTES = 64 * 1024;

/** Runs `work` with a staging area in the bucket of a client and a database. `toRows` may replace the rows. */
export async function withS3Staging<T>(
  client: S3Client,
  db: Db,
  work: (storage: Storage) => Promise<T>,
  toRows: (rows: StagedRows) => StagedRows = (rows) => rows,
): Promise<T> {
  const scratchDirectory = await mkdtemp(join(tmpdir(), 'trivium-staging-'));
  try {
    const blobs = await createS3BlobStore({ client, scratchDirectory });
    const rows = toRows(createStagedRows(db, Date.now));
    const toPartBytes = () => PART_BYTES;
    const options = { client, rows, blobs, scratchDirectory, toPartBytes };
    return await work({ staging: await createS3Staging(options), blobs });
  } finally {
    await rm(scratchDirectory, { recursive: true });
  }
}
