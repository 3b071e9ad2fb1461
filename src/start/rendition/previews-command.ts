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
 * Creates the command `trivium previews`, which enqueues jobs that draw previews of stored files, whether a server runs or
 * not. The server runs them.
 */
export function previewsCommand({ env, attempt }: CommandSetting): Command {
  const previews = new Command('previews')
    .description('draw previews of stored files (`Media.preview`) by jobs of the server')
    .requiredOption(
      '--missing',
      'of all media without one that a decoder can draw, such as old ones',
    )
    .option('--failed', 'of those that could not be drawn, too: after an update of a decoder');
  return withSettings(previews).action((flags: Flags & { failed?: boolean }) =>
    attempt(() => enqueue(readConfig(env, previews, flags), flags.failed === true)),
  );
}

async function enqueue(config: Config, isRetry: boolean): Promise<void> {
  await requireLibrary(config);
  const { enqueueMissingPreviews } = await import('../../domain/rendition/missing.ts');
  let printed = 0;
  await asServer({ ...config, statementTimeoutMs: STATEMENT_TIMEOUT_MS }, async (ctx) => {
    const jobs = await enqueueMissingPreviews(ctx, {
      isRetry,
      onProgress(jobs) {
        if (jobs - printed < PROGRESS_STEP) return;
        printed = jobs;
        console.log(`${jobs} jobs so far`);
      },
    });
    const noun = jobs === 1 ? 'file' : 'files';
    console.log(`${jobs || 'no'} ${noun} to draw${jobs === 0 ? '' : ': the server runs the jobs'}`);
  });
}
