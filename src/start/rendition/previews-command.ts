import { Command } from 'commander';
import {
  type CommandSetting,
  enqueueAsServer,
  type Flags,
  readConfig,
  withSettings,
} from '../command-setting.ts';
import type { Config } from '../config.ts';
import { requireLibrary } from '../require-library.ts';

/**
 * Creates the command `trivium previews`, which enqueues jobs that draw previews of stored files, whether a server runs or
 * not. The server runs them.
 */
export function previewsCommand({ env, attempt }: CommandSetting): Command {
  const previews = new Command('previews')
    .description('draw previews of stored files (`Media.preview`) by jobs of the server')
    .requiredOption(
      '--missing',
      'for all media that have none and that a decoder can draw, such as old ones',
    )
    .option(
      '--failed',
      'also for those that could not be drawn, such as after an update of a decoder',
    );
  return withSettings(previews).action((flags: Flags & { failed?: boolean }) =>
    attempt(() => enqueue(readConfig(env, previews, flags), flags.failed === true)),
  );
}

async function enqueue(config: Config, isRetry: boolean): Promise<void> {
  await requireLibrary(config);
  const { enqueueMissingPreviews } = await import('../../domain/rendition/missing.ts');
  await enqueueAsServer(config, 'draw', (ctx, onProgress) =>
    enqueueMissingPreviews(ctx, { isRetry, onProgress }),
  );
}
