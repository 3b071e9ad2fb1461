import { Command } from 'commander';
import { type ClientSetting, withServer } from '../connection.ts';
import { EXIT_CODE_HELP } from '../failure.ts';
import type { RemoveFlags } from './remove.ts';

const HELP = `
Moves the items into the trash, from which they can be restored until TRIVIUM_TRASH_DAYS are over. On a terminal, asks
first. Prints a line for each item: id and name, separated by a tab.

  $ trivium rm /Design/logo.svg
  $ trivium rm --recursive --yes /Design
`;

/** Creates the command `trivium rm`. */
export function removeCommand({ argv, env, attempt }: ClientSetting): Command {
  const remove = new Command('rm')
    .description('move folders and media of a running server into the trash')
    .argument('<name...>', 'paths, such as /Design/logo.svg, or ids')
    .option('-r, --recursive', 'also remove folders, with everything below them')
    .option('-y, --yes', 'do not ask')
    .option('--json', 'print a line of JSON for each item instead')
    .addHelpText('after', HELP + EXIT_CODE_HELP);
  return withServer(remove, env).action((names: string[], flags: RemoveFlags) =>
    attempt(async () => {
      const { runRemove } = await import('./remove.ts');
      await runRemove(names, flags, { argv, env });
    }),
  );
}
