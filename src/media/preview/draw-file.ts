import type { RenderedImage } from '../render.ts';
import type { DrawLimits, PreviewDecoder } from './decoder.ts';
import { toPreview } from './image.ts';

/** The preview of a file: a WebP, and what its decoder has found out. */
export interface Preview extends RenderedImage {
  /** Number of pages of the file; absent: it has none, or they were not counted. */
  pageCount?: number;
}

/** Draws a file in this process. Throws PreviewError, and the errors of the decoder. */
export async function drawFile(
  decoders: readonly PreviewDecoder[],
  name: string,
  path: string,
  limits: DrawLimits,
): Promise<Preview> {
  const decoder = decoders.find((one) => one.name === name);
  if (decoder === undefined) throw new Error(`There is no decoder ${name}.`);
  const signal = AbortSignal.timeout(limits.timeoutMs);
  const { image, pageCount } = await decoder.draw(path, limits, signal);
  return { ...(await toPreview(image, limits)), ...(pageCount !== undefined && { pageCount }) };
}
