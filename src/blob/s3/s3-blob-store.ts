import { randomUUID } from 'node:crypto';
import { requireBlobKey } from '../blob-key.ts';
import {
  type BlobEntry,
  BlobNotFoundError,
  type BlobStore,
  type BlobStream,
  type Pieces,
} from '../blob-store.ts';
import { type ByteRange, clipByteRange, requireByteCount } from '../byte-range.ts';
import { blobNameOf, listBlobs } from './blob-name.ts';
import { bytesBody } from './body.ts';
import type { S3Client } from './client.ts';
import { createLocalCopies, type LocalCopies } from './local-copy.ts';
import type { S3Part } from './multipart.ts';
import { partBytesFor } from './part-size.ts';
import { openResumedStream } from './resumed-stream.ts';
import { openScratch } from './scratch.ts';
import { type SpooledBody, spool } from './spool.ts';

/** Options of `createS3BlobStore`. */
export interface S3BlobStoreOptions {
  client: S3Client;
  /** Directory for temporary files, created if it does not exist. Several processes may share it. */
  scratchDirectory: string;
}

/** Parts of one blob that are sent at once, while the next one is read. */
const SENT_AT_ONCE = 2;

/** Longest duration of `check`. */
const CHECK_MS = 5000;

/** Age of an object that an interrupted `check` has left behind. */
const CHECK_LEFT_MS = 3_600_000;

/**
 * Opens a blob store of objects: `stored/<k0k1>/<k2k3>/<key>` below the prefix of the client, as on disk, so that both
 * can be copied to each other. A blob of up to 8 MiB is one request, a larger one a multipart upload.
 */
export async function createS3BlobStore(options: S3BlobStoreOptions): Promise<BlobStore> {
  return new S3BlobStore(options.client, await openScratch(options.scratchDirectory));
}

class S3BlobStore implements BlobStore {
  readonly #client: S3Client;
  readonly #scratch: string;
  readonly #copies: LocalCopies;

  constructor(client: S3Client, scratch: string) {
    this.#client = client;
    this.#scratch = scratch;
    this.#copies = createLocalCopies(scratch);
  }

  async put(key: string, sizeBytes: number, source: Pieces) {
    const name = blobNameOf(key);
    const partBytes = partBytesFor(requireByteCount(sizeBytes));
    const bodies = spool(source, sizeBytes, { directory: this.#scratch, partBytes });
    if (sizeBytes > partBytes) return await this.#putParts(name, bodies);
    for await (const body of bodies) {
      await this.#client.put(name, body).finally(body.release);
    }
  }

  async stat(key: string) {
    const head = await this.#client.head(blobNameOf(key));
    return head && { sizeBytes: head.sizeBytes };
  }

  async read(key: string, range?: ByteRange): Promise<BlobStream> {
    const name = blobNameOf(key);
    // A store ignores a range that makes no sense.
    if (range !== undefined) clipByteRange(range, Number.MAX_SAFE_INTEGER);
    const stream = await openResumedStream(this.#client, name, key, range);
    if (stream === null) throw new BlobNotFoundError(key);
    return stream;
  }

  async withLocalFile<T>(key: string, work: (path: string) => Promise<T>) {
    requireBlobKey(key);
    const open = async () => {
      const blob = await this.stat(key);
      if (blob === null) throw new BlobNotFoundError(key);
      return { ...blob, stream: await this.read(key) };
    };
    let isWorking = false;
    try {
      return await this.#copies.withCopy(key, open, (path) => {
        isWorking = true;
        return work(path);
      });
    } catch (error) {
      if (isWorking && (await this.stat(key)) === null) throw new BlobNotFoundError(key);
      throw error;
    }
  }

  async delete(key: string) {
    const name = blobNameOf(key);
    await this.#client.delete([name]);
    for await (const upload of this.#client.listUploads(name)) {
      if (upload.name === name) await this.#client.abortUpload(upload);
    }
  }

  list(): AsyncIterable<BlobEntry> {
    return listBlobs(this.#client);
  }

  async check() {
    const signal = AbortSignal.timeout(CHECK_MS);
    const names = [`check/${randomUUID()}`];
    await this.#client.put(names[0] ?? '', bytesBody(Buffer.from('x')), signal);
    for await (const { name, modifiedAt } of this.#client.list('check/', signal)) {
      if (Date.now() - modifiedAt.getTime() > CHECK_LEFT_MS) names.push(name);
    }
    await this.#client.delete(names, signal);
  }

  async #putParts(name: string, bodies: AsyncIterable<SpooledBody>): Promise<void> {
    const upload = { name, uploadId: await this.#client.createUpload(name) };
    try {
      const parts = await this.#sendParts(upload, bodies);
      await this.#client.completeUpload(upload, parts);
    } catch (error) {
      // If this fails, too, the next sweep finds the upload.
      await this.#client.abortUpload(upload).catch(() => undefined);
      throw error;
    }
  }

  async #sendParts(
    upload: { name: string; uploadId: string },
    bodies: AsyncIterable<SpooledBody>,
  ): Promise<S3Part[]> {
    const abort = new AbortController();
    const parts: S3Part[] = [];
    const running = new Set<Promise<void>>();
    const failures: unknown[] = [];
    const send = async (number: number, body: SpooledBody) => {
      const { sizeBytes } = body;
      const etag = await this.#client.uploadPart(upload, number, body, abort.signal);
      parts[number - 1] = { number, etag, sizeBytes };
    };
    let count = 0;
    try {
      for await (const body of bodies) {
        const sending: Promise<void> = send(++count, body)
          .catch((error) => void failures.push(error))
          .finally(() => {
            body.release();
            running.delete(sending);
          });
        running.add(sending);
        if (running.size >= SENT_AT_ONCE) await Promise.race(running);
        if (failures.length > 0) break;
      }
    } catch (error) {
      abort.abort();
      await Promise.all(running);
      throw error;
    }
    if (failures.length > 0) abort.abort();
    await Promise.all(running);
    if (failures.length > 0) throw failures[0];
    return parts;
  }
}
