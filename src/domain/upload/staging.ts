import { createHash } from 'node:crypto';
import { cleanFilename } from '../../lib/filename.ts';
import type { Context } from '../context.ts';
import { DomainError, InvalidInputError, TooLargeError } from '../error.ts';
import { newBlobKey } from '../file/blob-key.ts';
import { authorize } from '../viewer/access.ts';
import type { StagedFile } from './ingest.ts';

/** What a request says of a file. */
export interface FileClaim {
  filename: string;
  declaredType: string | null;
}

/**
 * Takes the bytes of a whole file into staging, counting and hashing them on the way. On any failure
 * nothing is left. Throws TooLargeError, InvalidInputError for an empty file.
 */
export async function stageFile(
  ctx: Context,
  source: AsyncIterable<Uint8Array>,
  { filename, declaredType }: FileClaim,
): Promise<StagedFile> {
  authorize(ctx, 'upload.write');
  const limitBytes = ctx.settings.fileBytesMax;
  const blobKey = newBlobKey();
  const md5 = createHash('md5');
  const sha256 = createHash('sha256');
  let sizeBytes = 0;
  async function* counted() {
    for await (const bytes of source) {
      sizeBytes += bytes.length;
      if (sizeBytes > limitBytes) throw new TooLargeError(limitBytes);
      md5.update(bytes);
      sha256.update(bytes);
      yield bytes;
    }
    if (sizeBytes === 0) throw InvalidInputError.of('file', 'EMPTY', 'The file is empty.');
  }
  try {
    await ctx.blobs.append(blobKey, 0, counted());
  } catch (error) {
    await ctx.blobs.discard(blobKey);
    throw error;
  }
  const digests = { md5: md5.digest('hex'), sha256: sha256.digest('hex') };
  return { blobKey, sizeBytes, ...digests, filename: cleanFilename(filename), declaredType };
}

/** The same bytes under a name that was not known when they arrived. */
export function renamed(staged: StagedFile, filename: string): StagedFile {
  return { ...staged, filename: cleanFilename(filename) };
}

/** What work makes of staged bytes, which go when it refuses them. */
export async function discardRefused<T>(
  ctx: Context,
  staged: StagedFile,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    // After another failure, a lost connection to the database for one, the rows may be there: whether these
    // bytes may go is then for the sweep to say.
    if (error instanceof DomainError) await discardStaged(ctx, staged);
    throw error;
  }
}

/** Removes bytes that no row names, moved into place or not. */
export async function discardStaged(
  { blobs }: Context,
  { blobKey }: Pick<StagedFile, 'blobKey'>,
): Promise<void> {
  await blobs.discard(blobKey);
  await blobs.delete(blobKey);
}
