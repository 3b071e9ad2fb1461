import { type PDFiumDocument, PDFiumLibrary } from '@hyzyla/pdfium';
import type { ByteSource, Findings } from './details.ts';

/** PDFium reads a document in memory. */
const PDF_BYTES_MAX = 32 * 1024 * 1024;

/** Pages in which text is looked for: the first may be a cover. */
const TEXT_PAGES_MAX = 3;
const TEXT_LENGTH = 1000;

let library: Promise<PDFiumLibrary> | undefined;

/**
 * Counts the pages of a PDF, and reads its author and the beginning of its text. Throws if it is encrypted or cannot be
 * read; finds nothing if it is larger than 32 MiB.
 */
export async function readPdf(source: ByteSource): Promise<Findings> {
  if (source.sizeBytes > PDF_BYTES_MAX) return {};
  const bytes = await source.read(0, source.sizeBytes);
  library ??= PDFiumLibrary.init();
  const document = await (await library).loadDocument(bytes);
  try {
    const pageCount = document.getPageCount();
    const textSnippet = textOf(document, Math.min(pageCount, TEXT_PAGES_MAX));
    return { pageCount, textSnippet, author: authorOf(document) };
  } finally {
    document.destroy();
  }
}

/** Returns the text of the first pages; what has been found if a page cannot be read. */
function textOf(document: PDFiumDocument, pages: number): string {
  let text = '';
  try {
    for (let index = 0; index < pages && text.length < TEXT_LENGTH; index++) {
      text += `${document.getPage(index).getText()}\n`;
    }
  } catch {
    // A broken page, or one without text.
  }
  return text;
}

/** The part of PDFium that its wrapper has, but does not offer. */
interface RawDocument {
  documentIdx: number;
  module: {
    _FPDF_GetMetaText(document: number, tag: number, buffer: number, lengthBytes: number): number;
    wasmExports: { malloc(sizeBytes: number): number; free(at: number): void };
    HEAPU8: Uint8Array;
  };
}

const AUTHOR = Buffer.from('Author\0');
const AUTHOR_BYTES_MAX = 4096;

function authorOf(document: PDFiumDocument): string | undefined {
  const { module, documentIdx } = document as unknown as RawDocument;
  const at = module.wasmExports.malloc(AUTHOR.length + AUTHOR_BYTES_MAX);
  try {
    module.HEAPU8.set(AUTHOR, at);
    const text = at + AUTHOR.length;
    // UTF-16 with a NUL at its end. A longer text is not written at all.
    const bytes = module._FPDF_GetMetaText(documentIdx, at, text, AUTHOR_BYTES_MAX);
    if (bytes <= 2 || bytes > AUTHOR_BYTES_MAX) return undefined;
    return new TextDecoder('utf-16le').decode(module.HEAPU8.slice(text, text + bytes - 2));
  } finally {
    module.wasmExports.free(at);
  }
}
