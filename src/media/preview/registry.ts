import type { PreviewDecoder } from './decoder.ts';
import { heicDecoder } from './heic.ts';
import { pdfDecoder } from './pdf.ts';
import { svgDecoder } from './svg.ts';

/** All decoders. The first one of a MIME type draws its files. */
export const DECODERS: readonly PreviewDecoder[] = [heicDecoder, svgDecoder, pdfDecoder];

/** Returns the decoder of a MIME type among `decoders`; null for a type that none of them draws. */
export function decoderOf(
  mimeType: string,
  decoders: readonly PreviewDecoder[] = DECODERS,
): PreviewDecoder | null {
  return (
    decoders.find(({ mimeTypes }) => mimeTypes.some((type) => matches(mimeType, type))) ?? null
  );
}

function matches(mimeType: string, type: string): boolean {
  return type.endsWith('/*') ? mimeType.startsWith(type.slice(0, -1)) : mimeType === type;
}
