import { UnsupportedMediaError } from '../../../domain/error.ts';
import { readDetails } from '../../../domain/file/details.ts';
import { FileGoneError } from '../../../domain/file/file.ts';
import { createThumbnailOrNoteDamage } from '../../../domain/upload/damaged-original.ts';
import { PermanentError, type Task } from '../../task.ts';

/**
 * Creates the thumbnail of an original, and reads what the original says of itself. Not part of the upload, because
 * decoding and encoding take longer than the rest of it. A media item whose image cannot be read has no thumbnail, and is
 * no longer an image.
 */
export const createThumbnail: Task<'make-rendition'> = async (ctx, { file_uuid }, { signal }) => {
  try {
    try {
      // First: a file that is made to trouble the reader of details may keep it busy for seconds.
      await createThumbnailOrNoteDamage(ctx, file_uuid, signal);
    } finally {
      await readDetails(ctx, file_uuid, { signal });
    }
  } catch (error) {
    if (!(error instanceof UnsupportedMediaError || error instanceof FileGoneError)) throw error;
    throw new PermanentError(error.message, { cause: error });
  }
};
