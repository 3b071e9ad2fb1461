import type { PreviewDecoder } from './decoder.ts';

/** Draws an SVG with librsvg, which is part of `sharp`. */
export const svgDecoder: PreviewDecoder = {
  name: 'svg',
  mimeTypes: ['image/svg+xml'],
  find: async () => ({ isAvailable: false, reason: 'Not built yet.' }),
  draw: async () => Promise.reject(new Error('Not built yet.')),
};
