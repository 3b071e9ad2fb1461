import {
  deleteClosedUploads,
  updateFutureUploads,
  updateUploadsExpired,
} from '../../store/upload/upload.ts';
import type { Services } from '../context.ts';
import { deleteBytes } from '../file/delete-bytes.ts';

/**
 * Time for which the row of a closed upload is kept, so that a client that returns late learns how the upload ended.
 */
const CLOSED_UPLOAD_KEPT_MS = 7 * 24 * 3_600_000;

/**
 * Ends uploads that have expired and deletes their bytes; their rows keep the reason. Returns their number. An upload
 * created while the clock was ahead lives as long as one created now.
 */
export async function expireUploads(services: Services): Promise<number> {
  const { db, clock, settings } = services;
  const now = clock();
  await updateFutureUploads(db, { now, expiresMax: now + settings.uploadTtlMs });
  const blobKeys = await updateUploadsExpired(db, now);
  for (const key of blobKeys) await deleteBytes(services, key);
  await deleteClosedUploads(db, now - CLOSED_UPLOAD_KEPT_MS);
  return blobKeys.length;
}
