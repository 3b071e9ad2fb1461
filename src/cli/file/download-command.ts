import { Command } from 'commander';
import { type ClientSetting, withServer } from '../connection.ts';
import { EXIT_CODE_HELP } from '../failure.ts';
import type { DownloadFlags } from './download.ts';

const HELP = `
A folder is downloaded with everything below it, into a directory of its name; --output names the directory to put that
into. So it does for several names; it is created if it does not exist. A file has its name on the server; characters that a file system may not
hold become "_", and of several files with one name, the later ones get their number. A file that exists is never
replaced, except with --force: one with the same content counts as done, and another one is a failure. Run the command
again after an interruption: it continues in the middle of a file.

Prints a line for each file: path and size in bytes, separated by a tab.

  $ trivium download /Design/logo.svg -o logo.svg
  $ trivium download /Design -o copy
`;

/** Creates the command `trivium download`. */
export function downloadCommand({ argv, env, attempt, withUserUmask }: ClientSetting): Command {
  const download = new Command('download')
    .description('download files and folders of a running server, and check their MD5')
    .argument('<name...>', 'paths, such as /Design/logo.svg, ids, or URLs of files')
    .option('-o, --output <path>', 'file or directory to write to; default: the working directory')
    .option('--force', 'replace files that exist and have another content')
    .option('--json', 'print a line of JSON for each file instead')
    .addHelpText('after', HELP + EXIT_CODE_HELP);
  return withServer(download, env).action((names: string[], flags: DownloadFlags) =>
    attempt(async () => {
      const { runDownload } = await import('./download.ts');
      await withUserUmask(() => runDownload(names, flags, { argv, env }));
    }),
  );
}
