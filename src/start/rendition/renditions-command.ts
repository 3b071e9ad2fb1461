import { Command } from 'commander';
import type { MissingRenditions } from '../../domain/rendition/missing.ts';
import {
  asServer,
  type CommandSetting,
  type Flags,
  readConfig,
  withSettings,
} from '../command-setting.ts';
import type { Config } from '../config.ts';
import { requireLibrary } from '../require-library.ts';

/** Files between two lines of progress. */
const PROGRESS_STEP = 10_000;

interface Options {
  isDryRun: boolean;
  isJson: boolean;
}

/**
 * Creates the command `trivium renditions`, which enqueues jobs that make thumbnails, sizes and placeholders of stored
 * images, whether a server runs or not. The server runs them.
 */
export function renditionsCommand({ env, attempt }: CommandSetting): Command {
  const renditions = new Command('renditions')
    .description('make thumbnails, sizes and placeholders of stored images by jobs of the server')
    .requiredOption(
      '--missing',
      'for all images that lack one of them, such as old ones, or after a change of TRIVIUM_THUMBNAIL_SIZES',
    )
    .option('--dry-run', 'only count the images')
    .option('--json', 'print the result as a line of JSON, and no progress');
  return withSettings(renditions).action((flags: Flags) => {
    const options = { isDryRun: flags.dryRun === true, isJson: flags.json === true };
    return attempt(() => enqueue(readConfig(env, renditions, flags), options));
  });
}

async function enqueue(config: Config, { isDryRun, isJson }: Options): Promise<void> {
  await requireLibrary(config);
  const { enqueueMissingRenditions } = await import('../../domain/rendition/missing.ts');
  let printed = 0;
  await asServer(config, async (ctx) => {
    const counts = await enqueueMissingRenditions(ctx, {
      isDryRun,
      onProgress({ files, missing }) {
        if (isJson || files - printed < PROGRESS_STEP) return;
        printed = files;
        console.log(`${files} files so far, ${missing} to render`);
      },
    });
    console.log(isJson ? JSON.stringify({ ...counts, isDryRun }) : toSentence(counts, isDryRun));
  });
}

function toSentence({ missing }: MissingRenditions, isDryRun: boolean): string {
  const noun = missing === 1 ? 'image' : 'images';
  const rest = missing === 0 || isDryRun ? '' : ': the server runs the jobs';
  return `${missing || 'no'} ${noun} to render${rest}`;
}
