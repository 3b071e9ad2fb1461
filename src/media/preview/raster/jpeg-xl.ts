import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { withSource } from '../../source.ts';
import { type DrawLimits, type PreviewDecoder, PreviewError } from '../decoder.ts';
import { checkSize, damaged, readAt } from './read.ts';

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
  draw: (path, limits) =>
    withSource(path, async (source) => {
      if (source.sizeBytes > FILE_BYTES_MAX) throw tooLarge();
      return { image: { bytes: await draw(await readAt(source, 0, source.sizeBytes), limits) } };
    }),
};

const WASM = 'jxl-oxide-wasm/module.wasm';

/** The decoder holds the file in memory. */
const FILE_BYTES_MAX = 128 * 1024 * 1024;

/** Memory that decoding takes for each pixel. Measured: 42 bytes with three channels. */
const BYTES_PER_PIXEL = 56;

/** The decoder may find the size of the image only after a profile of this size. */
const HEADER_BYTES = 64 * 1024;

async function draw(
  bytes: Uint8Array,
  { pixelsMax, memoryBytesMax }: DrawLimits,
): Promise<Uint8Array> {
  const { JxlImage, initSync } = await import('jxl-oxide-wasm');
  initSync({ module: await readFile(fileURLToPath(import.meta.resolve(WASM))) });
  const image = new JxlImage();
  image.forceSrgb = true;
  for (let at = 0; at < bytes.length; at += HEADER_BYTES) {
    image.feedBytes(bytes.subarray(at, at + HEADER_BYTES));
    if (image.tryInit()) checkSize(image.width ?? 0, image.height ?? 0, pixelsMax);
    const pixels = (image.width ?? 0) * (image.height ?? 0);
    if (pixels * BYTES_PER_PIXEL > memoryBytesMax) throw tooLarge();
  }
  if (!image.width) throw damaged();
  return image.render(0).encodeToPng();
}

function tooLarge(): PreviewError {
  return new PreviewError('The image needs too much memory.');
}
