import { open, readFile, stat } from 'node:fs/promises';

/** A file to examine: its path, or all of its bytes. */
export type Source = string | Buffer;

/** Random access to the bytes of a source. */
export interface OpenSource {
  readonly sizeBytes: number;
  /** Reads up to `lengthBytes` bytes into the beginning of `memory`. Returns their number. */
  read(memory: Buffer, lengthBytes: number, position: number): Promise<number>;
}

/** Runs `work` with an open source. Throws the file system's error when a file cannot be opened. */
export async function withSource<T>(
  source: Source | OpenSource,
  work: (source: OpenSource) => Promise<T>,
): Promise<T> {
  if (Buffer.isBuffer(source)) return work(inMemory(source));
  if (typeof source !== 'string') return work(source);
  const file = await open(source);
  try {
    const { size } = await file.stat();
    return await work({
      sizeBytes: size,
      read: async (memory, lengthBytes, position) =>
        (await file.read(memory, 0, lengthBytes, position)).bytesRead,
    });
  } finally {
    await file.close();
  }
}

function inMemory(bytes: Buffer): OpenSource {
  return {
    sizeBytes: bytes.length,
    read: async (memory, lengthBytes, position) =>
      bytes.subarray(position, position + lengthBytes).copy(memory),
  };
}

/** Returns all bytes of a source of at most `bytesMax` bytes; the source itself if it is larger. */
export async function inMemoryIfSmall(source: Source, bytesMax: number): Promise<Source> {
  if (typeof source !== 'string') return source;
  return (await stat(source)).size <= bytesMax ? readFile(source) : source;
}
