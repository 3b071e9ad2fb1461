import { resolve } from 'node:path';
import { Command } from 'commander';
import { CommandError, UsageError } from '../../cli/failure.ts';
import { howToGoOn, untilInterrupted } from '../../cli/interrupt.ts';
import type { DatabasePlace, MovePlan } from '../../domain/relocation/begin.ts';
import type { MoveProgress, MoveResult } from '../../domain/relocation/run.ts';
import { type CommandSetting, type Flags, readConfig, withPlaces } from '../command-setting.ts';
import type { Config } from '../config.ts';
import { withoutPassword } from '../start-error.ts';
import type { OpenPlan } from './place.ts';

interface MoveFlags extends Flags {
  from?: string;
  to?: string;
  fromStorage?: string;
  toStorage?: string;
  storageUrl?: string;
  keepWritable?: boolean;
  abort?: boolean;
  release?: boolean;
}

interface MoveSetting extends CommandSetting {
  argv: readonly string[];
}

const HELP = `
Without --to, the rows stay where they are, and without --to-storage, the files. The target must be empty. Servers of the
source may run: they refuse changes (503) for the last seconds, and from then on, because changes would be lost. When the
command has ended, start the servers with the new settings. A command that was interrupted goes on when it is run again.
Files of keys in the data directory do not move.
`;

/** Creates the command `trivium move`, which copies a library to another database or storage while servers run. */
export function moveCommand({ env, attempt, argv }: MoveSetting): Command {
  const move = new Command('move')
    .description('move the library to another database, another storage, or both; servers may run')
    .option('--from <url>', 'database to move from; default: the one of the settings')
    .option('--to <url>', 'empty database to move to, sqlite:<file> or postgres://…')
    .option('--from-storage <url>', 'storage to move from; default: the one of the settings')
    .option('--to-storage <url>', 'empty storage to move to, as in TRIVIUM_STORAGE_URL')
    .option(
      '--keep-writable',
      'make the source writable again at the end: changes to it do not move',
    )
    .option('--abort', 'give an unfinished move from --from up; the target stays as it is')
    .option('--release', 'make the source of a finished move writable again')
    .addHelpText('after', HELP);
  withPlaces(move).action((flags: MoveFlags) =>
    attempt(() => runMove(readConfig(env, move, flags), flags, { env, argv })),
  );
  return move;
}

async function runMove(
  config: Config,
  flags: MoveFlags,
  { env, argv }: Pick<MoveSetting, 'env' | 'argv'>,
): Promise<void> {
  const from = await databasePlace(flags.from ?? config.databaseUrl);
  if (flags.abort || flags.release) {
    await giveUp(from, flags);
    return;
  }
  if (flags.to === undefined && flags.toStorage === undefined)
    throw new UsageError('name what to move to: --to, --to-storage, or both');
  const { moveLibrary } = await import('../../domain/relocation/move.ts');
  const { plan, close } = await openPlan(config, flags, { from, env });
  try {
    const result = await untilInterrupted(
      (signal) =>
        showingProgress((onProgress) =>
          moveLibrary(plan, { isSourceReleased: flags.keepWritable ?? false, signal, onProgress }),
        ),
      () => howToGoOn({ argv, env }),
    );
    printResult(plan, result, flags);
  } finally {
    await close();
  }
}

async function openPlan(
  config: Config,
  { to, fromStorage, toStorage, storageUrl }: MoveFlags,
  { from, env }: { from: DatabasePlace; env: CommandSetting['env'] },
): Promise<OpenPlan> {
  const database = to === undefined ? null : await databasePlace(to);
  if (database?.name === from.name) throw new UsageError('--from and --to name the same database');
  if (toStorage === undefined && fromStorage !== undefined)
    throw new UsageError('--from-storage needs --to-storage');
  const { openPlaces } = await import('./place.ts');
  const source =
    fromStorage ?? storageUrl ?? (env.TRIVIUM_STORAGE_URL || `file:${config.dataDir}/blobs`);
  return openPlaces(
    { from: { database: from, storage: source }, to: { database, storage: toStorage ?? null } },
    config,
    env,
  );
}

