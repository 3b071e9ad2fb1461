import { UnsupportedMediaError } from '../../../domain/error.ts';
import { FileGoneError } from '../../../domain/file/file.ts';
import { drawPreview as draw } from '../../../domain/rendition/preview.ts';
import { PermanentError, type Task } from '../../task.ts';

/**
 * Draws the preview of an original that browsers cannot show, and its thumbnail. Not part of the upload: a decoder may
 * need minutes, or never end. A decoder that crashes is tried again.
 */
export const drawPreview: Task<'draw-preview'> = async (ctx, { file_uuid }, { signal }) => {
  try {
    await draw(ctx, file_uuid, signal);
  } catch (error) {
    if (!(error instanceof UnsupportedMediaError || error instanceof FileGoneError)) throw error;
    throw new PermanentError(error.message, { cause: error });
  }
};
