import type { ByteSource } from '../file/details.ts';
import { findInExif } from './exif-location.ts';
import { moved, type Patch, zeros } from './patch.ts';
import { readBuffer } from './window.ts';
import { findInXmp } from './xmp-location.ts';

const CHUNKS_MAX = 100_000;
const CHUNK_BYTES_MAX = 16 * 1024 * 1024;

/** Finds location in the chunks of EXIF and XMP of a WebP image (RFC 9649 §2.7). */
export async function findInWebp(source: ByteSource): Promise<Patch[]> {
  const patches: Patch[] = [];
  let at = 12;
  for (let count = 0; count < CHUNKS_MAX; count++) {
    const header = await readBuffer(source, at, 8);
    if (header.length < 8) return patches;
    const type = header.toString('latin1', 0, 4);
    const lengthBytes = header.readUInt32LE(4);
    if (type === 'EXIF' || type === 'XMP ') {
      patches.push(...(await inChunk(source, type, at + 8, lengthBytes)));
    }
    at += 8 + lengthBytes + (lengthBytes % 2);
  }
  return [...patches, zeros(at, Math.max(0, source.sizeBytes - at))];
}

async function inChunk(
  source: ByteSource,
  type: 'EXIF' | 'XMP ',
  at: number,
  lengthBytes: number,
): Promise<Patch[]> {
  if (lengthBytes > CHUNK_BYTES_MAX) return [zeros(at, lengthBytes)];
  const bytes = await readBuffer(source, at, lengthBytes);
  if (type === 'XMP ') return moved(findInXmp(bytes), at);
  // Some programs write the header of a JPEG's segment.
  const start = bytes.toString('latin1', 0, 6) === 'Exif\0\0' ? 6 : 0;
  return moved(await findInExif(bytes.subarray(start)), at + start);
}