/** Returns a database by its URL. Throws UsageError. */
async function databasePlace(url: string): Promise<DatabasePlace> {
  if (/^postgres(ql)?:\/\/./.test(url)) return { url, name: withoutPassword(url) };
  if (!/^sqlite:./.test(url))
    throw new UsageError(`expected sqlite:<file> or postgres://…: ${url}`);
  const path = resolve(url.slice('sqlite:'.length));
  return { url: `sqlite:${path}`, name: `sqlite:${path}` };
}

/** Ends an unfinished or a finished move. */
async function giveUp({ url, name }: DatabasePlace, { abort, release }: MoveFlags): Promise<void> {
  if (abort && release)
    throw new UsageError('--abort is for an unfinished move, --release for a finished one');
  const { endMove, placesOf } = await import('../../domain/relocation/begin.ts');
  const { withSource } = await import('../../domain/relocation/run.ts');
  const mark = await withSource({ url, name }, ({ marks, tables }) =>
    endMove(marks, tables, abort ? 'unfinished' : 'finished'),
  );
  console.log(`${name} can be changed again, and has no trace of the move to ${placesOf(mark)}`);
  if (abort) console.log('the target holds a part of the library: delete it before another move');
  else console.log('restart its servers, so that they run jobs again');
}

/** Maximum number of files that are named. */
const NAMED_MAX = 1000;

function printResult(
  { from, to }: MovePlan,
  result: MoveResult,
  { keepWritable }: MoveFlags,
): void {
  const { isNew, rows, copied, uploads, removed, damaged, readOnlyMs } = result;
  for (const [table, count] of Object.entries(rows)) console.log(`${table}: ${count} rows`);
  if (to.storage !== null)
    console.log(
      `${copied.count} files, ${copied.sizeBytes} bytes copied; ${uploads} open uploads; ` +
        `${removed} files that were deleted meanwhile`,
    );
  if (isNew) console.log(`the library was read-only for ${(readOnlyMs / 1000).toFixed(1)} s`);
  else console.log('the move had ended before');
  for (const line of nextSteps({ from, to }, keepWritable ?? false)) console.log(line);
  if (damaged.length === 0) return;
  for (const name of damaged.slice(0, NAMED_MAX)) console.error(`trivium: not moved: ${name}`);
  throw new CommandError(
    `everything has been moved except for files whose bytes are missing or damaged: ${damaged.length}`,
  );
}

/** Returns what the operator has to do now. */
function nextSteps({ from, to }: Pick<MovePlan, 'from' | 'to'>, isKept: boolean): string[] {
  const settings = [
    ...(to.database === null ? [] : [`TRIVIUM_DATABASE_URL=${to.database.name}`]),
    ...(to.storage === null ? [] : [`TRIVIUM_STORAGE_URL=${to.storage.name}`]),
  ].join(' ');
  const keep =
    'keep the data directory, or copy its key files (admin.key, url.key, token.key, the users’ file): they do not move';
  if (isKept) return [`${from.database.name} can be changed: such changes do not move`, keep];
  if (to.database === null)
    return [
      `now stop the servers, run \`trivium move --release\` with this database, and start them with ${settings}`,
      keep,
    ];
  return [
    `now stop the servers, and start them with ${settings}`,
    keep,
    `${from.database.name} stays read-only; \`trivium move --release --from …\` makes it writable again`,
  ];
}

/** Runs `work` and shows its progress on stderr, if that is a terminal. */
async function showingProgress<T>(
  work: (onProgress: (progress: MoveProgress) => void) => Promise<T>,
): Promise<T> {
  const { stderr } = process;
  if (!stderr.isTTY) return work(() => undefined);
  let shown = '';
  const show = (text: string) => {
    // Moves to the start of the line, and clears it.
    if (text !== shown) stderr.write(`\r\x1b[K${text}`);
    shown = text;
  };
  try {
    return await work(({ phase, fraction }) => show(`${phase}: ${Math.floor(fraction * 100)} %`));
  } finally {
    show('');
  }
}
