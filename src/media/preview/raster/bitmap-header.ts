import type { OpenSource } from '../../source.ts';
import { damaged, readAt, readWhole, unknownVariant } from './read.ts';

/** The header of a device-independent bitmap: BITMAPINFOHEADER and its relatives, of Windows and OS/2. */
export interface BitmapHeader {
  width: number;
  height: number;
  /** Whether the first row in the file is the top one. */
  isTopDown: boolean;
  bitsPerPixel: number;
  /** How the pixels are stored: as such, as runs of palette indexes, or as a file of another format. */
  packing: 'none' | 'runs' | 'jpeg' | 'png';
  /** Colors of indexes: three bytes each, red first. */
  palette: Uint8Array;
  /** The bits of red, green, blue and alpha in a pixel of 16 or 32 bits; 0: the bitmap has no such channel. */
  masks: readonly [red: number, green: number, blue: number, alpha: number];
  /** Position after the header and the palette. */
  end: number;
}

const CORE_BYTES = 12;
const INFO_BYTES = 40;

/** The packings by their number, `biCompression`: 1 and 2 differ in the bits of a pixel. */
const PACKINGS = ['none', 'runs', 'runs', 'none', 'jpeg', 'png', 'none'] as const;
const BIT_FIELDS = 3;
const ALPHA_BIT_FIELDS = 6;

/** Reads the header at `start`. Throws PreviewError if the bitmap is damaged, or of an unknown variant. */
export async function readBitmapHeader(source: OpenSource, start: number): Promise<BitmapHeader> {
  const sizeBytes = (await readWhole(source, start, 4)).readUInt32LE(0);
  if (sizeBytes !== CORE_BYTES && (sizeBytes < 16 || sizeBytes > 1024)) throw damaged();
  // OS/2 cuts its header off where the rest is zero.
  const head = Buffer.alloc(Math.max(sizeBytes, 124));
  (await readWhole(source, start, sizeBytes)).copy(head);
  const isCore = sizeBytes === CORE_BYTES;
  const height = isCore ? head.readUInt16LE(6) : head.readInt32LE(8);
  const bitsPerPixel = head.readUInt16LE(isCore ? 10 : 14);
  const compression = isCore ? 0 : head.readUInt32LE(16);
  const packing = PACKINGS[compression];
  if (packing === undefined || ![0, 1, 2, 4, 8, 16, 24, 32].includes(bitsPerPixel)) {
    throw unknownVariant();
  }
  const hasFields = compression === BIT_FIELDS || compression === ALPHA_BIT_FIELDS;
  // The fields follow the first header of Windows; the later ones contain them.
  const isOutside = hasFields && sizeBytes === INFO_BYTES;
  const fieldBytes = compression === BIT_FIELDS && sizeBytes <= 52 ? 12 : 16;
  const fields = Buffer.alloc(16);
  (await readAt(source, start + INFO_BYTES, fieldBytes)).copy(fields);
  const paletteAt = start + sizeBytes + (isOutside ? fieldBytes : 0);
  const used = isCore ? 0 : head.readUInt32LE(32);
  const colors = bitsPerPixel > 8 ? used : Math.min(used || 2 ** bitsPerPixel, 256);
  const entryBytes = isCore ? 3 : 4;
  return {
    width: isCore ? head.readUInt16LE(4) : head.readInt32LE(4),
    height: Math.abs(height),
    isTopDown: height < 0,
    bitsPerPixel,
    packing,
    palette: paletteOf(
      await readAt(source, paletteAt, Math.min(colors, 256) * entryBytes),
      entryBytes,
    ),
    masks: hasFields ? masksOf(fields) : (DEFAULT_MASKS[bitsPerPixel] ?? NO_MASKS),
    end: paletteAt + Math.min(colors, 65_536) * entryBytes,
  };
}

const NO_MASKS = [0, 0, 0, 0] as const;

/** The fourth byte of 32 bits has no meaning unless a mask gives it one. */
const DEFAULT_MASKS: Readonly<Record<number, BitmapHeader['masks']>> = {
  16: [0x7c00, 0x03e0, 0x001f, 0],
  32: [0xff0000, 0xff00, 0xff, 0],
};

function masksOf(fields: Buffer): BitmapHeader['masks'] {
  const [red, green, blue, alpha] = [0, 4, 8, 12].map((at) => fields.readUInt32LE(at));
  return [red ?? 0, green ?? 0, blue ?? 0, alpha ?? 0];
}

function paletteOf(bytes: Buffer, entryBytes: number): Uint8Array {
  const palette = new Uint8Array(256 * 3);
  for (let index = 0; (index + 1) * entryBytes <= bytes.length; index++) {
    const at = index * entryBytes;
    palette.set([bytes[at + 2] ?? 0, bytes[at + 1] ?? 0, bytes[at] ?? 0], index * 3);
  }
  return palette;
}
