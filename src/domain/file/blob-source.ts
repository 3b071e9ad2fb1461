import type { BlobStream } from '../../blob/blob-store.ts';
import type { ByteRange } from '../../blob/byte-range.ts';
import type { ByteSource } from '../../media/file/details.ts';

/** Stored or staged bytes. */
interface Readable {
  read(key: string, range?: ByteRange): Promise<BlobStream>;
}

/** Returns random access to stored or staged bytes. Its `read` throws the errors of the store. */
export function blobSource(
  from: Readable,
  { blobKey, sizeBytes }: { blobKey: string; sizeBytes: number },
): ByteSource {
  return {
    sizeBytes,
    async read(position, lengthBytes) {
      const end = Math.min(position + lengthBytes, sizeBytes);
      const bytes = new Uint8Array(Math.max(0, end - position));
      if (bytes.length === 0) return bytes;
      let read = 0;
      for await (const piece of await from.read(blobKey, { start: position, end: end - 1 })) {
        bytes.set(piece, read);
        read += piece.length;
      }
      return bytes.subarray(0, read);
    },
  };
}
