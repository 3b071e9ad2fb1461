import type { Context } from '../context.ts';
import { type File, originalAmong } from '../file/file.ts';

import { PREVIEW } from './derived-file.ts';
import { toSource } from './plan.ts';

export type { DecoderState } from '../../media/preview/catalog.ts';

/** Returns the file to show for a media item: the original, if the server can render it, else its preview. */
export function picturedAmong(files: readonly File[] | undefined): File | null {
  const original = originalAmong(files);
  if (original === null || toSource(original) !== null) return original;
  const preview = files?.find(({ key }) => key === PREVIEW);
  return preview !== undefined && toSource(preview) !== null ? preview : null;
}

/**
 * Returns why a media item with these files has no preview; null if it has one, or may get one. `failure`: why the last
 * attempt to draw it failed.
 */
export function previewErrorOf(
  { decoders }: Context,
  failure: string | null,
  files: readonly File[] | undefined,
): string | null {
  const original = originalAmong(files);
  if (original === null || picturedAmong(files) !== null) return null;
  return failure ?? decoders.reasonOf(original.mimeType);
}
