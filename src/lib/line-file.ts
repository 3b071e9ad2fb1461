import { createReadStream, createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';

/** Lines are compressed in pieces of at least this many characters. */
const PIECE_CHARS = 64 * 1024;

/** The fastest level: a backup is written more often than it is sent. */
const LEVEL = 1;

/**
 * Writes lines to a new compressed file that only its owner can read, in constant memory. No line may contain a line
 * feed. The bytes are durable when the promise resolves; the name is not. Returns the number of lines.
 */
export async function writeLines(path: string, lines: AsyncIterable<string>): Promise<number> {
  let count = 0;
  async function* pieces() {
    let piece = '';
    for await (const line of lines) {
      count += 1;
      piece += `${line}\n`;
      if (piece.length < PIECE_CHARS) continue;
      yield piece;
      piece = '';
    }
    yield piece;
  }
  await pipeline(
    Readable.from(pieces()),
    createGzip({ level: LEVEL }),
    createWriteStream(path, { flags: 'wx', mode: 0o600, flush: true }),
  );
  return count;
}

/** Reads the lines of a file that `writeLines` has written, in constant memory. Throws if the file is cut or damaged. */
export async function* readLines(path: string): AsyncGenerator<string> {
  const file = createReadStream(path);
  const text = createGunzip();
  // `pipe` does not pass on errors; `compose` would read the file whole when the caller stops early.
  file.on('error', (error) => text.destroy(error));
  file.pipe(text).setEncoding('utf8');
  let rest = '';
  try {
    for await (const piece of text as AsyncIterable<string>) {
      const lines = (rest + piece).split('\n');
      rest = lines.pop() ?? '';
      yield* lines;
    }
  } finally {
    file.destroy();
    text.destroy();
  }
  if (rest !== '') throw new Error(`${path} is cut.`);
}
