import { createHash } from 'node:crypto';
import { z } from 'zod';
import { cleanFilename } from '../lib/filename.ts';
import { authorize } from './access.ts';
import type { Context } from './context.ts';
import { DigestMismatchError, DomainError, InvalidInputError, TooLargeError } from './error.ts';
import { ingest, newBlobKey, type StagedFile } from './ingest.ts';
import { md5Hex, parseInput } from './input.ts';
import type { Media } from './media.ts';
import type { FileType } from './media-type.ts';
import { placementInput, toRequest } from './placement.ts';

const fileInput = placementInput.extend({
  filename: z.string(),
  declaredType: z.string().nullish(),
  md5: md5Hex.nullish(),
});

/** A whole file, and what is to become of it. */
export interface FileInput extends z.input<typeof fileInput> {
  bytes: AsyncIterable<Uint8Array>;
  allowedTypes?: readonly FileType[];
}

/**
 * Makes a media of a file that arrives in one stream. What fails leaves no media, and no bytes for longer
 * than until the sweep. Throws TooLargeError, UnsupportedMediaError, DigestMismatchError,
 * InvalidInputError, NotFoundError.
 */
export async function uploadFile(ctx: Context, input: FileInput): Promise<Media> {
  authorize(ctx, 'upload.write');
  const { filename, declaredType = null, md5, ...placement } = parseInput(fileInput, input);
  const claim = { filename, declaredType };
  const staged = await stageFile(ctx, input.bytes, claim, ctx.settings.fileBytesMax);
  try {
    if (md5 && md5 !== staged.md5) throw new DigestMismatchError(md5, staged.md5);
    return await ingest(ctx, staged, toRequest(placement, input.allowedTypes));
  } catch (error) {
    // After another failure, a lost connection to the database for one, the rows may be there: whether these
    // bytes may go is then for the sweep to say.
    if (error instanceof DomainError) {
      await ctx.blobs.discard(staged.blobKey);
      await ctx.blobs.delete(staged.blobKey);
    }
    throw error;
  }
}

/**
 * Takes the bytes of a whole file into staging, counting and hashing them on the way. On any failure
 * nothing is left. Throws TooLargeError past `limitBytes`, InvalidInputError for an empty file.
 */
async function stageFile(
  ctx: Context,
  source: AsyncIterable<Uint8Array>,
  { filename, declaredType }: { filename: string; declaredType: string | null },
  limitBytes: number,
): Promise<StagedFile> {
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
