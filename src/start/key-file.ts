import { readFile, writeFile } from 'node:fs/promises';
import { newKey } from '../domain/viewer/key.ts';

/** A secret of the server's own, and whether it is new. */
export interface KeyFile {
  key: string;
  /** Path of the file that was written now; null if the key was there already. */
  writtenTo: string | null;
}

/** The key in a file, made at the first start, readable by its owner only. */
export async function loadKeyFile(path: string): Promise<KeyFile> {
  try {
    // `wx`: of two processes that start at once, one writes and the other reads.
    const key = newKey();
    await writeFile(path, `${key}\n`, { mode: 0o600, flag: 'wx' });
    return { key, writtenTo: path };
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
  const key = (await readFile(path, 'utf8')).trim();
  if (key === '') throw new Error(`${path} is empty: delete it to have a new key made.`);
  return { key, writtenTo: null };
}
