import { loadSharp } from '../decode-memory.ts';
import {
  type Pixels,
  type RenderedImage,
  type RenderLimits,
  type RenderPlan,
  renderPixels,
} from '../render.ts';
import { type Placeholder, toPlaceholder } from './placeholder.ts';

/** Renditions of one image, and its placeholder. */
export interface ImageSet {
  /** One for each plan, in the same order. Null: the plan keeps an animation moving, and the image is one. */
  images: (RenderedImage | null)[];
  placeholder: Placeholder;
}

/**
 * Renders the image at `path` in several sizes, and computes its placeholder, all from one decoding: the largest rendition
 * is scaled down to the others. The plans are of the whole image, and there is at least one. Throws as `renderImage` does.
 */
export type RenderSet = (
  path: string,
  plans: readonly RenderPlan[],
  limits: RenderLimits,
) => Promise<ImageSet>;

/** Does so in this process. */
export const renderSet: RenderSet = async (path, plans, limits) => {
  const [largest] = plans.toSorted((a, b) => area(b) - area(a));
  if (largest === undefined || plans.some(isPart)) {
    throw new Error('Expected plans of the whole image, and at least one.');
  }
  const pixels = await renderPixels(path, largest, limits);
  const images: ImageSet['images'] = [];
  // One after the other, which takes the memory of one.
  for (const plan of plans) {
    const same = plans.slice(0, images.length).findIndex((other) => isSame(other, plan));
    const known = same === -1 ? null : images[same];
    const isLost = pixels.isAnimated && plan.mayMove;
    images.push(isLost ? null : (known ?? (await scaleDown(pixels, plan))));
  }
  return { images, placeholder: await toPlaceholder(pixels) };
};

function area({ scaled }: RenderPlan): number {
  return scaled.width * scaled.height;
}

function isPart({ crop, window, canvas, background }: RenderPlan): boolean {
  return [crop, window, canvas, background].some((part) => part !== null);
}

/** Tells whether two plans have the same result for a still image. */
function isSame(one: RenderPlan, other: RenderPlan): boolean {
  return (
    one.scaled.width === other.scaled.width &&
    one.scaled.height === other.scaled.height &&
    one.format === other.format &&
    one.quality === other.quality
  );
}

async function scaleDown(
  { bytes, width, height, channels }: Pixels,
  { scaled, format, quality }: RenderPlan,
): Promise<RenderedImage> {
  const sharp = await loadSharp();
  const { data, info } = await sharp(bytes, { raw: { width, height, channels } })
    .resize(scaled.width, scaled.height, { fit: 'fill' })
    .toFormat(format, quality === null ? {} : { quality })
    .toBuffer({ resolveWithObject: true });
  return { bytes: data, width: info.width, height: info.height };
}
