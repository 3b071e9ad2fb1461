import type { Pieces } from './blob-store.ts';
import { writePieces } from './descriptor.ts';

/**
 * Pieces are collected up to this many bytes, or this many pieces, and then written in one call. MB/s of one upload in
 * 5 MiB chunks / of eight at once in 1 MiB chunks, durable, server on one core: each piece (64 KiB) by itself 499 /
 * 701, 128 KiB 558 / 772, 256 KiB 624 / 562, 1 MiB 470 / 309. Large batches of many uploads fall out of the processor's
 * cache before they are written. Filling the next batch while one is being written gained nothing.
 */
const BATCH_BYTES = 128 * 1024;
const BATCH_PIECES = 64;

/** A callback that learns how many bytes have just been written. */
export type OnWritten = (countBytes: number) => void;

/** Options of `writeAll`. */
export interface WriteOptions {
  onWritten?: OnWritten | undefined;
  /** Called right before each write. Ends the writing by throwing. */
  check?: () => void;
}

/** Writes all of `source` to an open file, from `offsetBytes` on. Returns the number of bytes that `source` yielded. */
export async function writeAll(
  fd: number,
  offsetBytes: number,
  source: Pieces,
  { onWritten, check }: WriteOptions = {},
): Promise<number> {
  let position = offsetBytes;
  let batch: Uint8Array[] = [];
  let batchBytes = 0;
  for await (const piece of source) {
    batch.push(piece);
    batchBytes += piece.byteLength;
    if (batchBytes < BATCH_BYTES && batch.length < BATCH_PIECES) continue;
    check?.();
    await writeBatch(fd, position, batch);
    onWritten?.(batchBytes);
    position += batchBytes;
    batch = [];
    batchBytes = 0;
  }
  check?.();
  await writeBatch(fd, position, batch);
  return position + batchBytes - offsetBytes;
}

async function writeBatch(fd: number, position: number, batch: Uint8Array[]): Promise<void> {
  let at = position;
  let rest = dropBytes(batch, 0);
  while (rest.length > 0) {
    // May write less than all: the kernel does so before it reports a full disk or an exceeded quota.
    const countBytes = await writePieces(fd, rest, at);
    at += countBytes;
    rest = dropBytes(rest, countBytes);
  }
}

/** Returns what remains after the first `countBytes`, without empty pieces. */
function dropBytes(pieces: Uint8Array[], countBytes: number): Uint8Array[] {
  let drop = countBytes;
  return pieces.flatMap((piece) => {
    const rest = piece.subarray(drop);
    drop -= piece.byteLength - rest.byteLength;
    return rest.byteLength > 0 ? [rest] : [];
  });
}
