import { readFile } from 'node:fs/promises';
import { flushCompileCache } from 'node:module';
import { Command } from 'commander';
import { completionCommand } from '../cli/completion.ts';
import { CommandError, EXIT_CODE_HELP, EXIT_CODES } from '../cli/failure.ts';
import { downloadCommand } from '../cli/file/download-command.ts';
import { removeCommand } from '../cli/trash/remove-command.ts';
import { listCommand } from '../cli/tree/list-command.ts';
import { uploadCommand } from '../cli/upload/upload.ts';
import { DomainError } from '../domain/error.ts';
import {
  DatabaseUnavailableError,
  LockedDatabaseError,
  NewerDatabaseError,
} from '../store/error.ts';
import type { App } from './app.ts';
import { backupCommand, restoreCommand } from './backup/backup-command.ts';
import { type Flags, readConfig, withSettings } from './command-setting.ts';
import { type Config, ConfigError } from './config.ts';
import { detailsCommand } from './file/details-command.ts';
import { tortureCommand } from './file/torture-command.ts';
import { fsckCommand } from './fsck/fsck-command.ts';
import { moveCommand } from './relocation/move-command.ts';
import { previewsCommand } from './rendition/previews-command.ts';
import { renditionsCommand } from './rendition/renditions-command.ts';
import { keyCommand } from './viewer/key-command.ts';
import { userCommand } from './viewer/user-command.ts';

/** The parts of the process that commands may use. */
export interface ProcessHandle {
  argv: readonly string[];
  env: Readonly<Record<string, string | undefined>>;
  exit: (code: number) => never;
}

/** Takes all access away from the group and others. */
const OWN_UMASK = 0o077;

/** Runs the command line. A command that fails ends the process with a code of `EXIT_CODES`; `fsck` with code 2. */
export async function runCommand({ argv, env, exit }: ProcessHandle): Promise<void> {
  // Nobody else may read what the commands create: the database and its log, blobs, keys, the compiled program.
  const userUmask = process.umask(OWN_UMASK);
  const withUserUmask = async (work: () => Promise<void>) => {
    process.umask(userUmask);
    await work().finally(() => process.umask(OWN_UMASK));
  };
  const md5WithoutLocation = async (path: string) => {
    const location = await import('../media/location/local-digest.ts');
    return location.md5WithoutLocation(path);
  };
  const attempt = attemptWith(exit);
  const program = new Command('trivium')
    .description('A self-hosted media server.')
    .version(await readVersion(), '-V, --version', 'print the version')
    .addHelpText('after', HELP)
    .showHelpAfterError('(`trivium --help` shows the commands)');

  const serve = program.command('serve').description('run the server');
  withSettings(serve).action((flags: Flags) =>
    attempt(() => runServer(readConfig(env, serve, flags), exit)),
  );

  program.addCommand(keyCommand({ env, attempt }));
  program.addCommand(userCommand({ env, attempt }));
  program.addCommand(backupCommand({ env, attempt }));
  program.addCommand(restoreCommand({ env, attempt }));
  program.addCommand(moveCommand({ argv, env, attempt }));
  program.addCommand(detailsCommand({ env, attempt }));
  program.addCommand(renditionsCommand({ env, attempt }));
  program.addCommand(previewsCommand({ env, attempt }));
  program.addCommand(tortureCommand({ env, attempt }));
  program.addCommand(fsckCommand({ env, exit, attempt: attemptWith(exit, 2) }));
  for (const create of [uploadCommand, downloadCommand, listCommand, removeCommand]) {
    program.addCommand(create({ argv, env, attempt, withUserUmask, md5WithoutLocation }));
  }
  program.addCommand(completionCommand(program));
  exitOnUsage(program, exit);
  await program.parseAsync(argv);
}

const HELP = `
\`upload\`, \`download\`, \`ls\` and \`rm\` talk to a running server; the other commands work on its data directory and
database. \`trivium <command> --help\` shows the options of a command.
${EXIT_CODE_HELP.trimEnd()} (128 and its number after any other signal)
\`fsck\` has its own: 1 if there are differences, 2 if it fails.
`;

async function readVersion(): Promise<string> {
  const path = new URL('../../package.json', import.meta.url);
  return JSON.parse(await readFile(path, 'utf8')).version;
}

/** Makes a command and those below it end the process with the code of wrong usage, or 0 after their help. */
function exitOnUsage(command: Command, exit: ProcessHandle['exit']): void {
  command.exitOverride(({ exitCode }) => exit(exitCode === 0 ? 0 : EXIT_CODES.usage));
  for (const one of command.commands) exitOnUsage(one, exit);
}

async function runServer(config: Config, exit: ProcessHandle['exit']): Promise<void> {
  if (config.workers > 1) {
    const { serveWithWorkers } = await import('./cluster/serve.ts');
    return serveWithWorkers(config, { exit, attempt: attemptWith(exit) });
  }
  const { createApp } = await import('./app.ts');
  const { collectWhenIdle } = await import('./idle.ts');
  const { checkFirstAddress, logAddresses } = await import('./listen.ts');
  const { lockDatabase } = await import('./lock.ts');
  const { refuseUnfinishedRestore } = await import('../domain/backup/unfinished-restore.ts');
  await checkFirstAddress(config);
  const unlock = await lockDatabase(config);
  await refuseUnfinishedRestore(config.dataDir);
  const app = await createApp(config);
  // Node would write the cache at a normal exit: too late for a process that is killed, and after the first start it
  // would delay the end of the process by seconds. It takes 0.3 s, which no request should have to wait for.
  flushCompileCache();
  stopOnSignal(app, unlock, exit);
  const url = await app.start();
  collectWhenIdle();
  logAddresses(app.log, config, { url, signInPath: app.signInPath });
}

/** Stops the app on the first signal; a second signal ends the process at once. */
function stopOnSignal(app: App, unlock: () => void, exit: ProcessHandle['exit']): void {
  const attempt = attemptWith(exit);
  let isStopping = false;
  const stop = async (signal: string) => {
    if (isStopping) exit(1);
    isStopping = true;
    app.log.info({ signal }, 'stopping');
    await app.stop();
    unlock();
    app.log.info('stopped');
    exit(0);
  };
  for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => attempt(() => stop(signal)));
}

/** Runs a command. A user's mistake prints its message, a bug its stack; both end the process with this code. */
function attemptWith(exit: ProcessHandle['exit'], code = 1) {
  return async (work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      console.error(isUserError(error) ? `trivium: ${error.message}` : error);
      exit(error instanceof CommandError ? (error.exitCode ?? code) : code);
    }
  };
}

function isUserError(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  const known = [
    ConfigError,
    DatabaseUnavailableError,
    DomainError,
    LockedDatabaseError,
    NewerDatabaseError,
  ];
  if (known.some((known) => error instanceof known)) return true;
  // Errors of the system or the database have a code: a port in use, a directory without write permission, no server.
  return 'code' in error && typeof error.code === 'string';
}
