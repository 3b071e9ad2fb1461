import type { RenderedImage, RenderPlan } from '../../media/render.ts';
import type { Placeholder } from '../../media/rendition/placeholder.ts';
import type { Context } from '../context.ts';
import { planRendition, planThumbnail, type Source, specOf } from './plan.ts';
import { parseRenditionRequest } from './request.ts';

/** What the server derives from every image. */
export interface DerivedImages {
  thumbnail: RenderedImage;
  /** The image in the sizes of `TRIVIUM_THUMBNAIL_SIZES`, as WebP. Empty for an animation. */
  renditions: DerivedRendition[];
  placeholder: Placeholder;
}

interface DerivedRendition {
  spec: string;
  mimeType: string;
  bytes: Buffer;
}

/** The longest side of a thumbnail, in pixels. */
const THUMBNAIL_SIDE = 320;

/** Longer than for a rendition: no request waits for it, and requests may leave it a tenth of the processor. */
const TIMEOUT_MS = 120_000;

/**
 * Derives the thumbnail, the sizes and the placeholder from the image at `path`, which must be of a decodable type. Decodes
 * it once, in the process of low priority. Throws as `renderSet` does.
 */
export async function deriveImages(
  ctx: Context,
  path: string,
  source: Source,
): Promise<DerivedImages> {
  const sized = planSizes(source, ctx.settings.thumbnailSizes);
  const limits = { pixelsMax: ctx.settings.imagePixelsMax, timeoutMs: TIMEOUT_MS };
  const plans = [planThumbnail(source, THUMBNAIL_SIDE), ...sized];
  const { images, placeholder } = await ctx.observer.render('job', () =>
    ctx.renderer.renderSet(path, plans, limits),
  );
  const [thumbnail, ...others] = images;
  if (!thumbnail) throw new Error('The thumbnail is missing.');
  const renditions = sized.flatMap((plan, index) => {
    const bytes = others[index]?.bytes;
    return bytes ? [{ spec: specOf(plan), mimeType: `image/${plan.format}`, bytes }] : [];
  });
  return { thumbnail, renditions, placeholder };
}

/**
 * Returns the plans of the sizes. They are those of the request that a page sends for a width in a `srcset`, so that it finds
 * them. Leaves out widths beyond that of the image, and those at which it would be too high for a rendition.
 */
function planSizes(source: Source, widths: readonly number[]): RenderPlan[] {
  return widths.flatMap((width) => {
    const request = parseRenditionRequest({ width: String(width), format: 'webp' });
    if (request === null || width > source.width) return [];
    const plan = planRendition(request, source);
    return plan?.scaled.width === width ? [plan] : [];
  });
}
