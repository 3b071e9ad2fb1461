import { type Dirent, promises as fs } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../domain/context.ts';
import type { Config } from './config.ts';

/** Bits of the group and of others. */
const FOREIGN = 0o077;
const DIRECTORY = 0o700;
/** No file of ours is a program. */
const FILE = 0o600;

/** Files of SQLite beside the database, by what their names add to its name. */
const BESIDE_DATABASE = ['', '-wal', '-shm', '-journal', '.lock'];

/** What the server keeps directly in the data directory. Other files there are not ours. */
const IN_DATA_DIR = ['admin.key', 'token.key', 'url.key', 'users.json', 'users.json.imported'];

/** What the storage of blobs keeps directly in its directory. */
const IN_STORAGE = ['staging', 'stored', 'scratch'];

type Places = Pick<Config, 'dataDir' | 'storage' | 'databaseUrl'>;

/**
 * Takes the access of the group and of others away from the data directory, the database, the keys, the users' file and
 * the directories of blobs, whoever made them. Nobody else can then reach what is below. Run it before the database is
 * opened. Logs a warning for what belongs to another user.
 */
export async function restrictDirectories(places: Places, log: Log): Promise<void> {
  const failed: string[] = [];
  for (const path of await pathsOf(places)) {
    await restrictPath(path).catch(() => void failed.push(path));
  }
  if (failed.length > 0) log.warn({ paths: failed }, 'other users may have access to these paths');
}

async function pathsOf({ dataDir, storage, databaseUrl }: Places): Promise<string[]> {
  const [, database] = /^sqlite:(.+)/.exec(databaseUrl) ?? [];
  const data = await realPath(dataDir);
  const blobs = await realPath(storage.directory);
  const file = await realPath(database ?? '');
  return [
    data,
    blobs,
    ...IN_DATA_DIR.map((name) => join(data, name)),
    ...IN_STORAGE.map((name) => join(blobs, name)),
    ...(database === undefined ? [] : BESIDE_DATABASE.map((suffix) => file + suffix)),
  ];
}

/** Returns the path behind symbolic links: the operator has named it. Links below it are not followed. */
function realPath(path: string): Promise<string> {
  return fs.realpath(path).catch(() => path);
}

/** Time that a start waits for the files of blobs. There may be millions. */
const PATIENCE_MS = 1000;

/** The files of the blobs, while their access is being taken away. */
export interface Restriction {
  /** Resolves when all files are done, or after a second. Never rejects. */
  soon: Promise<void>;
  /** Resolves when all files are done. Never rejects. */
  done: Promise<void>;
}

/** Takes the access of the group and of others away from every file below the directory of the blobs. */
export function restrictBlobs(
  { storage }: Pick<Config, 'storage'>,
  signal: AbortSignal,
): Restriction {
  const done = restrictAll(storage.directory, signal);
  return { done, soon: Promise.race([done, sleep(PATIENCE_MS, undefined, { ref: false })]) };
}

async function restrictAll(directory: string, signal: AbortSignal): Promise<void> {
  for (const name of IN_STORAGE) await restrictBelow(join(directory, name), signal);
}

async function restrictBelow(directory: string, signal: AbortSignal): Promise<void> {
  for (const entry of await entriesOf(directory)) {
    if (signal.aborted) return;
    const path = join(directory, entry.name);
    // A file may be gone, or belong to another user: its directory is closed all the same.
    await restrictPath(path).catch(() => undefined);
    if (entry.isDirectory()) await restrictBelow(path, signal);
  }
}

/** Takes the foreign bits of one path away, if it has any. Does nothing if it does not exist. */
async function restrictPath(path: string): Promise<void> {
  try {
    const stats = await fs.lstat(path);
    if (stats.isSymbolicLink() || (stats.mode & FOREIGN) === 0) return;
    await fs.chmod(path, stats.mode & (stats.isDirectory() ? DIRECTORY : FILE));
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
}

/** Returns what a directory holds; nothing if it cannot be read. */
async function entriesOf(directory: string): Promise<Dirent[]> {
  return fs.readdir(directory, { withFileTypes: true }).catch(() => []);
}
