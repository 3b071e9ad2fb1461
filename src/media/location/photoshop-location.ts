import { findInIptc } from './iptc-location.ts';
import { moved, type Patch, zeros } from './patch.ts';
import { findInXmp } from './xmp-location.ts';

const IPTC = 0x0404;
const XMP = 0x0424;

/** Blocks of EXIF, which no program writes here any more. They are removed whole. */
const EXIF: ReadonlySet<number> = new Set([0x0422, 0x0423]);

/**
 * Returns the patches that remove location from image resources of Photoshop (Adobe Photoshop File Formats
 * Specification, "Image Resource Blocks"). What follows damaged resources is removed.
 */
export function findInResources(bytes: Buffer): Patch[] {
  const patches: Patch[] = [];
  let at = 0;
  while (at < bytes.length) {
    const rest = zeros(at, bytes.length - at);
    if (at + 12 > bytes.length || bytes.toString('latin1', at, at + 4) !== '8BIM') {
      return [...patches, rest];
    }
    const id = bytes.readUInt16BE(at + 4);
    // The name has its length before it, and an even size with it.
    const sizeAt = at + 6 + evenly(1 + (bytes[at + 6] ?? 0));
    if (sizeAt + 4 > bytes.length) return [...patches, rest];
    const start = sizeAt + 4;
    const end = start + bytes.readUInt32BE(sizeAt);
    if (end > bytes.length) return [...patches, rest];
    const data = bytes.subarray(start, end);
    if (id === IPTC) patches.push(...moved(findInIptc(data), start));
    if (id === XMP) patches.push(...moved(findInXmp(data), start));
    if (EXIF.has(id)) patches.push(zeros(start, data.length));
    at = start + evenly(data.length);
  }
  return patches;
}

function evenly(length: number): number {
  return length + (length % 2);
}
