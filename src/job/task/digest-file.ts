import { digestFile as digest } from '../../domain/file/digest.ts';
import { FileGoneError } from '../../domain/file/file.ts';
import { PermanentError, type Task } from '../task.ts';

/**
 * Finds the SHA-256 of a file that came in chunks: what was seen of it in several requests, perhaps by several
 * processes, carries only the MD5 from one to the next, and reading it all again would keep its sender waiting.
 */
export const digestFile: Task<'digest-file'> = async (ctx, { file_uuid }, { signal, progress }) => {
  try {
    await digest(ctx, file_uuid, { signal, onProgress: progress });
  } catch (error) {
    if (!(error instanceof FileGoneError)) throw error;
    throw new PermanentError(error.message, { cause: error });
  }
};
