import type { UploadedMedia } from '../operation.ts';
import { retry } from '../retry.ts';
import { createBlobMd5 } from './blob-md5.ts';
import {
  report,
  retryOptions,
  sendNext,
  type Upload,
  type UploadOptions,
  type UploadTools,
} from './chunk.ts';
import { UploadError } from './upload-error.ts';

/** Error codes after which a session can be neither resumed nor aborted. */
const OVER = ['UPLOAD_EXPIRED', 'UPLOAD_COMPLETED'];

/** Timeout of the request that deletes an aborted session, so that the aborted upload ends soon. */
const ABORT_TIMEOUT_MS = 5000;

/**
 * Uploads a blob in chunks and creates a media item from it. Throws UploadError, and the signal's reason once it is
 * aborted. After an UploadError with an `uploadId`, the session still exists; after an abort, only with `keepSession`.
 */
export async function uploadInChunks(
  tools: UploadTools,
  blob: Blob,
  options: UploadOptions,
): Promise<UploadedMedia> {
  options.signal?.throwIfAborted();
  if (blob.size === 0) throw new UploadError('INVALID_INPUT', 'An empty file cannot be uploaded.');
  const upload = start(tools, blob, options);
  try {
    if (options.uploadId !== undefined) await findOffset(upload, options.uploadId);
    report(upload);
    while (upload.offsetBytes < blob.size) await sendNext(upload);
    return await complete(upload);
  } catch (error) {
    await leave(upload, error);
    throw error;
  }
}

function start(tools: UploadTools, blob: Blob, options: UploadOptions): Upload {
  return {
    tools,
    blob,
    options,
    md5: createBlobMd5(blob, tools.createMd5(), options.signal),
    uploadId: options.uploadId ?? null,
    offsetBytes: 0,
    chunkBytes: tools.chunkBytes,
    buffer: new Uint8Array(Math.min(tools.chunkBytes, blob.size)),
  };
}

async function findOffset(upload: Upload, uploadId: string): Promise<void> {
  const { tools, blob, options } = upload;
  const session = await retry(retryOptions(upload), () =>
    tools.server.findSession(uploadId, options.signal),
  );
  if (session === null)
    throw new UploadError('NOT_FOUND', `There is no open upload "${uploadId}".`);
  if (session.sizeBytes !== blob.size) {
    const message = `The upload "${uploadId}" was started with a file of ${session.sizeBytes} bytes, and not ${blob.size}.`;
    throw new UploadError('INVALID_INPUT', message);
  }
  upload.offsetBytes = session.offset;
}

async function complete(upload: Upload): Promise<UploadedMedia> {
  const { tools, options } = upload;
  const { type, folderId, title, description, tagIds, signal } = options;
  const placement = { type, folderId, title, description, tagIds };
  const input = { ...placement, uploadId: upload.uploadId ?? '', md5: await upload.md5.end() };
  return retry(retryOptions(upload), async (failure) => {
    try {
      return await tools.server.complete(input, signal);
    } catch (error) {
      throw failure && isCompleted(error) ? answerLost(error) : error;
    }
  });
}

function isCompleted(error: unknown): error is UploadError {
  return error instanceof UploadError && error.code === 'UPLOAD_COMPLETED';
}

// Completing an upload again does not return the media item, only an error.
function answerLost(cause: UploadError): UploadError {
  const message = 'The file is stored, but the answer that names its media was lost on its way.';
  return new UploadError('UPLOAD_COMPLETED', message, {}, { cause });
}

async function leave({ tools, options, uploadId }: Upload, error: unknown): Promise<void> {
  if (uploadId === null) return;
  if (error instanceof UploadError && !OVER.includes(error.code)) error.uploadId = uploadId;
  if (!options.signal?.aborted || options.keepSession) return;
  // If it fails, the server deletes the session when it expires.
  await tools.server.abort(uploadId, AbortSignal.timeout(ABORT_TIMEOUT_MS)).catch(() => {});
}
