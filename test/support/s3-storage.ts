import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BlobStore } from '../../src/blob/blob-store.ts';
import type { S3Client } from '../../src/blob/s3/client.ts';
import { createS3BlobStore } from '../../src/blob/s3/s3-blob-store.ts';
import { withS3Client } from './s3-client.ts';
import type { S3Server, S3ServerOptions } from './s3-server.ts';

/** A blob store on a test server of its own. */
export interface S3Storage {
  blobs: BlobStore;
  client: S3Client;
  server: S3Server;
  /** Directory of temporary files. */
  scratch: string;
}

/** Runs `work` with a blob store of a client, and with a directory of its own. */
export async function withS3Blobs<T>(
  client: S3Client,
  work: (blobs: BlobStore, scratch: string) => Promise<T>,
): Promise<T> {
  const scratch = await mkdtemp(join(tmpdir(), 'trivium-scratch-'));
  try {
    return await work(await createS3BlobStore({ client, scratchDirectory: scratch }), scratch);
  } finally {
    await rm(scratch, { recursive: true });
  }
}

/** Runs `work` with a blob store on a test server of its own. */
export async function withS3Storage<T>(
  work: (storage: S3Storage) => Promise<T>,
  options: S3ServerOptions = {},
): Promise<T> {
  return await withS3Client(
    (client, server) =>
      withS3Blobs(client, (blobs, scratch) => work({ blobs, client, server, scratch })),
    options,
  );
}
