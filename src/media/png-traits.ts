import { crc32, deflateSync } from 'node:zlib';
import type { FileWindow } from './file-window.ts';
import { type ColorSpace, makeIccProfile, type Primaries } from './icc-profile.ts';

/** What the chunks before the pixels of a PNG say (PNG, Third Edition, §11). */
export interface PngTraits {
  /** Number of frames; 1 for a still image. */
  frames: number;
  isGray: boolean;
  /** Bits of a sample. */
  depth: number;
  /** The color space; null for sRGB, an ICC profile, or none that can be told. */
  space: ColorSpace | null;
}

/** Bytes of the signature and of IHDR, which comes first. */
const HEADER_BYTES = 33;
/** Chunks before the pixels that are looked at. */
const CHUNKS_MAX = 1000;

/** Reads the chunks before the pixels of a PNG. libvips reads neither frames nor the chunks of the color space. */
export async function readPngTraits(window: FileWindow): Promise<PngTraits> {
  const header = Buffer.from((await window.at(0, HEADER_BYTES)).subarray(0, HEADER_BYTES));
  const chunks = new Map<string, Buffer>();
  let at = HEADER_BYTES;
  for (let count = 0; count < CHUNKS_MAX; count++) {
    const chunk = await window.at(at, 8 + CHUNK_BYTES_MAX);
    const type = chunk.toString('latin1', 4, 8);
    if (chunk.length < 8 || type === 'IDAT') break;
    const sizeBytes = chunk.readUInt32BE(0);
    if (READ.has(type))
      chunks.set(type, Buffer.from(chunk.subarray(8, 8 + Math.min(sizeBytes, CHUNK_BYTES_MAX))));
    at += 12 + sizeBytes;
  }
  const animation = chunks.get('acTL');
  const isGray = ((header[25] ?? 0) & 2) === 0;
  return {
    frames: animation === undefined || animation.length < 8 ? 1 : animation.readUInt32BE(0),
    isGray,
    depth: header[24] ?? 8,
    space: spaceOf(chunks),
  };
}

/** The longest of the chunks that are read. */
const CHUNK_BYTES_MAX = 32;
const READ: ReadonlySet<string> = new Set(['acTL', 'cICP', 'iCCP', 'sRGB', 'gAMA', 'cHRM']);

/** Returns the PNG with an ICC profile for its color space in place of the chunks that libvips ignores. */
export function withColorProfile(png: Buffer, space: ColorSpace, isGray: boolean): Buffer {
  const profile = makeIccProfile(space, isGray);
  return profile === null ? png : withIccProfile(png, profile);
}

/** Returns the PNG with an ICC profile. It must not have one. */
export function withIccProfile(png: Buffer, profile: Uint8Array): Buffer {
  const name = Buffer.from('space\0\0', 'latin1');
  const body = Buffer.concat([Buffer.from('iCCP'), name, deflateSync(profile)]);
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(body.length - 4);
  check.writeUInt32BE(crc32(body));
  const [head, rest] = [png.subarray(0, HEADER_BYTES), png.subarray(HEADER_BYTES)];
  return Buffer.concat([head, length, body, check, rest]);
}

/**
 * Returns the color space in the chunk that counts: cICP before iCCP before sRGB before gAMA and cHRM (§4.3).
 * Returns null for sRGB, also if only rounding tells it from gAMA and cHRM, as many programs write these numbers.
 */
function spaceOf(chunks: ReadonlyMap<string, Buffer>): ColorSpace | null {
  if (chunks.has('iCCP')) return null;
  const coded = chunks.get('cICP');
  if (coded !== undefined) return codedSpace(coded);
  if (chunks.has('sRGB')) return null;
  const exponent = exponentOf(chunks.get('gAMA'));
  const primaries = primariesOf(chunks.get('cHRM'));
  if (exponent === null && primaries === null) return null;
  const space = { transfer: exponent ?? 'srgb', primaries: primaries ?? SRGB } as const;
  return isNearSrgb(space) ? null : space;
}

const D65 = [0.3127, 0.329] as const;
const SRGB: Primaries = [D65, [0.64, 0.33], [0.3, 0.6], [0.15, 0.06]];

/** Primaries by their number in ITU-T H.273, table 2: sRGB, BT.2020 and Display P3. */
const PRIMARIES: Readonly<Record<number, Primaries>> = {
  1: SRGB,
  9: [D65, [0.708, 0.292], [0.17, 0.797], [0.131, 0.046]],
  12: [D65, [0.68, 0.32], [0.265, 0.69], [0.15, 0.06]],
};

/** Transfers by their number in ITU-T H.273, table 3. Those of HDR are missing: sRGB has no room for their light. */
const TRANSFERS: Readonly<Record<number, ColorSpace['transfer']>> = {
  ...{ 1: 'bt709', 6: 'bt709', 14: 'bt709', 15: 'bt709' },
  ...{ 4: 2.2, 5: 2.8, 8: 1, 13: 'srgb' },
};

function codedSpace([first = 0, second = 0, matrix = 0, isFull = 0]: Buffer): ColorSpace | null {
  const [primaries, transfer] = [PRIMARIES[first], TRANSFERS[second]];
  if (primaries === undefined || transfer === undefined || matrix !== 0 || isFull !== 1)
    return null;
  return primaries === SRGB && transfer === 'srgb' ? null : { primaries, transfer };
}

/** Returns the exponent that turns a sample into light: gAMA has the reverse of it, times 100,000. */
function exponentOf(gamma: Buffer | undefined): number | null {
  if (gamma === undefined || gamma.length < 4) return null;
  const exponent = 100_000 / gamma.readUInt32BE(0);
  return exponent >= 0.1 && exponent <= 10 ? exponent : null;
}

function primariesOf(chunk: Buffer | undefined): Primaries | null {
  if (chunk === undefined || chunk.length < 32) return null;
  const pair = (at: number) =>
    [chunk.readUInt32BE(at) / 100_000, chunk.readUInt32BE(at + 4) / 100_000] as const;
  return [pair(0), pair(8), pair(16), pair(24)];
}

function isNearSrgb({ transfer, primaries }: ColorSpace): boolean {
  const isCurve = transfer === 'srgb' || Math.abs(Number(transfer) / 2.2 - 1) < 0.05;
  const known = SRGB.flat();
  return (
    isCurve && primaries.flat().every((value, at) => Math.abs(value - (known[at] ?? 0)) < 0.01)
  );
}
