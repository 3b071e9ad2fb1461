import { randomBytes } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { CommandError } from '../../cli/failure.ts';
import {
  asServer,
  type CommandSetting,
  type Flags,
  readConfig,
  withPlaces,
} from '../command-setting.ts';
import { type Config, parseConfig } from '../config.ts';
import type { Variables } from './scratch-server.ts';
import type { Scratch, Verdict } from './torture.ts';

const HELP = `
Needs no root, and does not touch the files or the database of the installation: it works in directories named
torture-… beside them, and on PostgreSQL in a database of its own, for which the role needs CREATEDB. It stops early on
Ctrl-C. A killed process is not a power cut: only pulling the plug shows whether a disk keeps what it has flushed.
`;

/** Creates the command `trivium torture`, which tests the disk and the database of an installation. */
export function tortureCommand({ env, attempt }: CommandSetting): Command {
  const command = new Command('torture')
    .description('kill, fill and cut a scratch server on this disk and database, and check it')
    .option('--minutes <number>', 'duration, without the check at the end', parseMinutes, 5)
    .addHelpText('after', HELP);
  withPlaces(command).action((flags: Flags & { minutes: number }) =>
    attempt(() => runTorture(readConfig(env, command, flags), env, flags.minutes)),
  );
  return command;
}

function parseMinutes(text: string): number {
  const minutes = Number(text);
  if (/^\d+(\.\d+)?$/.test(text) && minutes > 0 && minutes <= 10_000) return minutes;
  throw new InvalidArgumentError('Expected a number of minutes above 0.');
}

async function runTorture(config: Config, env: Variables, minutes: number): Promise<void> {
  const { torture } = await import('./torture.ts');
  const verdict = await withScratch(config, env, (scratch) =>
    untilSignal((signal) => torture(scratch, AbortSignal.any([signal, after(minutes)]))),
  );
  printFigures(verdict);
  for (const violation of verdict.violations.slice(0, SHOWN_MAX)) console.log(violation);
  if (verdict.violations.length > 0)
    throw new CommandError(`FAIL: ${verdict.violations.length} promises were broken`);
  console.log('PASS');
}

/** Maximum number of violations that are shown. */
const SHOWN_MAX = 50;

function after(minutes: number): AbortSignal {
  return AbortSignal.timeout(Math.round(minutes * 60_000));
}

/** Runs `work` with a signal that aborts when the process is told to end. */
async function untilSignal<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const told = new AbortController();
  const tell = () => told.abort();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, tell);
  try {
    return await work(told.signal);
  } finally {
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.off(name, tell);
  }
}

/** Runs `work` with a scratch installation on the disks and the database of this one, then deletes it. */
async function withScratch<T>(
  { dataDir, storage: { directory: storageDir, type }, databaseUrl }: Config,
  env: Variables,
  work: (scratch: Scratch) => Promise<T>,
): Promise<T> {
  if (type === 's3') {
    throw new CommandError(
      'torture tests a disk, and TRIVIUM_STORAGE_URL is a bucket: name a directory',
    );
  }
  const suffix = randomBytes(6).toString('hex');
  const isSqlite = databaseUrl.startsWith('sqlite:');
  const below = (directory: string) => join(directory, `torture-${suffix}`);
  const data = below(dataDir);
  const storage = below(storageDir);
  const sqlite = below(isSqlite ? dirname(databaseUrl.slice('sqlite:'.length)) : dataDir);
  const directories = [...new Set([data, storage, sqlite])];
  const created: string[] = [];
  const { createScratchDatabase } = await import('../../store/postgres/scratch.ts');
  const database = isSqlite
    ? null
    : await createScratchDatabase(databaseUrl, `trivium_torture_${suffix}`);
  try {
    for (const directory of directories) {
      // The first directory that did not exist.
      created.push((await mkdir(directory, { recursive: true, mode: 0o700 })) ?? directory);
    }
    const adminKey = `tvm_${randomBytes(24).toString('base64url')}`;
    const settings = {
      TRIVIUM_PORT: '0',
      TRIVIUM_AUTH: 'required',
      TRIVIUM_ADMIN_KEY: adminKey,
      TRIVIUM_DATA_DIR: data,
      TRIVIUM_STORAGE_URL: `file:${storage}`,
      TRIVIUM_DATABASE_URL: database?.url ?? `sqlite:${join(sqlite, 'trivium.db')}`,
      TRIVIUM_RATE_REQUESTS: '0',
    };
    const variables = { ...foreign(env), ...settings };
    const sweep = () => sweepAll(parseConfig(settings));
    return await work({ variables, adminKey, directory: storage, database, sweep });
  } finally {
    await database?.drop();
    for (const directory of created) await rm(directory, { recursive: true, force: true });
  }
}

/** Returns the variables that are not settings of the installation. */
function foreign(env: Variables): Variables {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('TRIVIUM_')));
}

async function sweepAll(config: Config): Promise<{ removed: number; lost: number }> {
  const { sweep } = await import('../../domain/file/sweep.ts');
  return asServer(config, (ctx) => sweep(ctx, { modifiedBefore: Number.POSITIVE_INFINITY }));
}

/** A flush that is faster than this has probably not reached a disk. */
const FLUSH_MS_MIN = 0.02;

function printFigures(verdict: Verdict): void {
  const { kills, fills, cuts, uploads, replacements, deletions, reads } = verdict;
  const { refusals, leftovers, flushMs } = verdict;
  const hint =
    flushMs < FLUSH_MS_MIN ? ': too fast for a disk, which may lose data in a power cut' : '';
  console.log(`kills ${kills}, with a full disk ${fills}, with cut connections ${cuts}`);
  console.log(
    `acknowledged: uploads ${uploads}, replacements ${replacements}, deletions ${deletions}; ` +
      `reads ${reads}, refused for lack of room ${refusals}`,
  );
  console.log(`leftovers of killed requests, deleted by the sweep: ${leftovers}`);
  console.log(`making 4 KiB durable takes ${flushMs.toFixed(2)} ms${hint}`);
}
