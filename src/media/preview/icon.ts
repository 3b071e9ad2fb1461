import { withSource } from '../source.ts';
import type { PreviewDecoder } from './decoder.ts';
import { drawIcon } from './raster/icon.ts';

/** Draws the largest image of an icon or a cursor of Windows. */
export const iconDecoder: PreviewDecoder = {
  name: 'icon',
  mimeTypes: ['image/x-icon', 'image/vnd.microsoft.icon'],
  find: async () => ({ isAvailable: true }),
  draw: (path, limits) =>
    withSource(path, async (source) => ({ image: await drawIcon(source, limits) })),
};
