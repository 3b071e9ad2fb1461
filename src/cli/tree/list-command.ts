import { Command } from 'commander';
import { type ClientSetting, withServer } from '../connection.ts';
import { EXIT_CODE_HELP } from '../failure.ts';
import type { ListFlags } from './list.ts';

const HELP = `
On a terminal, prints a table. Otherwise prints a line for each item, separated by tabs: id, type, size in bytes, time
of the last change, name. A folder has the type FOLDER, no size, and a name that ends with /.

  $ trivium ls /Design
  $ trivium ls --unfiled --json | jq -r .name
`;

/** Creates the command `trivium ls`. */
export function listCommand({ env, attempt }: ClientSetting): Command {
  const list = new Command('ls')
    .description('list folders and media of a running server')
    .argument('[name]', 'path, such as /Design/Logos, or id; default: the top level')
    .option('--unfiled', 'list the media that are in no folder')
    .option('--json', 'print a line of JSON for each item instead')
    .addHelpText('after', HELP + EXIT_CODE_HELP);
  return withServer(list, env).action((name: string | undefined, flags: ListFlags) =>
    attempt(async () => {
      const { runList } = await import('./list.ts');
      await runList(name, flags, env);
    }),
  );
}
