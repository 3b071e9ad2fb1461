import type { PDFiumDocument } from '@hyzyla/pdfium';
import { packageAvailability } from './availability.ts';
import {
  type Drawing,
  type DrawLimits,
  type Pixels,
  type PreviewDecoder,
  PreviewError,
} from './decoder.ts';
import { readBounded } from './file.ts';

/** PDFium needs the whole file in memory. */
const FILE_BYTES_MAX = 128 * 1024 * 1024;

/** The longer side of a drawn page, in pixels, at which small print is legible. */
const PAGE_SIDE = 1600;

/** Draws the first page of a PDF with PDFium, as WebAssembly: it cannot read other files, and runs no scripts. */
export const pdfDecoder: PreviewDecoder = {
  name: 'pdf',
  mimeTypes: ['application/pdf'],
  find: async () => packageAvailability('@hyzyla/pdfium'),
  draw,
};

async function draw(path: string, { sideMax }: DrawLimits): Promise<Drawing> {
  const bytes = await readBounded(path, FILE_BYTES_MAX);
  const document = await open(bytes);
  const pageCount = document.getPageCount();
  if (pageCount < 1) throw new PreviewError('The document has no pages.');
  return { image: await drawPage(document, Math.min(PAGE_SIDE, sideMax)), pageCount };
}

async function open(bytes: Uint8Array): Promise<PDFiumDocument> {
  const { PDFiumLibrary } = await import('@hyzyla/pdfium');
  const library = await PDFiumLibrary.init();
  try {
    return await library.loadDocument(bytes);
  } catch (cause) {
    // The package tells it by the message only.
    const isLocked = cause instanceof Error && /password|security/i.test(cause.message);
    const reason = isLocked ? 'protected by a password' : 'damaged';
    throw new PreviewError(`The document is ${reason}.`, { cause });
  }
}

async function drawPage(document: PDFiumDocument, side: number): Promise<Pixels> {
  const page = document.getPage(0);
  const { originalWidth, originalHeight } = page.getOriginalSize();
  const longer = Math.max(originalWidth, originalHeight);
  if (!(Math.min(originalWidth, originalHeight) > 0)) {
    throw new PreviewError('The first page has no size.');
  }
  const [width, height] = [originalWidth, originalHeight].map((length) =>
    Math.max(1, Math.round((length * side) / longer)),
  ) as [number, number];
  const { data } = await page.render({ width, height, render: 'bitmap', renderFormFields: true });
  return { pixels: data, width, height, channels: 4 };
}
