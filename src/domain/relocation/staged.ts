import { BlobNotFoundError } from '../../blob/blob-store.ts';
import type { Staging } from '../../blob/staging.ts';
import { forEachAtOnce } from '../../lib/at-once.ts';
import type { StagedUpload } from '../../store/relocation/blob-list.ts';

/** The staging areas of a move. */
export interface StagedMove {
  from: Staging;
  to: Staging;
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
      await copyBytes(move, upload);
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
