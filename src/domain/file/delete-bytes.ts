import { listKnownFileBlobKeys } from '../../store/file/blob-key.ts';
import { listKnownRenditionBlobKeys } from '../../store/rendition/rendition.ts';
import { listOpenUploadBlobKeys } from '../../store/upload/upload.ts';
import type { Services } from '../context.ts';
import { areBlobsHeld } from './blob-hold.ts';

/** Deletes bytes that no row refers to, whether they are staged or stored. Does nothing if they do not exist. */
export async function deleteBytes(
  { staging, blobs }: Pick<Services, 'staging' | 'blobs'>,
  blobKey: string,
): Promise<void> {
  await staging.discard(blobKey);
  await blobs.delete(blobKey);
}

/**
 * Deletes the blobs that no row refers to; keys without a blob are skipped. Leaves all to the next sweep while a backup
 * runs.
 */
export async function deleteUnnamedBlobs(
  services: Services,
  keys: readonly string[],
): Promise<void> {
  const { db, blobs } = services;
  // Uploads first: the bytes of one that completes between the queries belong to a file by then.
  const named = new Set([
    ...(await listOpenUploadBlobKeys(db, keys)),
    ...(await listKnownRenditionBlobKeys(db, keys)),
    ...(await listKnownFileBlobKeys(db, keys)),
  ]);
  if (await areBlobsHeld(services)) return;
  for (const key of keys) if (!named.has(key)) await blobs.delete(key);
}
