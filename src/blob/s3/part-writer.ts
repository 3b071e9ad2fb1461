import type { S3Body } from './body.ts';
import { openPartFile, type PartFile, type PartFiles } from './part-file.ts';
import { PIECE_BYTES } from './staged-rows.ts';

/** Where the writer puts full parts, and what it starts from. */
export interface PartTarget {
  /** Position of the first byte that is written. */
  offsetBytes: number;
  partBytes: number;
  files: PartFiles;
  /** Reads the bytes before `offsetBytes` from `start` on: the beginning of the part that holds `offsetBytes`. */
  readBefore: (start: number) => AsyncIterable<Uint8Array>;
  /** Stores a full part. */
  putPart: (number: number, body: S3Body) => Promise<void>;
}

/** Cuts bytes into parts. */
export interface PartWriter {
  write(piece: Uint8Array): Promise<void>;
  /** Returns the bytes that were written after the last full part, in pieces of at most `PIECE_BYTES`. */
  rest(): Promise<{ offsetBytes: number; source: AsyncIterable<Uint8Array> }>;
  /** Position after the last byte. */
  endBytes(): number;
  close(): void;
}

/**
 * Creates a writer. It holds at most `PIECE_BYTES` in memory, and up to a part in a temporary file; a small chunk needs
 * no file.
 */
export function createPartWriter(target: PartTarget): PartWriter {
  const { offsetBytes, partBytes } = target;
  let file: PartFile | null = null;
  let held: Uint8Array[] = [];
  let heldBytes = 0;
  let endBytes = offsetBytes;
  let partStart = offsetBytes - (offsetBytes % partBytes);
  /** Position of the first byte that this writer has of the part that is not full yet. */
  const restStart = () => Math.max(offsetBytes, partStart);

  async function spill(): Promise<PartFile> {
    file ??= await openPartFile(target.files);
    const pieces = held;
    const position = endBytes - heldBytes - partStart;
    [held, heldBytes] = [[], 0];
    await file.write(position, pieces);
    return file;
  }

  async function putPart(): Promise<void> {
    const full = await spill();
    const beforeBytes = restStart() - partStart;
    if (beforeBytes > 0) {
      const countBytes = await full.write(0, target.readBefore(partStart));
      if (countBytes !== beforeBytes) throw new Error(`Got ${countBytes} of ${beforeBytes} bytes`);
    }
    await target.putPart(partStart / partBytes + 1, await full.toBody(partBytes));
    partStart += partBytes;
  }

  return {
    async write(piece) {
      for (let rest = piece; rest.length > 0; ) {
        const some = rest.subarray(0, partStart + partBytes - endBytes);
        rest = rest.subarray(some.length);
        // Pieces of a few bytes would take a hundred times their size.
        if (held.length === HELD_MAX) held = [Buffer.concat(held, heldBytes)];
        held.push(some);
        heldBytes += some.length;
        endBytes += some.length;
        if (endBytes === partStart + partBytes) await putPart();
        else if (heldBytes > PIECE_BYTES) await spill();
      }
    },
    async rest() {
      const start = restStart();
      if (file === null) return { offsetBytes: start, source: onePiece(held) };
      const spilled = await spill();
      const source =
        endBytes === start
          ? onePiece([])
          : spilled.read(start - partStart, endBytes - partStart, PIECE_BYTES);
      return { offsetBytes: start, source };
    },
    endBytes: () => endBytes,
    close: () => file?.close(),
  };
}

const HELD_MAX = 64;

async function* onePiece(pieces: Uint8Array[]): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.concat(pieces);
  if (bytes.length > 0) yield bytes;
}
