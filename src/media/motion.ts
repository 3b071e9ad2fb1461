import type { FileWindow } from './file-window.ts';
import type { ImageHeader } from './image-header.ts';
import type { PngTraits } from './png-traits.ts';

/**
 * Whether the frames of an image are shown one after the other, and whether they can be decoded that way: libvips reads
 * the first frame only of an animated PNG and AVIF, and cannot turn the frames of an animation.
 */
export type Motion = 'none' | 'decodable' | 'undecodable';

/** Returns the motion of an image; `png` is known of a PNG. The pages of a TIFF are not an animation. */
export async function motionOf(
  mimeType: string,
  window: FileWindow,
  { header, png }: { header: ImageHeader; png: PngTraits | null },
): Promise<Motion> {
  if (png !== null) return png.frames > 1 ? 'undecodable' : 'none';
  if (mimeType === 'image/avif') return (await isSequence(window)) ? 'undecodable' : 'none';
  if (header.pages === 1 || !CAN_MOVE.includes(mimeType)) return 'none';
  return header.isTurned ? 'undecodable' : 'decodable';
}

/** The formats whose animations libvips reads and writes. */
export const CAN_MOVE: readonly string[] = ['image/gif', 'image/webp'];

/** Brands of image sequences: AV1 Image File Format §6.2, and ISO 23008-12 §10.3. */
const SEQUENCE_BRANDS = ['avis', 'msf1'];

/** Returns whether the brands of an AVIF name a sequence (ISO 14496-12 §4.3). */
async function isSequence(window: FileWindow): Promise<boolean> {
  const head = await window.at(0, 128);
  const end = Math.min(head.readUInt32BE(0), 128);
  for (let at = 8; at + 4 <= end; at += 4) {
    if (SEQUENCE_BRANDS.includes(head.toString('latin1', at, at + 4))) return true;
  }
  return false;
}
