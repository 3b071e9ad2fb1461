import { z } from 'zod';
import { BlobNotFoundError } from '../../blob/blob-store.ts';
import { cleanFilename } from '../../lib/filename.ts';
import { createResumableMd5 } from '../../lib/md5.ts';
import { sniffFile } from '../../media/sniff.ts';
import { isUniqueViolation } from '../../store/error.ts';
import type { UploadRow } from '../../store/table.ts';
import * as store from '../../store/upload/upload.ts';
import type { Context } from '../context.ts';
import {
  DigestMismatchError,
  InvalidInputError,
  OffsetMismatchError,
  TooLargeError,
  UploadCompletedError,
} from '../error.ts';
import { newBlobKey } from '../file/blob-key.ts';
import { md5Hex, parseInput } from '../input.ts';
import type { Media } from '../tree/media.ts';
import { authorize } from '../viewer/access.ts';
import { type Chunk, stageChunk } from './chunk.ts';
import { ingest } from './ingest.ts';
import {
  declaredLimitBytes,
  type FileType,
  mediaTypeOf,
  sizeLimitBytes,
  totalLimitBytes,
} from './media-type.ts';
import { placementInput, toRequest } from './placement.ts';
import {
  findOpenUpload,
  findOwnUpload,
  resumeDigest,
  toSession,
  type UploadSession,
  whyUploadClosed,
} from './session.ts';

const chunkInput = z.object({
  uploadId: z.string().nullish(),
  offsetBytes: z.int().min(0),
  totalBytes: z.int().min(1, 'An empty file cannot be uploaded.').nullish(),
  filename: z.string().nullish(),
  declaredType: z.string().transform(mediaTypeOf).nullish(),
  md5: md5Hex.nullish(),
});

/**
 * One chunk and where it belongs; what describes the file counts in the first one only. `totalBytes` is
 * needed there, and must be the same wherever it is given again.
 */
export interface ChunkInput extends z.input<typeof chunkInput> {
  chunk: Omit<Chunk, 'md5'>;
  /** Types that the road can express: the largest limit of theirs bounds the total. */
  allowedTypes?: readonly FileType[];
}

/**
 * Takes one chunk; without `uploadId` it starts a session. Acknowledged only when bytes and offset are
 * durable. Throws NotFoundError (another user's session too), UploadExpiredError, UploadCompletedError,
 * TooLargeError, OffsetMismatchError, DigestMismatchError, InvalidInputError.
 */
export async function appendChunk(ctx: Context, input: ChunkInput): Promise<UploadSession> {
  authorize(ctx, 'upload.write');
  const { uploadId, md5, ...parsed } = parseInput(chunkInput, input);
  const { allowedTypes } = input;
  const start = { ...parsed, allowedTypes, chunk: { ...input.chunk, md5: md5 ?? undefined } };
  if (!uploadId) return startUpload(ctx, start);
  return ctx.uploadLocks.run(uploadId, () => continueUpload(ctx, uploadId, start));
}

interface ParsedChunk extends Omit<z.output<typeof chunkInput>, 'uploadId' | 'md5'> {
  chunk: Chunk;
  allowedTypes: readonly FileType[] | undefined;
}

async function startUpload(ctx: Context, input: ParsedChunk): Promise<UploadSession> {
  const { totalBytes, chunk, declaredType = null } = input;
  if (!totalBytes) {
    throw InvalidInputError.of('totalBytes', 'REQUIRED', 'The first chunk needs the total.');
  }
  checkTotal(ctx, totalBytes, input.allowedTypes);
  if (input.offsetBytes !== 0) throw new OffsetMismatchError(0);
  const blobKey = newBlobKey();
  try {
    const digest = await createResumableMd5();
    const offsetBytes = await stageChunk(
      ctx,
      { blobKey, offsetBytes: 0, totalBytes },
      digest,
      chunk,
    );
    await checkKindLimit(ctx, blobKey, totalBytes, declaredType);
    const now = ctx.clock();
    // The row comes after the bytes: a crash in between leaves bytes that no row names, for the sweep,
    // and not a session that nobody knows of.
    const row: UploadRow = {
      upload_id: ctx.newId().replaceAll('-', ''),
      owner: ctx.viewer.id,
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
    };
    await store.insertUpload(ctx.db, row);
    return toSession(row);
  } catch (error) {
    await ctx.blobs.discard(blobKey);
    throw error;
  }
}

