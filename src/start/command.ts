import { Command, Option } from 'commander';
import { readPassword } from '../cli/password.ts';
import { uploadCommand } from '../cli/upload.ts';
import { DomainError } from '../domain/error.ts';
import { ROLES, type Role } from '../domain/viewer/viewer.ts';
import { NewerDatabaseError } from '../store/error.ts';
import type { App } from './app.ts';
import { type Config, ConfigError, parseConfig, VARIABLES } from './config.ts';
import { addUser } from './user-file.ts';

type Flags = Record<string, unknown>;

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
    .addOption(startNodeOption())
    .option('--expires-days <days>', 'life of the key in days; default: no end');
  withSettings(create).action((name: string, flags: KeyFlags) =>
    attempt(() => runKeyCreate(readConfig(env, create, flags), name, flags)),
  );

  const user = program.command('user').description('manage who may log in with a password');
  const add = user
    .command('add <name>')
    .description('add somebody to the users’ file; asks for the password, or reads it from a pipe')
    .addOption(new Option('--role <role>', 'what the user may do').choices(ROLES).default('editor'))
    .addOption(startNodeOption())
    .option('--force', 'also in the place of a user of that name');
  withSettings(add).action((name: string, flags: UserFlags) =>
    attempt(() => runUserAdd(readConfig(env, add, flags), name, flags)),
  );

  program.addCommand(uploadCommand(env, attempt));
  await program.parseAsync(argv);
}

type KeyFlags = Flags & { role: Role; startNode?: string[] };
type UserFlags = KeyFlags & { force?: boolean };

async function runServer(config: Config, exit: ProcessHandle['exit']): Promise<void> {
  const { createApp } = await import('./app.ts');
  const app = await createApp(config);
  stopOnSignal(app, exit);
  const url = await app.start();
  app.log.info({ url, auth: config.auth }, `listening on ${url}`);
}

async function runKeyCreate(config: Config, name: string, flags: KeyFlags) {
  const { createApp } = await import('./app.ts');
  const { createKey } = await import('../domain/viewer/key.ts');
  const app = await createApp({ ...config, logLevel: 'silent' });
  try {
    const days = flags.expiresDays === undefined ? null : Number(flags.expiresDays);
    const expiresAt = days === null ? null : new Date(Date.now() + days * 86_400_000);
    const { role, startNode } = flags;
    console.log(await createKey(app.services, { name, role, expiresAt, startNodes: startNode }));
  } finally {
    await app.stop();
  }
}

async function runUserAdd(config: Config, name: string, { role, startNode, force }: UserFlags) {
  const { createUser } = await import('../domain/viewer/user.ts');
  const startNodes = startNode && (await findStartNodes(config, startNode));
  const password = await readPassword();
  const start = startNodes && { start_nodes: startNodes };
  const user = await createUser({ name, role, ...start, password });
  await addUser(config.usersFile, user, { replace: force ?? false });
  console.log(`${user.name} may log in as ${role}`);
}

async function findStartNodes(config: Config, names: readonly string[]): Promise<string[]> {
  const { createApp } = await import('./app.ts');
  const { findStartNodes } = await import('../domain/viewer/start-node.ts');
  const app = await createApp({ ...config, logLevel: 'silent' });
  try {
    return await findStartNodes(app.services, names);
  } finally {
    await app.stop();
  }
}

function startNodeOption(): Option {
  const meaning = 'folder that it is limited to, with all below; may be repeated; default: none';
  // One value each time: a list would swallow the name that comes after it.
  return new Option('--start-node <uuid or path>', meaning).argParser(
    (name: string, names: string[] = []) => [...names, name],
  );
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
  const set = given.filter(([, value]) => typeof value === 'string');
  return parseConfig({ ...env, ...(Object.fromEntries(set) as Record<string, string>) });
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
