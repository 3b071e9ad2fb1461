import type { Context } from '../domain/context.ts';
import type { JobChange, JobRow } from '../store/job/run.ts';

/** Reports the progress of a run to the database and to subscribers. */
export interface Progress {
  /** Reports a fraction, without waiting; ignores NaN and a fraction that is not larger than the last one. */
  report: (fraction: number) => void;
  /** Stops the reports; resolves after the last write. */
  stop: () => Promise<void>;
}

/** Four writes a second, because each is a commit. */
const WRITE_INTERVAL_MS = 250;

/** Creates a reporter: it notifies subscribers of this process at once, and writes at intervals. */
export function createProgress(
  ctx: Context,
  { id, started_at }: Pick<JobRow, 'id' | 'started_at'>,
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
      // 1 means that the job is completed, which its task cannot know.
      const capped = Math.min(next, 0.999);
      if (isStopped || !(capped > fraction)) return;
      fraction = capped;
      const progress = { fraction, runStartedAt: started_at ?? 0 };
      ctx.events.publish({ type: 'job', id, progress });
      timer ??= setTimeout(flush, WRITE_INTERVAL_MS);
    },
    async stop() {
      isStopped = true;
      clearTimeout(timer);
      await writing;
    },
  };
}
