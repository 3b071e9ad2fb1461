import { createHash, type Hash, randomUUID } from 'node:crypto';
import { read } from 'node:fs';
import { unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { Pieces } from '../blob-store.ts';
import { closeDescriptor, openDescriptor } from '../descriptor.ts';
import { writeAll } from '../file-write.ts';
import { bytesBody, type S3Body } from './body.ts';

/** A body on disk, or a small one in memory. */
export interface SpooledBody extends S3Body {
  /** Gives its memory or disk space back. Nothing may read it afterwards. */
  release(): void;
}

/** A body of up to this size stays in memory. Most renditions do. */
const MEMORY_BYTES = 256 * 1024;

/** Bytes of one read. The disk's cache serves them. */
const READ_BYTES = 256 * 1024;

/** The size of a body, and a place for those that do not fit into memory. */
export interface SpoolOptions {
  /** Directory of the files. They have no names, so that nothing is left of them when the process dies. */
  directory: string;
  partBytes: number;
}

/**
 * Cuts a source into bodies of `partBytes`, of which the last one may be smaller; a source without bytes is one empty
 * body. A request declares the digest of its body before the bytes, so each body is held until it has been read whole.
 * Throws before the last body if the source does not have `sizeBytes`. The caller releases each body.
 */
export async function* spool(
  source: Pieces,
  sizeBytes: number,
  { directory, partBytes }: SpoolOptions,
): AsyncGenerator<SpooledBody> {
  let body = new GrowingBody(directory);
  let countBytes = 0;
  try {
    for await (const piece of source) {
      let rest = piece;
      countBytes += piece.byteLength;
      // Reads on, to name the size.
      if (countBytes > sizeBytes) continue;
      while (body.sizeBytes + rest.byteLength > partBytes) {
        const room = partBytes - body.sizeBytes;
        await body.add(rest.subarray(0, room));
        rest = rest.subarray(room);
        const full = body;
        body = new GrowingBody(directory);
        yield await full.end();
      }
      await body.add(rest);
    }
    if (countBytes !== sizeBytes) {
      throw new Error(`Expected ${sizeBytes} bytes, got ${countBytes}`);
    }
  } catch (error) {
    body.release();
    throw error;
  }
  yield await body.end();
}

class GrowingBody {
  readonly #directory: string;
  readonly #hash: Hash = createHash('sha256');
  #pieces: Uint8Array[] = [];
  /** Null while all bytes are in memory. */
  #fd: number | null = null;
  #writtenBytes = 0;
  sizeBytes = 0;

  constructor(directory: string) {
    this.#directory = directory;
  }

  async add(piece: Uint8Array): Promise<void> {
    this.#pieces.push(piece);
    this.sizeBytes += piece.byteLength;
    if (this.sizeBytes - this.#writtenBytes > MEMORY_BYTES) await this.#write();
  }

  async end(): Promise<SpooledBody> {
    if (this.#fd === null) {
      const body = bytesBody(Buffer.concat(this.#pieces));
      return { ...body, release: () => undefined };
    }
    await this.#write();
    const fd = this.#fd;
    const { sizeBytes } = this;
    return {
      sizeBytes,
      sha256: this.#hash.digest('hex'),
      open: () => readDescriptor(fd, sizeBytes),
      release: () => this.release(),
    };
  }

  release(): void {
    if (this.#fd !== null) closeDescriptor(this.#fd);
    this.#fd = null;
  }

  async #write(): Promise<void> {
    this.#fd ??= await openUnnamed(this.#directory);
    const pieces = this.#pieces;
    this.#pieces = [];
    for (const piece of pieces) this.#hash.update(piece);
    this.#writtenBytes += await writeAll(this.#fd, this.#writtenBytes, pieces);
  }
}

async function openUnnamed(directory: string): Promise<number> {
  const path = join(directory, randomUUID());
  const fd = await openDescriptor(path, 'wx+');
  await unlink(path);
  return fd;
}

/** Streams an open file from its start. Unlike a stream of Node, it leaves the file open when it is destroyed. */
function readDescriptor(fd: number, sizeBytes: number): Readable {
  let position = 0;
  return new Readable({
    highWaterMark: READ_BYTES,
    read() {
      const bytes = Buffer.allocUnsafeSlow(Math.min(READ_BYTES, sizeBytes - position));
      if (bytes.length === 0) return void this.push(null);
      read(fd, bytes, 0, bytes.length, position, (error, countBytes) => {
        if (error) return void this.destroy(error);
        position += countBytes;
        this.push(bytes.subarray(0, countBytes));
      });
    },
  });
}
