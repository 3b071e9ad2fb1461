import type { Pixels } from '../decoder.ts';

/** The shape of an image. */
export interface Shape {
  width: number;
  height: number;
  channels: 3 | 4;
}

/** Takes the rows of an image, from the top, and returns the image. */
export interface Shrinker {
  /** Adds the next row: `width` pixels of `channels` bytes each. The row may be reused. */
  add(row: Uint8Array): void;
  /** Returns the image. Rows that are missing are zero. */
  finish(): Pixels;
}

/**
 * Creates a shrinker, which makes an image smaller by a whole factor while it is being read, so that it never lies in
 * memory at its full size: each pixel is the mean of a square. The longer side is at least `sideMax` if it was, and less
 * than twice as long.
 */
export function createShrinker({ width, height, channels }: Shape, sideMax: number): Shrinker {
  const factor = Math.max(1, Math.floor(Math.max(width, height) / sideMax));
  const small = { width: Math.ceil(width / factor), height: Math.ceil(height / factor) };
  const pixels = new Uint8Array(small.width * small.height * channels);
  const sums = new Float64Array(small.width * channels);
  let rows = 0;
  let y = 0;
  function writeRow(): void {
    const at = y * sums.length;
    for (let index = 0; index < sums.length; index++) {
      const column = Math.floor(index / channels);
      const columns = Math.min(factor, width - column * factor);
      pixels[at + index] = Math.round((sums[index] ?? 0) / (columns * rows));
    }
    sums.fill(0);
    rows = 0;
    y++;
  }
  return {
    add(row) {
      if (y >= small.height) return;
      if (factor === 1) {
        pixels.set(row.subarray(0, sums.length), y++ * sums.length);
        return;
      }
      for (let x = 0; x < width; x++) {
        const cell = Math.floor(x / factor) * channels;
        for (let channel = 0; channel < channels; channel++) {
          sums[cell + channel] = (sums[cell + channel] ?? 0) + (row[x * channels + channel] ?? 0);
        }
      }
      if (++rows === factor) writeRow();
    },
    finish() {
      if (rows > 0 && y < small.height) writeRow();
      return { pixels, ...small, channels };
    },
  };
}
