import { createHash, randomUUID } from 'node:crypto';
import { unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { Pieces } from '../blob-store.ts';
import { closeDescriptor, openDescriptor, readDescriptor } from '../descriptor.ts';
import { writeAll } from '../file-write.ts';
import type { S3Body } from './body.ts';

/** A temporary file without a name, which disappears with the process: a part need not be in memory to be sent. */
export interface PartFile {
  /** Writes all of `source`. Returns the number of bytes. */
  write(position: number, source: Pieces): Promise<number>;
  /** Reads a range in pieces of `pieceBytes`; `end` is excluded. */
  read(start: number, end: number, pieceBytes: number): AsyncIterable<Uint8Array>;
  /**
   * Returns the first `sizeBytes` bytes. They must not change, and the file not be closed, until they were sent. Reads
   * them if the caller does not know their `sha256`.
   */
  toBody(sizeBytes: number, sha256?: string): Promise<S3Body>;
  close(): void;
}

/** Where part files are. */
export interface PartFiles {
  /** Their directory. */
  directory: string;
  /** Learns of every piece of memory that was written or filled. */
  onPiece: (countBytes: number) => void;
}

/** Bytes that are read at once, to be hashed or sent. */
const SENT_BYTES = 256 * 1024;

/** Creates a part file. */
export async function openPartFile({ directory, onPiece }: PartFiles): Promise<PartFile> {
  const path = join(directory, randomUUID());
  const fd = await openDescriptor(path, 'wx+');
  await unlink(path);
  async function* read(start: number, end: number, pieceBytes: number) {
    for (let position = start; position < end; ) {
      const piece = Buffer.allocUnsafeSlow(Math.min(pieceBytes, end - position));
      const countBytes = await readDescriptor(fd, piece, position);
      if (countBytes === 0) throw new Error(`The file ends ${end - position} bytes early`);
      position += countBytes;
      yield piece.subarray(0, countBytes);
      onPiece(countBytes);
    }
  }
  return {
    read,
    write: (position, source) => writeAll(fd, position, source, { onWritten: onPiece }),
    async toBody(sizeBytes, sha256) {
      const open = () => Readable.from(read(0, sizeBytes, SENT_BYTES), { objectMode: false });
      return { sizeBytes, sha256: sha256 ?? (await hashFile(fd, sizeBytes)), open };
    },
    close: () => closeDescriptor(fd),
  };
}

/** Reads into one buffer: garbage of the size of each part costs more time than its digest. */
async function hashFile(fd: number, sizeBytes: number): Promise<string> {
  const hash = createHash('sha256');
  const memory = Buffer.allocUnsafeSlow(SENT_BYTES);
  for (let position = 0; position < sizeBytes; ) {
    const rest = memory.subarray(0, sizeBytes - position);
    const countBytes = await readDescriptor(fd, rest, position);
    if (countBytes === 0) throw new Error(`The file ends ${sizeBytes - position} bytes early`);
    hash.update(rest.subarray(0, countBytes));
    position += countBytes;
  }
  return hash.digest('hex');
}
