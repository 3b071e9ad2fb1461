import { BlobNotFoundError, type BlobStore } from './blob-store.ts';

/** Throws BlobNotFoundError if there is no blob, and an Error if it has another size. */
export async function requireStored(
  blobs: BlobStore,
  key: string,
  sizeBytes: number,
): Promise<void> {
  const blob = await blobs.stat(key);
  if (blob === null) throw new BlobNotFoundError(key);
  if (blob.sizeBytes === sizeBytes) return;
  throw new Error(`Blob ${key} is stored with ${blob.sizeBytes} bytes, not ${sizeBytes}`);
}
