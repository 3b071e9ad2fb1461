import { createHash, randomBytes } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { Refusal } from './error.ts';
import { unescapeXml } from './listing.ts';

/** Bytes that were received in one request: small ones in memory, others in a file. */
export interface Piece {
  sizeBytes: number;
  etag: string;
  receivedAt: Date;
  bytes: Buffer | null;
  path: string | null;
}

/** A stored object. Its bytes are those of its pieces. */
export interface StoredObject {
  sizeBytes: number;
  etag: string;
  modifiedAt: Date;
  headers: Record<string, string>;
  pieces: Piece[];
}

/** A multipart upload that is open. */
export interface StoredUpload {
  name: string;
  uploadId: string;
  startedAt: Date;
  headers: Record<string, string>;
  parts: Map<number, Piece>;
}

/** A bucket. */
export interface Bucket {
  objects: Map<string, StoredObject>;
  uploads: Map<string, StoredUpload>;
}

/** Digests that the client has declared. */
export interface Declared {
  sha256: string | null;
  md5: string | null;
}

const MEMORY_BYTES = 64 * 1024;

/**
 * Receives a body into memory or a file. The ETag is no MD5, so that nobody can take it for one. Throws Refusal if the
 * bytes are not those that were declared.
 */
export async function receive(
  source: AsyncIterable<Buffer>,
  sizeBytes: number,
  declared: Declared,
  directory: string,
): Promise<Piece> {
  const sha256 = createHash('sha256');
  const md5 = declared.md5 === null ? null : createHash('md5');
  let receivedBytes = 0;
  async function* counted() {
    for await (const chunk of source) {
      receivedBytes += chunk.length;
      sha256.update(chunk);
      md5?.update(chunk);
      yield chunk;
    }
  }
  const path = sizeBytes > MEMORY_BYTES ? join(directory, randomBytes(16).toString('hex')) : null;
  let bytes: Buffer | null = null;
  try {
    if (path === null) bytes = Buffer.concat(await Array.fromAsync(counted()));
    else await pipeline(counted, createWriteStream(path, { highWaterMark: 2 ** 20 }));
    const digest = sha256.digest('hex');
    if (receivedBytes !== sizeBytes) throw new Refusal(400, 'IncompleteBody');
    if (declared.sha256 !== null && declared.sha256 !== digest) {
      throw new Refusal(400, 'XAmzContentSHA256Mismatch');
    }
    if (md5 !== null && md5.digest('base64') !== declared.md5) throw new Refusal(400, 'BadDigest');
    return { sizeBytes, etag: `"${digest.slice(0, 32)}"`, receivedAt: new Date(), bytes, path };
  } catch (error) {
    await dropPieces([{ path }]);
    throw error;
  }
}

/** Deletes what pieces hold. A reader that has opened a file keeps it. */
export async function dropPieces(pieces: Iterable<Pick<Piece, 'path'>>): Promise<void> {
  for (const { path } of pieces) if (path !== null) await rm(path, { force: true });
}

/** Reads bytes `start` to `end`, both included. */
export async function* readPieces(
  pieces: readonly Piece[],
  start: number,
  end: number,
): AsyncGenerator<Buffer> {
  let offset = 0;
  for (const { sizeBytes, bytes, path } of pieces) {
    const from = Math.max(start - offset, 0);
    const to = Math.min(end - offset, sizeBytes - 1);
    offset += sizeBytes;
    if (from > to) continue;
    if (bytes !== null) yield bytes.subarray(from, to + 1);
    else if (path !== null) {
      yield* createReadStream(path, { start: from, end: to, highWaterMark: 2 ** 18 });
    }
  }
}

/** Rules for the parts of an upload. */
export interface PartRules {
  partBytesMin: number;
  /** As in R2: all parts but the last have the same size. */
  isEqual: boolean;
}

/** Returns the parts that a completion names. Throws Refusal as S3 and R2 do. */
export function partsToComplete(upload: StoredUpload, body: string, rules: PartRules): Piece[] {
  const named = [...body.matchAll(/<Part>(.*?)<\/Part>/gs)].map(([, part = '']) => ({
    number: Number(/<PartNumber>(\d+)</.exec(part)?.[1]),
    etag: unescapeXml(/<ETag>(.*?)</.exec(part)?.[1] ?? ''),
  }));
  if (named.length === 0) throw new Refusal(400, 'MalformedXML');
  const parts = named.map(({ number, etag }, index) => {
    if (index > 0 && number <= named[index - 1]!.number) throw new Refusal(400, 'InvalidPartOrder');
    const part = upload.parts.get(number);
    if (part?.etag !== etag) throw new Refusal(400, 'InvalidPart', `part ${number}`);
    return part;
  });
  for (const part of parts.slice(0, -1)) {
    if (part.sizeBytes < rules.partBytesMin) throw new Refusal(400, 'EntityTooSmall');
    if (rules.isEqual && part.sizeBytes !== parts[0]!.sizeBytes) {
      throw new Refusal(400, 'InvalidPart', 'All non-trailing parts must have the same length.');
    }
  }
  if (rules.isEqual && parts.at(-1)!.sizeBytes > parts[0]!.sizeBytes) {
    throw new Refusal(400, 'InvalidPart', 'The last part is larger than the others.');
  }
  return parts;
}
