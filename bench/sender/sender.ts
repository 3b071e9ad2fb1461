import type { Connection } from '../connection.ts';
import type { Payload } from '../payload.ts';

/**
 * Uploads a file and returns the path to download it from, or null where the dialect does not tell. Throws unless
 * the server acknowledges every byte, and the MD5 where it computes one.
 */
export type Send = (connection: Connection, payload: Payload) => Promise<string | null>;

/** Cuts into chunks as a client does: all of one size but the last. */
export function* chunksOf({ bytes }: Payload, chunkBytes: number) {
  for (let offset = 0; offset < bytes.length; offset += chunkBytes) {
    const end = Math.min(offset + chunkBytes, bytes.length);
    yield { offset, end, bytes: bytes.subarray(offset, end), isLast: end === bytes.length };
  }
}

export function check(
  isGood: boolean,
  what: string,
  answer: { status: number; body: string },
): void {
  if (!isGood) throw new Error(`${what}: ${answer.status} ${answer.body.slice(0, 1000)}`);
}
