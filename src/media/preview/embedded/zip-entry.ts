import { promisify } from 'node:util';
import { inflateRaw } from 'node:zlib';
import type { OpenSource } from '../../source.ts';
import { readAt } from '../raster/read.ts';

/** A file in a ZIP archive: APPNOTE 4.3.12. */
export interface ZipEntry {
  name: string;
  isPacked: boolean;
  /** Number of bytes in the archive. */
  packedBytes: number;
  /** Position of its local header. */
  at: number;
}

const END_BYTES = 22;
const COMMENT_BYTES_MAX = 65_535;
const ENTRY_BYTES = 46;
const ENTRY_SIGNATURE = 0x02014b50;
const LOCAL_HEADER_BYTES = 30;
const LOCAL_SIGNATURE = 0x04034b50;
const DEFLATE = 8;

/** A directory of some ten thousand entries. */
const DIRECTORY_BYTES_MAX = 4 * 1024 * 1024;

/** An image, packed or not. */
const CONTENT_BYTES_MAX = 32 * 1024 * 1024;

/** Returns the entries of an archive: none if it is damaged, or a ZIP64; those that are encrypted are left out. */
export async function listEntries(source: OpenSource): Promise<ZipEntry[]> {
  const tailBytes = Math.min(source.sizeBytes, END_BYTES + COMMENT_BYTES_MAX);
  const tail = await readAt(source, source.sizeBytes - tailBytes, tailBytes);
  const end = tail.lastIndexOf('PK\x05\x06', tail.length - END_BYTES, 'latin1');
  if (end < 0 || end + END_BYTES > tail.length) return [];
  const sizeBytes = Math.min(tail.readUInt32LE(end + 12), DIRECTORY_BYTES_MAX);
  const directory = await readAt(source, tail.readUInt32LE(end + 16), sizeBytes);
  const entries: ZipEntry[] = [];
  for (let at = 0; at + ENTRY_BYTES <= directory.length; ) {
    if (directory.readUInt32LE(at) !== ENTRY_SIGNATURE) break;
    const nameBytes = directory.readUInt16LE(at + 28);
    const isEncrypted = (directory.readUInt16LE(at + 8) & 1) === 1;
    const packing = directory.readUInt16LE(at + 10);
    if (!isEncrypted && (packing === 0 || packing === DEFLATE)) {
      entries.push({
        name: directory.toString('utf8', at + ENTRY_BYTES, at + ENTRY_BYTES + nameBytes),
        isPacked: packing === DEFLATE,
        packedBytes: directory.readUInt32LE(at + 20),
        at: directory.readUInt32LE(at + 42),
      });
    }
    const extraBytes = directory.readUInt16LE(at + 30);
    const commentBytes = directory.readUInt16LE(at + 32);
    at += ENTRY_BYTES + nameBytes + extraBytes + commentBytes;
  }
  return entries;
}

/** Returns the content of an entry; undefined if it is damaged, or has more than 32 MiB. */
export async function readEntry(
  source: OpenSource,
  { at, packedBytes, isPacked }: ZipEntry,
): Promise<Buffer | undefined> {
  if (packedBytes > CONTENT_BYTES_MAX) return undefined;
  const head = await readAt(source, at, LOCAL_HEADER_BYTES);
  if (head.length < LOCAL_HEADER_BYTES || head.readUInt32LE(0) !== LOCAL_SIGNATURE)
    return undefined;
  const start = at + LOCAL_HEADER_BYTES + head.readUInt16LE(26) + head.readUInt16LE(28);
  const bytes = await readAt(source, start, packedBytes);
  if (!isPacked) return bytes;
  try {
    return await promisify(inflateRaw)(bytes, { maxOutputLength: CONTENT_BYTES_MAX });
  } catch {
    // Damaged, or a bomb.
    return undefined;
  }
}
