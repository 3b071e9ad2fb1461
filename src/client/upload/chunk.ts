import type { Operations, Placement } from '../operation.ts';
import {
  isTransient,
  type RetryNotice,
  type RetryOptions,
  type RetryPolicy,
  retry,
} from '../retry.ts';
import { readBlob } from './blob.ts';
import type { BlobMd5, Md5 } from './blob-md5.ts';
import type { UploadError } from './upload-error.ts';

/** Options of one upload: fields of the media item, and callbacks. */
export interface UploadOptions extends Placement {
  /** Default: the name of a `File`; otherwise the server derives one from the content. */
  filename?: string | undefined;
  /** Resumes this upload session, even if another process started it. Default: a new session. */
  uploadId?: string | undefined;
  /**
   * Aborting ends the upload and deletes its bytes on the server, unless the media item exists already, or `keepSession`
   * is true.
   */
  signal?: AbortSignal | undefined;
  /** Whether the upload session outlives an abort, so that another call can resume it. Default: false. */
  keepSession?: boolean | undefined;
  /** Called at the start and after each chunk that is durable on the server. */
  onProgress?: ((progress: UploadProgress) => void) | undefined;
  /** Called before each wait for a retry. */
  onRetry?: ((notice: RetryNotice) => void) | undefined;
}

/** Progress of an upload. */
export interface UploadProgress {
  /** Bytes that are durable on the server. */
  sentBytes: number;
  totalBytes: number;
  /** The upload session; null until the server has answered the first chunk. */
  uploadId: string | null;
}

/** Dependencies and settings that all uploads of a client share. */
export interface UploadTools extends RetryPolicy {
  server: Operations;
  chunkBytes: number;
  createMd5: () => Md5;
}

/** An upload in progress. */
export interface Upload {
  tools: UploadTools;
  blob: Blob;
  options: UploadOptions;
  md5: BlobMd5;
  uploadId: string | null;
  /** Bytes known to be durable on the server. */
  offsetBytes: number;
  /** Reduced when a proxy refuses larger requests. */
  chunkBytes: number;
  /** Buffer of one chunk. */
  buffer: Uint8Array<ArrayBuffer>;
}

/** Smaller than the limit of any proxy. */
const CHUNK_BYTES_MIN = 64 * 1024;
/**
 * Size of the first chunk of a file that needs several. Until the server has answered it, there is no session to abort
 * or resume, and the server may still refuse the file.
 */
const FIRST_CHUNK_BYTES = 64 * 1024;

/** Sends the next chunk, with retries. Throws UploadError, and the signal's reason. */
export async function sendNext(upload: Upload): Promise<void> {
  const isWorthwhile = (error: UploadError) =>
    isTransient(error) ||
    error.code === 'OFFSET_MISMATCH' ||
    // The chunk was damaged on its way.
    error.code === 'DIGEST_MISMATCH' ||
    (error.code === 'REQUEST_TOO_LARGE' && upload.chunkBytes > CHUNK_BYTES_MIN);
  await retry({ ...retryOptions(upload), isWorthwhile }, async (failure) => {
    if (failure !== null) await recover(upload, failure);
    // The response of the last chunk may have been lost.
    if (upload.offsetBytes < upload.blob.size) await sendChunk(upload);
  });
  report(upload);
}

/** Asks the server for the offset to resume at. */
async function recover(upload: Upload, { code, details }: UploadError): Promise<void> {
  const { uploadId } = upload;
  if (details.offsetBytes !== undefined) {
    upload.offsetBytes = details.offsetBytes;
  } else if (code === 'REQUEST_TOO_LARGE') {
    upload.chunkBytes = Math.max(CHUNK_BYTES_MIN, Math.floor(upload.chunkBytes / 2));
  } else if (uploadId !== null) {
    // The server may have stored the chunk although its response was lost. If the session no longer exists, the next
    // chunk's response says why.
    const session = await upload.tools.server.findSession(uploadId, upload.options.signal);
    upload.offsetBytes = session?.offset ?? upload.offsetBytes;
  }
}

async function sendChunk(upload: Upload): Promise<void> {
  const { tools, blob, options, uploadId, offsetBytes } = upload;
  const { bytes, md5 } = await readChunk(upload);
  const input = {
    uploadId,
    offset: offsetBytes,
    totalBytes: blob.size,
    filename: options.filename ?? ('name' in blob ? String(blob.name) : ''),
    md5,
  };
  const session = await tools.server.sendChunk(input, { bytes, type: blob.type }, options.signal);
  upload.uploadId = session.uploadId;
  upload.offsetBytes = session.offset;
}

/** Returns the next chunk and its MD5. All chunks share one buffer, since the previous chunk is no longer needed. */
async function readChunk(upload: Upload) {
  const { tools, blob, options, md5, offsetBytes, chunkBytes, buffer } = upload;
  const isFirst = upload.uploadId === null && blob.size > chunkBytes;
  const sizeBytes = isFirst ? Math.min(FIRST_CHUNK_BYTES, chunkBytes) : chunkBytes;
  const endBytes = Math.min(offsetBytes + sizeBytes, blob.size);
  const bytes = buffer.subarray(0, endBytes - offsetBytes);
  // If the chunk is the whole file, their digests are the same.
  const own = bytes.length === blob.size ? null : tools.createMd5();
  const take = (at: number, piece: Uint8Array) => {
    bytes.set(piece, at - offsetBytes);
    own?.append(piece);
    md5.add(at, piece);
  };
  await md5.readTo(offsetBytes);
  await readBlob(blob, offsetBytes, endBytes, take, options.signal);
  return { bytes, md5: own === null ? await md5.end() : own.end() };
}

/** Reports the progress. */
export function report({ options, blob, offsetBytes, uploadId }: Upload): void {
  options.onProgress?.({ sentBytes: offsetBytes, totalBytes: blob.size, uploadId });
}

/** Returns the retry options of an upload. */
export function retryOptions({ tools, options }: Upload): RetryOptions {
  const { signal, onRetry } = options;
  return { ...tools, signal, onRetry };
}