async function continueUpload(
  ctx: Context,
  uploadId: string,
  { offsetBytes, chunk, allowedTypes, ...input }: ParsedChunk,
): Promise<UploadSession> {
  const row = await findOpenUpload(ctx, uploadId);
  const totalBytes = input.totalBytes ?? row.total_bytes;
  checkTotal(ctx, totalBytes, allowedTypes);
  if (row.total_bytes !== totalBytes) {
    const message = `The upload was started with ${row.total_bytes} bytes in total.`;
    throw InvalidInputError.of('totalBytes', 'TOTAL_CHANGED', message);
  }
  if (row.offset_bytes !== offsetBytes) throw new OffsetMismatchError(row.offset_bytes);
  const digest = await resumeDigest(ctx, row);
  const target = { blobKey: row.blob_key, offsetBytes, totalBytes };
  const toBytes = await stageChunk(ctx, target, digest, chunk);
  const advanced = await store.advanceUpload(ctx.db, {
    uploadId,
    fromBytes: offsetBytes,
    toBytes,
    digestState: digest.save(),
    now: ctx.clock(),
  });
  if (!advanced) throw new OffsetMismatchError((await findOpenUpload(ctx, uploadId)).offset_bytes);
  const session = toSession({ ...row, offset_bytes: toBytes });
  ctx.events.publish({ type: 'upload', uploadId, session, isOver: false });
  return session;
}

const completeInput = placementInput.extend({ uploadId: z.string(), md5: md5Hex });

/** The MD5 of the whole file, and what is to become of it. */
export interface CompleteInput extends z.input<typeof completeInput> {
  /** Types that the road can express; default: all that hold a file. */
  allowedTypes?: readonly FileType[];
}

/**
 * Makes a media of an upload whose bytes have all arrived; the file is not read again for its digest.
 * Throws what `appendChunk` does for the session, OffsetMismatchError while bytes are missing,
 * DigestMismatchError, UnsupportedMediaError, TooLargeError; NotFoundError for folder and tags. After
 * any of these the session stands as before.
 */
export async function completeUpload(ctx: Context, input: CompleteInput): Promise<Media> {
  authorize(ctx, 'upload.write');
  const { uploadId, md5, ...placement } = parseInput(completeInput, input);
  return ctx.uploadLocks.run(uploadId, async () => {
    const row = await findOpenUpload(ctx, uploadId);
    if (row.offset_bytes !== row.total_bytes) throw new OffsetMismatchError(row.offset_bytes);
    const actual = (await resumeDigest(ctx, row)).digest();
    if (actual !== md5) throw new DigestMismatchError(md5, actual);
    const staged = {
      blobKey: row.blob_key,
      sizeBytes: row.total_bytes,
      md5,
      sha256: null,
      filename: row.filename,
      declaredType: row.declared_type,
    };
    const request = toRequest(placement, input.allowedTypes);
    const media = ingest(ctx, staged, request, async (ctx, mediaId) => {
      const closed = await store.updateUploadCompleted(ctx.db, {
        uploadId,
        mediaId,
        now: ctx.clock(),
      });
      if (!closed) throw (await whyUploadClosed(ctx, uploadId)) ?? new UploadCompletedError();
      ctx.events.publish({ type: 'upload', uploadId, session: null, isOver: true });
    });
    // Another process, whose lock is its own, was first: it made a media of the same bytes, or removed them.
    return media.catch(async (error) => {
      const mayBeClosed = isUniqueViolation(error) || error instanceof BlobNotFoundError;
      throw (mayBeClosed && (await whyUploadClosed(ctx, uploadId))) || error;
    });
  });
}

/** Ends a session; its bytes go. Throws NotFoundError, UploadCompletedError. */
export async function abortUpload(ctx: Context, { uploadId }: { uploadId: string }): Promise<void> {
  authorize(ctx, 'upload.write');
  return ctx.uploadLocks.run(uploadId, async () => {
    const row = await findOwnUpload(ctx, uploadId);
    if (!(await store.deleteUpload(ctx.db, uploadId))) throw new UploadCompletedError();
    ctx.events.publish({ type: 'upload', uploadId, session: null, isOver: true });
    await ctx.blobs.discard(row.blob_key);
    await ctx.blobs.delete(row.blob_key);
  });
}

function checkTotal(
  { settings }: Context,
  totalBytes: number,
  allowedTypes: readonly FileType[] | undefined,
): void {
  const limitBytes = totalLimitBytes(settings, allowedTypes);
  if (totalBytes > limitBytes) throw new TooLargeError(limitBytes);
}

/** Refuses at the first chunk what its kind's limit would refuse at the end. */
async function checkKindLimit(
  { blobs, settings }: Context,
  blobKey: string,
  totalBytes: number,
  declaredType: string | null,
): Promise<void> {
  const sniffed = await sniffFile(blobs.stagedPath(blobKey));
  const limitBytes = Math.min(
    sizeLimitBytes(settings, sniffed),
    declaredLimitBytes(settings, declaredType),
  );
  if (totalBytes > limitBytes) throw new TooLargeError(limitBytes);
}
