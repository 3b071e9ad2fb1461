import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp, { type Sharp } from 'sharp';

/** A file of the page. */
export interface GalleryFile {
  name: string;
  bytes: Buffer;
  /** Null: none. */
  altText: string | null;
  /** Size as people see it, in pixels; null where it is up to the decoder. */
  size: { width: number; height: number } | null;
  /** Whether it moves, and therefore cannot be an AVIF. */
  isAnimated: boolean;
}

/** Returns 50 files of different kinds, sizes and orientations that a page can show. */
export async function makeGallery(): Promise<GalleryFile[]> {
  const drawn = await Promise.all([...photos(), ...clear(), ...unusual(), ...moving()]);
  const files = [...drawn, ...(await Promise.all(FIXTURES.map(fromFixture)))];
  // Alternative texts that break a page which forgets to escape them, an empty one, and none.
  const texts = ['"Quoted" & <b>bold</b>', '', null];
  return files.map((file, at) => ({ ...file, altText: texts[at] ?? file.altText }));
}

type Size = [width: number, height: number];

const LANDSCAPE: Size = [1200, 800];

function photos(): Promise<GalleryFile>[] {
  const turned = [1, 2, 3, 4, 5, 6, 7, 8].map((orientation) =>
    encode(`orientation-${orientation}.jpg`, LANDSCAPE, (image) => turn(image, orientation).jpeg()),
  );
  const sizes: Size[] = [
    ...([
      [800, 1200],
      [1000, 1000],
      [1600, 500],
      [500, 1600],
      [1999, 1333],
    ] as Size[]),
    ...([
      [1024, 767],
      [333, 777],
      [321, 641],
      [130, 90],
      [1280, 720],
      [2400, 1350],
    ] as Size[]),
  ];
  const plain = sizes.map((size) =>
    encode(`photo-${size.join('x')}.jpg`, size, (image) => image.jpeg()),
  );
  return [...turned, ...plain];
}

function clear(): Promise<GalleryFile>[] {
  const sizes: Size[] = [
    [640, 640],
    [900, 600],
    [450, 900],
    [97, 61],
  ];
  const pngs = sizes.map((size) =>
    encode(`clear-${size.join('x')}.png`, size, (image) => image.png(), true),
  );
  const webp = encode('clear.webp', [800, 500], (image) => image.webp(), true);
  return [...pngs, webp, encode('clear.gif', [400, 300], (image) => image.gif(), true)];
}

/** Images that need more than decoding: a turn, another color space or depth, a format that no camera writes. */
function unusual(): Promise<GalleryFile>[] {
  return [
    encode('turned.webp', LANDSCAPE, (image) => turn(image, 6).webp()),
    encode('turned.tiff', [700, 500], (image) => turn(image, 8).tiff()),
    encode('still.avif', [900, 700], (image) => image.avif({ effort: 0 })),
    encode('small.avif', [350, 410], (image) => image.avif({ effort: 0 })),
    encode('still.gif', [500, 350], (image) => image.gif()),
    encode('print.tiff', [700, 800], (image) => image.tiff({ compression: 'lzw' })),
    encode('print.jpg', [700, 500], (image) => image.toColorspace('cmyk').jpeg()),
    encode('gray.jpg', [700, 450], (image) => image.grayscale().jpeg()),
    encode('progressive.jpg', [1500, 1125], (image) => image.jpeg({ progressive: true })),
    encode('deep.png', [600, 420], (image) => image.toColorspace('rgb16').png()),
    encode('palette.png', [600, 450], (image) => image.png({ palette: true })),
  ];
}

function moving(): Promise<GalleryFile>[] {
  return (['gif', 'webp'] as const).map(async (format) => {
    const [width, height] = [400, 260];
    const frames = await Promise.all(
      [0, 1, 2].map((hue) => sceneOf([width, height], hue).png().toBuffer()),
    );
    const joined = sharp(frames, { join: { animated: true } });
    const bytes = await joined.toFormat(format, { delay: [500, 500, 500] }).toBuffer();
    const name = `moving.${format}`;
    return { name, bytes, altText: `Shows ${name}`, size: { width, height }, isAnimated: true };
  });
}

/** Files that browsers cannot show, or not safely. */
const FIXTURES = [
  ...['phone.heic', 'picture.heic', 'document.pdf', 'document-with-text.pdf', 'drawing.svg'],
  ...['preview/rgb.bmp', 'preview/alpha.bmp', 'preview/plain.psd', 'preview/large.ico'],
  ...['preview/cover.mp3', 'preview/cover.flac', 'preview/photo.jxl'],
];

async function fromFixture(path: string): Promise<GalleryFile> {
  const bytes = await readFile(join('test/support/fixture', path));
  return {
    name: path.replace('/', '-'),
    bytes,
    altText: `Shows ${path}`,
    size: null,
    isAnimated: false,
  };
}

/** Draws a scene, and encodes it. */
async function encode(
  name: string,
  size: Size,
  write: (image: Sharp) => Sharp,
  isClear = false,
): Promise<GalleryFile> {
  const bytes = await write(sceneOf(size, name.length % 6, isClear)).toBuffer();
  const { autoOrient } = await sharp(bytes).metadata();
  return { name, bytes, altText: `Shows ${name}`, size: autoOrient, isAnimated: false };
}

/** Says by EXIF how the image has to be turned. */
function turn(image: Sharp, orientation: number): Sharp {
  return image.withMetadata({ orientation });
}

/** A sky, a sun at the left and hills, in the colors of one of six hours. Without the sky: a clear one. */
function sceneOf([width, height]: Size, hour: number, isClear = false): Sharp {
  const hue = 190 + hour * 25;
  const sky = `<rect width="300" height="200" fill="url(#sky)"/>`;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"
    viewBox="0 0 300 200" preserveAspectRatio="none">
    <linearGradient id="sky" x2="0" y2="1">
      <stop stop-color="hsl(${hue}, 70%, 45%)"/><stop offset="1" stop-color="hsl(${hue + 40}, 80%, 85%)"/>
    </linearGradient>
    ${isClear ? '' : sky}
    <circle cx="70" cy="60" r="26" fill="hsl(48, 95%, 65%)"/>
    <path d="M0 150 Q60 80 130 140 T300 120 V200 H0Z" fill="hsl(${hue - 80}, 40%, 35%)"/>
    <path d="M0 180 Q90 130 170 170 T300 160 V200 H0Z" fill="hsl(${hue - 90}, 45%, 22%)"/>
  </svg>`;
  const image = sharp(Buffer.from(svg));
  return isClear ? image : image.flatten();
}
