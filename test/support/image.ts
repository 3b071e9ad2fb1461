import { crc32 } from 'node:zlib';
import sharp, { type Sharp } from 'sharp';
import { randomBytes } from './random.ts';

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

/** Returns an image of one color, whose `alpha` is 0 to 1. */
export function plain(color: { r: number; g: number; b: number; alpha?: number }): Sharp {
  const channels = color.alpha === undefined ? 3 : 4;
  return sharp({ create: { width: 60, height: 40, channels, background: color } });
}

/**
 * Returns an image that compresses badly, so that a cut always hits its pixels. It is the same in every run: a random
 * one is sometimes cut where a decoder finds all that it needs.
 */
export function noise(width = 60, height = 40): Sharp {
  return sharp(noisyPixels(width * height * 3), { raw: { width, height, channels: 3 } });
}

/** The largest noise so far: smaller images show its beginning. */
let pixels = Buffer.alloc(0);

function noisyPixels(length: number): Buffer {
  if (pixels.length >= length) return pixels.subarray(0, length);
  const bytes = randomBytes(length + 3);
  pixels = Buffer.alloc(length);
  // The mean of four random values is close to a normal distribution, as the noise of a camera is.
  for (let at = 0; at < length; at++) {
    pixels[at] = (bytes[at]! + bytes[at + 1]! + bytes[at + 2]! + bytes[at + 3]!) >> 2;
  }
  return pixels;
}

/** Returns red, green, blue and alpha in the middle of an image. */
export async function middleOf(bytes: Buffer): Promise<number[]> {
  const { data, info } = await sharp(bytes)
    .ensureAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  const at = (Math.floor(info.height / 2) * info.width + Math.floor(info.width / 2)) * 4;
  return [...data.subarray(at, at + 4)];
}

/** Returns an animation whose frames differ, each shown for 70 ms, three times over. */
export async function animation(
  format: 'gif' | 'webp',
  { frames, width, height }: { frames: number; width: number; height: number },
): Promise<Buffer> {
  const image = { width, height, channels: 3 } as const;
  const pixels = Array.from({ length: frames }, (_, n) =>
    Buffer.alloc(width * height * 3, Buffer.from([(n * 37) % 256, (n * 91) % 256, n % 256])),
  );
  const raw = { ...image, height: height * frames, pageHeight: height };
  return sharp(Buffer.concat(pixels), { raw })
    [format]({ delay: Array<number>(frames).fill(70), loop: 3 })
    .toBuffer();
}

/** Returns a PNG with more chunks before its pixels. */
export function withChunks(png: Buffer, chunks: Readonly<Record<string, Buffer>>): Buffer {
  const more = Object.entries(chunks).map(([type, data]) => {
    const bytes = Buffer.alloc(12 + data.length);
    bytes.writeUInt32BE(data.length);
    bytes.write(type, 4, 'latin1');
    data.copy(bytes, 8);
    bytes.writeUInt32BE(crc32(bytes.subarray(4, 8 + data.length)), 8 + data.length);
    return bytes;
  });
  return Buffer.concat([png.subarray(0, 33), ...more, png.subarray(33)]);
}

/** Returns numbers as a chunk of a PNG has them. */
export function uint32s(...values: number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [index, value] of values.entries()) bytes.writeUInt32BE(value, 4 * index);
  return bytes;
}

/** Returns an animated PNG: as a still image, it is red. */
export async function animatedPng(): Promise<Buffer> {
  const png = await plain({ r: 255, g: 0, b: 0 }).png().toBuffer();
  return withChunks(png, { acTL: uint32s(2, 0) });
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
