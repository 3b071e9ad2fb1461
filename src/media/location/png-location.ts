import { promisify } from 'node:util';
import { crc32, deflate, inflate } from 'node:zlib';
import type { ByteSource } from '../file/details.ts';
import { findInExif } from './exif-location.ts';
import { findInIptc } from './iptc-location.ts';
import { moved, overwrite, type Patch, patched, zeros } from './patch.ts';
import { findInResources } from './photoshop-location.ts';
import { readBuffer } from './window.ts';
import { findInXmp } from './xmp-location.ts';

const SIGNATURE_BYTES = 8;

/** Chunks that are looked at, and the size of the largest one that is read. */
const CHUNKS_MAX = 100_000;
const CHUNK_BYTES_MAX = 16 * 1024 * 1024;

const TEXT: ReadonlySet<string> = new Set(['tEXt', 'zTXt', 'iTXt']);

/**
 * Finds location in the chunks of a PNG: EXIF and XMP are changed in place, with the checksum of their chunk;
 * compressed XMP becomes shorter and is followed by an empty comment. Text of a location, and profiles that are compressed
 * or written as digits, become an empty comment.
 */
export async function findInPng(source: ByteSource): Promise<Patch[]> {
  const patches: Patch[] = [];
  let at = SIGNATURE_BYTES;
  for (let count = 0; count < CHUNKS_MAX; count++) {
    const header = await readBuffer(source, at, 8);
    if (header.length < 8) return patches;
    const lengthBytes = header.readUInt32BE(0);
    const type = header.toString('latin1', 4, 8);
    if (/^[ez]xif$/i.test(type) || TEXT.has(type)) {
      patches.push(...(await inChunk(source, { at, type, lengthBytes })));
    }
    at += 12 + lengthBytes;
    if (type === 'IEND') return patches;
  }
  return [...patches, zeros(at, Math.max(0, source.sizeBytes - at))];
}

interface Chunk {
  at: number;
  type: string;
  lengthBytes: number;
}

async function inChunk(source: ByteSource, chunk: Chunk): Promise<Patch[]> {
  const { at, type, lengthBytes } = chunk;
  // Nobody needs as much metadata; a checksum of zeros is wrong, so that readers leave the chunk out.
  if (lengthBytes > CHUNK_BYTES_MAX) return [zeros(at + 8, lengthBytes + 4)];
  const data = await readBuffer(source, at + 8, lengthBytes);
  // A chunk that is cut off has no checksum.
  if (data.length < lengthBytes) return [zeros(at + 8, data.length)];
  const found = await inData(type, data);
  if (found === 'removed') return [overwrite(at, comment(data.length))];
  if (Buffer.isBuffer(found)) return [overwrite(at, withFiller(type, found, data.length))];
  if (found.length === 0) return [];
  const sum = chunkOf(type, patched(data, found)).subarray(-4);
  return [...moved(found, at + 8), overwrite(at + 8 + data.length, sum)];
}

/** Returns the patches of the data, the data without the location, which are shorter, or that the chunk is to be removed. */
function inData(type: string, data: Buffer): Promise<Patch[] | Buffer | 'removed'> {
  if (TEXT.has(type)) return inText(type, data);
  // Readers ignore the case of these names.
  return type.toLowerCase() === 'exif' ? findInExif(data) : inPackedExif(data);
}

/** Returns a chunk: PNG 3rd edition §5.3. */
function chunkOf(type: string, data: Buffer): Buffer {
  const chunk = Buffer.alloc(12 + data.length);
  chunk.writeUInt32BE(data.length, 0);
  chunk.write(type, 4, 'latin1');
  chunk.set(data, 8);
  chunk.writeUInt32BE(crc32(chunk.subarray(4, 8 + data.length)), 8 + data.length);
  return chunk;
}

/** The keyword of an empty comment, and the NUL after it: §11.3.3.2. Each chunk of text that is replaced has room for them. */
const COMMENT = 'Comment\0';

function comment(lengthBytes: number): Buffer {
  const data = Buffer.alloc(lengthBytes, ' ');
  data.write(COMMENT, 'latin1');
  return chunkOf('tEXt', data);
}

/** Returns a chunk with less data than before, and a comment that fills its place. */
function withFiller(type: string, data: Buffer, lengthBytes: number): Buffer {
  return Buffer.concat([chunkOf(type, data), comment(lengthBytes - data.length - 12)]);
}

/** Keywords of text that names a place. */
const PLACE = /gps|latitude|longitude|altitude|location|\bcity\b|\bcountry\b/i;

