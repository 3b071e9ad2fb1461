import { BlobNotFoundError, type BlobStore } from '../../blob/blob-store.ts';
import type { Staging } from '../../blob/staging.ts';
import { forEachAtOnce } from '../../lib/at-once.ts';
import type { StagedUpload } from '../../store/relocation/blob-list.ts';

/** The staging areas of a move. */
export interface StagedMove {
  from: Staging;
  to: Staging;
  /** The buckets, if both have their rows in one database: then only objects move. Null: bytes move. */
  objects: { from: BlobStore; to: BlobStore } | null;
  signal: AbortSignal;
}

/** Upload sessions whose bytes are copied at once. */
const COPIES_MAX = 4;

/**
 * Copies the acknowledged bytes of upload sessions that the target does not have yet: staged bytes only grow, so that a
 * later call copies only those that have arrived since. Calls `onLost` for a session whose bytes are missing.
 */
export async function copyStaged(
  move: StagedMove,
  uploads: Iterable<StagedUpload>,
  onLost: (upload: StagedUpload) => void,
): Promise<void> {
  await forEachAtOnce(uploads, COPIES_MAX, async (upload) => {
    move.signal.throwIfAborted();
    try {
      if (move.objects === null) await copyBytes(move, upload);
      else await copyObject(move, move.objects, upload);
    } catch (error) {
      // A range past the end is a RangeError.
      if (!(error instanceof BlobNotFoundError || error instanceof RangeError)) throw error;
      onLost(upload);
    }
  });
}

async function copyBytes({ from, to }: StagedMove, upload: StagedUpload): Promise<void> {
  const { blobKey, offsetBytes } = upload;
  const start = (await to.stat(blobKey))?.sizeBytes ?? 0;
  if (start >= offsetBytes) return;
  const source = await from.read(blobKey, { start, end: offsetBytes - 1 });
  const written = await to.append(blobKey, start, source, { totalBytesMax: upload.totalBytes });
  if (start + written < offsetBytes) throw new RangeError(`${blobKey} has too few staged bytes.`);
}

/** Copies the object that the parts of staged bytes become when they are read, if there is one. */
async function copyObject(
  { from }: StagedMove,
  stores: NonNullable<StagedMove['objects']>,
  { blobKey }: StagedUpload,
): Promise<void> {
  (await from.read(blobKey, { start: 0, end: 0 })).destroy();
  const object = await stores.from.stat(blobKey);
  if (object === null) return;
  await stores.to.delete(blobKey);
  await stores.to.put(blobKey, object.sizeBytes, await stores.from.read(blobKey));
}

/** Discards staged bytes of the target whose upload session is no longer open. */
export async function discardOthers(
  to: Staging,
  isOpen: (blobKey: string) => Promise<boolean>,
): Promise<void> {
  const closed: string[] = [];
  for await (const { key } of to.list()) {
    if (!(await isOpen(key))) closed.push(key);
  }
  for (const key of closed) await to.discard(key);
}
