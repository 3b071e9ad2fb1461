import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { CommandError } from '../cli/failure.ts';
import type { Config } from './config.ts';

/**
 * Throws CommandError unless there is a library: a command creates what is missing, and a disk that is not mounted would
 * then look like a library that has lost its files, or like an empty one.
 */
export async function requireLibrary({ databaseUrl, blobDir }: Config): Promise<void> {
  const database = databaseUrl.startsWith('sqlite:') ? databaseUrl.slice('sqlite:'.length) : null;
  for (const path of [...(database === null ? [] : [database]), join(blobDir, 'stored')]) {
    await access(path).catch((cause) => {
      throw new CommandError(`there is no library: ${path} does not exist`, { cause });
    });
  }
}
