/** Pixels of an image, row by row, 8 bits for each of red, green, blue and alpha; colors are not multiplied by alpha. */
export interface Pixels {
  data: Uint8Array;
  width: number;
  height: number;
}

/** Side of the windows that are compared, and the distance between two of them, in pixels. */
const WINDOW = 8;
const STRIDE = 4;

/** The constants of the paper for 8 bits: (0.01 · 255)² and (0.03 · 255)². */
const C1 = 6.5025;
const C2 = 58.5225;

/**
 * Returns the structural similarity of two images of the same size, at most 1, which equal images have: the mean of all
 * windows, of alpha or of the luminance in front of black, whichever differs more. It says little about colors.
 *
 * Z. Wang, A. C. Bovik, H. R. Sheikh, E. P. Simoncelli: Image quality assessment: from error visibility to structural
 * similarity. IEEE Transactions on Image Processing 13 (4), 2004, formula 13; with square windows instead of Gaussian ones.
 */
export function structuralSimilarity(one: Pixels, other: Pixels): number {
  if (one.width !== other.width || one.height !== other.height) {
    throw new Error(`${one.width} × ${one.height} is not ${other.width} × ${other.height}.`);
  }
  const { width, height } = one;
  const [planes, others] = [toPlanes(one), toPlanes(other)];
  return Math.min(
    ...planes.map((plane, channel) => similarity(plane, others[channel]!, { width, height })),
  );
}

/**
 * Returns the mean difference of two images of the same size in that channel in which they differ most, 0 to 255. Channels are
 * alpha and the colors in front of black.
 */
export function colorDifference(one: Pixels, other: Pixels): number {
  const sums = [0, 0, 0, 0];
  for (let at = 0; at < one.data.length; at += 4) {
    const alpha = one.data[at + 3]!;
    const otherAlpha = other.data[at + 3]!;
    for (let channel = 0; channel < 3; channel++) {
      const shown = (one.data[at + channel]! * alpha) / 255;
      sums[channel]! += Math.abs(shown - (other.data[at + channel]! * otherAlpha) / 255);
    }
    sums[3]! += Math.abs(alpha - otherAlpha);
  }
  return Math.max(...sums) / (one.width * one.height);
}

/** Returns the luminance (ITU-R BT.601) in front of black, and alpha. */
function toPlanes({ data, width, height }: Pixels): [Float64Array, Float64Array] {
  const luminance = new Float64Array(width * height);
  const alpha = new Float64Array(width * height);
  for (let pixel = 0; pixel < width * height; pixel++) {
    const [r = 0, g = 0, b = 0, a = 0] = data.subarray(4 * pixel, 4 * pixel + 4);
    luminance[pixel] = ((0.299 * r + 0.587 * g + 0.114 * b) * a) / 255;
    alpha[pixel] = a;
  }
  return [luminance, alpha];
}

function similarity(
  one: Float64Array,
  other: Float64Array,
  { width, height }: { width: number; height: number },
): number {
  let [sum, count] = [0, 0];
  for (const top of starts(height)) {
    for (const left of starts(width)) {
      const at = { left, top, width: Math.min(WINDOW, width), height: Math.min(WINDOW, height) };
      sum += similarityAt(one, other, at, width);
      count++;
    }
  }
  return sum / count;
}

/** Returns where windows start along a side; the last one ends at its end. */
function starts(length: number): number[] {
  const last = Math.max(0, length - WINDOW);
  const even = Array.from({ length: Math.ceil(last / STRIDE) }, (_, at) => at * STRIDE);
  return [...even, last];
}

function similarityAt(
  one: Float64Array,
  other: Float64Array,
  at: { left: number; top: number; width: number; height: number },
  rowLength: number,
): number {
  let [sumA, sumB, sumAA, sumBB, sumAB] = [0, 0, 0, 0, 0];
  for (let y = at.top; y < at.top + at.height; y++) {
    for (let x = at.left; x < at.left + at.width; x++) {
      const a = one[y * rowLength + x]!;
      const b = other[y * rowLength + x]!;
      sumA += a;
      sumB += b;
      sumAA += a * a;
      sumBB += b * b;
      sumAB += a * b;
    }
  }
  const count = at.width * at.height;
  const [meanA, meanB] = [sumA / count, sumB / count];
  const varianceA = sumAA / count - meanA * meanA;
  const varianceB = sumBB / count - meanB * meanB;
  const covariance = sumAB / count - meanA * meanB;
  const luminance = (2 * meanA * meanB + C1) / (meanA * meanA + meanB * meanB + C1);
  return (luminance * (2 * covariance + C2)) / (varianceA + varianceB + C2);
}
