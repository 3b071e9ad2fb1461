import { loadSharp } from '../decode-memory.ts';
import { loadPackage, packageAvailability } from './availability.ts';
import { type Drawing, type DrawLimits, type PreviewDecoder, PreviewError } from './decoder.ts';
import { readBounded } from './file.ts';

const LIBRARY = 'libheif-js/wasm-bundle.js';

/** libheif needs the whole file in memory. */
const FILE_BYTES_MAX = 128 * 1024 * 1024;

/** Draws the main image of a HEIC or HEIF file with libheif, as WebAssembly: sharp's binaries have no decoder of HEVC. */
export const heicDecoder: PreviewDecoder = {
  name: 'heic',
  mimeTypes: ['image/heic', 'image/heif', 'image/heic-sequence', 'image/heif-sequence'],
  find: async () => packageAvailability(LIBRARY),
  draw,
};

/** The part of libheif that is used. Its functions return an error, with a `code`, in place of a result. */
interface Libheif {
  heif_context_alloc(): Context;
  heif_context_read_from_memory(context: Context, bytes: Uint8Array): { code: unknown };
  heif_js_context_get_primary_image_handle(context: Context): Handle | Failure;
  heif_image_handle_get_width(handle: Handle): number;
  heif_image_handle_get_height(handle: Handle): number;
  heif_js_decode_image2(handle: Handle, space: unknown, chroma: unknown): Decoded | Failure;
  heif_error_code: { heif_error_Ok: unknown };
  heif_colorspace: { heif_colorspace_RGB: unknown };
  heif_chroma: { heif_chroma_interleaved_RGBA: unknown };
}

interface Context {
  readonly isContext: true;
}

interface Handle {
  readonly code?: never;
}

interface Failure {
  code: object;
}

interface Decoded {
  code?: never;
  /** RGBA, in the memory of libheif: valid until its next call. */
  channels: { width: number; height: number; stride: number; data: Uint8Array }[];
}

async function draw(path: string, { pixelsMax, sideMax }: DrawLimits): Promise<Drawing> {
  const bytes = await readBounded(path, FILE_BYTES_MAX);
  const iccProfile = await readProfile(path);
  const heif = loadPackage(LIBRARY) as Libheif;
  // Nothing is freed: the process ends soon.
  const context = heif.heif_context_alloc();
  const { code } = heif.heif_context_read_from_memory(context, bytes);
  if (code !== heif.heif_error_code.heif_error_Ok) throw notIntact();
  const handle = heif.heif_js_context_get_primary_image_handle(context);
  if (handle === null || handle.code !== undefined) throw notIntact();
  const width = heif.heif_image_handle_get_width(handle);
  const height = heif.heif_image_handle_get_height(handle);
  if (width * height > pixelsMax) {
    throw new PreviewError(`The image has more than ${pixelsMax} pixels.`);
  }
  const { heif_colorspace_RGB: space } = heif.heif_colorspace;
  const { heif_chroma_interleaved_RGBA: chroma } = heif.heif_chroma;
  const decoded = heif.heif_js_decode_image2(handle, space, chroma);
  const channel = decoded.code === undefined ? decoded.channels[0] : undefined;
  if (channel === undefined) throw notIntact();
  const { data: pixels, stride: rowBytes, ...size } = channel;
  const image = { pixels, rowBytes, ...size, channels: 4, iccProfile } as const;
  const { encodePixels } = await import('./image.ts');
  return { image: { bytes: await encodePixels(image, sideMax) } };
}

function notIntact(): PreviewError {
  return new PreviewError('The image is damaged, or coded in a way that is not supported.');
}

/** Returns the ICC profile of an image, which libheif does not apply: those of phones are in the space Display P3. */
async function readProfile(path: string): Promise<Uint8Array | undefined> {
  const sharp = await loadSharp();
  const { icc } = await sharp(path, { limitInputPixels: false })
    .metadata()
    .catch(() => ({ icc: undefined }));
  return icc?.toString('latin1', 16, 20) === 'RGB ' ? icc : undefined;
}
