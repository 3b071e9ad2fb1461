import { randomBytes, randomInt } from 'node:crypto';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type { BlobEntry } from '../../src/blob/blob-store.ts';

export function newKey(): string {
  return randomBytes(16).toString('hex');
}

/** A source of these texts or bytes, piece by piece. */
export async function* pieces(...pieces: (string | Buffer)[]): AsyncGenerator<Buffer> {
  for (const piece of pieces) yield typeof piece === 'string' ? Buffer.from(piece) : piece;
}

/** A source that yields more than any store holds back before it writes, and then fails. */
export async function* failing(error: Error): AsyncGenerator<Buffer> {
  yield randomBytes(2 ** 20);
  yield Buffer.from('and a bit');
  throw error;
}

/** A source of these bytes, in pieces of random sizes. */
export async function* cutAtRandom(bytes: Buffer, pieceBytesMax: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; ) {
    const end = at + randomInt(pieceBytesMax);
    yield bytes.subarray(at, end);
    at = end;
  }
}

/** Reads a stream to its end. */
export async function textOf(stream: Promise<Readable>): Promise<string> {
  return (await buffer(await stream)).toString();
}

/** Returns all listed entries. */
export function entriesOf(store: { list(): AsyncIterable<BlobEntry> }): Promise<BlobEntry[]> {
  return Array.fromAsync(store.list());
}

const HEX = 'a'.repeat(32);

/** Texts that are not blob keys, though some nearly are. */
export const HOSTILE_KEYS = [
  ...['', '.', '..', '../../../etc/passwd', `../staging/${HEX}`, `${HEX}/..`, `${HEX}\n`],
  ...[HEX.slice(1), `${HEX}a`, HEX.toUpperCase(), `${HEX.slice(1)}\0`, `${HEX.slice(1)}é`],
];
