import { UploadError } from './upload-error.ts';

type Piece = Uint8Array<ArrayBuffer>;

/**
 * Passes the bytes of a part of a blob to `take`, in order. A piece is valid until `take` returns. Throws the signal's
 * reason once it is aborted, and UploadError UNREADABLE when the blob's file has changed.
 */
export async function readBlob(
  blob: Blob,
  beginBytes: number,
  endBytes: number,
  take: (offsetBytes: number, piece: Uint8Array) => void,
  signal?: AbortSignal,
): Promise<void> {
  const stream: ReadableStream<Piece> = blob.slice(beginBytes, endBytes).stream();
  const reader = stream.getReader();
  let offsetBytes = beginBytes;
  for (let piece = await next(reader); piece !== null; piece = await next(reader)) {
    signal?.throwIfAborted();
    const { length } = piece;
    take(offsetBytes, piece);
    offsetBytes += length;
    // Frees the piece's memory at once: otherwise garbage outside of the JavaScript heap grows to 60 MiB in Node before
    // it is collected. Nothing else uses the buffer of a piece of a byte stream.
    piece.buffer.transfer?.(0);
  }
  if (offsetBytes !== Math.min(endBytes, blob.size)) throw unreadable();
}

async function next(reader: ReadableStreamDefaultReader<Piece>): Promise<Piece | null> {
  try {
    return (await reader.read()).value ?? null;
  } catch (error) {
    throw unreadable(error);
  }
}

function unreadable(cause?: unknown): UploadError {
  const message = 'The file can no longer be read: it changed, or it is gone.';
  return new UploadError('UNREADABLE', message, {}, { cause });
}
