import { BrokenImageError, ImageTooLargeError } from '../probe.ts';
import {
  type Color,
  dominantColor,
  type RenderedImage,
  type RenderLimits,
  type RenderPlan,
  renderImage,
} from '../render.ts';

/** A rendered image with its most frequent color. */
export interface ColoredImage extends RenderedImage {
  color: Color;
}

/** Renders an image. Throws as `renderImage` does. */
export type Render = (
  path: string,
  plan: RenderPlan,
  limits: RenderLimits,
) => Promise<ColoredImage>;

/** Renders an image in this process. */
export const renderHere: Render = async (path, plan, limits) => {
  const image = await renderImage(path, plan, limits);
  return { ...image, color: await dominantColor(image.bytes) };
};

/** Work for another process. */
export interface Request {
  id: number;
  parameters: Parameters<Render>;
}

/** The answer to the request with the same id. */
export type Answer = { id: number } & ({ image: ColoredImage } | { failure: Failure });

/** An error that crosses the border of a process, which keeps no classes. */
type Failure =
  | { kind: 'broken' | 'other'; message: string }
  | { kind: 'too-large'; pixelsMax: number };

/** Does the work of a request. Never throws. */
export async function answer({ id, parameters }: Request): Promise<Answer> {
  try {
    return { id, image: await renderHere(...parameters) };
  } catch (error) {
    return { id, failure: toFailure(error, parameters) };
  }
}

function toFailure(error: unknown, [, , { pixelsMax }]: Request['parameters']): Failure {
  if (error instanceof ImageTooLargeError) return { kind: 'too-large', pixelsMax };
  const kind = error instanceof BrokenImageError ? 'broken' : 'other';
  return { kind, message: error instanceof Error ? error.message : String(error) };
}

/** Returns the error that the other process has caught. */
export function fromFailure(failure: Failure): Error {
  if (failure.kind === 'too-large') return new ImageTooLargeError(failure.pixelsMax);
  return failure.kind === 'broken'
    ? new BrokenImageError(failure.message)
    : new Error(failure.message);
}
