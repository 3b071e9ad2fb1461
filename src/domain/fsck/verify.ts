import { BlobNotFoundError } from '../../blob/blob-store.ts';
import { type BlobReference, findBlobReference } from '../../store/fsck/blob-reference.ts';
import type { Services } from '../context.ts';
import { readDigests } from '../file/read-digests.ts';

/** What can be wrong with stored bytes. */
export type Flaw = 'missing' | 'wrong-size' | 'wrong-digest' | 'unreadable';

/** Options of `verifyBytes`. */
export interface VerifyOptions {
  /** Whether the bytes are read and their digests compared. Otherwise only their size is. */
  withDigests: boolean;
  /** Ends the reading early. */
  signal?: AbortSignal | undefined;
  /** Called after each piece of the bytes with the time that it took. (Default: does not wait) */
  rest?: ((tookMs: number) => Promise<unknown>) | undefined;
}

/**
 * Compares stored bytes with a row that refers to them. Returns what is wrong; null: nothing, or the row has been deleted
 * or refers to other bytes by now. A flaw is looked at twice, the second time before the row is read again: a row is
 * written after its bytes and deleted before them, so a row that is there before and after has lost its bytes.
 */
export async function verifyBytes(
  services: Pick<Services, 'db' | 'blobs'>,
  reference: BlobReference,
  options: VerifyOptions,
): Promise<Flaw | null> {
  if ((await look(services, reference, options)) === null) return null;
  const flaw = await look(services, reference, options);
  if (flaw === null) return null;
  return (await findBlobReference(services.db, reference)) === undefined ? null : flaw;
}

async function look(
  { blobs }: Pick<Services, 'blobs'>,
  reference: BlobReference,
  options: VerifyOptions,
): Promise<Flaw | null> {
  const { blobKey, sizeBytes } = reference;
  if (options.withDigests) return lookInside({ blobs }, reference, options);
  const found = await blobs.stat(blobKey);
  if (found === null) return 'missing';
  return found.sizeBytes === sizeBytes ? null : 'wrong-size';
}

async function lookInside(
  services: Pick<Services, 'blobs'>,
  { blobKey, sizeBytes, md5, sha256 }: BlobReference,
  options: VerifyOptions,
): Promise<Flaw | null> {
  try {
    const found = await readDigests(services, blobKey, options);
    if (found.sizeBytes !== sizeBytes) return 'wrong-size';
    return found.md5 === md5 && (sha256 === null || found.sha256 === sha256)
      ? null
      : 'wrong-digest';
  } catch (error) {
    if (error instanceof BlobNotFoundError) return 'missing';
    // The disk reports a bad sector.
    if (error instanceof Error && 'code' in error && error.code === 'EIO') return 'unreadable';
    throw error;
  }
}
