import type { OpenSource } from '../../source.ts';
import { damaged, readAt, readWhole } from './read.ts';

/** The sections of a Photoshop document: Adobe Photoshop File Formats Specification. */
export interface PhotoshopHeader {
  width: number;
  height: number;
  channels: number;
  /** Bits of a value: 1, 8, 16 or 32. */
  depth: number;
  /** Color mode. */
  mode: number;
  /** Colors of an indexed image: 256 of red, then of green, then of blue. Empty for others. */
  palette: Buffer;
  /** Whether it is a large document (PSB), some of whose lengths have eight bytes. */
  isLarge: boolean;
  /** Section of the image resources. */
  resources: Section;
  /** Position of the flattened image. */
  imageAt: number;
}

/** A part of the file. */
export interface Section {
  at: number;
  sizeBytes: number;
}

const HEADER_BYTES = 26;

/** Reads the header of a PSD or PSB. Throws PreviewError if it is damaged. */
export async function readPhotoshopHeader(source: OpenSource): Promise<PhotoshopHeader> {
  const head = await readWhole(source, 0, HEADER_BYTES);
  const version = head.readUInt16BE(4);
  if (head.toString('latin1', 0, 4) !== '8BPS' || (version !== 1 && version !== 2)) throw damaged();
  const isLarge = version === 2;
  const colors = await sectionAt(source, HEADER_BYTES, 4);
  const resources = await sectionAt(source, colors.at + colors.sizeBytes, 4);
  const layers = await sectionAt(source, resources.at + resources.sizeBytes, isLarge ? 8 : 4);
  return {
    channels: head.readUInt16BE(12),
    height: head.readUInt32BE(14),
    width: head.readUInt32BE(18),
    depth: head.readUInt16BE(22),
    mode: head.readUInt16BE(24),
    palette: colors.sizeBytes === 768 ? await readAt(source, colors.at, 768) : Buffer.alloc(0),
    isLarge,
    resources,
    imageAt: layers.at + layers.sizeBytes,
  };
}

async function sectionAt(source: OpenSource, at: number, lengthBytes: 4 | 8): Promise<Section> {
  const length = await readWhole(source, at, lengthBytes);
  const sizeBytes = lengthBytes === 8 ? Number(length.readBigUInt64BE(0)) : length.readUInt32BE(0);
  return { at: at + lengthBytes, sizeBytes };
}

/** Maximum number of resources to read. */
const RESOURCES_MAX = 1000;

/** Returns the place of an image resource; undefined if the document has none of this number. */
export async function findResource(
  source: OpenSource,
  { resources }: PhotoshopHeader,
  id: number,
): Promise<Section | undefined> {
  const end = resources.at + resources.sizeBytes;
  let at = resources.at;
  for (let count = 0; count < RESOURCES_MAX && at + 12 <= end; count++) {
    // The name has at most 255 bytes.
    const head = await readAt(source, at, 4 + 2 + 256 + 4);
    if (head.length < 12 || head.toString('latin1', 0, 2) !== '8B') return undefined;
    // A name and its length, and data, take an even number of bytes.
    const nameBytes = evenUp(1 + (head[6] ?? 0));
    if (head.length < 10 + nameBytes) return undefined;
    const sizeBytes = head.readUInt32BE(6 + nameBytes);
    const start = at + 10 + nameBytes;
    if (head.readUInt16BE(4) === id) return { at: start, sizeBytes };
    at = start + evenUp(sizeBytes);
  }
  return undefined;
}

function evenUp(size: number): number {
  return size + (size % 2);
}
