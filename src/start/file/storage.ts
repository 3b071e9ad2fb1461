import { join } from 'node:path';
import type { BlobStore } from '../../blob/blob-store.ts';
import { StorageError } from '../../blob/failure.ts';
import { createFileBlobStore } from '../../blob/file-blob-store.ts';
import type { OnWritten } from '../../blob/file-write.ts';
import type { S3Client } from '../../blob/s3/client.ts';
import { S3Error } from '../../blob/s3/error.ts';
import type { S3Location } from '../../blob/s3/location.ts';
import type { Log } from '../../domain/context.ts';
import { StartError } from '../start-error.ts';
import { createAwsCredentials, regionOfProfile } from './aws-profile.ts';
import type { S3Storage, Storage } from './storage-setting.ts';

/** Blobs, and how to end their use. */
export interface OpenedBlobs {
  blobs: BlobStore;
  /** Null: the blobs are files. */
  client: S3Client | null;
  close(): Promise<void>;
}

/**
 * Opens the blobs. Throws StartError if the bucket refuses the server. If the bucket cannot be reached, logs a warning:
 * it may be there a moment later, and the readiness check says so until then.
 */
export async function openBlobs(
  storage: Storage,
  log: Pick<Log, 'warn'>,
  onWritten?: OnWritten,
): Promise<OpenedBlobs> {
  if (storage.type === 'file') {
    const directory = join(storage.directory, 'stored');
    const blobs = await createFileBlobStore({ directory, ...(onWritten && { onWritten }) });
    return { blobs, client: null, close: async () => undefined };
  }
  // Loaded when it is needed: it brings a client of HTTP and a parser.
  const { createS3Client } = await import('../../blob/s3/client.ts');
  const { createS3BlobStore } = await import('../../blob/s3/s3-blob-store.ts');
  const client = createS3Client({
    location: await locationOf(storage),
    credentials: createAwsCredentials(storage.aws),
  });
  try {
    await requireBucket(client, storage, log);
    const scratchDirectory = join(storage.directory, 'scratch');
    const blobs = await createS3BlobStore({ client, scratchDirectory });
    return { blobs, client, close: client.close };
  } catch (error) {
    await client.close();
    throw error;
  }
}

async function locationOf(storage: S3Storage): Promise<S3Location> {
  const { bucket, prefix, endpoint, aws } = storage;
  const region = storage.region ?? (await regionOfProfile(aws)) ?? 'us-east-1';
  const suffix = region.startsWith('cn-') ? '.cn' : '';
  return {
    bucket,
    prefix,
    endpoint: endpoint ?? `https://s3.${region}.amazonaws.com${suffix}`,
    region,
    // The certificate of AWS covers one label only.
    isPathStyle: storage.isPathStyle ?? (endpoint !== null || bucket.includes('.')),
  };
}

async function requireBucket(
  client: S3Client,
  { bucket }: S3Storage,
  log: Pick<Log, 'warn'>,
): Promise<void> {
  try {
    // Asks for a listing, because an absent bucket looks like an absent object in other requests.
    for await (const _ of client.list('stored/0000/')) break;
  } catch (error) {
    if (error instanceof S3Error && error.isPassing) {
      log.warn({ bucket, err: error }, 'the bucket cannot be reached');
      return;
    }
    if (!(error instanceof StorageError)) throw error;
    throw new StartError(
      `The bucket ${bucket} cannot be used (TRIVIUM_STORAGE_URL): ${error.message}`,
      { cause: error },
    );
  }
}
