import type { Size } from '../../media/render.ts';
import { SIDE_MAX } from './geometry.ts';
import type { RenditionRequest } from './request.ts';

/** The ladder has all multiples of the step up to each of these lengths. */
const STEPS = [
  { upTo: 20, step: 1 },
  { upTo: 100, step: 5 },
  { upTo: 400, step: 10 },
  { upTo: 800, step: 20 },
  { upTo: 1600, step: 50 },
  { upTo: SIDE_MAX, step: 100 },
];

/** Lengths between the steps that icons, screens and the image components of web frameworks have. */
const USUAL = [
  24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 576, 750, 768, 828, 992, 1024, 1080, 1280, 1366,
  1440, 1536, 1920, 2048, 2560, 3840, 4096,
];

/** The lengths of the sides of renditions that are made without a credential, in ascending order. */
export const LADDER: readonly number[] = [...new Set([...steps(), ...USUAL])].sort((a, b) => a - b);

/**
 * Rounds the sides of a request up to the ladder, so that no rendition is smaller than asked. Rounding never makes a
 * side longer than that of the image, so that it does not enlarge the image. Each side is rounded separately, which
 * changes the aspect ratio of a box by a few percent if its sides are not on the ladder.
 */
export function onLadder(request: RenditionRequest, source: Size): RenditionRequest {
  return {
    ...request,
    width: roundUp(request.width, source.width),
    height: roundUp(request.height, source.height),
  };
}

function roundUp(side: number | null, ownSide: number): number | null {
  if (side === null) return null;
  const rung = LADDER.find((length) => length >= side) ?? side;
  return side <= ownSide ? Math.min(rung, ownSide) : rung;
}

function* steps(): Generator<number> {
  let length = 0;
  for (const { upTo, step } of STEPS) {
    while (length < upTo) {
      length += step;
      yield length;
    }
  }
}
