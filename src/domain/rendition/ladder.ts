import type { Size } from '../../media/render.ts';
import { SIDE_MAX } from './geometry.ts';

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
 * Rounds a size up to the ladder, so that no rendition is smaller than asked. Rounding never makes a side longer than that of
 * the image, so that it does not enlarge the image. Keeps the aspect ratio if it is a usual one, or that of the image or of
 * one of its crops: so an image fits its place in a page, and there are only a few dozen sizes of each width. In others, each
 * side is rounded separately, which changes the aspect ratio by a few percent.
 */
export function boxOnLadder<R extends Partially<Size>>(
  request: R,
  source: Size,
  crops: readonly Size[],
): R {
  const width = roundUp(request.width, source.width);
  const height = roundUp(request.height, source.height);
  if (request.width === null || request.height === null) return { ...request, width, height };
  const ratio = usualRatio({ width: request.width, height: request.height }, [source, ...crops]);
  if (ratio === undefined || width === null) return { ...request, width, height };
  return { ...request, width, height: Math.max(1, Math.round(width / ratio)) };
}

/** Returns the usual ratio whose height for this width rounds to that of the size; undefined if there is none. */
function usualRatio({ width, height }: Size, own: readonly Size[]): number | undefined {
  const ratios = [...own.map((size) => size.width / size.height), ...USUAL_RATIOS];
  const offBy = (ratio: number) => Math.abs(width / ratio - height);
  const [closest] = ratios.filter((one) => offBy(one) <= 0.5).sort((a, b) => offBy(a) - offBy(b));
  return closest;
}

/** A size of which a side may be missing. */
type Partially<S> = { [Side in keyof S]: S[Side] | null };

/** Width by height of the places that pages have for images; each also the other way round. */
const USUAL_RATIOS = [
  1 / 1,
  5 / 4,
  4 / 3,
  7 / 5,
  3 / 2,
  16 / 10,
  16 / 9,
  1.91,
  2 / 1,
  21 / 9,
  3 / 1,
].flatMap((ratio) => [ratio, 1 / ratio]);

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
