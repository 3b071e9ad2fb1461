import { z } from 'zod';
import { BlobNotFoundError } from '../../blob/blob-store.ts';
import { cleanFilename } from '../../lib/filename.ts';
import { sniffFile } from '../../media/sniff.ts';
import { isUniqueViolation } from '../../store/error.ts';
import type { UploadRow } from '../../store/table.ts';
import * as store from '../../store/upload/upload.ts';
import { type Context, transact } from '../context.ts';
import {
  ConflictError,
  DigestMismatchError,
  InvalidInputError,
  OffsetMismatchError,
  ServerBusyError,
} from '../error.ts';
import { newBlobKey } from '../file/blob-key.ts';
import { deleteBytes } from '../file/delete-bytes.ts';
import { md5Hex, parseInput } from '../input.ts';
import type { Media } from '../tree/media.ts';
import { authorize } from '../viewer/access.ts';
import { checkQuota } from '../viewer/quota.ts';
import { checkDisk } from '../viewer/room.ts';
import { type Chunk, createHead, stageChunk } from './chunk.ts';
import { finishDigest, forgetDigest, resumeDigest, startDigest } from './digest.ts';
import { take } from './door.ts';
import { type HeldUpload, withUpload } from './hold.ts';
import { intoMedia } from './named-media.ts';
import { newMediaInput } from './new-media.ts';
import { declaredLimit, type FileType, parseDeclaredType, totalLimit } from './policy.ts';
import {
  findOpenUpload,
  requireOpen,
  toSession,
  type UploadSession,
  whyUploadClosed,
} from './session.ts';
import { checkSize, sizeLimit } from './size-limit.ts';
import type { StagedFile } from './staging.ts';

const chunkInput = z.object({
  uploadId: z.string().nullish(),
  offsetBytes: z.int().min(0),
  totalBytes: z.int().min(1, 'Expected at least 1: an empty file cannot be uploaded.').nullish(),
  filename: z.string().nullish(),
  declaredType: z.string().transform(parseDeclaredType).nullish(),
  md5: md5Hex.nullish(),
});

/**
 * One chunk and its place. The fields that describe the file are read from the first chunk only. `totalBytes` is
 * required in the first chunk, and must be the same wherever it is given again.
 */
export interface ChunkInput extends z.input<typeof chunkInput> {
  chunk: Omit<Chunk, 'md5'>;
  /** Types that the dialect supports; the largest of their size limits applies to the total. */
  allowedTypes?: readonly FileType[];
}

/**
 * Appends one chunk; without `uploadId` it starts an upload session. Resolves once bytes and offset are durable. Throws
 * NotFoundError (also for another user's session), UploadExpiredError, UploadCompletedError, TooLargeError,
 * OffsetMismatchError, DigestMismatchError, InvalidInputError, InsufficientStorageError, and ServerBusyError while another process holds the session; for a new session also
 * TooManyRequestsError and QuotaExceededError: it reserves the whole file, so that completing it cannot fail for lack
 * of room.
 */
export async function appendChunk(ctx: Context, input: ChunkInput): Promise<UploadSession> {
  authorize(ctx, 'upload.write');
  const { uploadId, md5, ...parsed } = parseInput(chunkInput, input);
  const { allowedTypes } = input;
  const start = { ...parsed, allowedTypes, chunk: { ...input.chunk, md5: md5 ?? undefined } };
  if (!uploadId) return startUpload(ctx, start);
  return withUpload(ctx, uploadId, (upload) => continueUpload(ctx, upload, start));
}

interface ParsedChunk extends Omit<z.output<typeof chunkInput>, 'uploadId' | 'md5'> {
  chunk: Chunk;
  allowedTypes: readonly FileType[] | undefined;
}

