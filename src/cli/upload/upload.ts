import { Command, Option } from 'commander';
import { type ClientSetting, withServer } from '../connection.ts';
import { EXIT_CODE_HELP } from '../failure.ts';
import type { UploadFlags } from './run.ts';

const TYPES = ['image', 'editor-image', 'document', 'file', 'video', 'audio', 'vector'];
const HELP = `
With --recursive, a directory becomes a folder of its name in --folder, or at the top level; subdirectories become
folders below it, empty ones too. Folders that exist are used. "DIR/." stands for what is in the directory. Symbolic links,
hidden and empty files in a directory are skipped.

Run the command again after an interruption. It does not send a file that is in its folder already, with the same name and
content, and it continues in the middle of a large file. --no-resume sends everything.

Prints a line for each file: id, URL and path, separated by tabs.

  $ trivium upload photo.jpg
  $ trivium upload *.png --folder /Design/Logos --tag logo --tag 2026
  $ trivium upload photos --recursive --folder /Archive --create-folder
`;

/** Creates the command `trivium upload`. */
export function uploadCommand({ argv, env, attempt, md5WithoutLocation }: ClientSetting): Command {
  const upload = new Command('upload')
    .description('upload files and directories to a running server')
    .argument('<file...>', 'files to upload')
    .option('-r, --recursive', 'also upload directories, which become folders')
    .option(
      '--hidden',
      'with --recursive: also upload files and directories whose names begin with .',
    )
    .option('--folder <path>', 'folder for the files, such as /Design/Logos; default: unfiled')
    .option('--create-folder', 'create the folder of --folder if it does not exist')
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
    .option('--resume <upload-id>', 'resume this upload session, with a single file')
    .option('--no-resume', 'send every file from its beginning, even if it is there already')
    .option('--json', 'print a line of JSON for each media item instead')
    .addHelpText('after', HELP + EXIT_CODE_HELP);
  return withServer(upload, env).action((paths: string[], flags: UploadFlags) =>
    attempt(async () => {
      // The server needs none of these files.
      const { runUpload } = await import('./run.ts');
      await runUpload(paths, flags, { argv, env, md5WithoutLocation });
    }),
  );
}
