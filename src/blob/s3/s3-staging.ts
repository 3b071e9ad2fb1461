import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { requireBlobKey } from '../blob-key.ts';
import {
  type BlobEntry,
  BlobNotFoundError,
  type BlobStore,
  type BlobStream,
} from '../blob-store.ts';
import { type ByteRange, clipByteRange, requireByteCount } from '../byte-range.ts';
import { requireStored } from '../require-stored.ts';
import { type AppendOptions, type Staging, StagingConflictError } from '../staging.ts';
import { blobNameOf } from './blob-name.ts';
import type { S3Client } from './client.ts';
import type { PartFiles } from './part-file.ts';
import { partBytesFor } from './part-size.ts';
import { createPartWriter } from './part-writer.ts';
import { openScratch } from './scratch.ts';
import { abortUploads, sealParts } from './staged-object.ts';
import type { StagedBytes, StagedRows, StagedState } from './staged-rows.ts';

/** Options of `createS3Staging`. */
export interface S3StagingOptions {
  client: S3Client;
  rows: StagedRows;
  /** The store that promoted bytes go to, in the same bucket. */
  blobs: BlobStore;
  /** Directory for temporary files, created if it does not exist. Several processes may share it. */
  scratchDirectory: string;
  /** Called for every piece of memory that bytes were read into. */
  onPiece?: (countBytes: number) => void;
  /** Returns the size of the parts of so many bytes. (Default: `partBytesFor`) */
  toPartBytes?: (totalBytes: number) => number;
}

/** The largest size if the caller knows none. */
const TOTAL_BYTES = 2 ** 30;

/** Rows that a listing reads at once. */
const LISTED_ROWS = 50;

/** Tries of a promotion that others have overtaken. */
const TRIES_MAX = 5;

/**
 * Opens a staging area in which any process appends to any bytes. Full parts go to the bucket, as parts of a multipart upload;
 * the rest, which is shorter than a part, is in rows. Smaller bytes are in rows only, and become an object at once.
 */
export async function createS3Staging(options: S3StagingOptions): Promise<Staging> {
  return new S3Staging(options, await openScratch(options.scratchDirectory));
}

class S3Staging implements Staging {
  readonly isLocal = false;
  readonly #client: S3Client;
  readonly #files: PartFiles;
  readonly #toPartBytes: (totalBytes: number) => number;
  readonly #rows: StagedRows;
  readonly #blobs: BlobStore;

  constructor(options: S3StagingOptions, directory: string) {
    const { client, rows, blobs, onPiece = () => undefined, toPartBytes = partBytesFor } = options;
    this.#client = client;
    this.#rows = rows;
    this.#blobs = blobs;
    this.#files = { directory, onPiece };
    this.#toPartBytes = toPartBytes;
  }

  async append(
    key: string,
    offsetBytes: number,
    source: AsyncIterable<Uint8Array>,
    options: AppendOptions = {},
  ): Promise<number> {
    requireBlobKey(key);
    if (requireByteCount(offsetBytes) === 0) {
      await this.discard(key);
      return this.#write(this.#newBytes(key, options), 0, source, options);
    }
    const staged = await this.#rows.find(key);
    if (staged === null) throw new BlobNotFoundError(key);
    requireBytes(staged, offsetBytes);
    if (staged.state !== 'sealed') return this.#write(staged, offsetBytes, source, options);
    return this.#reopen(staged, offsetBytes, source, options);
  }

