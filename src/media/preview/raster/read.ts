import type { OpenSource } from '../../source.ts';
import { PreviewError } from '../decoder.ts';

/** Reads up to `lengthBytes` bytes from `position` on: fewer only at the end of the file. */
export async function readAt(
  source: OpenSource,
  position: number,
  lengthBytes: number,
): Promise<Buffer> {
  const length = Math.max(0, Math.min(lengthBytes, source.sizeBytes - position));
  const memory = Buffer.alloc(length);
  return memory.subarray(0, await source.read(memory, length, position));
}

/** Reads exactly `lengthBytes` bytes. Throws PreviewError if the file has fewer. */
export async function readWhole(
  source: OpenSource,
  position: number,
  lengthBytes: number,
): Promise<Buffer> {
  const bytes = await readAt(source, position, lengthBytes);
  if (bytes.length < lengthBytes) throw damaged();
  return bytes;
}

/** Throws PreviewError unless an image has at least one pixel, and at most `pixelsMax`. */
export function checkSize(width: number, height: number, pixelsMax: number): void {
  if (!(width >= 1 && height >= 1)) throw damaged();
  if (width * height > pixelsMax) {
    throw new PreviewError(`The image has more than ${pixelsMax} pixels.`);
  }
}

/** Returns the error of a file that breaks its format. */
export function damaged(): PreviewError {
  return new PreviewError('The file is damaged or incomplete.');
}

/** Returns the error of a variant of a format that is not drawn. */
export function unknownVariant(): PreviewError {
  return new PreviewError('The file uses a variant of its format that cannot be drawn.');
}
