import { z } from 'zod';
import { authorize } from './access.ts';
import type { Context } from './context.ts';
import { DigestMismatchError } from './error.ts';
import { ingest } from './ingest.ts';
import { md5Hex, parseInput } from './input.ts';
import type { Media } from './media.ts';
import type { FileType } from './media-type.ts';
import { placementInput, toRequest } from './placement.ts';
import { discardRefused, stageFile } from './staging.ts';

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
  const staged = await stageFile(ctx, input.bytes, { filename, declaredType });
  return discardRefused(ctx, staged, async () => {
    if (md5 && md5 !== staged.md5) throw new DigestMismatchError(md5, staged.md5);
    return ingest(ctx, staged, toRequest(placement, input.allowedTypes));
  });
}
