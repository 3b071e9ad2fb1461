import type { ByteSource } from '../file/details.ts';

/** Bytes to write over a part of a file, so that neither its size nor any position in it changes. */
export interface Patch {
  offset: number;
  lengthBytes: number;
  /** Repeated until the length is reached: one byte fills it. */
  bytes: Uint8Array;
}

const ZERO = Uint8Array.of(0);
const SPACE = Uint8Array.of(0x20);

/** Returns the patch that writes these bytes. */
export function overwrite(offset: number, bytes: Uint8Array): Patch {
  return { offset, lengthBytes: bytes.length, bytes };
}

/** Returns the patch that fills a part with zeros, the neutral bytes of binary data. */
export function zeros(offset: number, lengthBytes: number): Patch {
  return { offset, lengthBytes, bytes: ZERO };
}

/** Returns the patch that fills a part with spaces, the neutral characters of text. */
export function spaces(offset: number, lengthBytes: number): Patch {
  return { offset, lengthBytes, bytes: SPACE };
}

/** Returns patches of a part of a file as patches of the file. */
export function moved(patches: readonly Patch[], offset: number): Patch[] {
  return patches.map((patch) => ({ ...patch, offset: patch.offset + offset }));
}

/** Returns patches without what lies past the end of the part that they are for. */
export function clipped(patches: readonly Patch[], sizeBytes: number): Patch[] {
  return patches.flatMap((patch) => {
    const lengthBytes = Math.min(patch.lengthBytes, sizeBytes - patch.offset);
    return lengthBytes > 0 ? [{ ...patch, lengthBytes }] : [];
  });
}

/**
 * Returns patches of which those with zeros overlap no more and come first: a made file asks for the same zeros thousands
 * of times.
 */
export function zerosOnce(patches: readonly Patch[]): Patch[] {
  const [blank, others] = [patches.filter(isZeros), patches.filter((patch) => !isZeros(patch))];
  const joined: Patch[] = [];
  for (const patch of blank.sort((a, b) => a.offset - b.offset)) {
    const last = joined.at(-1);
    const lastEnd = last === undefined ? -1 : last.offset + last.lengthBytes;
    const end = patch.offset + patch.lengthBytes;
    if (last === undefined || patch.offset > lastEnd) joined.push({ ...patch });
    else last.lengthBytes = Math.max(end, lastEnd) - last.offset;
  }
  return [...joined, ...others];
}

function isZeros({ bytes }: Patch): boolean {
  return bytes.length === 1 && bytes[0] === 0;
}

/** Applies patches, in their order, to a part of a file that begins at `position`. Changes `piece`. */
export function applyPatches(piece: Uint8Array, position: number, patches: readonly Patch[]): void {
  for (const { offset, lengthBytes, bytes } of patches) {
    const start = Math.max(offset, position);
    const end = Math.min(offset + lengthBytes, position + piece.length);
    if (start >= end) continue;
    if (bytes.length === 1) piece.fill(bytes[0] ?? 0, start - position, end - position);
    else {
      for (let at = start; at < end; at++) {
        piece[at - position] = bytes[(at - offset) % bytes.length] ?? 0;
      }
    }
  }
}

/** Returns a copy of the bytes with the patches applied. */
export function patched(bytes: Uint8Array, patches: readonly Patch[]): Buffer {
  const copy = Buffer.from(bytes);
  applyPatches(copy, 0, patches);
  return copy;
}

const COMPARED_BYTES = 256 * 1024;

/** Returns the patches that change a byte: a file whose location has been removed before needs none. */
export async function changingPatches(
  source: ByteSource,
  patches: readonly Patch[],
): Promise<Patch[]> {
  const changing: Patch[] = [];
  for (const patch of patches) if (await changes(source, patch)) changing.push(patch);
  return changing;
}

async function changes(source: ByteSource, patch: Patch): Promise<boolean> {
  const end = Math.min(patch.offset + patch.lengthBytes, source.sizeBytes);
  for (let at = patch.offset; at < end; at += COMPARED_BYTES) {
    const before = await source.read(at, Math.min(COMPARED_BYTES, end - at));
    const after = Buffer.from(before);
    applyPatches(after, at, [patch]);
    if (!after.equals(before)) return true;
  }
  return false;
}
