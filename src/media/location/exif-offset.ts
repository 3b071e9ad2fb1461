import { findInExif } from './exif-location.ts';
import { moved, type Patch, zeros } from './patch.ts';

/** Finds location in a block of EXIF that follows its own offset (ISO/IEC 23008-12 §A.2.1). */
export async function findAfterOffset(bytes: Buffer): Promise<Patch[]> {
  const start = bytes.length < 4 ? bytes.length : 4 + bytes.readUInt32BE(0);
  if (start >= bytes.length) return [zeros(0, bytes.length)];
  return moved(await findInExif(bytes.subarray(start)), start);
}
