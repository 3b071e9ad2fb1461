import { flushCompileCache } from 'node:module';
import { Command, Option } from 'commander';
import { uploadCommand } from '../cli/upload/upload.ts';
import { readPassword } from '../cli/viewer/password.ts';
import { DomainError } from '../domain/error.ts';
import { ROLES, type Role } from '../domain/viewer/viewer.ts';
import { isLoopbackHost } from '../http/viewer/origin.ts';
import { LockedDatabaseError, NewerDatabaseError } from '../store/error.ts';
import type { App } from './app.ts';
import { type Config, ConfigError, parseConfig, VARIABLES } from './config.ts';
import { addUser } from './viewer/user-file.ts';

type Flags = Record<string, unknown>;

/** The parts of the process that commands may use. */
export interface ProcessHandle {
  argv: readonly string[];
  env: Readonly<Record<string, string | undefined>>;
  exit: (code: number) => never;
}

/** Runs the command line. A command that fails ends the process with code 1. */
export async function runCommand({ argv, env, exit }: ProcessHandle): Promise<void> {
  // Nobody else may read what the commands create: the database and its log, blobs, keys, the compiled program.
  process.umask(0o077);
  const attempt = attemptWith(exit);
  const program = new Command('trivium')
    .description('A self-hosted media server.')
    .showHelpAfterError('(`trivium --help` shows the commands)');

  const serve = program.command('serve').description('run the server');
  withSettings(serve).action((flags: Flags) =>
    attempt(() => runServer(readConfig(env, serve, flags), exit)),
  );

  const runNamed = (command: Command, run: NamedRun) =>
    withSettings(command).action((name: string, flags: UserFlags) =>
      attempt(() => run(readConfig(env, command, flags), name, flags)),
    );

  const key = program.command('key').description('manage API keys');
  const create = key
    .command('create <name>')
    .description('create an API key in the database and print it; it cannot be shown again');
  const days = 'days until the key expires; default: never';
  runNamed(withAccess(create, 'key').option('--expires-days <days>', days), runKeyCreate);

  const user = program.command('user').description('manage users who log in with a password');
  const add = user
    .command('add <name>')
    .description('add a user to the users’ file; asks for the password, or reads it from a pipe');
  runNamed(
    withAccess(add, 'user').option('--force', 'replace the user if the name is taken'),
    runUserAdd,
  );

  program.addCommand(uploadCommand(env, attempt));
  await program.parseAsync(argv);
}

type KeyFlags = Flags & { role: Role; startNode?: string[] };
type UserFlags = KeyFlags & { force?: boolean };
/** Runs a command for a key or a user, whose name is its argument. */
type NamedRun = (config: Config, name: string, flags: UserFlags) => Promise<void>;

async function runServer(config: Config, exit: ProcessHandle['exit']): Promise<void> {
  const { createApp } = await import('./app.ts');
  const { collectWhenIdle } = await import('./idle.ts');
  const { lockDatabase } = await import('./lock.ts');
  const unlock = await lockDatabase(config);
  const app = await createApp(config);
  // Node would write the cache at a normal exit: too late for a process that is killed, and after the first start it
  // would delay the end of the process by seconds. It takes 0.3 s, which no request should have to wait for.
  flushCompileCache();
  stopOnSignal(app, unlock, exit);
  const url = await app.start();
  collectWhenIdle();
  app.log.info({ url, auth: config.auth }, `listening on ${url}`);
  if (app.signInPath === null) return;
  const signInUrl = linkBase(config, url) + app.signInPath;
  app.log.info({ signInUrl }, `to sign in as admin, once, within 10 minutes: ${signInUrl}`);
}

/** Returns the base of links for the person at this machine. */
function linkBase({ publicUrl }: Config, url: string): string {
  const isHere = publicUrl !== null && isLoopbackHost(new URL(publicUrl).host);
  return isHere ? publicUrl : url;
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

/** Adds the options that say what a key or a user may do. */
function withAccess(command: Command, noun: string): Command {
  const meaning = 'limit access to this folder and its subtree; repeatable; default: no limit';
  return (
    command
      .addOption(
        new Option('--role <role>', `role of the ${noun}`).choices(ROLES).default('editor'),
      )
      // One value per flag: a list would also take the name that follows it.
      .addOption(
        new Option('--start-node <uuid or path>', meaning).argParser(
          (name: string, names: string[] = []) => [...names, name],
        ),
      )
  );
}

/** Adds every setting as a flag of the same name: `TRIVIUM_DATA_DIR` is `--data-dir`. */
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

/** Runs a command. A user's mistake prints its message, a bug its stack; both end the process with code 1. */
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
  const known = [ConfigError, DomainError, LockedDatabaseError, NewerDatabaseError];
  if (known.some((known) => error instanceof known)) return true;
  // Errors of the system or the database have a code: a port in use, a directory without write permission, no server.
  return 'code' in error && typeof error.code === 'string';
}
