import type { Readable } from 'node:stream';
import { InvalidInputError } from '../../../domain/error.ts';

/** A file of a multipart request whose bytes are about to arrive. */
export interface SentFile {
  /** Empty: its part has no name. */
  filename: string;
  /** Content type of its part. */
  declaredType: string | null;
  /**
   * Returns the bytes at the first call, then null. The caller must destroy the stream, because the next part waits for
   * it.
   */
  open: () => Readable | null;
}

/** A file of a multipart request, as its bytes arrive. */
export interface ArrivingFile extends Omit<SentFile, 'open'> {
  bytes: Readable;
}

/**
 * Waits for the file of an input's field, and runs `work` with it. Discards the bytes that `work` leaves unread. Throws
 * InvalidInputError if another field has the same file, MalformedBodyError if the request breaks off.
 */
export async function withFile<T>(
  upload: Promise<SentFile>,
  field: string,
  work: (file: ArrivingFile) => Promise<T>,
): Promise<T> {
  const { open, ...claim } = await upload;
  const bytes = open();
  if (bytes === null) {
    // A `map` may name several places for one file, but its bytes arrive once.
    const message = 'Another field uses this file. Send the file once for each field.';
    throw InvalidInputError.of(field, 'FILE_TAKEN', message);
  }
  try {
    return await work({ ...claim, bytes });
  } finally {
    bytes.destroy();
  }
}
