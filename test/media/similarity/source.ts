import sharp, { type Sharp } from 'sharp';
import { withChunks } from '../../support/image.ts';
import type { Pixels } from '../../support/ssim.ts';
import { scene, stored } from './scene.ts';

/** A kind of file that images come in. */
export interface Kind {
  name: string;
  mimeType: string;
  scene: Pixels;
  /** Whether it shows other colors than the scene has: those that sharp reads from it. */
  changesColors: boolean;
  /** Whether the file can say how it is turned. */
  hasOrientation: boolean;
  /** Returns a file that shows the scene. */
  encode: (orientation: number) => Promise<Buffer>;
}

const COLORS = scene('colors', false);
const CLEAR = scene('colors', true);
const GRAY = scene('gray', false);
const FLAT = scene('flat', false);
const FLAT_CLEAR = scene('flat', true);

type Encode = (image: Sharp) => Sharp;

/** Hides the loss of the file from the comparison, which is about the rendition. */
const FINE = { quality: 96, chromaSubsampling: '4:4:4' } as const;

/** The kinds of files that are compared. */
export const KINDS: readonly Kind[] = [
  kind('JPEG', 'jpeg', COLORS, (image) => image.jpeg(FINE)),
  kind('progressive JPEG', 'jpeg', COLORS, (image) => image.jpeg({ ...FINE, progressive: true })),
  kind('gray JPEG', 'jpeg', GRAY, (image) => image.toColourspace('b-w').jpeg(FINE)),
  kind('JPEG in Display P3', 'jpeg', COLORS, (image) => image.withIccProfile('p3').jpeg(FINE)),
  {
    ...kind('JPEG in CMYK', 'jpeg', COLORS, (image) => image.toColourspace('cmyk').jpeg(FINE)),
    changesColors: true,
  },
  kind('PNG with alpha', 'png', CLEAR, (image) => image.png()),
  kind('gray PNG', 'png', GRAY, (image) => image.toColourspace('b-w').png()),
  kind('PNG with a palette', 'png', FLAT_CLEAR, (image) => image.png({ palette: true, dither: 0 })),
  deepPng('PNG of 16 bits', CLEAR),
  kind('PNG in Display P3', 'png', COLORS, (image) => image.withIccProfile('p3').png()),
  kind('WebP', 'webp', COLORS, (image) => image.webp({ quality: 95 })),
  kind('WebP with alpha', 'webp', CLEAR, (image) => image.webp({ lossless: true })),
  kind('TIFF', 'tiff', COLORS, (image) => image.tiff({ compression: 'lzw' })),
  unturned('GIF', 'gif', FLAT, (image) => image.gif({ dither: 0 })),
  unturned('GIF with alpha', 'gif', FLAT_CLEAR, (image) => image.gif({ dither: 0 })),
  unturned('AVIF with alpha', 'avif', CLEAR, (image) =>
    image.avif({ quality: 90, chromaSubsampling: '4:4:4', effort: 0 }),
  ),
];

function kind(name: string, format: string, scene: Pixels, encode: Encode): Kind {
  const file = (orientation: number) =>
    encode(toSharp(stored(scene, orientation)).withMetadata({ orientation })).toBuffer();
  const mimeType = `image/${format}`;
  return { name, mimeType, scene, changesColors: false, hasOrientation: true, encode: file };
}

/** A GIF has no EXIF, and that of an AVIF does not turn it (ISO 23008-12 §6.5.10: its own properties do). */
function unturned(name: string, format: string, scene: Pixels, encode: Encode): Kind {
  const file = () => encode(toSharp(scene)).toBuffer();
  return { ...kind(name, format, scene, encode), hasOrientation: false, encode: file };
}

/** sharp writes an orientation with a profile only, which would make other numbers of 16 bits out of the scene's. */
function deepPng(name: string, scene: Pixels): Kind {
  const encode = async (orientation: number) => {
    const png = await toSharp(stored(scene, orientation)).toColourspace('rgb16').png().toBuffer();
    return withChunks(png, { eXIf: exif(orientation) });
  };
  return { ...kind(name, 'png', scene, (image) => image), encode };
}

/** Returns EXIF data that have an orientation only. */
function exif(orientation: number): Buffer {
  const bytes = Buffer.alloc(26);
  bytes.write('MM\0*', 'latin1');
  bytes.writeUInt32BE(8, 4);
  bytes.writeUInt16BE(1, 8);
  bytes.writeUInt16BE(0x0112, 10);
  bytes.writeUInt16BE(3, 12);
  bytes.writeUInt32BE(1, 14);
  bytes.writeUInt16BE(orientation, 18);
  return bytes;
}

/** Returns what a kind of file shows. */
export async function shownBy({ scene, changesColors, encode }: Kind): Promise<Pixels> {
  return changesColors ? toPixels(await encode(1)) : scene;
}

/** Returns the pixels for sharp; without alpha, if none is transparent. */
export function toSharp({ data, width, height }: Pixels): Sharp {
  const image = sharp(data, { raw: { width, height, channels: 4 } });
  const isOpaque = data.every((value, at) => at % 4 !== 3 || value === 255);
  return isOpaque ? image.removeAlpha() : image;
}

/** Returns the pixels of a file in sRGB, not turned. */
export async function toPixels(bytes: Buffer): Promise<Pixels> {
  const image = sharp(bytes).toColourspace('srgb').ensureAlpha().raw();
  const { data, info } = await image.toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height };
}
