import { UnsupportedMediaError } from '../../../domain/error.ts';
import { readDetails } from '../../../domain/file/details.ts';
import { FileGoneError } from '../../../domain/file/file.ts';
import { createThumbnailOrNoteDamage } from '../../../domain/upload/damaged-original.ts';
import { PermanentError, type Task } from '../../task.ts';

/**
 * Reads what an original image says of itself, and creates its thumbnail. Not part of the upload, because decoding and
 * encoding take longer than the rest of it. A media item whose image cannot be read has no thumbnail, and is no longer an image.
 */
export const createThumbnail: Task<'make-rendition'> = async (ctx, { file_uuid }, { signal }) => {
  try {
    await readDetails(ctx, file_uuid, signal);
    await createThumbnailOrNoteDamage(ctx, file_uuid, signal);
  } catch (error) {
    if (!(error instanceof UnsupportedMediaError || error instanceof FileGoneError)) throw error;
    throw new PermanentError(error.message, { cause: error });
  }
};
