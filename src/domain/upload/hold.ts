import { setTimeout as delay } from 'node:timers/promises';
import type { UploadRow } from '../../store/table.ts';
import { releaseUpload, takeUpload } from '../../store/upload/lease.ts';
import { type KeptLease, type LeaseKeeper, momentNow } from '../../store/upload/lease-keeper.ts';
import type { Context } from '../context.ts';
import { ServerBusyError } from '../error.ts';
import { findOwnUpload, isUploadId, requireOwnUpload } from './session.ts';

/** An upload that nobody else changes at the moment. */
export interface HeldUpload {
  /** The row, read after the upload was locked. */
  row: UploadRow;
  /**
   * Throws ServerBusyError if another process may have taken the upload: after the database could not be reached for
   * seconds, or this process was suspended. Call it right before each write of bytes. A change of the row compares
   * `lease_fence` instead.
   */
  check: () => void;
  /** Tells that the change of the row has ended the lease, so that no statement has to. */
  end: () => void;
}

/** Delays between two tries. */
const DELAY_MS = { min: 15, max: 250 };

/** Delay before a client may try again. */
const RETRY_AFTER_MS = 1000;

/**
 * Runs `work` with an upload of the viewer, open or not, while nobody else changes it. Excludes other calls of this
 * process by a lock and, if processes share the database, other processes by a lease. Throws NotFoundError as
 * `findOwnUpload` does, and ServerBusyError if another process holds the upload for too long.
 */
export function withUpload<T>(
  ctx: Context,
  uploadId: string,
  work: (upload: HeldUpload) => Promise<T>,
): Promise<T> {
  return ctx.uploadLocks.run(uploadId, async () => {
    const { uploadLeases } = ctx;
    return uploadLeases === null
      ? work({ row: await findOwnUpload(ctx, uploadId), ...NOT_LEASED })
      : workWithLease(ctx, uploadLeases, uploadId, work);
  });
}

const NOT_LEASED = { check: () => undefined, end: () => undefined };

async function workWithLease<T>(
  ctx: Context,
  leases: LeaseKeeper,
  uploadId: string,
  work: (upload: HeldUpload) => Promise<T>,
): Promise<T> {
  const { row, lease } = await take(ctx, leases, uploadId);
  if (lease === null) return work({ row, ...NOT_LEASED });
  const check = () => {
    if (!lease.isHeld()) throw new ServerBusyError(RETRY_AFTER_MS);
  };
  let isOver = false;
  try {
    // After the taking, so that the common case takes one statement.
    requireOwnUpload(ctx, uploadId, row);
    return await work({
      row,
      check,
      end: () => {
        isOver = true;
      },
    });
  } finally {
    lease.end();
    if (!isOver) await release(ctx, row);
  }
}

interface Taken {
  row: UploadRow;
  /** Null: the upload is closed, and nobody can take it. */
  lease: KeptLease | null;
}

async function take(ctx: Context, leases: LeaseKeeper, uploadId: string): Promise<Taken> {
  const { holder, leaseMs, waitMs } = leases;
  const begunAt = performance.now();
  for (let delayMs = DELAY_MS.min; ; delayMs = Math.min(delayMs * 2, DELAY_MS.max)) {
    const askedAt = momentNow();
    const row = isUploadId(uploadId)
      ? await takeUpload(ctx.db, { uploadId, holder, leaseMs })
      : undefined;
    if (row !== undefined) return { row, lease: leases.keep(uploadId, row.lease_fence, askedAt) };
    const found = await findOwnUpload(ctx, uploadId);
    if (found.status !== 'open') return { row: found, lease: null };
    if (performance.now() - begunAt > waitMs) throw new ServerBusyError(RETRY_AFTER_MS);
    // Not all waiters at once.
    await delay(delayMs * (0.5 + Math.random() / 2));
  }
}

async function release(
  ctx: Context,
  { upload_id: uploadId, lease_fence: fence }: UploadRow,
): Promise<void> {
  try {
    await releaseUpload(ctx.db, { uploadId, fence });
  } catch (error) {
    // The error of the work matters more, and the lease ends at its time.
    ctx.log.warn({ err: error, uploadId }, 'the lease of an upload could not be released');
  }
}
