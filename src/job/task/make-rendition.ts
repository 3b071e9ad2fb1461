import { UnsupportedMediaError } from '../../domain/error.ts';
import { FileGoneError } from '../../domain/file/file.ts';
import { makeThumbnail } from '../../domain/rendition/thumbnail.ts';
import { PermanentError, type Task } from '../task.ts';

/**
 * Makes the small picture that lists show, beside the original: not when the upload is answered, because decoding
 * and encoding take longer than anything else in it. A media whose picture cannot be read stays without one.
 */
export const makeRendition: Task<'make-rendition'> = async (ctx, { file_uuid }, { signal }) => {
  try {
    await makeThumbnail(ctx, file_uuid, signal);
  } catch (error) {
    if (!(error instanceof UnsupportedMediaError || error instanceof FileGoneError)) throw error;
    throw new PermanentError(error.message, { cause: error });
  }
};
