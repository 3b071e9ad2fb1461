import { readDetails as read } from '../../../domain/file/details.ts';
import { FileGoneError } from '../../../domain/file/file.ts';
import { PermanentError, type Task } from '../../task.ts';

/**
 * Reads what an original says of itself: when and where it was taken, how long it plays, and the like. The job of an
 * image's thumbnail does it as well, so that the upload of an image creates one job.
 */
export const readDetails: Task<'read-details'> = async (
  ctx,
  { file_uuid, is_again },
  { signal },
) => {
  try {
    await read(ctx, file_uuid, { signal, isAgain: is_again });
  } catch (error) {
    if (!(error instanceof FileGoneError)) throw error;
    throw new PermanentError(error.message, { cause: error });
  }
};
