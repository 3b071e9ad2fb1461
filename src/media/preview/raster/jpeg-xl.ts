import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { type DrawLimits, type PreviewDecoder, PreviewError } from '../decoder.ts';
import { readBounded } from '../file.ts';
import { checkSize, damaged } from './read.ts';

/** Draws the first frame of a JPEG XL with `jxl-oxide-wasm`, a decoder in Rust: one file of 1.8 MB, without packages. */
export const jpegXlDecoder: PreviewDecoder = {
  name: 'jpeg-xl',
  mimeTypes: ['image/jxl'],
  async find() {
    try {
      // The package is there for `import` alone, so `require` does not find it.
      import.meta.resolve(WASM);
      return { isAvailable: true };
    } catch {
      return { isAvailable: false, reason: 'The package jxl-oxide-wasm is not installed.' };
    }
  },
  async draw(path, limits) {
    return { image: { bytes: await draw(await readBounded(path, FILE_BYTES_MAX), limits) } };
  },
};

const WASM = 'jxl-oxide-wasm/module.wasm';

/** The decoder needs the whole file in memory. */
const FILE_BYTES_MAX = 128 * 1024 * 1024;

/** Memory that decoding takes for each pixel. Measured: 42 bytes with three channels. */
const BYTES_PER_PIXEL = 56;

/** Bytes that the decoder gets at once: it finds the size of the image before it has all of them. */
const PIECE_BYTES = 64 * 1024;

async function draw(
  bytes: Uint8Array,
  { pixelsMax, memoryBytesMax }: DrawLimits,
): Promise<Uint8Array> {
  const { JxlImage, initSync } = await import('jxl-oxide-wasm');
  initSync({ module: await readFile(fileURLToPath(import.meta.resolve(WASM))) });
  const image = new JxlImage();
  image.forceSrgb = true;
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
    image.feedBytes(bytes.subarray(at, at + PIECE_BYTES));
    if (image.tryInit()) checkSize(image.width ?? 0, image.height ?? 0, pixelsMax);
    const pixels = (image.width ?? 0) * (image.height ?? 0);
    if (pixels * BYTES_PER_PIXEL > memoryBytesMax) {
      throw new PreviewError('The image needs too much memory.');
    }
  }
  if (!image.width) throw damaged();
  return image.render(0).encodeToPng();
}
