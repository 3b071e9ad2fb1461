import { promisify } from 'node:util';
import { inflateRaw } from 'node:zlib';
import type { OpenSource } from '../../source.ts';
import { findDirectory } from '../../zip.ts';
import { readAt } from '../raster/read.ts';

/** A file in a ZIP archive: APPNOTE 4.3.12. */
export interface ZipEntry {
  name: string;
  isCompressed: boolean;
  /** Number of bytes in the archive. */
  compressedBytes: number;
  /** Position of its local header. */
  at: number;
}

const ENTRY_BYTES = 46;
const ENTRY_SIGNATURE = 0x02014b50;
const LOCAL_HEADER_BYTES = 30;
const LOCAL_SIGNATURE = 0x04034b50;
const DEFLATE = 8;

/** Enough for a directory of some ten thousand entries. */
const DIRECTORY_BYTES_MAX = 4 * 1024 * 1024;

/** Maximum size of an entry, compressed or not. */
const CONTENT_BYTES_MAX = 32 * 1024 * 1024;

/** Returns the entries of an archive: none if it is damaged, or a ZIP64; those that are encrypted are left out. */
export async function listEntries(source: OpenSource): Promise<ZipEntry[]> {
  const place = await findDirectory(source);
  if (place === null) return [];
  const sizeBytes = Math.min(place.end - place.offset, DIRECTORY_BYTES_MAX);
  const directory = await readAt(source, place.offset, sizeBytes);
  const entries: ZipEntry[] = [];
  for (let at = 0; at + ENTRY_BYTES <= directory.length; ) {
    if (directory.readUInt32LE(at) !== ENTRY_SIGNATURE) break;
    const nameBytes = directory.readUInt16LE(at + 28);
    const isEncrypted = (directory.readUInt16LE(at + 8) & 1) === 1;
    const compression = directory.readUInt16LE(at + 10);
    if (!isEncrypted && (compression === 0 || compression === DEFLATE)) {
      entries.push({
        name: directory.toString('utf8', at + ENTRY_BYTES, at + ENTRY_BYTES + nameBytes),
        isCompressed: compression === DEFLATE,
        compressedBytes: directory.readUInt32LE(at + 20),
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
  { at, compressedBytes, isCompressed }: ZipEntry,
): Promise<Buffer | undefined> {
  if (compressedBytes > CONTENT_BYTES_MAX) return undefined;
  const head = await readAt(source, at, LOCAL_HEADER_BYTES);
  if (head.length < LOCAL_HEADER_BYTES || head.readUInt32LE(0) !== LOCAL_SIGNATURE)
    return undefined;
  const start = at + LOCAL_HEADER_BYTES + head.readUInt16LE(26) + head.readUInt16LE(28);
  const bytes = await readAt(source, start, compressedBytes);
  if (!isCompressed) return bytes;
  try {
    return await promisify(inflateRaw)(bytes, { maxOutputLength: CONTENT_BYTES_MAX });
  } catch {
    // Damaged, or a bomb.
    return undefined;
  }
}
