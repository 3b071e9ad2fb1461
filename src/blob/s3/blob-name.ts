import { isBlobKey, requireBlobKey } from '../blob-key.ts';
import type { BlobEntry } from '../blob-store.ts';
import type { S3Client } from './client.ts';
import { isS3Error } from './error.ts';
import type { S3Upload } from './multipart.ts';

/** What the names of all blobs begin with. */
export const STORED = 'stored/';

/** Returns the name of a blob's object. The order of the names is that of the keys. Throws for what is no key. */
export function blobNameOf(key: string): string {
  return `${STORED}${requireBlobKey(key).slice(0, 2)}/${key.slice(2, 4)}/${key}`;
}

/** Lists blobs, and the multipart uploads of interrupted calls of `put`, as of `BlobStore.list`. */
export async function* listBlobs(client: S3Client): AsyncGenerator<BlobEntry> {
  const uploads = client.listUploads(STORED)[Symbol.asyncIterator]();
  let upload = await uploads.next();
  let lastKey = '';
  for await (const { name, sizeBytes, modifiedAt } of client.list(STORED)) {
    const key = keyOf(name);
    if (key === null) continue;
    for (; !upload.done && upload.value.name <= name; upload = await uploads.next()) {
      const entry = upload.value.name === name ? null : await toEntry(client, upload.value);
      if (entry === null || entry.key === lastKey) continue;
      lastKey = entry.key;
      yield entry;
    }
    yield { key, sizeBytes, modifiedAt };
    lastKey = key;
  }
  for (; !upload.done; upload = await uploads.next()) {
    const entry = await toEntry(client, upload.value);
    if (entry === null || entry.key === lastKey) continue;
    lastKey = entry.key;
    yield entry;
  }
}

/** Returns the entry of an upload that is open; null if it has ended meanwhile. */
async function toEntry(client: S3Client, upload: S3Upload): Promise<BlobEntry | null> {
  const key = keyOf(upload.name);
  if (key === null) return null;
  const entry = { key, sizeBytes: 0, modifiedAt: upload.startedAt };
  try {
    for await (const part of client.listParts(upload)) {
      entry.sizeBytes += part.sizeBytes;
      if (part.modifiedAt > entry.modifiedAt) entry.modifiedAt = part.modifiedAt;
    }
  } catch (error) {
    if (isS3Error(error, 'NoSuchUpload')) return null;
    throw error;
  }
  return entry;
}

function keyOf(name: string): string | null {
  const key = name.slice(name.lastIndexOf('/') + 1);
  return isBlobKey(key) && blobNameOf(key) === name ? key : null;
}
