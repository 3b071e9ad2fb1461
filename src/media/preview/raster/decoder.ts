import { type OpenSource, withSource } from '../../source.ts';
import type { DrawLimits, DrawnImage, PreviewDecoder } from '../decoder.ts';
import { drawBitmap } from './bitmap.ts';
import { drawIcon } from './icon.ts';
import { drawPhotoshop } from './photoshop.ts';

/** Draws a BMP file. */
export const bmpDecoder = createDecoder('bmp', ['image/bmp'], drawBitmap);

/** Draws the largest image of an icon or a cursor of Windows. */
export const iconDecoder = createDecoder(
  'icon',
  ['image/x-icon', 'image/vnd.microsoft.icon'],
  drawIcon,
);

/** Draws the flattened image of a Photoshop document, or its thumbnail. */
export const photoshopDecoder = createDecoder(
  'photoshop',
  ['image/vnd.adobe.photoshop'],
  drawPhotoshop,
);

/** Creates a decoder that needs nothing but this program. */
function createDecoder(
  name: string,
  mimeTypes: readonly string[],
  draw: (source: OpenSource, limits: DrawLimits) => Promise<DrawnImage>,
): PreviewDecoder {
  return {
    name,
    mimeTypes,
    find: async () => ({ isAvailable: true }),
    draw: (path, limits) =>
      withSource(path, async (source) => ({ image: await draw(source, limits) })),
  };
}
