import type { PreviewDecoder } from './decoder.ts';
import { coverDecoder, rawDecoder, thumbnailDecoder } from './embedded/decoder.ts';
import { heicDecoder } from './heic.ts';
import { officeDecoder } from './office/decoder.ts';
import { pdfDecoder } from './pdf.ts';
import { bmpDecoder, iconDecoder, photoshopDecoder } from './raster/decoder.ts';
import { jpegXlDecoder } from './raster/jpeg-xl.ts';
import { svgDecoder } from './svg.ts';
import { videoDecoder } from './video/decoder.ts';

/** All decoders. A file is drawn by the first one of its MIME type that is turned on. */
export const DECODERS: readonly PreviewDecoder[] = [
  heicDecoder,
  svgDecoder,
  pdfDecoder,
  videoDecoder,
  coverDecoder,
  bmpDecoder,
  iconDecoder,
  photoshopDecoder,
  jpegXlDecoder,
  rawDecoder,
  // Before the thumbnails in documents: an operator who turns it on wants better ones.
  officeDecoder,
  thumbnailDecoder,
];

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
