import {
  deleteBlobHold,
  hasBlobHold,
  insertBlobHold,
  updateBlobHold,
} from '../../store/file/blob-hold.ts';
import { withoutTimeLimit } from '../../store/limit.ts';
import type { Services } from '../context.ts';

/** Time that a hold lasts unless it is extended: longer than the clocks of two machines differ. */
const HOLD_MS = 10 * 60_000;

/** Interval at which a hold is extended. */
const EXTENSION_MS = 30_000;

type HoldServices = Pick<Services, 'db' | 'clock' | 'newId'>;

/** A hold on all blobs. */
export interface BlobHold {
  /** Throws an Error if blobs may have been deleted since the hold began. */
  check(): void;
}

/**
 * Runs `work` while no process deletes blobs, so that all blobs of a snapshot that `work` takes of the database still
 * exist when it copies them. Rows are deleted as ever; the next sweep deletes their bytes. If this process dies, the
 * hold ends ten minutes later.
 */
export async function withBlobHold<T>(
  { db, clock, newId }: HoldServices,
  work: (hold: BlobHold) => Promise<T>,
): Promise<T> {
  const patient = withoutTimeLimit(db);
  const token = newId();
  let extendedAt = performance.now();
  let isLost = false;
  const extend = async () => {
    const startedAt = performance.now();
    const isExtended = await updateBlobHold(patient, token, clock() + HOLD_MS);
    if (isExtended) extendedAt = startedAt;
    else isLost = true;
  };
  await insertBlobHold(patient, { token, now: clock(), heldUntil: clock() + HOLD_MS });
  // A failure to extend is noticed by its time.
  const timer = setInterval(() => void extend().catch(() => undefined), EXTENSION_MS);
  try {
    return await work({
      check() {
        isLost ||= performance.now() - extendedAt > HOLD_MS / 2;
        if (isLost) throw new Error('Blobs may have been deleted meanwhile: start again.');
      },
    });
  } finally {
    clearInterval(timer);
    await deleteBlobHold(patient, token).catch(() => undefined);
  }
}

/**
 * Returns whether blobs without a row must be kept, because a backup may still copy them. Ask after you have looked for
 * the rows: a snapshot that begins later does not refer to blobs that had no row before. Ignores a hold that was made
 * while a clock was ahead.
 */
export function areBlobsHeld({ db, clock }: Pick<Services, 'db' | 'clock'>): Promise<boolean> {
  const now = clock();
  return hasBlobHold(db, { after: now, upTo: now + 2 * HOLD_MS });
}
