import { UploadError } from './upload-error.ts';

type Piece = Uint8Array<ArrayBuffer>;

/**
 * Hands over the bytes of a part of a blob in their order. A piece is gone when `take` returns. Throws
 * the signal's reason once it is aborted, and UploadError UNREADABLE when the blob's file has changed.
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
    // Frees its memory now. Garbage outside of the JavaScript heap would else grow to 60 MiB in Node
    // before anyone collects it. A stream of bytes shares the buffer of a piece with nobody.
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
