import { createHash, type Hash } from 'node:crypto';
import type { IHasher } from 'hash-wasm';
import type { BlobStream } from '../../blob/blob-store.ts';
import type { Staging } from '../../blob/staging.ts';
import type { UploadRow } from '../../store/table.ts';
import type { Context } from '../context.ts';

/** The MD5 of the bytes of an upload so far. */
export interface UploadDigest {
  update(bytes: Uint8Array): void;
  /** Returns the state for the row, from which any process can continue; empty: the state stays in this process. */
  save(): Uint8Array;
  /** Keeps the state for the next chunk, once the row has acknowledged these bytes. */
  keep(uploadId: string, offsetBytes: number): void;
}

/**
 * Returns the MD5 of no bytes. Where staged bytes are local files, it is that of `node:crypto`, the fastest. Where they
 * are not, no process could read the bytes of another again, so the state travels in the row.
 */
export async function startDigest(ctx: Context): Promise<UploadDigest> {
  return ctx.staging.isLocal ? localDigest(ctx, createHash('md5')) : portableDigest();
}

/**
 * Returns the MD5 of the bytes that an upload has so far, for the caller to continue. With local files, this process
 * reads only those bytes that it has not received itself: none, unless another process took the earlier chunks, or this
 * one was started since.
 */
export async function resumeDigest(ctx: Context, row: UploadRow): Promise<UploadDigest> {
  if (!ctx.staging.isLocal) return (await loadDigest(row)) ?? UNKNOWN;
  return localDigest(ctx, await resumeLocally(ctx, row));
}

/** Returns the MD5 of a whole upload, in lower-case hex. */
export async function finishDigest(ctx: Context, row: UploadRow): Promise<string> {
  if (ctx.staging.isLocal) return (await resumeLocally(ctx, row)).digest('hex');
  return (await loadHasher(row))?.digest('hex') ?? hashAgain(ctx, row);
}

/** Digests that a process keeps. It reads the bytes of any other upload again at its next chunk. */
const KEPT_MAX = 10_000;

interface KeptDigest {
  hash: Hash;
  offsetBytes: number;
}

/** By upload id; the one that was used last is last. */
const digests = new WeakMap<Staging, Map<string, KeptDigest>>();

const NO_STATE = new Uint8Array();

function localDigest({ staging }: Context, hash: Hash): UploadDigest {
  return {
    update: (bytes) => void hash.update(bytes),
    save: () => NO_STATE,
    keep(uploadId, offsetBytes) {
      const kept = digests.get(staging) ?? new Map<string, KeptDigest>();
      digests.set(staging, kept);
      kept.delete(uploadId);
      kept.set(uploadId, { hash, offsetBytes });
      const [oldest] = kept.keys();
      if (kept.size > KEPT_MAX && oldest !== undefined) kept.delete(oldest);
    },
  };
}

async function resumeLocally(ctx: Context, row: UploadRow): Promise<Hash> {
  const kept = digests.get(ctx.staging)?.get(row.upload_id);
  // A chunk of another process may have replaced one that failed here, but never bytes that a row acknowledged.
  const isUsable = kept !== undefined && kept.offsetBytes <= row.offset_bytes;
  const hash = isUsable ? kept.hash.copy() : createHash('md5');
  const start = isUsable ? kept.offsetBytes : 0;
  if (start < row.offset_bytes) await hashRange(ctx, row, start, hash);
  return hash;
}

async function hashRange(
  ctx: Context,
  { blob_key, offset_bytes }: UploadRow,
  start: number,
  hash: Hash,
): Promise<void> {
  const bytes: BlobStream = await ctx.staging.read(blob_key, { start, end: offset_bytes - 1 });
  for await (const piece of bytes) {
    hash.update(piece);
    bytes.recycle?.(piece);
  }
}

/** Forgets the MD5 of an upload that is over. */
export function forgetDigest({ staging }: Context, uploadId: string): void {
  digests.get(staging)?.delete(uploadId);
}

async function portableDigest(): Promise<UploadDigest> {
  return toDigest((await createHasher()).init());
}

/** Loads the package only where staged bytes are in a bucket: it has 280 KB of programs. */
async function createHasher(): Promise<IHasher> {
  const { createMD5 } = await import('hash-wasm');
  return createMD5();
}

async function loadDigest(row: UploadRow): Promise<UploadDigest | null> {
  const hasher = await loadHasher(row);
  return hasher && toDigest(hasher);
}

/** Returns the hasher in the state of the row; null if it has none, or one of another version of the package. */
async function loadHasher({ digest_state }: UploadRow): Promise<IHasher | null> {
  if (digest_state.length === 0) return null;
  const hasher = await createHasher();
  try {
    return hasher.load(new Uint8Array(digest_state));
  } catch {
    return null;
  }
}

function toDigest(hasher: IHasher): UploadDigest {
  return {
    update: (bytes) => void hasher.update(bytes),
    save: () => hasher.save(),
    keep: () => undefined,
  };
}

/** The MD5 of an upload whose state cannot be loaded: completing the upload reads all its bytes. */
const UNKNOWN: UploadDigest = {
  update: () => undefined,
  save: () => NO_STATE,
  keep: () => undefined,
};

async function hashAgain(ctx: Context, row: UploadRow): Promise<string> {
  const hash = createHash('md5');
  await hashRange(ctx, row, 0, hash);
  return hash.digest('hex');
}
