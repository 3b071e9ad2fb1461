import { Command, Option } from 'commander';
import type { App } from './app.ts';
import { uploadCommand } from './cli/upload.ts';
import { type Config, ConfigError, parseConfig, VARIABLES } from './config.ts';
import { ROLES, type Role } from './domain/access.ts';
import { DomainError } from './domain/error.ts';
import { NewerDatabaseError } from './store/error.ts';

type Flags = Record<string, string | undefined>;

/** What a command may have of its process. */
export interface ProcessHandle {
  argv: readonly string[];
  env: Readonly<Record<string, string | undefined>>;
  exit: (code: number) => never;
}

/** Runs the command line. A command that fails ends the process with code 1. */
export async function runCommand({ argv, env, exit }: ProcessHandle): Promise<void> {
  const attempt = attemptWith(exit);
  const program = new Command('trivium')
    .description('A self-hosted media server.')
    .showHelpAfterError('(`trivium --help` shows the commands)');

  const serve = program.command('serve').description('run the server');
  withSettings(serve).action((flags: Flags) =>
    attempt(() => runServer(readConfig(env, serve, flags), exit)),
  );

  const key = program.command('key').description('manage API keys');
  const create = key
    .command('create <name>')
    .description('make an API key in the server’s database and print it: the only time it is shown')
    .addOption(new Option('--role <role>', 'what it may do').choices(ROLES).default('editor'))
    .option('--expires-days <days>', 'life of the key in days; default: no end');
  withSettings(create).action((name: string, flags: KeyFlags) =>
    attempt(() => runKeyCreate(readConfig(env, create, flags), name, flags)),
  );

  program.addCommand(uploadCommand(env, attempt));
  await program.parseAsync(argv);
}

type KeyFlags = Flags & { role: Role };

async function runServer(config: Config, exit: ProcessHandle['exit']): Promise<void> {
  const { createApp } = await import('./app.ts');
  const app = await createApp(config);
  stopOnSignal(app, exit);
  const url = await app.start();
  app.log.info({ url, auth: config.auth }, `listening on ${url}`);
}

async function runKeyCreate(config: Config, name: string, flags: KeyFlags) {
  const { createApp } = await import('./app.ts');
  const { createKey } = await import('./domain/key.ts');
  const app = await createApp({ ...config, logLevel: 'silent' });
  try {
    const days = flags.expiresDays === undefined ? null : Number(flags.expiresDays);
    const expiresAt = days === null ? null : new Date(Date.now() + days * 86_400_000);
    console.log(await createKey(app.services, { name, role: flags.role, expiresAt }));
  } finally {
    await app.stop();
  }
}

/** Every setting as a flag of the same name: `TRIVIUM_DATA_DIR` is `--data-dir`. */
function withSettings(command: Command): Command {
  for (const [variable, [, description]] of Object.entries(VARIABLES)) {
    const flag = variable.replace('TRIVIUM_', '').toLowerCase().replaceAll('_', '-');
    command.addOption(new Option(`--${flag} <value>`, `${description} (${variable})`));
  }
  return command;
}

function readConfig(env: ProcessHandle['env'], command: Command, flags: Flags): Config {
  const given = command.options.map((option) => {
    const variable = `TRIVIUM_${option.name().replaceAll('-', '_').toUpperCase()}`;
    return [variable, variable in VARIABLES ? flags[option.attributeName()] : undefined] as const;
  });
  const set = given.filter(([, value]) => value !== undefined);
  return parseConfig({ ...env, ...Object.fromEntries(set) });
}

/** The first signal drains; a second one, from somebody who cannot wait, ends at once. */
function stopOnSignal(app: App, exit: ProcessHandle['exit']): void {
  const attempt = attemptWith(exit);
  let isStopping = false;
  const stop = async (signal: string) => {
    if (isStopping) exit(1);
    isStopping = true;
    app.log.info({ signal }, 'stopping');
    await app.stop();
    app.log.info('stopped');
    exit(0);
  };
  for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => attempt(() => stop(signal)));
}

/** Runs a command; a mistake of its user's ends it with the sentence alone, a bug with its stack. */
function attemptWith(exit: ProcessHandle['exit']) {
  return async (work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      console.error(isUserError(error) ? `trivium: ${error.message}` : error);
      exit(1);
    }
  };
}

function isUserError(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  if ([ConfigError, DomainError, NewerDatabaseError].some((known) => error instanceof known))
    return true;
  // Of the system or the database: a port that is taken, a directory that may not be written, no server.
  return 'code' in error && typeof error.code === 'string';
}
