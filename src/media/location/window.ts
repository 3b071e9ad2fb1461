import type { ByteSource } from '../file/details.ts';

/** Returns the bytes of a source from `position` on, fewer at its end, none outside of it. */
export async function readBuffer(
  source: ByteSource,
  position: number,
  lengthBytes: number,
): Promise<Buffer> {
  const length = Math.min(lengthBytes, source.sizeBytes - position);
  if (!(position >= 0 && length > 0)) return Buffer.alloc(0);
  const { buffer, byteOffset, length: read } = await source.read(position, length);
  return Buffer.from(buffer, byteOffset, read);
}

/** Returns a source of bytes in memory. */
export function sourceOf(bytes: Buffer): ByteSource {
  return {
    sizeBytes: bytes.length,
    read: async (position, lengthBytes) =>
      new Uint8Array(bytes.subarray(position, position + lengthBytes)),
  };
}
