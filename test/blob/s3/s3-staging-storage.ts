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

interface Parts {
  client: S3Client;
  db: Db;
  /** Replaces the client, or the rows. (Default: they stay) */
  wrap?: <T extends S3Client | StagedRows>(part: T) => T;
}

/** Runs `work` with a staging area in the bucket of a client and a database. */
export async function withS3Staging<T>(
  { client, db, wrap = (part) => part }: Parts,
  work: (storage: Storage) => Promise<T>,
): Promise<T> {
  const scratchDirectory = await mkdtemp(join(tmpdir(), 'trivium-staging-'));
  try {
    const own = wrap(client);
    const blobs = await createS3BlobStore({ client: own, scratchDirectory });
    const staging = await createS3Staging({
      client: own,
      rows: wrap(createStagedRows(db, Date.now)),
      blobs,
      scratchDirectory,
      toPartBytes: () => PART_BYTES,
    });
    return await work({ staging, blobs });
  } finally {
    await rm(scratchDirectory, { recursive: true });
  }
}

/** What changes something in the bucket or the database. */
const STEPS = [
  'createUpload',
  'uploadPart',
  'completeUpload',
  'abortUpload',
  'put',
  'delete',
  'save',
  'remove',
];

/** Returns wrappers of a process that dies at one of its steps: from then on it does nothing any more. */
export function dyingAt(step: number, when: 'before' | 'after') {
  let count = 0;
  const die = () => {
    throw new Error('This process is dead');
  };
  const wrap = <T extends S3Client | StagedRows>(part: T): T =>
    new Proxy(part, {
      get(target, name, receiver) {
        const value = Reflect.get(target, name, receiver);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]) => {
          if (count >= step) die();
          if (!STEPS.includes(String(name))) return value.apply(target, args);
          count++;
          if (count === step && when === 'before') die();
          const done = value.apply(target, args);
          return count === step ? Promise.resolve(done).then(die) : done;
        };
      },
    });
  return { wrap, hasDied: () => count >= step };
}
