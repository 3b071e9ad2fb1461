import { createHash, type Hash } from 'node:crypto';
import type { Staging } from '../../blob/staging.ts';
import type { UploadRow } from '../../store/table.ts';
import type { Context } from '../context.ts';

/** The MD5 of the first bytes of an upload. */
interface Digest {
  hash: Hash;
  offsetBytes: number;
}

/** Digests that a process keeps. It reads the bytes of any other upload again at its next chunk. */
const KEPT_MAX = 10_000;

/** By upload id; the one that was used last is last. */
const digests = new WeakMap<Staging, Map<string, Digest>>();

/**
 * Returns the MD5 of the bytes that an upload has so far, for the caller to continue. This process reads only those
 * bytes that it has not received itself: none, unless another process took the earlier chunks, or this one was started
 * since.
 */
export async function resumeDigest(ctx: Context, row: UploadRow): Promise<Hash> {
  const kept = digests.get(ctx.staging)?.get(row.upload_id);
  // A chunk of another process may have replaced one that failed here, but never bytes that a row acknowledged.
  const isUsable = kept !== undefined && kept.offsetBytes <= row.offset_bytes;
  const hash = isUsable ? kept.hash.copy() : createHash('md5');
  const start = isUsable ? kept.offsetBytes : 0;
  if (start === row.offset_bytes) return hash;
  const bytes = await ctx.staging.read(row.blob_key, { start, end: row.offset_bytes - 1 });
  for await (const piece of bytes) {
    hash.update(piece);
    bytes.recycle?.(piece);
  }
  return hash;
}

/** Keeps the MD5 of the first `offsetBytes` bytes, which a row has acknowledged, for the next chunk. */
export function keepDigest({ staging }: Context, uploadId: string, digest: Digest): void {
  const kept = digests.get(staging) ?? new Map<string, Digest>();
  digests.set(staging, kept);
  kept.delete(uploadId);
  kept.set(uploadId, digest);
  const [oldest] = kept.keys();
  if (kept.size > KEPT_MAX && oldest !== undefined) kept.delete(oldest);
}

/** Forgets the MD5 of an upload that is over. */
export function forgetDigest({ staging }: Context, uploadId: string): void {
  digests.get(staging)?.delete(uploadId);
}
