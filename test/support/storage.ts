import { basename, join } from 'node:path';
import { inject } from 'vitest';
import type { BlobStore } from '../../src/blob/blob-store.ts';
import { createFileBlobStore } from '../../src/blob/file-blob-store.ts';
import { createFileStaging } from '../../src/blob/file-staging.ts';
import { type CachedBlobStore, withMemory } from '../../src/blob/memory.ts';
import type { Staging } from '../../src/blob/staging.ts';
import { openStaging } from '../../src/start/file/staging.ts';
import { openBlobs } from '../../src/start/file/storage.ts';
import { STORAGE_VARIABLES, toStorage } from '../../src/start/file/storage-setting.ts';
import type { Db } from '../../src/store/db.ts';

/** The variables of the bucket in which this run of the tests stores files; null: in directories. */
const bucket = inject('bucket');

/** Blobs and staged bytes of a test. `stored`: the blobs without a memory. */
export interface TestStorage {
  stored: BlobStore;
  blobs: CachedBlobStore;
  staging: Staging;
}

/**
 * Returns the variables with which a server stores its files where this run of the tests stores them: in the data
 * directory, or below a prefix of the bucket that has the directory's name.
 */
export function storageVariables(dataDir: string): Record<string, string> {
  if (bucket === null) return {};
  const url = new URL(bucket.TRIVIUM_STORAGE_URL ?? '');
  url.pathname = join('/', url.pathname, basename(dataDir));
  return { ...bucket, TRIVIUM_STORAGE_URL: url.href };
}

/** Returns the same for variables that name a data directory; nothing if they name none. */
export function storageVariablesOf(variables: Readonly<Record<string, string | undefined>>) {
  const { TRIVIUM_DATA_DIR: dataDir } = variables;
  return dataDir === undefined ? {} : storageVariables(dataDir);
}

/** Runs `work` with blobs and staged bytes beside a database, in `stored` and `staging` of a directory or in the bucket. */
export async function withStorage<T>(
  { db, directory }: { db: Db; directory: string },
  work: (storage: TestStorage) => Promise<T>,
): Promise<T> {
  if (bucket !== null) return withBucket(directory, (opened) => workInBucket(opened, db, work));
  const stored = await createFileBlobStore({ directory: join(directory, 'stored') });
  const blobs = withMemory(stored);
  const staging = await createFileStaging({ directory: join(directory, 'staging'), blobs });
  return work({ stored, blobs, staging }).finally(() => staging.close());
}

/** Deletes what servers of a data directory have stored in the bucket. */
export async function emptyStorage(dataDir: string): Promise<void> {
  if (bucket !== null) await withBucket(dataDir, async () => undefined);
}

type Opened = Awaited<ReturnType<typeof open>>;

async function workInBucket<T>(
  { storage, blobs: stored, client }: Opened,
  db: Db,
  work: (storage: TestStorage) => Promise<T>,
): Promise<T> {
  const blobs = withMemory(stored);
  const onWritten = () => undefined;
  const staging = await openStaging({ db, storage, client, blobs, onWritten });
  return work({ stored, blobs, staging }).finally(() => staging.close());
}

/** Runs `work` with the prefix of a directory, then deletes all objects and uploads below it. */
async function withBucket<T>(directory: string, work: (opened: Opened) => Promise<T>): Promise<T> {
  const opened = await open(directory);
  const { client } = opened;
  try {
    return await work(opened);
  } finally {
    const names = await Array.fromAsync(client!.list(''), ({ name }) => name);
    await client!.delete(names);
    for await (const upload of client!.listUploads('')) await client!.abortUpload(upload);
    await opened.close();
  }
}

async function open(directory: string) {
  const { TRIVIUM_STORAGE_URL, ...env } = storageVariables(directory);
  const redirect = STORAGE_VARIABLES.TRIVIUM_STORAGE_REDIRECT[0].parse(undefined);
  const values = { TRIVIUM_STORAGE_URL, TRIVIUM_STORAGE_REDIRECT: redirect };
  const { storage } = toStorage(values, directory, env);
  return { storage, ...(await openBlobs(storage, console)) };
}
