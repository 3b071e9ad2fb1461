import { type Command, Option } from 'commander';
import type { Context } from '../domain/context.ts';
import { ROLES, type Role, SYSTEM } from '../domain/viewer/viewer.ts';
import { type Config, parseConfig, VARIABLES } from './config.ts';

/** The flags of a command, by the names that commander gives them. */
export type Flags = Record<string, unknown>;

/** What the commands share. */
export interface CommandSetting {
  env: Readonly<Record<string, string | undefined>>;
  /** Runs a command. A command that fails ends the process with code 1. */
  attempt: (work: () => Promise<void>) => Promise<void>;
}

/** Adds every setting as a flag of the same name: `TRIVIUM_DATA_DIR` is `--data-dir`. The help shows those in `shown`. */
export function withSettings(
  command: Command,
  shown: readonly string[] = Object.keys(VARIABLES),
): Command {
  for (const [variable, [, description]] of Object.entries(VARIABLES)) {
    const flag = variable.replace('TRIVIUM_', '').toLowerCase().replaceAll('_', '-');
    const option = new Option(`--${flag} <value>`, `${description} (${variable})`);
    command.addOption(option.hideHelp(!shown.includes(variable)));
  }
  return command;
}

/** The settings that say where a library is. */
const PLACES = [
  'TRIVIUM_DATA_DIR',
  'TRIVIUM_DATABASE_URL',
  'TRIVIUM_STORAGE_URL',
  'TRIVIUM_USERS_FILE',
];

/** Adds every setting, of which a command that does not serve needs those that say where the library is. */
export function withPlaces(command: Command): Command {
  return withSettings(command, PLACES);
}

/** Returns the configuration from the environment and the flags of `withSettings`. Throws ConfigError. */
export function readConfig(env: CommandSetting['env'], command: Command, flags: Flags): Config {
  const given = command.options.map((option) => {
    const variable = `TRIVIUM_${option.name().replaceAll('-', '_').toUpperCase()}`;
    return [variable, variable in VARIABLES ? flags[option.attributeName()] : undefined] as const;
  });
  const set = given.filter(([, value]) => typeof value === 'string');
  return parseConfig({ ...env, ...(Object.fromEntries(set) as Record<string, string>) });
}

/** Flags that say what a key or a user may do. */
export interface AccessFlags {
  role: Role;
  startNode?: string[];
}

/** Adds the options that say what a key or a user may do. */
export function withAccess(command: Command, noun: string): Command {
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

/**
 * Runs `work` as the server itself, with an app that does not listen. Throws BackupError in an unfinished restore: the
 * app would create the database that the restore has to fill.
 */
export async function asServer<T>(config: Config, work: (ctx: Context) => Promise<T>): Promise<T> {
  const { refuseUnfinishedRestore } = await import('../domain/backup/unfinished-restore.ts');
  await refuseUnfinishedRestore(config.dataDir);
  const { createApp } = await import('./app.ts');
  const app = await createApp({ ...config, logLevel: 'silent' });
  try {
    return await work({ ...app.services, log: app.log, viewer: SYSTEM, isOperator: true });
  } finally {
    await app.stop();
  }
}

/** One statement may look at all media of a large library. */
const STATEMENT_TIMEOUT_MS = 3_600_000;

/** Jobs between two lines of progress. */
const PROGRESS_STEP = 1000;

/**
 * Runs `enqueue`, which returns the number of jobs that it has enqueued, as the server itself, and prints that number.
 * `verb`: what the jobs do with a file.
 */
export async function enqueueAsServer(
  config: Config,
  verb: string,
  enqueue: (ctx: Context, onProgress: (jobs: number) => void) => Promise<number>,
): Promise<void> {
  let printed = 0;
  await asServer({ ...config, statementTimeoutMs: STATEMENT_TIMEOUT_MS }, async (ctx) => {
    const jobs = await enqueue(ctx, (jobs) => {
      if (jobs - printed < PROGRESS_STEP) return;
      printed = jobs;
      console.log(`${jobs} jobs so far`);
    });
    const noun = jobs === 1 ? 'file' : 'files';
    const rest = jobs === 0 ? '' : ': the server runs the jobs';
    console.log(`${jobs || 'no'} ${noun} to ${verb}${rest}`);
  });
}

/** Prints rows as columns under their titles; with `json`, prints a line of JSON for each item instead. */
export function printList<Item extends object>(
  items: readonly Item[],
  columns: Readonly<Record<string, (item: Item) => string>>,
  { json = false }: { json?: boolean | undefined },
): void {
  if (json) {
    for (const item of items) console.log(JSON.stringify(item));
    return;
  }
  const titles = Object.keys(columns);
  const rows = [titles, ...items.map((item) => Object.values(columns).map((read) => read(item)))];
  const widths = titles.map((_, index) => Math.max(...rows.map((row) => row[index]?.length ?? 0)));
  for (const row of rows) {
    console.log(
      row
        .map((cell, index) => cell.padEnd(widths[index] ?? 0))
        .join('  ')
        .trimEnd(),
    );
  }
}

/** Returns all nodes of a list that comes in pages. */
export async function allPages<Node>(
  list: (args: { first: number; after: string | null }) => Promise<{
    edges: { cursor: string; node: Node }[];
    readonly hasNextPage: boolean;
  }>,
): Promise<Node[]> {
  const nodes: Node[] = [];
  for (let after: string | null = null, isLast = false; !isLast; ) {
    const page = await list({ first: 200, after });
    nodes.push(...page.edges.map(({ node }) => node));
    after = page.edges.at(-1)?.cursor ?? after;
    isLast = !page.hasNextPage;
  }
  return nodes;
}
