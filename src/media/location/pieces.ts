import type { Patch } from './patch.ts';

/** A part of a file, and where it is there. */
export interface Piece {
  offset: number;
  bytes: Buffer;
}

/** Returns patches of pieces that are joined, as patches of the file. */
export function inFile(patches: readonly Patch[], pieces: readonly Piece[]): Patch[] {
  const found: Patch[] = [];
  let start = 0;
  for (const { offset, bytes } of pieces) {
    const end = start + bytes.length;
    for (const patch of patches) {
      const from = Math.max(patch.offset, start);
      const to = Math.min(patch.offset + patch.lengthBytes, end);
      if (from >= to) continue;
      found.push({
        offset: offset + from - start,
        lengthBytes: to - from,
        bytes: rotated(patch.bytes, from - patch.offset),
      });
    }
    start = end;
  }
  return found;
}

function rotated(bytes: Uint8Array, by: number): Uint8Array {
  const at = by % bytes.length;
  return at === 0 ? bytes : Buffer.concat([bytes.subarray(at), bytes.subarray(0, at)]);
}
