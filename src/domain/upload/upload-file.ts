import { z } from 'zod';
import type { Context } from '../context.ts';
import { DigestMismatchError } from '../error.ts';
import { md5Hex, parseInput } from '../input.ts';
import type { Media } from '../tree/media.ts';
import { findOwnMedia, updateMedia } from '../tree/media-change.ts';
import { authorize } from '../viewer/access.ts';
import { ingest, type StagedFile } from './ingest.ts';
import type { FileType } from './media-type.ts';
import { placementInput, toRequest } from './placement.ts';
import { replaceFile } from './replacement.ts';
import { discardRefused, stageFile } from './staging.ts';

const claim = {
  filename: z.string(),
  declaredType: z.string().nullish(),
  md5: md5Hex.nullish(),
};
const fileInput = placementInput.extend(claim);
const replacementInput = z.object(claim);

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
  const staged = await stageFile(ctx, input.bytes, { filename, declaredType });
  return discardRefused(ctx, staged, async () => {
    checkDigest(staged, md5);
    return ingest(ctx, staged, toRequest(placement, input.allowedTypes));
  });
}

/** A whole file that takes the place of another. */
export interface ReplacementInput extends z.input<typeof replacementInput> {
  bytes: AsyncIterable<Uint8Array>;
}

/**
 * Gives a media that has a file another one, which says what it is from now on. What fails leaves the file as it was.
 * Needs the creator or an admin. Throws as `uploadFile`.
 */
export async function uploadReplacement(
  ctx: Context,
  mediaId: number,
  input: ReplacementInput,
): Promise<Media> {
  // Before the bytes are taken in.
  await findOwnMedia(ctx, mediaId, 'media.update');
  const { filename, declaredType = null, md5 } = parseInput(replacementInput, input);
  const staged = await stageFile(ctx, input.bytes, { filename, declaredType });
  return discardRefused(ctx, staged, async () => {
    checkDigest(staged, md5);
    const replacement = { staged, policy: { type: null } };
    return replaceFile(ctx, mediaId, replacement, (ctx) => updateMedia(ctx, mediaId, {}));
  });
}

function checkDigest({ md5: actual }: StagedFile, expected: string | null | undefined): void {
  if (expected && expected !== actual) throw new DigestMismatchError(expected, actual);
}
