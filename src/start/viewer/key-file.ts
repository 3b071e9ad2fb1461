import { readFile, writeFile } from 'node:fs/promises';
import { newKey } from '../../domain/viewer/key.ts';
import { ConfigError } from '../config.ts';
import { reasonOf, StartError } from '../start-error.ts';
import { isStrongSecret, SECRET_RULE } from './secret.ts';

/** A generated secret, and whether it is new. */
export interface KeyFile {
  key: string;
  /** Path of the new file; null if the file existed already. */
  writtenTo: string | null;
}

/**
 * Returns the key in a file; creates the file at the first start, readable by its owner only. Throws ConfigError for a
 * key that is weak, and StartError if the file, which is in the data directory, cannot be used.
 */
export async function loadKeyFile(path: string): Promise<KeyFile> {
  const { key, writtenTo } = await readOrCreate(path).catch((error: unknown) => {
    const reason = reasonOf(error);
    throw new StartError(`The key file ${path} cannot be used (TRIVIUM_DATA_DIR): ${reason}.`, {
      cause: error,
    });
  });
  if (!isStrongSecret(key)) {
    const advice = 'Delete the file, and the next start generates a new key.';
    throw new ConfigError([`${path}: expected ${SECRET_RULE}. ${advice}`]);
  }
  return { key, writtenTo };
}

async function readOrCreate(path: string): Promise<KeyFile> {
  try {
    // `wx`: when two processes start together, one writes the file and the other reads it.
    const key = newKey();
    await writeFile(path, `${key}\n`, { mode: 0o600, flag: 'wx' });
    return { key, writtenTo: path };
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
  return { key: (await readFile(path, 'utf8')).trim(), writtenTo: null };
}
