import type { Readable } from 'node:stream';
import type { FileUpload } from 'graphql-upload-minimal';
import { InvalidInputError } from '../domain/error.ts';
import { unescapeForm } from '../lib/header-value.ts';
import { UnreadableRequestError } from './pipeline/multipart.ts';

/** A file of a multipart request, as its bytes arrive. */
export interface ArrivingFile {
  filename: string;
  /** Content type of its part. */
  declaredType: string;
  bytes: Readable;
}

/**
 * Waits for the file of an input's field and works with it. What the work leaves unread is thrown away as it
 * arrives: the rest of the request would otherwise wait behind it. Throws InvalidInputError for a file that
 * another field has taken, UnreadableRequestError where the request breaks off.
 */
export async function withFile<T>(
  upload: Promise<FileUpload>,
  field: string,
  work: (file: ArrivingFile) => Promise<T>,
): Promise<T> {
  const file = await upload.catch(fail);
  const bytes = take(file, field);
  let failure: unknown;
  bytes.on('error', (error) => {
    failure = error;
  });
  try {
    // The package leaves a name as browsers escape it, and takes bytes without a name for a file, too.
    const filename = unescapeForm(file.filename ?? '');
    return await work({ filename, declaredType: file.mimetype, bytes });
  } catch (error) {
    if (error === failure) fail(error);
    throw error;
  } finally {
    bytes.resume();
  }
}

const taken = new WeakSet<FileUpload>();

/** A `map` may name several places for one file, but its bytes pass by once. */
function take(file: FileUpload, field: string): Readable {
  if (taken.has(file)) {
    const message = 'Another field has this file; send it once for each.';
    throw InvalidInputError.of(field, 'FILE_TAKEN', message);
  }
  taken.add(file);
  try {
    return file.createReadStream();
  } catch (error) {
    fail(error);
  }
}

function fail(cause: unknown): never {
  throw new UnreadableRequestError(cause);
}
