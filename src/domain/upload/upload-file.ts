import { z } from 'zod';
import type { Context } from '../context.ts';
import { md5Hex, parseInput } from '../input.ts';
import type { Media } from '../tree/media.ts';
import { findOwnMedia, updateMedia } from '../tree/media-change.ts';
import { authorize } from '../viewer/access.ts';
import { checkQuota } from '../viewer/quota.ts';
import { take } from './door.ts';
import { checkNamed, intoMedia } from './named-media.ts';
import { newMediaInput } from './new-media.ts';
import { intoOriginal } from './original.ts';
import type { FileType } from './policy.ts';
import { stageFile } from './staging.ts';

const declaredFile = {
  filename: z.string(),
  declaredType: z.string().nullish(),
  md5: md5Hex.nullish(),
};
const fileInput = newMediaInput.extend(declaredFile);
const replacementInput = z.object(declaredFile);

/** A whole file, and the media item to create from it. */
export interface FileInput extends z.input<typeof fileInput> {
  bytes: AsyncIterable<Uint8Array>;
  /** Types that the dialect supports. (Default: all that hold a file) */
  allowedTypes?: readonly FileType[];
}

/**
 * Creates a media item from a file that arrives in one stream. A failure leaves no media item, and no bytes for longer
 * than until the next sweep. With the `resource` of a media item that exists, adds the file to it. Throws TooLargeError,
 * UnsupportedMediaError, DigestMismatchError, InvalidInputError, NotFoundError, ConflictError ALREADY_EXISTS.
 */
export async function uploadFile(ctx: Context, input: FileInput): Promise<Media> {
  authorize(ctx, 'upload.write');
  const { filename, declaredType = null, md5, ...media } = parseInput(fileInput, input);
  // Before the bytes are received.
  await checkNamed(ctx, media);
  await checkQuota(ctx, { items: 1 });
  const staged = await stageFile(ctx, input.bytes, { filename, declaredType }, { md5 });
  return take(ctx, [staged], intoMedia(media, input));
}

/** A whole file that replaces the original of a media item. */
export interface ReplacementInput extends z.input<typeof replacementInput> {
  bytes: AsyncIterable<Uint8Array>;
}

/**
 * Replaces the original of a media item, whose type then follows the new content. A failure leaves the old file as it
 * was. Needs the creator or an admin. Throws the errors of `uploadFile`.
 */
export async function replaceFile(
  ctx: Context,
  mediaId: number,
  input: ReplacementInput,
): Promise<Media> {
  // Before the bytes are received.
  await findOwnMedia(ctx, mediaId, 'media.update');
  const { filename, declaredType = null, md5 } = parseInput(replacementInput, input);
  const staged = await stageFile(ctx, input.bytes, { filename, declaredType }, { md5 });
  const touch = (ctx: Context) => updateMedia(ctx, mediaId, {});
  return take(ctx, [staged], intoOriginal(mediaId, { type: null }, touch));
}
