import type { FileHandle } from 'node:fs/promises';

/** The most that one look can see. */
export const WINDOW_BYTES = 64 * 1024;

/**
 * More structures than any honest file has; a hostile one ends here after half a second at most.
 */
const LOOKS_MAX = 1_000_000;

/**
 * Reads a file at any position through one buffer, so that walking over small structures costs few
 * reads.
 */
export interface FileWindow {
  /**
   * What the window shows from `position` on: at least `lengthMin` bytes (at most `WINDOW_BYTES`),
   * fewer only at the end of the file. Nothing when the window has moved `movesMax` times or was
   * looked through a million times. Valid until the next call.
   */
  at(position: number, lengthMin: number): Promise<Buffer>;
}

/** A window over `file`, which stays the caller's to close. (Default: it may move without end.) */
export function createFileWindow(
  file: FileHandle,
  movesMax = Number.POSITIVE_INFINITY,
): FileWindow {
  const memory = Buffer.alloc(WINDOW_BYTES);
  let start = 0;
  let end = 0;
  let moves = 0;
  let looks = 0;
  async function move(position: number): Promise<void> {
    const { bytesRead } = await file.read(memory, 0, WINDOW_BYTES, position);
    start = position;
    end = position + bytesRead;
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
