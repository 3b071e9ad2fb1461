import { type OpenSource, withSource } from '../../source.ts';
import { NoImageError, type PreviewDecoder } from '../decoder.ts';
import { readCover } from './cover.ts';
import { PACKAGE_TYPES, readThumbnail } from './package-thumbnail.ts';
import { readRawPreview } from './raw-preview.ts';

/** The names of the raw formats that `readRawPreview` reads. */
const RAW_NAMES =
  'adobe-dng canon-cr2 canon-cr3 nikon-nef nikon-nrw sony-arw sony-sr2 sony-srf samsung-srw pentax-pef ' +
  'fujifilm-raf panasonic-rw2 hasselblad-3fr hasselblad-fff kodak-kdc kodak-dcr kodak-k25 epson-erf ' +
  'mamiya-mef leaf-mos phaseone-iiq leica-rwl';

/** Draws the largest JPEG in a camera's raw file, which the camera has developed. */
export const rawDecoder = createDecoder(
  'raw',
  RAW_NAMES.split(' ').map((name) => `image/x-${name}`),
  readRawPreview,
  'The raw file contains no preview.',
);

/** Draws the cover in the tags of a sound. */
export const coverDecoder = createDecoder(
  'cover',
  ['audio/*'],
  readCover,
  'The file contains no cover image.',
);

/** Draws the thumbnail, cover or first page that is an image in a document. */
export const thumbnailDecoder = createDecoder(
  'thumbnail',
  PACKAGE_TYPES,
  readThumbnail,
  'The document contains no thumbnail.',
);

/** Creates a decoder of images that are stored in files. `absence`: why a file without one has no preview. */
function createDecoder(
  name: string,
  mimeTypes: readonly string[],
  read: (source: OpenSource, mimeType: string) => Promise<Uint8Array | undefined>,
  absence: string,
): PreviewDecoder {
  return {
    name,
    mimeTypes,
    find: async () => ({ isAvailable: true }),
    draw: (path, { mimeType }) =>
      withSource(path, async (source) => {
        const bytes = await read(source, mimeType);
        if (bytes === undefined) throw new NoImageError(absence);
        return { image: { bytes } };
      }),
  };
}
