import sharp, { type Sharp } from 'sharp';

/** Colors that stay distinguishable in lossy formats. */
export type Shade = 'red' | 'lime' | 'blue' | 'yellow' | 'black' | 'white' | 'clear' | 'other';

/** Returns an image for tests of renditions: red and lime above, blue and yellow below. */
export function quadrants(width: number, height: number): Sharp {
  const [halfWidth, halfHeight] = [width / 2, height / 2];
  const rects = [
    [0, 0, 'red'],
    [halfWidth, 0, 'lime'],
    [0, halfHeight, 'blue'],
    [halfWidth, halfHeight, 'yellow'],
  ].map(
    ([x, y, fill]) =>
      `<rect x="${x}" y="${y}" width="${halfWidth}" height="${halfHeight}" fill="${fill}"/>`,
  );
  const size = `width="${width}" height="${height}"`;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" ${size}>${rects.join('')}</svg>`;
  return sharp(Buffer.from(svg));
}

/** Returns the colors of an image top left, top right, bottom left, bottom right, and left above its middle. */
export async function shadesOf(bytes: Buffer): Promise<string> {
  const { data, info } = await sharp(bytes)
    .ensureAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  const { width, height } = info;
  const points = [
    [2, 2],
    [width - 3, 2],
    [2, height - 3],
    [width - 3, height - 3],
    [Math.round(width * 0.4), Math.round(height * 0.4)],
  ];
  const shades = points.map(([x = 0, y = 0]) => {
    const at = (y * width + x) * 4;
    return shade(data.subarray(at, at + 4));
  });
  return shades.join(' ');
}

const SHADES: readonly [Shade, readonly number[]][] = [
  ['red', [255, 0, 0]],
  ['lime', [0, 255, 0]],
  ['blue', [0, 0, 255]],
  ['yellow', [255, 255, 0]],
  ['black', [0, 0, 0]],
  ['white', [255, 255, 255]],
];

function shade([r = 0, g = 0, b = 0, alpha = 0]: Uint8Array): Shade {
  if (alpha < 10) return 'clear';
  const near = SHADES.find(([, color]) =>
    [r, g, b].every((value, index) => Math.abs(value - (color[index] ?? 0)) < 60),
  );
  return near?.[0] ?? 'other';
}
