import type { Pixels } from '../../support/ssim.ts';

/** The size of all scenes. */
export const SCENE = { width: 320, height: 240 };

/** Which colors a scene has. */
export type Palette = 'colors' | 'gray' | 'flat';

/**
 * Returns an image in which no two parts are alike, so that a wrong orientation, cut or color is noticed: a sky with a
 * gradient, hills, a sun, a striped flag and rows of blocks as in a text. It is the same in every run. `flat`: in few colors;
 * `isClear`: transparent at the right, with a soft edge.
 */
export function scene(palette: Palette, isClear: boolean): Pixels {
  const { width, height } = SCENE;
  const data = new Uint8Array(width * height * 4);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const color = colorAt(x, y);
      const alpha = isClear ? clearness(x, y, palette === 'flat') : 1;
      const shown =
        palette === 'gray' ? toGray(color) : palette === 'flat' ? flatten(color) : color;
      data.set([...shown, Math.round(alpha * 255)], (y * width + x) * 4);
    }
  }
  return { data, width, height };
}

type Rgb = [r: number, g: number, b: number];

function colorAt(x: number, y: number): Rgb {
  if (Math.hypot(x - 250, y - 50) < 28) return [250, 220, 90];
  if (x > 24 && x < 104 && y > 30 && y < 90)
    return Math.floor((x + y) / 16) % 2 ? [200, 40, 50] : [240, 240, 235];
  const hill = 150 + 24 * Math.sin(x / 37) + 10 * Math.cos(x / 11);
  if (y < hill) return [90 + y / 3, 130 + y / 3, 235 - x / 8];
  const isBlock =
    y > 186 &&
    y < 226 &&
    (y - 186) % 14 < 8 &&
    (x * 7 + Math.floor((y - 186) / 14) * 45) % 110 < 62;
  if (isBlock) return [30, 25, 60];
  return [60 + x / 4, 150 - (y - hill) / 2, 40 + 20 * Math.sin(x / 9) * Math.sin(y / 7)];
}

/** Returns the opacity, which ends at a slanted edge at the right; sharply, as that of a GIF does, if `isSharp`. */
function clearness(x: number, y: number, isSharp: boolean): number {
  const distance = 285 - x - y / 6;
  if (isSharp) return distance > 0 ? 1 : 0;
  return Math.min(1, Math.max(0, distance / 40));
}

function toGray([r, g, b]: Rgb): Rgb {
  const gray = Math.round(0.3 * r + 0.6 * g + 0.1 * b);
  return [gray, gray, gray];
}

/** Returns one of the 216 colors whose channels are multiples of 51. */
function flatten(color: Rgb): Rgb {
  return color.map((value) => Math.round(value / 51) * 51) as Rgb;
}

/**
 * Returns the pixels as a camera stores them, so that a viewer who applies the EXIF orientation sees the given ones (TIFF 6.0:
 * tag 274).
 */
export function stored(shown: Pixels, orientation: number): Pixels {
  const isTurned = orientation > 4;
  const width = isTurned ? shown.height : shown.width;
  const height = isTurned ? shown.width : shown.height;
  const data = new Uint8Array(shown.data.length);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const [x, y] = shownAt(orientation, { row, column }, shown);
      const from = (y * shown.width + x) * 4;
      data.set(shown.data.subarray(from, from + 4), (row * width + column) * 4);
    }
  }
  return { data, width, height };
}

/** Returns where a stored pixel is shown. The tag tells at which sides the stored first row and first column are shown. */
function shownAt(
  orientation: number,
  { row, column }: { row: number; column: number },
  { width, height }: { width: number; height: number },
): [x: number, y: number] {
  const [right, bottom] = [width - 1, height - 1];
  switch (orientation) {
    case 2: // row: top, column: right
      return [right - column, row];
    case 3: // bottom, right
      return [right - column, bottom - row];
    case 4: // bottom, left
      return [column, bottom - row];
    case 5: // left, top
      return [row, column];
    case 6: // right, top
      return [right - row, column];
    case 7: // right, bottom
      return [right - row, bottom - column];
    case 8: // left, bottom
      return [row, bottom - column];
    default: // top, left
      return [column, row];
  }
}
