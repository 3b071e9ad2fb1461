import { constants } from 'node:fs';
import { access, mkdir, realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Config } from './config.ts';
import { codeOf, databaseSetting, reasonOf, StartError } from './start-error.ts';

const { R_OK, W_OK, X_OK } = constants;

/**
 * Creates the data directory and that of the blobs, and checks that they and the directory of the SQLite file can be
 * written. Throws StartError, which names the path and its setting.
 */
export async function prepareDirectories(config: Config): Promise<void> {
  const { dataDir, storage, databaseUrl } = config;
  await prepare(dataDir, 'data directory', 'TRIVIUM_DATA_DIR');
  const isBelow = storage.directory.startsWith(`${dataDir}/`);
  const storageSetting = isBelow ? 'TRIVIUM_DATA_DIR' : 'TRIVIUM_STORAGE_URL';
  await prepare(storage.directory, 'directory of the files', storageSetting);
  const path = databaseUrl.startsWith('sqlite:') ? databaseUrl.slice('sqlite:'.length) : ':memory:';
  if (path !== ':memory:') await checkDatabaseFile(path, databaseSetting(config));
}

async function prepare(path: string, noun: string, setting: string): Promise<void> {
  try {
    await makeDirectory(path);
    await access(path, R_OK | W_OK | X_OK);
  } catch (error) {
    throw new StartError(`The ${noun} ${path} cannot be used (${setting}): ${reasonOf(error)}.`, {
      cause: error,
    });
  }
}

/**
 * Creates a directory and those above it. Node's own recursion never ends where the system answers that a path does not
 * exist although the directory above it does, as below /proc.
 */
async function makeDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    if (codeOf(error) === 'EEXIST' && (await stat(path)).isDirectory()) return;
    if (codeOf(error) !== 'ENOENT' || dirname(path) === path) throw error;
    await makeDirectory(dirname(path));
    await mkdir(path, { mode: 0o700 }).catch(async (error: unknown) => {
      if (codeOf(error) !== 'EEXIST') throw error;
    });
  }
}

async function checkDatabaseFile(path: string, setting: string): Promise<void> {
  const fail = (reason: string, cause?: unknown) => {
    const options = { cause };
    throw new StartError(`The database ${path} cannot be opened (${setting}): ${reason}.`, options);
  };
  try {
    await access(dirname(path), R_OK | W_OK | X_OK);
  } catch (error) {
    const isMissing = codeOf(error) === 'ENOENT';
    fail(isMissing ? 'its directory does not exist' : `its directory: ${reasonOf(error)}`, error);
  }
  await checkFile(path, fail);
  // SQLite would name the database instead of its file, and no reason.
  const real = await realpath(path).catch(() => path);
  for (const suffix of ['.lock', '-wal', '-shm', '-journal']) {
    const beside = real + suffix;
    await checkFile(beside, (reason, cause) => fail(`its file ${beside}: ${reason}`, cause));
  }
}

/** Checks that a file can be written, if it exists. */
async function checkFile(
  path: string,
  fail: (reason: string, cause?: unknown) => void,
): Promise<void> {
  const stats = await stat(path).catch(() => null);
  if (stats === null) return;
  if (stats.isDirectory()) fail('it is a directory');
  await access(path, R_OK | W_OK).catch((error) => fail(reasonOf(error), error));
}
