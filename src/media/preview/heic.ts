import type { PreviewDecoder } from './decoder.ts';

/** Draws the main image of a HEIC or HEIF file with `libheif-js`. */
export const heicDecoder: PreviewDecoder = {
  name: 'heic',
  mimeTypes: ['image/heic', 'image/heif', 'image/heic-sequence', 'image/heif-sequence'],
  find: async () => ({ isAvailable: false, reason: 'Not built yet.' }),
  draw: async () => Promise.reject(new Error('Not built yet.')),
};
