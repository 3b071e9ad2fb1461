import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { newKey } from './domain/key.ts';

/** The key that stands for the operator, and whether it is new. */
export interface AdminKey {
  key: string;
  /** Path of the file that was written now; null if the key was there already. */
  writtenTo: string | null;
}

/** The key in `<dataDir>/admin.key`, made at the first start, readable by its owner only. */
export async function loadAdminKey(dataDir: string): Promise<AdminKey> {
  const path = join(dataDir, 'admin.key');
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
