import type { ByteSource } from '../file/details.ts';
import { moved, type Patch } from './patch.ts';
import { readBuffer } from './window.ts';
import { findInXmp } from './xmp-location.ts';

/** The header of the extension that holds an XMP packet: XMP specification, part 3, §1.1.2. */
const XMP = '\x21\xff\x0bXMP DataXMP';
const END = '<?xpacket end=';

/** More of a GIF is not searched: its metadata come first. */
const GIF_BYTES_MAX = 64 * 1024 * 1024;

/**
 * Finds location in the XMP packet of a GIF. To a decoder, each character of the packet is the length of a block, and the
 * bytes after it lead from any of these to the end: spaces are lengths as well.
 */
export async function findInGif(source: ByteSource): Promise<Patch[]> {
  const bytes = await readBuffer(source, 0, GIF_BYTES_MAX);
  const patches: Patch[] = [];
  let at = bytes.indexOf(XMP, 0, 'latin1');
  while (at >= 0) {
    const start = at + XMP.length;
    const end = bytes.indexOf(END, start, 'latin1');
    const stop = end >= 0 ? end : bytes.indexOf('\x01\xff\xfe\xfd', start, 'latin1');
    if (stop < 0) return patches;
    patches.push(...moved(findInXmp(bytes.subarray(start, stop)), start));
    at = bytes.indexOf(XMP, stop, 'latin1');
  }
  return patches;
}
