import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { CommandError } from '../cli/failure.ts';
import type { Config } from './config.ts';

/**
 * Throws CommandError unless there is a database: a command that reads or changes keys or users of a library would
 * create an empty one in a directory that is misspelled. PostgreSQL creates none. Throws BackupError in an unfinished
 * restore, which explains why there is none.
 */
export async function requireDatabase({ databaseUrl, dataDir }: Config): Promise<void> {
  const { refuseUnfinishedRestore } = await import('../domain/backup/unfinished-restore.ts');
  await refuseUnfinishedRestore(dataDir);
  if (databaseUrl.startsWith('sqlite:')) await requirePath(databaseUrl.slice('sqlite:'.length));
}

/**
 * Throws CommandError unless there is a library: a command creates what is missing, and a disk that is not mounted would
 * then look like a library that has lost its files, or like an empty one. Nothing creates a bucket.
 */
export async function requireLibrary(config: Config): Promise<void> {
  await requireDatabase(config);
  const { type, directory } = config.storage;
  if (type === 'file') await requirePath(join(directory, 'stored'));
}

async function requirePath(path: string): Promise<void> {
  await access(path).catch((cause) => {
    throw new CommandError(`there is no library: ${path} does not exist`, { cause });
  });
}
