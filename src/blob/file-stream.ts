import { type FileHandle, open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import type { BlobStream } from './blob-store.ts';
import { type ByteRange, clipByteRange } from './byte-range.ts';
import { ifPresent } from './disk.ts';

/**
 * Bytes requested from the kernel by one read. A download of 64 MiB runs 4 to 12 % faster than with Node's 64 KiB; 512
 * KiB would gain about as much again, for twice the memory.
 */
const PIECE_BYTES = 256 * 1024;
/** Enough for five downloads at a time; further pieces are left to the garbage collector. */
const POOLED_MAX = 16;

/** Memory that streams have given back, for the next piece of any stream. */
export type BufferPool = Buffer[];

/**
 * Opens a file, or a range of it, as a stream; returns null if the file does not exist. Throws a RangeError for a range
 * that is outside of the file.
 */
export async function openFileStream(
  path: string,
  range: ByteRange | undefined,
  pool: BufferPool,
): Promise<BlobStream | null> {
  const file = await ifPresent(open(path, 'r'));
  if (file === null) return null;
  try {
    // With the end known, a small file takes a buffer of its own size and no read that finds the end: 28,000 reads of
    // 20 KiB a second, against 18,000 of a stream with Node's defaults.
    const { size } = await file.stat();
    const whole = { start: 0, end: size - 1 };
    return new FileStream(file, range === undefined ? whole : clipByteRange(range, size), pool);
  } catch (error) {
    await file.close();
    throw error;
  }
}

/**
 * Streams a range of an open file, and closes the file at the end. Node's own file stream allocates 64 MiB to read 64
 * MiB, and V8 collects its whole heap for every 32 MiB of them; with `recycle` a few pieces suffice, and a download
 * costs 32 ms of processor time instead of 140.
 */
class FileStream extends Readable implements BlobStream {
  readonly #file: FileHandle;
  readonly #pool: BufferPool;
  #position: number;
  #restBytes: number;
  #reading: Promise<void> = Promise.resolve();

  constructor(file: FileHandle, { start, end }: ByteRange, pool: BufferPool) {
    super({ highWaterMark: PIECE_BYTES });
    this.#file = file;
    this.#pool = pool;
    this.#position = start;
    this.#restBytes = end + 1 - start;
  }

  recycle({ buffer }: Uint8Array): void {
    const isWhole = buffer instanceof ArrayBuffer && buffer.byteLength === PIECE_BYTES;
    if (isWhole && this.#pool.length < POOLED_MAX) this.#pool.push(Buffer.from(buffer));
  }

  override _read(): void {
    this.#reading = this.#readPiece().catch((error) => void this.destroy(error));
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    // After the pending read: the file descriptor's number may be reused as soon as it is closed.
    this.#reading.then(() => this.#file.close()).then(() => callback(error), callback);
  }

  async #readPiece(): Promise<void> {
    if (this.#restBytes === 0) {
      this.push(null);
      return;
    }
    const buffer = this.#buffer();
    const lengthBytes = Math.min(buffer.length, this.#restBytes);
    const { bytesRead } = await this.#file.read(buffer, 0, lengthBytes, this.#position);
    if (bytesRead === 0) throw new Error(`The file ends ${this.#restBytes} bytes early`);
    this.#position += bytesRead;
    this.#restBytes -= bytesRead;
    this.push(buffer.subarray(0, bytesRead));
  }

  /**
   * Returns a buffer for the next piece. A small file, or the end of a large one, gets a buffer of exactly its size.
   */
  #buffer(): Buffer {
    if (this.#restBytes < PIECE_BYTES / 2) return Buffer.allocUnsafeSlow(this.#restBytes);
    return this.#pool.pop() ?? Buffer.allocUnsafeSlow(PIECE_BYTES);
  }
}
