import { UnsupportedMediaError } from '../../../domain/error.ts';
import { FileGoneError } from '../../../domain/file/file.ts';
import { createAvif as create } from '../../../domain/rendition/avif.ts';
import { PermanentError, type Task } from '../../task.ts';

/** Renders an image as AVIF. A request that needs it gets WebP meanwhile, because encoding takes seconds. */
export const createAvif: Task<'create-avif'> = async (ctx, rendition, { signal }) => {
  try {
    await create(ctx, rendition, signal);
  } catch (error) {
    if (!(error instanceof UnsupportedMediaError || error instanceof FileGoneError)) throw error;
    throw new PermanentError(error.message, { cause: error });
  }
};
