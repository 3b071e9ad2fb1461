import { withSource } from '../source.ts';
import { type PreviewDecoder, PreviewError } from './decoder.ts';
import { readRawPreview } from './embedded/raw-preview.ts';

/** The names of raw formats that are a TIFF, or begin as one, or are known otherwise. */
const NAMES =
  'adobe-dng canon-cr2 canon-cr3 nikon-nef nikon-nrw sony-arw sony-sr2 sony-srf samsung-srw pentax-pef ' +
  'fujifilm-raf olympus-orf panasonic-rw2 hasselblad-3fr hasselblad-fff kodak-kdc kodak-dcr kodak-k25 ' +
  'epson-erf mamiya-mef leaf-mos phaseone-iiq leica-rwl';

/** Draws a camera's raw file: the largest JPEG in it, which the camera has developed. */
export const rawDecoder: PreviewDecoder = {
  name: 'raw',
  mimeTypes: NAMES.split(' ').map((name) => `image/x-${name}`),
  find: async () => ({ isAvailable: true }),
  draw: (path) =>
    withSource(path, async (source) => {
      const bytes = await readRawPreview(source);
      if (bytes === undefined) throw new PreviewError('The raw file contains no preview.');
      return { image: { bytes } };
    }),
};