async function startUpload(ctx: Context, input: ParsedChunk): Promise<UploadSession> {
  const { totalBytes, chunk, declaredType = null } = input;
  if (!totalBytes) {
    throw InvalidInputError.of('totalBytes', 'REQUIRED', 'It is required for the first chunk.');
  }
  checkTotal(ctx, totalBytes, input.allowedTypes);
  if (input.offsetBytes !== 0) throw new OffsetMismatchError(0);
  const demand = { uploads: 1, promisedBytes: totalBytes };
  await checkQuota(ctx, demand);
  await checkDisk(ctx, totalBytes);
  const blobKey = newBlobKey();
  try {
    const digest = await startDigest(ctx);
    const head = createHead(chunk.bytes);
    const target = { blobKey, offsetBytes: 0, totalBytes };
    const offsetBytes = await stageChunk(ctx, target, digest, { ...chunk, bytes: head.all });
    await checkKindLimit(ctx, head.read(), totalBytes, declaredType);
    const now = ctx.clock();
    // The row comes after the bytes: a crash in between leaves bytes without a row, which the sweep deletes, and not a
    // session whose id no client knows.
    const row: UploadRow = {
      upload_id: ctx.newId().replaceAll('-', ''),
      owner: ctx.viewer.id,
      client_hash: ctx.client?.hash ?? null,
      filename: cleanFilename(input.filename ?? ''),
      declared_type: declaredType,
      total_bytes: totalBytes,
      offset_bytes: offsetBytes,
      digest_state: digest.save(),
      blob_key: blobKey,
      status: 'open',
      media_id: null,
      expires_at: now + ctx.settings.uploadTtlMs,
      created_at: now,
      updated_at: now,
      lease_holder: null,
      lease_expires_at: null,
      lease_fence: 0,
    };
    await transact(ctx, async (ctx) => {
      // Checks again, exactly: others may have taken the room while the bytes arrived.
      await checkQuota(ctx, demand);
      await store.insertUpload(ctx.db, row);
    });
    digest.keep(row.upload_id, offsetBytes);
    return toSession(row);
  } catch (error) {
    await ctx.staging.discard(blobKey);
    throw error;
  }
}

async function continueUpload(
  ctx: Context,
  { row, check, end }: HeldUpload,
  { offsetBytes, chunk, allowedTypes, ...input }: ParsedChunk,
): Promise<UploadSession> {
  requireOpen(ctx, row);
  const { upload_id: uploadId } = row;
  const totalBytes = input.totalBytes ?? row.total_bytes;
  checkTotal(ctx, totalBytes, allowedTypes);
  if (row.total_bytes !== totalBytes) {
    const message = `The total must be ${row.total_bytes} bytes, as in the first chunk.`;
    throw InvalidInputError.of('totalBytes', 'TOTAL_CHANGED', message);
  }
  if (row.offset_bytes !== offsetBytes) throw new OffsetMismatchError(row.offset_bytes);
  const digest = await resumeDigest(ctx, row);
  const target = { blobKey: row.blob_key, offsetBytes, totalBytes, check };
  const toBytes = await stageChunk(ctx, target, digest, chunk);
  const advanced = await store.advanceUpload(ctx.db, {
    uploadId,
    fromBytes: offsetBytes,
    toBytes,
    fence: row.lease_fence,
    digestState: digest.save(),
    now: ctx.clock(),
  });
  if (!advanced) throw new OffsetMismatchError((await findOpenUpload(ctx, uploadId)).offset_bytes);
  end();
  digest.keep(uploadId, toBytes);
  const session = toSession({ ...row, offset_bytes: toBytes });
  ctx.events.publish({ type: 'upload', uploadId, session, isOver: false });
  return session;
}

const completeInput = newMediaInput.extend({ uploadId: z.string(), md5: md5Hex });

/** The MD5 of the whole file, and the media item to create from it. */
export interface CompleteInput extends z.input<typeof completeInput> {
  /** Types that the dialect supports. (Default: all that hold a file) */
  allowedTypes?: readonly FileType[];
}

