import type { ByteSource } from './details.ts';

const PAGE_BYTES = 64 * 1024;

/** Pages that are kept, the last ones. */
const PAGES_MAX = 16;

/**
 * Returns a source that reads whole pages and keeps the last ones: parsers read a few bytes at a time, and each read of
 * the file costs a message to another process. A long read goes past the pages.
 */
export function withPages(source: ByteSource): ByteSource {
  const pages = new Map<number, Uint8Array<ArrayBuffer>>();
  async function pageAt(index: number): Promise<Uint8Array<ArrayBuffer>> {
    const page = pages.get(index) ?? (await source.read(index * PAGE_BYTES, PAGE_BYTES));
    // The last used page comes last.
    pages.delete(index);
    pages.set(index, page);
    const [oldest] = pages.keys();
    if (pages.size > PAGES_MAX && oldest !== undefined) pages.delete(oldest);
    return page;
  }
  return {
    sizeBytes: source.sizeBytes,
    async read(position, lengthBytes) {
      const end = Math.min(position + lengthBytes, source.sizeBytes);
      const length = Math.max(0, end - position);
      if (length > PAGE_BYTES) return source.read(position, length);
      const bytes = new Uint8Array(length);
      for (let at = position; at < end; ) {
        const index = Math.floor(at / PAGE_BYTES);
        const start = at - index * PAGE_BYTES;
        const piece = (await pageAt(index)).subarray(start, start + end - at);
        // The file is shorter than it says.
        if (piece.length === 0) return bytes.subarray(0, at - position);
        bytes.set(piece, at - position);
        at += piece.length;
      }
      return bytes;
    },
  };
}
