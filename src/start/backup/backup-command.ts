import { join, resolve } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { CommandError } from '../../cli/failure.ts';
import type { BackupProgress } from '../../domain/backup/backup.ts';
import {
  asServer,
  type CommandSetting,
  type Flags,
  readConfig,
  withPlaces,
} from '../command-setting.ts';
import type { Config } from '../config.ts';
import { requireLibrary } from '../require-library.ts';

/** Secrets of an installation in its data directory. */
const KEY_FILES = ['admin.key', 'token.key', 'url.key', 'users.json', 'users.json.imported'];

type BackupFlags = Flags & { keep: number; verify?: boolean };

/** Creates the command `trivium backup`, which works while servers run. */
export function backupCommand({ env, attempt }: CommandSetting): Command {
  const backup = new Command('backup')
    .description('add a snapshot of the database and all files to a directory; servers may run')
    .argument('<directory>', 'directory of the backups; created if it does not exist')
    .option('--keep <number>', 'snapshots to keep, the new one included', parseCount, 7)
    .option('--verify', 'read all files in the directory again, and replace damaged ones');
  withPlaces(backup).action((directory: string, flags: BackupFlags) =>
    attempt(() => runBackup(readConfig(env, backup, flags), directory, flags)),
  );
  return backup;
}

/** Creates the command `trivium restore`, which fills an empty installation. */
export function restoreCommand({ env, attempt }: CommandSetting): Command {
  const restore = new Command('restore')
    .description('restore a backup into an empty database and data directory')
    .argument('<directory>', 'directory of the backups')
    .option('--snapshot <name>', 'name of the snapshot; default: the newest');
  withPlaces(restore).action((directory: string, flags: Flags & { snapshot?: string }) =>
    attempt(() => runRestore(readConfig(env, restore, flags), directory, flags.snapshot)),
  );
  return restore;
}

function parseCount(text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Expected a number from 1 on.');
}

async function runBackup(config: Config, directory: string, flags: BackupFlags): Promise<void> {
  await requireLibrary(config);
  const { backUp } = await import('../../domain/backup/backup.ts');
  const keyFiles = [...KEY_FILES.map((name) => join(config.dataDir, name)), config.usersFile];
  const source = {
    databaseUrl: config.databaseUrl,
    keyFiles: [...new Set(keyFiles)].filter((path) => path !== null),
  };
  const { path, manifest, copied, pruned } = await asServer(config, ({ db, blobs, clock, newId }) =>
    showingProgress((onProgress) =>
      backUp({ ...source, services: { db, blobs, clock, newId } }, resolve(directory), {
        keep: flags.keep,
        isVerifying: flags.verify ?? false,
        onProgress,
      }),
    ),
  );
  const { count, sizeBytes } = manifest.blobs;
  console.log(
    `${path}: ${count} files, ${sizeBytes} bytes; ` +
      `${copied.count} new, ${copied.sizeBytes} bytes; ${pruned} no longer needed`,
  );
  throwIfDamaged(
    manifest.damaged,
    'the backup is complete except for files whose bytes are missing or damaged',
  );
}

async function runRestore(
  config: Config,
  directory: string,
  wanted: string | undefined,
): Promise<void> {
  const { openBlobs } = await import('../file/storage.ts');
  const { restore } = await import('../../domain/backup/restore.ts');
  const { lockDatabase } = await import('../lock.ts');
  const unlock = await lockDatabase({ ...config, logLevel: 'silent', lockWaitSeconds: 0 });
  try {
    const { databaseUrl, dataDir, storage } = config;
    const report = (message: string) => console.error(`trivium: ${message}`);
    const opened = await openBlobs(storage, { warn: (_, message) => report(message) });
    const target = {
      databaseUrl,
      dataDir,
      blobs: opened.blobs,
      checksDigests: storage.type === 's3',
    };
    const { snapshot, manifest, damaged } = await showingProgress((onProgress) =>
      restore(resolve(directory), target, { snapshot: wanted, onProgress, report }),
    ).finally(opened.close);
    const { count, sizeBytes } = manifest.blobs;
    console.log(`restored ${snapshot}: ${count} files, ${sizeBytes} bytes`);
    throwIfDamaged(damaged, 'everything is restored except for files whose bytes the backup lacks');
  } finally {
    unlock();
  }
}

/** Maximum number of blobs that an error names. */
const NAMED_MAX = 20;

function throwIfDamaged(keys: readonly string[], message: string): void {
  if (keys.length === 0) return;
  const rest = keys.length > NAMED_MAX ? ' …' : '';
  throw new CommandError(
    `${message}: ${keys.length} (${keys.slice(0, NAMED_MAX).join(', ')}${rest})`,
  );
}

/** Runs `work` and shows its progress on stderr, if that is a terminal. */
async function showingProgress<T>(
  work: (onProgress: (progress: BackupProgress) => void) => Promise<T>,
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
