import type { ByteSource } from '../file/details.ts';
import { findInExif, findInTiff } from './exif-location.ts';
import { moved, type Patch, spaces, zeros } from './patch.ts';
import { findInResources } from './photoshop-location.ts';
import { inFile, type Piece } from './pieces.ts';
import { readBuffer, sourceOf } from './window.ts';
import { findInXmp } from './xmp-location.ts';

/** The kinds of segments, by their first bytes. */
const SIGNATURES = {
  exif: 'Exif\0',
  xmp: 'http://ns.adobe.com/xap/1.0/\0',
  extension: 'http://ns.adobe.com/xmp/extension/\0',
  resources: 'Photoshop 3.0\0',
} as const;
type Kind = keyof typeof SIGNATURES;
const KINDS = Object.keys(SIGNATURES) as Kind[];

const PIECE_BYTES = 1024 * 1024;

/** Bytes before a signature: the marker of its segment, and the length. */
const MARKER_BYTES = 4;
const OVERLAP_BYTES = 64;

/** Maximum number of segments to read. No camera writes more: the rest of such a file is removed. */
const SEGMENTS_MAX = 2000;

/** The digest of an extended packet, and its size and the position of a part of it: XMP specification, part 3, §1.1.3.1. */
const EXTENSION_HEADER_BYTES = 40;
const EXTENSION_BYTES_MAX = 32 * 1024 * 1024;

interface Segment {
  kind: Kind;
  /** Where its content begins, after the signature, and ends. */
  start: number;
  end: number;
  isMarked: boolean;
}

/**
 * Finds location in the application segments of JPEG images (EXIF, XMP, extended XMP, resources of Photoshop), wherever
 * in the source they are: in the image itself, in a second one after it, in thumbnails and previews, and in what makers
 * of cameras append. Looks for their signatures, which pixels never have, and not for the structure around them, which
 * may be damaged. Reads the source once, in pieces.
 */
export async function findInSegments(source: ByteSource, from = 0): Promise<Patch[]> {
  const { segments, rest } = await findSegments(source, from);
  const patches: Patch[] = [];
  const resources: Piece[] = [];
  const extensions = new Map<string, Piece[]>();
  for (const { kind, start, end, isMarked } of segments) {
    const bytes = await readBuffer(source, start, end - start);
    if (kind === 'exif') patches.push(...moved(await inExifSegment(bytes, isMarked), start));
    if (kind === 'xmp') patches.push(...moved(findInXmp(bytes), start));
    if (kind === 'resources') resources.push({ offset: start, bytes });
    if (kind === 'extension') {
      const name = bytes.toString('latin1', 0, 32);
      extensions.set(name, [...(extensions.get(name) ?? []), { offset: start, bytes }]);
    }
  }
  patches.push(...inResources(resources));
  for (const pieces of extensions.values()) patches.push(...inExtension(pieces));
  return rest === null ? patches : [...patches, zeros(rest, source.sizeBytes - rest)];
}

async function findSegments(source: ByteSource, from: number) {
  const segments: Segment[] = [];
  for (let at = from; at < source.sizeBytes; at += PIECE_BYTES) {
    const begin = Math.max(0, at - MARKER_BYTES);
    const bytes = await readBuffer(source, begin, PIECE_BYTES + MARKER_BYTES + OVERLAP_BYTES);
    for (const kind of KINDS) {
      const signature = SIGNATURES[kind];
      let index = bytes.indexOf(signature, at - begin, 'latin1');
      for (; index >= 0; index = bytes.indexOf(signature, index + signature.length, 'latin1')) {
        // The next piece has it as well.
        if (begin + index >= at + PIECE_BYTES) break;
        if (segments.length >= SEGMENTS_MAX) return { segments, rest: firstOf(segments, at) };
        const segment = segmentAt(bytes, index, begin, source.sizeBytes, kind);
        if (segment.isMarked || kind === 'exif') segments.push(segment);
      }
    }
  }
  return { segments, rest: null };
}

/** Returns where the piece begins in which the segments became too many; the first segment stays. */
function firstOf([first]: readonly Segment[], at: number): number {
  return Math.max(at, first?.end ?? 0);
}

function segmentAt(
  bytes: Buffer,
  index: number,
  begin: number,
  sizeBytes: number,
  kind: Kind,
): Segment {
  const start = begin + index + SIGNATURES[kind].length;
  // An application segment: APP0 to APP15 (ITU-T T.81 §B.1.1.3).
  const isMarked =
    index >= MARKER_BYTES && bytes[index - 4] === 0xff && ((bytes[index - 3] ?? 0) & 0xf0) === 0xe0;
  const lengthBytes = isMarked ? bytes.readUInt16BE(index - 2) - 2 : 0xffff;
  const end = Math.min(begin + index + lengthBytes, sizeBytes);
  return { kind, start, end: Math.max(start, end), isMarked };
}

/**
 * A block outside of a segment is one only if it has a byte order: the four letters also name a box of other formats.
 * Where it ends is not known, so that it is never removed whole.
 */
async function inExifSegment(bytes: Buffer, isMarked: boolean): Promise<Patch[]> {
  const block = bytes.subarray(1);
  if (isMarked) return moved(await findInExif(block), 1);
  const hasOrder = /^(?:II\*\0|MM\0\*)/.test(block.toString('latin1', 0, 4));
  return hasOrder ? moved((await findInTiff(sourceOf(block))).patches, 1) : [];
}

/** Resources of Photoshop that do not fit into one segment go on in the next one. */
function inResources(pieces: readonly Piece[]): Patch[] {
  const groups: Piece[][] = [];
  for (const piece of pieces) {
    const last = groups.at(-1);
    if (last === undefined || startsResource(piece.bytes)) groups.push([piece]);
    else last.push(piece);
  }
  return groups.flatMap((group) => inFile(findInResources(joined(group)), group));
}

function joined(pieces: readonly Piece[]): Buffer {
  return Buffer.concat(pieces.map(({ bytes }) => bytes));
}

function startsResource(bytes: Buffer): boolean {
  return bytes.toString('latin1', 0, 4) === '8BIM';
}

function inExtension(pieces: readonly Piece[]): Patch[] {
  const parts = pieces
    .filter(({ bytes }) => bytes.length >= EXTENSION_HEADER_BYTES)
    .map(({ offset, bytes }) => ({
      position: bytes.readUInt32BE(36),
      offset: offset + EXTENSION_HEADER_BYTES,
      bytes: bytes.subarray(EXTENSION_HEADER_BYTES),
    }))
    .sort((a, b) => a.position - b.position);
  const sizeBytes = parts.reduce((sum, { bytes }) => sum + bytes.length, 0);
  if (sizeBytes > EXTENSION_BYTES_MAX) {
    return parts.map(({ offset, bytes }) => spaces(offset, bytes.length));
  }
  return inFile(findInXmp(joined(parts)), parts);
}
