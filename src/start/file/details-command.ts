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
  await enqueueAsServer(config, 'read', (ctx, onProgress) =>
    enqueueMissingDetails(ctx, { isRetry, onProgress }),
  );
}
