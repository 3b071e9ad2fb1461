import { digestFile as digest } from '../../../domain/file/digest.ts';
import { FileGoneError } from '../../../domain/file/file.ts';
import { PermanentError, type Task } from '../../task.ts';

/**
 * Computes the SHA-256 of a file that was uploaded in chunks. Its chunks came in several requests, perhaps to several
 * processes, and only the MD5 is carried from one to the next; reading the file again while the client waits would take
 * too long.
 */
export const digestFile: Task<'digest-file'> = async (ctx, { file_uuid }, { signal, progress }) => {
  try {
    await digest(ctx, file_uuid, { signal, onProgress: progress });
  } catch (error) {
    if (!(error instanceof FileGoneError)) throw error;
    throw new PermanentError(error.message, { cause: error });
  }
};
