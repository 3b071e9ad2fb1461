import type { Context } from '../domain/context.ts';
import type { JobChange } from '../store/job/run.ts';

/** How far a run has come, on its way to the database and to who watches. */
export interface Progress {
  /** Never waits; what goes back, or is no number, is passed over. */
  report: (fraction: number) => void;
  /** Resolves when nothing more will be written. */
  stop: () => Promise<void>;
}

/** Four times a second: each is a commit. */
const WRITE_INTERVAL_MS = 250;

/** Tells subscribers of this process at once, and writes now and then. */
export function createProgress(
  ctx: Context,
  jobId: number,
  write: (columns: JobChange) => Promise<unknown>,
): Progress {
  let fraction = 0;
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;
  let writing: Promise<unknown> = Promise.resolve();
  const flush = () => {
    timer = undefined;
    const columns = { progress: fraction, updated_at: ctx.clock() };
    writing = writing
      .then(() => write(columns))
      .catch((error) => ctx.log.warn({ err: error }, 'the progress of a job was not written'));
  };
  return {
    report(next) {
      // 1 says that the job is completed, which its task cannot know.
      const capped = Math.min(next, 0.999);
      if (isStopped || !(capped > fraction)) return;
      fraction = capped;
      ctx.events.publish({ type: 'job', id: jobId, progress: fraction });
      timer ??= setTimeout(flush, WRITE_INTERVAL_MS);
    },
    async stop() {
      isStopped = true;
      clearTimeout(timer);
      await writing;
    },
  };
}
