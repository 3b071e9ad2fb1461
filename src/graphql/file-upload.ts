import type { Readable } from 'node:stream';
import type { FileUpload } from 'graphql-upload-minimal';
import { unescapeForm } from '../http/part-header.ts';

/** A file of a multipart request, as its bytes arrive. */
export interface ArrivingFile {
  filename: string;
  /** Content type of its part. */
  declaredType: string;
  bytes: Readable;
}

/**
 * Waits for a file of the request and works with it. What the work leaves unread is thrown away as it
 * arrives: the rest of the request would otherwise wait behind it.
 */
export async function withFile<T>(
  upload: Promise<FileUpload>,
  work: (file: ArrivingFile) => Promise<T>,
): Promise<T> {
  const { filename, mimetype, createReadStream } = await upload;
  const bytes = createReadStream();
  try {
    // The package leaves a name as browsers escape it.
    return await work({ filename: unescapeForm(filename), declaredType: mimetype, bytes });
  } finally {
    bytes.on('error', () => {}).resume();
  }
}
