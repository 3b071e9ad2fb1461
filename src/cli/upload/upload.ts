import { Command, Option } from 'commander';
import type { UploadFlags } from './run.ts';

const DEFAULT_URL = 'http://127.0.0.1:4000';
const TYPES = ['image', 'editor-image', 'document', 'file', 'video', 'audio', 'vector'];
const HELP = `
Prints a line for each stored file: id, URL and path, separated by tabs.

  $ trivium upload photo.jpg
  $ TRIVIUM_API_KEY=… trivium upload *.png --folder /Design/Logos --tag logo --tag 2026
`;

/**
 * Creates the command `trivium upload`. It does not look for a key on disk: sending an admin key unasked would make the
 * admin the owner, and would give the key to any program that listens at the URL.
 */
export function uploadCommand(
  env: Readonly<Record<string, string | undefined>>,
  attempt: (work: () => Promise<void>) => Promise<void>,
): Command {
  return new Command('upload')
    .description('upload files to a running server')
    .argument('<file...>', 'files to upload')
    .option('--folder <path>', 'folder for the files, such as /Design/Logos; default: unfiled')
    .addOption(
      new Option('--tag <name>', 'tag for the files; repeatable; created if it does not exist')
        .argParser((name: string, names: string[]) => [...names, name])
        .default([], 'none'),
    )
    .option('--title <title>', 'title, for a single file; default: its name')
    .addOption(
      new Option('--type <type>', 'type of the media items; default: by the content').choices(
        TYPES,
      ),
    )
    .option('--resume <upload-id>', 'resume the upload session of a single file')
    .option('--url <url>', 'URL of the server (TRIVIUM_URL)', env.TRIVIUM_URL || DEFAULT_URL)
    .option('--key <key>', 'API key or token (TRIVIUM_API_KEY); default: anonymous')
    .option('--json', 'print a line of JSON for each media item instead')
    .addHelpText('after', HELP)
    .action((paths: string[], flags: UploadFlags) =>
      attempt(async () => {
        // The server needs none of these files.
        const { runUpload } = await import('./run.ts');
        await runUpload(paths, flags, flags.key ?? env.TRIVIUM_API_KEY);
      }),
    );
}
