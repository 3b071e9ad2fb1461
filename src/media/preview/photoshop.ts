import { withSource } from '../source.ts';
import type { PreviewDecoder } from './decoder.ts';
import { drawPhotoshop } from './raster/photoshop.ts';

/** Draws the flattened image of a Photoshop document, or its thumbnail. */
export const photoshopDecoder: PreviewDecoder = {
  name: 'psd',
  mimeTypes: ['image/vnd.adobe.photoshop'],
  find: async () => ({ isAvailable: true }),
  draw: (path, limits) =>
    withSource(path, async (source) => ({ image: await drawPhotoshop(source, limits) })),
};
