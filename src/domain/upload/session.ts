import { createReadStream } from 'node:fs';
import { createResumableMd5, type ResumableMd5 } from '../../lib/md5.ts';
import type { UploadRow } from '../../store/table.ts';
import { findUpload } from '../../store/upload/upload.ts';
import type { Context } from '../context.ts';
import { DomainError, NotFoundError, UploadCompletedError, UploadExpiredError } from '../error.ts';
import { isOwner } from '../viewer/access.ts';

/** A chunked upload that goes on: all its bytes before `offsetBytes` are durable. */
export interface UploadSession {
  /** 32 hex digits, and the secret that an anonymous upload is continued with. */
  uploadId: string;
  filename: string;
  offsetBytes: number;
  totalBytes: number;
  /** Fixed at the first chunk. */
  expiresAt: Date;
}

/** The session, or null unless it is open and the viewer's own. */
export async function findUploadSession(
  ctx: Context,
  uploadId: string,
): Promise<UploadSession | null> {
  const row = isUploadId(uploadId) ? await findUpload(ctx.db, uploadId) : undefined;
  const isOpen = row?.status === 'open' && row.expires_at > ctx.clock();
  return isOpen && isOwner(ctx, row.owner) ? toSession(row) : null;
}

/** Throws unless the session is the viewer's own, in time and not completed, in this order. */
export async function findOpenUpload(ctx: Context, uploadId: string): Promise<UploadRow> {
  const row = await findOwnUpload(ctx, uploadId);
  if (row.status === 'expired' || row.expires_at <= ctx.clock()) throw new UploadExpiredError();
  if (row.status === 'completed') throw new UploadCompletedError();
  return row;
}

/** Why an upload that was open is not any more; null while it is. By somebody else, in another process. */
export async function whyUploadClosed(ctx: Context, uploadId: string): Promise<DomainError | null> {
  try {
    await findOpenUpload(ctx, uploadId);
    return null;
  } catch (error) {
    if (error instanceof DomainError) return error;
    throw error;
  }
}

/** The viewer's own, open or not. Throws NotFoundError, also for another's. */
export async function findOwnUpload(ctx: Context, uploadId: string): Promise<UploadRow> {
  // PostgreSQL fails on a NUL, which an id from outside may hold.
  const row = isUploadId(uploadId) ? await findUpload(ctx.db, uploadId) : undefined;
  if (row === undefined || !isOwner(ctx, row.owner)) throw new NotFoundError('upload', uploadId);
  return row;
}

function isUploadId(text: string): boolean {
  return /^[0-9a-f]{32}$/.test(text);
}

/** The MD5 of the bytes so far, from its saved state; read anew if another version of the library saved it. */
export async function resumeDigest(ctx: Context, row: UploadRow): Promise<ResumableMd5> {
  try {
    return await createResumableMd5(row.digest_state);
  } catch (error) {
    ctx.log.warn(
      { err: error },
      'reading staged bytes again: the saved digest is of another version',
    );
  }
  return ctx.blobs.withLocalFile(row.blob_key, async (path) => {
    const digest = await createResumableMd5();
    for await (const bytes of createReadStream(path, { end: row.offset_bytes - 1 })) {
      digest.update(bytes);
    }
    return digest;
  });
}

/** A row as the domain has it. */
export function toSession(row: UploadRow): UploadSession {
  return {
    uploadId: row.upload_id,
    filename: row.filename,
    offsetBytes: row.offset_bytes,
    totalBytes: row.total_bytes,
    expiresAt: new Date(row.expires_at),
  };
}
