import type { PreviewDecoder } from './decoder.ts';

/** Draws the first page of a PDF with PDFium. */
export const pdfDecoder: PreviewDecoder = {
  name: 'pdf',
  mimeTypes: ['application/pdf'],
  find: async () => ({ isAvailable: false, reason: 'Not built yet.' }),
  draw: async () => Promise.reject(new Error('Not built yet.')),
};
