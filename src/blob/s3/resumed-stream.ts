import { Readable } from 'node:stream';
import { BlobNotFoundError, type BlobStream } from '../blob-store.ts';
import type { ByteRange } from '../byte-range.ts';
import type { S3Client } from './client.ts';

/** How often a download is resumed without a byte in between. */
const RESUMES_MAX = 5;

/**
 * Opens an object, or a range of it, as a stream that goes on at the byte where its connection broke. Returns null if
 * the object does not exist. The stream fails with BlobNotFoundError if it is deleted meanwhile and cannot be resumed.
 */
export async function openResumedStream(
  client: Pick<S3Client, 'get'>,
  name: string,
  key: string,
  range: ByteRange | undefined,
): Promise<BlobStream | null> {
  const abort = new AbortController();
  const object = await client.get(name, { range, signal: abort.signal });
  if (object === null) return null;
  const { sizeBytes, etag } = object;
  const start = range?.start ?? 0;
  const end = Math.min(range?.end ?? sizeBytes - 1, sizeBytes - 1);

  async function* pieces(): AsyncGenerator<Buffer> {
    let body: Readable | undefined = object?.body;
    let position = start;
    for (let failures = 0; position <= end; ) {
      try {
        body ??= await resume(position);
        for await (const piece of body) {
          position += piece.length;
          failures = 0;
          yield piece;
        }
        if (position <= end) throw new Error(`The download of ${name} has ended early`);
      } catch (error) {
        const isFinal = abort.signal.aborted || error instanceof BlobNotFoundError;
        if (isFinal || ++failures > RESUMES_MAX) throw error;
        body = undefined;
      }
    }
  }

  async function resume(position: number): Promise<Readable> {
    const rest = { start: position, end };
    const again = await client.get(name, { range: rest, ifMatch: etag, signal: abort.signal });
    if (again === null) throw new BlobNotFoundError(key);
    return again.body;
  }

  return new AbortableStream(pieces(), abort);
}

/** Streams what an iterator yields. Unlike `Readable.from`, it does not wait for the next piece when it is destroyed. */
class AbortableStream extends Readable {
  readonly #pieces: AsyncGenerator<Buffer>;
  readonly #abort: AbortController;

  constructor(pieces: AsyncGenerator<Buffer>, abort: AbortController) {
    super({ highWaterMark: 256 * 1024 });
    this.#pieces = pieces;
    this.#abort = abort;
  }

  override _read(): void {
    this.#pieces.next().then(
      ({ value, done }) => void this.push(done ? null : value),
      (error) => void this.destroy(error),
    );
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#abort.abort();
    this.#pieces.return(undefined).then(
      () => callback(error),
      () => callback(error),
    );
  }
}
