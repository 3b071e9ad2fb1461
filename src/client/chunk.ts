import { readBlob } from './blob.ts';
import type { BlobMd5, Md5 } from './blob-md5.ts';
import type { Operations, Placement } from './operation.ts';
import {
  isTransient,
  type RetryNotice,
  type RetryOptions,
  type RetryPolicy,
  retry,
} from './retry.ts';
import type { UploadError } from './upload-error.ts';

/** One upload: what the media shall be, and how its sender is kept informed. */
export interface UploadOptions extends Placement {
  /** Default: the name of a `File`; without either the server makes one of the content. */
  filename?: string | undefined;
  /** Goes on with a session that was left behind, by another process too. Default: a new one. */
  uploadId?: string | undefined;
  /** Aborting ends the upload and deletes on the server what was sent, unless it is a media already. */
  signal?: AbortSignal | undefined;
  /** Called at the start and whenever more bytes are safe on the server. */
  onProgress?: ((progress: UploadProgress) => void) | undefined;
  /** Called before each wait for another attempt. */
  onRetry?: ((notice: RetryNotice) => void) | undefined;
}

/** How far an upload is. */
export interface UploadProgress {
  /** Safe on the server. */
  sentBytes: number;
  totalBytes: number;
}

/** What every upload of a client works with. */
export interface UploadTools extends RetryPolicy {
  server: Operations;
  chunkBytes: number;
  createMd5: () => Md5;
}

/** An upload under way. */
export interface Upload {
  tools: UploadTools;
  blob: Blob;
  options: UploadOptions;
  md5: BlobMd5;
  uploadId: string | null;
  /** Safe on the server, as far as is known. */
  offsetBytes: number;
  /** Becomes smaller when a proxy wants that. */
  chunkBytes: number;
  /** Holds a chunk. */
  buffer: Uint8Array<ArrayBuffer>;
}

/** No proxy's limit is as low. */
const CHUNK_BYTES_MIN = 64 * 1024;
/**
 * Of a file that takes several: until it is answered there is no session to abort or to go on with, and the
 * server may refuse the file for its kind or its sender.
 */
const FIRST_CHUNK_BYTES = 64 * 1024;

/** Sends the next chunk, in as many attempts as it takes. Throws UploadError, and the signal's reason. */
export async function sendNext(upload: Upload): Promise<void> {
  const isWorthwhile = (error: UploadError) =>
    isTransient(error) ||
    error.code === 'OFFSET_MISMATCH' ||
    // Of a chunk: it was damaged on its way.
    error.code === 'DIGEST_MISMATCH' ||
    (error.code === 'REQUEST_TOO_LARGE' && upload.chunkBytes > CHUNK_BYTES_MIN);
  await retry({ ...retryOptions(upload), isWorthwhile }, async (failure) => {
    if (failure !== null) await recover(upload, failure);
    // A chunk whose answer was lost may have been the last one.
    if (upload.offsetBytes < upload.blob.size) await sendChunk(upload);
  });
  report(upload);
}

/** Finds out where to go on. */
async function recover(upload: Upload, { code, details }: UploadError): Promise<void> {
  const { uploadId } = upload;
  if (details.offsetBytes !== undefined) {
    upload.offsetBytes = details.offsetBytes;
  } else if (code === 'REQUEST_TOO_LARGE') {
    upload.chunkBytes = Math.max(CHUNK_BYTES_MIN, Math.floor(upload.chunkBytes / 2));
  } else if (uploadId !== null) {
    // The server may have taken the chunk although its answer did not come. Where there is no session
    // any more, the next chunk's answer says why.
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

/** The next chunk and its MD5. The memory is the same for each: the one before it is sent, or given up. */
async function readChunk(upload: Upload) {
  const { tools, blob, options, md5, offsetBytes, chunkBytes, buffer } = upload;
  const isFirst = upload.uploadId === null && blob.size > chunkBytes;
  const sizeBytes = isFirst ? Math.min(FIRST_CHUNK_BYTES, chunkBytes) : chunkBytes;
  const endBytes = Math.min(offsetBytes + sizeBytes, blob.size);
  const bytes = buffer.subarray(0, endBytes - offsetBytes);
  // A chunk that is the whole file has its digest.
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

/** Tells how far the upload is. */
export function report({ options, blob, offsetBytes }: Upload): void {
  options.onProgress?.({ sentBytes: offsetBytes, totalBytes: blob.size });
}

/** How the requests of an upload are repeated. */
export function retryOptions({ tools, options }: Upload): RetryOptions {
  const { signal, onRetry } = options;
  return { ...tools, signal, onRetry };
}