  #newBytes(key: string, { totalBytesMax = TOTAL_BYTES }: AppendOptions): StagedBytes {
    const partBytes = this.#toPartBytes(totalBytesMax);
    const updatedAt = new Date();
    return {
      key,
      sizeBytes: 0,
      partBytes,
      state: 'open',
      multipartId: null,
      version: 0,
      updatedAt,
    };
  }

  async #write(
    before: StagedBytes,
    offsetBytes: number,
    source: AsyncIterable<Uint8Array>,
    { check = () => undefined }: AppendOptions,
    state: StagedState = before.state,
  ): Promise<number> {
    const { key, partBytes } = before;
    const name = blobNameOf(key);
    let staged = before;
    const writer = createPartWriter({
      offsetBytes,
      partBytes,
      files: this.#files,
      readBefore: (start) => this.#rows.read(key, { start, end: offsetBytes - 1 }),
      putPart: async (number, body) => {
        check();
        if (staged.multipartId === null) {
          const multipartId = await this.#client.createUpload(name);
          staged = await this.#rows.save(staged, { multipartId });
        }
        const etag = await this.#client.uploadPart(
          { name, uploadId: staged.multipartId ?? '' },
          number,
          body,
        );
        staged = await this.#rows.save(staged, { part: { number, etag, sizeBytes: partBytes } });
      },
    });
    try {
      for await (const piece of source) await writer.write(piece);
      check();
      await this.#rows.save(staged, {
        state,
        sizeBytes: writer.endBytes(),
        cutAt: offsetBytes,
        // The caller has acknowledged all bytes before the offset, so the parts before it will not be written again.
        keptFrom: offsetBytes - (offsetBytes % partBytes),
        pieces: await writer.rest(),
      });
      return writer.endBytes() - offsetBytes;
    } finally {
      writer.close();
    }
  }

  /** Appends to bytes that are an object already, by staging them again. Only an append of nothing leaves them as they are. */
  async #reopen(
    staged: StagedBytes,
    offsetBytes: number,
    source: AsyncIterable<Uint8Array>,
    options: AppendOptions,
  ): Promise<number> {
    const iterator = source[Symbol.asyncIterator]();
    const first = await firstPiece(iterator);
    if (first === null && offsetBytes === staged.sizeBytes) return 0;
    const blobs = this.#blobs;
    async function* all() {
      yield* await blobs.read(staged.key, { start: 0, end: offsetBytes - 1 });
      if (first === null) return;
      yield first;
      yield* { [Symbol.asyncIterator]: () => iterator };
    }
    // The object holds the bytes until all of them are staged again.
    return (await this.#write(staged, 0, all(), options, 'reopened')) - offsetBytes;
  }

  async read(key: string, range?: ByteRange): Promise<BlobStream> {
    const staged = await this.#readable(key);
    if (staged === null) return this.#blobs.read(key, range);
    const { sizeBytes } = staged;
    const { start, end } = range
      ? clipByteRange(range, sizeBytes)
      : { start: 0, end: sizeBytes - 1 };
    return Readable.from(this.#pieces(key, start, end), { objectMode: false });
  }

  async withLocalFile<T>(key: string, work: (path: string) => Promise<T>): Promise<T> {
    const staged = await this.#readable(key);
    if (staged === null) return this.#blobs.withLocalFile(key, work);
    const directory = await mkdtemp(join(this.#files.directory, 'staged-'));
    try {
      const path = join(directory, 'file');
      const bytes = this.#pieces(key, 0, staged.sizeBytes - 1);
      await pipeline(bytes, createWriteStream(path, { mode: 0o400 }));
      return await work(path);
    } catch (error) {
      if ((await this.#rows.find(key)) !== null) throw error;
    } finally {
      await rm(directory, { recursive: true });
    }
    return this.#blobs.withLocalFile(key, work);
  }

  /** Returns staged bytes that rows hold whole; null if they are an object, or have become one. */
  async #readable(key: string): Promise<StagedBytes | null> {
    const staged = await this.#rows.find(requireBlobKey(key));
    if (staged === null || staged.state === 'sealed') return null;
    if (staged.multipartId === null) return staged;
    await this.#sealed(staged);
    return null;
  }

  /** Seals staged bytes. Another process may do the same. */
  async #sealed(staged: StagedBytes): Promise<void> {
    try {
      const [client, rows, files] = [this.#client, this.#rows, this.#files];
      await sealParts({ client, rows, files }, staged);
    } catch (error) {
      const now = await this.#rows.find(staged.key);
      if (now !== null && now.state !== 'sealed') throw error;
    }
  }

  async *#pieces(key: string, start: number, end: number): AsyncGenerator<Uint8Array> {
    let restBytes = end + 1 - start;
    if (restBytes === 0) return;
    for await (const piece of this.#rows.read(key, { start, end })) {
      restBytes -= piece.length;
      yield piece;
    }
    if (restBytes > 0) throw new Error(`The staged bytes ${key} end ${restBytes} bytes early`);
  }

  async promote(key: string, sizeBytes: number): Promise<void> {
    requireBlobKey(key);
    requireByteCount(sizeBytes);
    for (let tries = 1; ; tries++) {
      try {
        return await this.#promote(key, sizeBytes);
      } catch (error) {
        const isOvertaken =
          error instanceof StagingConflictError || (await this.#rows.find(key)) === null;
        if (tries === TRIES_MAX || !isOvertaken || error instanceof BlobNotFoundError) throw error;
      }
    }
  }

  async #promote(key: string, sizeBytes: number): Promise<void> {
    let staged = await this.#rows.find(key);
    if (staged === null) return requireStored(this.#blobs, key, sizeBytes);
    requireBytes(staged, sizeBytes);
    if (staged.sizeBytes > sizeBytes) {
      await this.append(key, sizeBytes, nothing());
      staged = (await this.#rows.find(key)) ?? staged;
    }
    if (staged.state !== 'sealed') await this.#makeObject(staged);
    // Of processes that died before they could note them. The next sweep would spare them: a file has this key then.
    if (sizeBytes >= staged.partBytes) await abortUploads(this.#client, blobNameOf(key));
    // Last: until then the bytes are staged, whatever the bucket has.
    await this.#rows.remove(key);
  }

  async #makeObject(staged: StagedBytes): Promise<void> {
    const { key, sizeBytes, multipartId, state } = staged;
    if (multipartId !== null) return this.#sealed(staged);
    if (state === 'reopened') {
      await this.#client.delete([blobNameOf(key)]);
      await this.#rows.save(staged, { state: 'open' });
    }
    await this.#blobs.put(key, sizeBytes, this.#pieces(key, 0, sizeBytes - 1));
  }

  async discard(key: string): Promise<void> {
    const staged = await this.#rows.find(requireBlobKey(key));
    // The rows first: a process that appends meanwhile then fails, instead of noting parts that are gone.
    if (staged !== null && !(await this.#rows.remove(key))) return;
    if (staged !== null && staged.state !== 'open') await this.#client.delete([blobNameOf(key)]);
    if (staged?.multipartId) await abortUploads(this.#client, blobNameOf(key));
  }

  async stat(key: string): Promise<{ sizeBytes: number } | null> {
    const staged = await this.#rows.find(requireBlobKey(key));
    return staged && { sizeBytes: staged.sizeBytes };
  }

  async *list(): AsyncGenerator<BlobEntry> {
    for (let after: string | undefined = ''; after !== undefined; ) {
      const found: StagedBytes[] = await this.#rows.list(after, LISTED_ROWS);
      for (const { key, sizeBytes, updatedAt } of found)
        yield { key, sizeBytes, modifiedAt: updatedAt };
      after = found.length < LISTED_ROWS ? undefined : found.at(-1)?.key;
    }
  }

  async freeBytes(): Promise<number> {
    return Number.POSITIVE_INFINITY;
  }

  async check(): Promise<void> {
    await this.#rows.check();
    await this.#blobs.check();
  }

  close(): void {
    // Nothing is kept open between two appends.
  }
}

function requireBytes({ sizeBytes: stagedBytes }: StagedBytes, sizeBytes: number): void {
  if (stagedBytes >= sizeBytes) return;
  throw new Error(`Only ${stagedBytes} of ${sizeBytes} bytes are staged`);
}

async function firstPiece(iterator: AsyncIterator<Uint8Array>): Promise<Uint8Array | null> {
  for (;;) {
    const { done, value } = await iterator.next();
    if (done) return null;
    if (value.length > 0) return value;
  }
}

async function* nothing(): AsyncGenerator<Uint8Array> {}
