import { join } from 'node:path';
import { createFileBlobStore } from '../../blob/file-blob-store.ts';
import { createFileStaging } from '../../blob/file-staging.ts';
import type { StoragePlace } from '../../domain/relocation/begin.ts';
import { parseConfig } from '../config.ts';

/** Opens the storage of a library by its URL. Throws ConfigError. */
export async function openStoragePlace(url: string): Promise<StoragePlace> {
  const { blobDir } = parseConfig({ TRIVIUM_STORAGE_URL: url });
  const blobs = await createFileBlobStore({ directory: join(blobDir, 'stored') });
  const staging = await createFileStaging({ directory: join(blobDir, 'staging'), blobs });
  return { name: `file:${blobDir}`, blobs, staging };
}
