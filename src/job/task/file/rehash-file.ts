import { rehashNext } from '../../../domain/fsck/rehash.ts';
import type { JobClass } from '../../../domain/job/class.ts';
import { JOB_CLASSES } from '../../../domain/job/class.ts';
import { listDueClasses } from '../../../store/job/run.ts';
import type { Task } from '../../task.ts';

/**
 * Reads a part of the stored bytes again and compares their digests, so that rot is found while a backup still has the
 * good bytes. Ends early if other jobs wait.
 */
export const rehashFile: Task<'rehash-file'> = async (ctx, _args, { signal }) => {
  const isWanted = async () => (await listDueClasses(ctx.db, OTHERS, ctx.clock())).length > 0;
  const { read, damaged } = await rehashNext(ctx, { signal, isWanted });
  return { blobs_read: read, blobs_damaged: damaged };
};

const OTHERS = (Object.keys(JOB_CLASSES) as JobClass[]).filter((name) => name !== 'rehash-file');