async function inText(type: string, data: Buffer): Promise<Patch[] | Buffer | 'removed'> {
  const end = data.indexOf(0);
  const keyword = data.toString('latin1', 0, Math.max(0, end));
  if (end < 1 || data.length < 8) return [];
  if (PLACE.test(keyword)) return 'removed';
  if (keyword === 'XML:com.adobe.xmp' && type === 'iTXt') {
    const start = data.indexOf(0, data.indexOf(0, end + 3) + 1) + 1;
    if (data[end + 1] === 0) return moved(findInXmp(data.subarray(start)), start);
    return inPacked(data, start);
  }
  const isProfile = /^raw profile type (?!icc$|icm$)/i.test(keyword);
  if (!isProfile && !/^(?:xml:com\.adobe\.xmp|xmp|exif|iptc)$/i.test(keyword)) return [];
  const text = await textOf(type, data, end + 1);
  if (text === null) return 'removed';
  const isHere = isProfile ? await profileHasLocation(text) : findInXmp(text).length > 0;
  return isHere ? 'removed' : [];
}

/** A packet of XMP that is compressed becomes shorter, because spaces need less room. */
async function inPacked(data: Buffer, start: number): Promise<Patch[] | Buffer | 'removed'> {
  const packet = await unpacked(data.subarray(start));
  if (packet === null) return 'removed';
  const patches = findInXmp(packet);
  if (patches.length === 0) return [];
  const packed = await promisify<Buffer, object, Buffer>(deflate)(patched(packet, patches), {
    level: 9,
  });
  const changed = Buffer.concat([data.subarray(0, start), packed]);
  return changed.length + 12 + COMMENT.length <= data.length ? changed : 'removed';
}

/** Returns the text of a chunk after its keyword; null if it is too long, or cannot be unpacked. */
async function textOf(type: string, data: Buffer, at: number): Promise<Buffer | null> {
  if (type === 'tEXt') return data.subarray(at);
  if (type === 'zTXt') return unpacked(data.subarray(at + 1));
  const start = data.indexOf(0, data.indexOf(0, at + 2) + 1) + 1;
  return data[at] === 0 ? data.subarray(start) : unpacked(data.subarray(start));
}

async function unpacked(bytes: Buffer): Promise<Buffer | null> {
  try {
    return await promisify<Buffer, object, Buffer>(inflate)(bytes, {
      maxOutputLength: CHUNK_BYTES_MAX,
    });
  } catch {
    return null;
  }
}

/** Tells whether a profile as ImageMagick and ExifTool write it may have a location: a name, a length, and hex digits. */
async function profileHasLocation(text: Buffer): Promise<boolean> {
  const bytes = profileBytes(text.toString('latin1').trimStart());
  if (bytes === null) return true;
  // The bytes say more than the name: that of ExifTool's APP1 is the same for EXIF and XMP.
  const head = bytes.toString('latin1', 0, 14);
  if (head.startsWith('Exif\0')) return changes(bytes.subarray(6));
  if (/^(?:II|MM)/.test(head)) return changes(bytes);
  if (head.startsWith('\x1c')) return findInIptc(bytes).length > 0;
  if (head.startsWith('8BIM')) return findInResources(bytes).length > 0;
  if (head.startsWith('Photoshop 3.0\0')) return findInResources(bytes.subarray(14)).length > 0;
  const isXmp = bytes.includes('<x:xmpmeta') || bytes.includes('<rdf:RDF');
  return isXmp ? findInXmp(bytes).length > 0 : true;
}

/** Returns null for any other text. One expression for all of it would take time by the square of its length. */
function profileBytes(text: string): Buffer | null {
  const rest = text.slice(text.indexOf('\n')).trimStart();
  const [length] = /^\d{1,10}\s/.exec(rest) ?? [];
  const digits = rest.slice(length?.length).replace(/\s+/g, '');
  const isProfile = length !== undefined && /^(?:[\da-f]{2})+$/i.test(digits);
  return isProfile ? Buffer.from(digits, 'hex') : null;
}

/** A block of EXIF of a chunk that was proposed once, and that ExifTool writes: compressed after a zero and a length. */
async function inPackedExif(data: Buffer): Promise<[] | 'removed'> {
  const block = data[0] === 0 ? await unpacked(data.subarray(5)) : data;
  return block === null || (await changes(block)) ? 'removed' : [];
}

async function changes(block: Buffer): Promise<boolean> {
  return !patched(block, await findInExif(block)).equals(block);
}
