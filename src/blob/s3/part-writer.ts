import { createHash, type Hash } from 'node:crypto';
import type { Pieces } from '../blob-store.ts';
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
  /** Stores a full part, while the next one is written. Never runs twice at once. */
  putPart: (number: number, body: S3Body) => Promise<void>;
}

/** Cuts bytes into parts. */
export interface PartWriter {
  write(piece: Uint8Array): Promise<void>;
  /** Returns the bytes that were written after the last full part, in pieces of at most `PIECE_BYTES`. */
  rest(): Promise<{ offsetBytes: number; source: AsyncIterable<Uint8Array> }>;
  /** Position after the last byte. */
  endBytes(): number;
  /** Waits until all full parts are stored. Throws the error of `putPart`. */
  sent(): Promise<void>;
  /** Call it at the end, after a failure, too. */
  close(): Promise<void>;
}

/**
 * Creates a writer. It holds at most `PIECE_BYTES` in memory, and up to two parts in temporary files; a small chunk needs
 * no file.
 */
export function createPartWriter(target: PartTarget): PartWriter {
  const { offsetBytes, partBytes } = target;
  let file: PartFile | null = null;
  let [held, heldBytes]: [Uint8Array[], number] = [[], 0];
  let endBytes = offsetBytes;
  let sending: Promise<void> = Promise.resolve();
  let partStart = offsetBytes - (offsetBytes % partBytes);
  /** Position of the first byte that this writer has of the part that is not full yet. */
  const restStart = () => Math.max(offsetBytes, partStart);
  /** Of the part so far; null: its beginning is not here. */
  let hash: Hash | null = partStart === offsetBytes ? createHash('sha256') : null;

  async function spill(): Promise<PartFile> {
    file ??= await openPartFile(target.files);
    const pieces = held;
    const position = endBytes - heldBytes - partStart;
    [held, heldBytes] = [[], 0];
    for (const piece of pieces) hash?.update(piece);
    await file.write(position, pieces);
    return file;
  }

  async function putPart(): Promise<void> {
    const full = await spill();
    await fill(full, target.readBefore(partStart), restStart() - partStart);
    const body = await full.toBody(partBytes, hash?.digest('hex'));
    await sending;
    sending = target.putPart(partStart / partBytes + 1, body).finally(full.close);
    sending.catch(() => undefined);
    file = null;
    hash = createHash('sha256');
    partStart += partBytes;
  }

  return {
    async write(piece) {
      for (let rest = piece; rest.length > 0; ) {
        const some = rest.subarray(0, partStart + partBytes - endBytes);
        rest = rest.subarray(some.length);
        held = keep(held, some);
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
      const end = endBytes - partStart;
      return { offsetBytes: start, source: spilled.read(start - partStart, end, PIECE_BYTES) };
    },
    endBytes: () => endBytes,
    sent: () => sending,
    close: () => sending.catch(() => undefined).then(() => file?.close()),
  };
}

const HELD_MAX = 64;

/** Pieces of a few bytes would take a hundred times their size. */
function keep(held: Uint8Array[], piece: Uint8Array): Uint8Array[] {
  return [...(held.length === HELD_MAX ? [Buffer.concat(held)] : held), piece];
}

async function fill(file: PartFile, source: Pieces, sizeBytes: number): Promise<void> {
  if (sizeBytes === 0) return;
  const countBytes = await file.write(0, source);
  if (countBytes !== sizeBytes) throw new Error(`Got ${countBytes} of ${sizeBytes} bytes`);
}

async function* onePiece(pieces: Uint8Array[]): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.concat(pieces);
  if (bytes.length > 0) yield bytes;
}
