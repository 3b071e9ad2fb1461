import { withSource } from '../source.ts';
import type { PreviewDecoder } from './decoder.ts';
import { drawBitmap } from './raster/bitmap.ts';

/** Draws a BMP file. */
export const bmpDecoder: PreviewDecoder = {
  name: 'bmp',
  mimeTypes: ['image/bmp'],
  find: async () => ({ isAvailable: true }),
  draw: (path, limits) =>
    withSource(path, async (source) => ({ image: await drawBitmap(source, limits) })),
};