/**
 * Creates a media item from an upload session whose bytes have all arrived, without reading them again for their
 * digest. With the `resource` of a media item that exists, adds the file to it. Throws the errors of `appendChunk` for
 * the session, OffsetMismatchError while bytes are missing, DigestMismatchError, UnsupportedMediaError, TooLargeError,
 * NotFoundError for the folder and the tags, and ConflictError ALREADY_EXISTS for the resource. After any of these the
 * session is as before.
 */
export async function completeUpload(ctx: Context, input: CompleteInput): Promise<Media> {
  authorize(ctx, 'upload.write');
  const { uploadId, md5, ...media } = parseInput(completeInput, input);
  return withUpload(ctx, uploadId, async ({ row, end }) => {
    requireOpen(ctx, row);
    if (row.offset_bytes !== row.total_bytes) throw new OffsetMismatchError(row.offset_bytes);
    const actual = await finishDigest(ctx, row);
    if (actual !== md5) throw new DigestMismatchError(md5, actual);
    const staged: StagedFile = {
      blobKey: row.blob_key,
      sizeBytes: row.total_bytes,
      md5,
      sha256: null,
      key: '',
      filename: row.filename,
      declaredType: row.declared_type,
      isKeptWhenRefused: true,
    };
    const { allowedTypes } = input;
    const fenced = { uploadId, fence: row.lease_fence };
    const alsoWrite = (ctx: Context, mediaId: number) => closeUpload(ctx, fenced, mediaId);
    const into = intoMedia(media, { allowedTypes, alsoWrite });
    // Another process may have been first, after the lease of this one had ended: it has created a media item from the
    // same bytes, or deleted them.
    const created = await take(ctx, [staged], into).catch(async (error) => {
      const isTaken = isUniqueViolation(error) || error instanceof ConflictError;
      const mayBeClosed = isTaken || error instanceof BlobNotFoundError;
      throw (mayBeClosed && (await whyUploadClosed(ctx, uploadId))) || error;
    });
    end();
    forgetDigest(ctx, uploadId);
    return created;
  });
}

async function closeUpload(
  ctx: Context,
  fenced: store.UploadFence,
  mediaId: number,
): Promise<void> {
  const { uploadId } = fenced;
  const close = { ...fenced, mediaId, now: ctx.clock() };
  if (!(await store.updateUploadCompleted(ctx.db, close))) {
    throw (await whyUploadClosed(ctx, uploadId)) ?? new ServerBusyError();
  }
  ctx.events.publish({ type: 'upload', uploadId, session: null, isOver: true });
}

/** Ends an upload session and deletes its bytes. Throws NotFoundError, UploadCompletedError. */
export async function abortUpload(ctx: Context, { uploadId }: { uploadId: string }): Promise<void> {
  authorize(ctx, 'upload.write');
  return withUpload(ctx, uploadId, async ({ row, end }) => {
    const fenced = { uploadId, fence: row.lease_fence };
    if (!(await store.deleteUpload(ctx.db, fenced))) {
      throw (await whyUploadClosed(ctx, uploadId)) ?? new ServerBusyError();
    }
    end();
    forgetDigest(ctx, uploadId);
    ctx.events.publish({ type: 'upload', uploadId, session: null, isOver: true });
    await deleteBytes(ctx, row.blob_key);
  });
}

function checkTotal(
  { settings }: Context,
  totalBytes: number,
  allowedTypes: readonly FileType[] | undefined,
): void {
  checkSize(totalBytes, totalLimit(settings, allowedTypes));
}

/** Rejects a file by the size limit of its kind at the first chunk already, not only at completion. */
async function checkKindLimit(
  { settings }: Context,
  head: Buffer,
  totalBytes: number,
  declaredType: string | null,
): Promise<void> {
  const sniffed = await sniffFile(head);
  checkSize(totalBytes, sizeLimit(settings, sniffed), declaredLimit(settings, declaredType));
}
