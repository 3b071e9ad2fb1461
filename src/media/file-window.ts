import type { OpenSource } from './source.ts';

/** Size of the window, in bytes: the most that one read can return. */
export const WINDOW_BYTES = 64 * 1024;

/**
 * Calls of `at` allowed per window. No legitimate file has as many structures; a hostile one is cut
 * off here after at most half a second.
 */
const LOOKS_MAX = 1_000_000;

/**
 * Random access to a file through one buffer, so that walking many small structures needs few reads
 * from disk.
 */
export interface FileWindow {
  /**
   * Returns the buffered bytes from `position` on: at least `lengthMin` (at most `WINDOW_BYTES`),
   * fewer only at the end of the file. Returns no bytes after `movesMax` reads from disk or a
   * million calls. The result is valid until the next call.
   */
  at(position: number, lengthMin: number): Promise<Buffer>;
}

/**
 * Creates a window over a source. `movesMax` limits the reads from disk;
 * by default there is no limit.
 */
export function createFileWindow(
  source: OpenSource,
  movesMax = Number.POSITIVE_INFINITY,
): FileWindow {
  const memory = Buffer.alloc(WINDOW_BYTES);
  let start = 0;
  let end = 0;
  let moves = 0;
  let looks = 0;
  async function move(position: number): Promise<void> {
    end = position + (await source.read(memory, WINDOW_BYTES, position));
    start = position;
  }
  return {
    async at(position, lengthMin) {
      if (looks++ >= LOOKS_MAX) return Buffer.alloc(0);
      if (position < start || position + lengthMin > end) {
        if (moves++ >= movesMax) return Buffer.alloc(0);
        await move(position);
      }
      return memory.subarray(position - start, end - start);
    },
  };
}
