import { Command } from 'commander';
import {
  asServer,
  type CommandSetting,
  type Flags,
  readConfig,
  withSettings,
} from '../command-setting.ts';
import type { Config } from '../config.ts';
import { requireLibrary } from '../require-library.ts';

/** One statement may look at all media of a large library. */
const STATEMENT_TIMEOUT_MS = 3_600_000;

/** Jobs between two lines of progress. */
const PROGRESS_STEP = 1000;

/**
 * Creates the command `trivium details`, which enqueues jobs that read what files say of themselves, whether a server runs
 * or not. The server runs them.
 */
export function detailsCommand({ env, attempt }: CommandSetting): Command {
  const details = new Command('details')
    .description('read the metadata of stored files (`Media.details`) by jobs of the server')
    .requiredOption('--missing', 'of all media whose metadata have not been read, such as old ones')
    .option(
      '--failed',
      'of those of which nothing was found, too: after an installation of ffmpeg',
    );
  return withSettings(details).action((flags: Flags & { failed?: boolean }) =>
    attempt(() => enqueue(readConfig(env, details, flags), flags.failed === true)),
  );
}

async function enqueue(config: Config, isRetry: boolean): Promise<void> {
  await requireLibrary(config);
  const { enqueueMissingDetails } = await import('../../domain/file/missing-details.ts');
  let printed = 0;
  await asServer({ ...config, statementTimeoutMs: STATEMENT_TIMEOUT_MS }, async (ctx) => {
    const jobs = await enqueueMissingDetails(ctx, {
      isRetry,
      onProgress(jobs) {
        if (jobs - printed < PROGRESS_STEP) return;
        printed = jobs;
        console.log(`${jobs} jobs so far`);
      },
    });
    const noun = jobs === 1 ? 'file' : 'files';
    console.log(`${jobs || 'no'} ${noun} to read${jobs === 0 ? '' : ': the server runs the jobs'}`);
  });
}
