import { promises as fs } from 'node:fs';
import { basename, join } from 'node:path';
import type { BlobStore } from '../../blob/blob-store.ts';
import { createDirectory, flushDirectory, ifPresent } from '../../blob/disk.ts';
import { forEachAtOnce } from '../../lib/at-once.ts';
import type { BlobRow } from '../../store/backup/blob-row.ts';
import { isDatabaseEmpty, readSnapshot } from '../../store/backup/snapshot.ts';
import { MIGRATIONS, type Report } from '../../store/migration.ts';
import type { BackupProgress } from './backup.ts';
import { copyBlob, DamagedBlobError, isIntact, readBlobList } from './blob-list.ts';
import {
  type BackupDirectory,
  KEYS_FOLDER,
  type Manifest,
  openBackupDirectory,
  readManifest,
} from './directory.ts';
import { BackupError } from './error.ts';
import { markerOf } from './unfinished-restore.ts';

/** The empty installation to restore into. */
export interface RestoreTarget {
  databaseUrl: string;
  dataDir: string;
  blobs: BlobStore;
  /**
   * Whether the store compares the digests of what it is sent, so that a blob of the right size need not be read again.
   * (Default: false)
   */
  checksDigests?: boolean;
}

/** Options of a restore. */
export interface RestoreOptions {
  /** Name of the snapshot. (Default: the newest) */
  snapshot?: string | undefined;
  onProgress: (progress: BackupProgress) => void;
  /** Receives what migrations could not keep as it was. */
  report: Report;
}

/** The result of a restore. */
export interface RestoreResult {
  snapshot: string;
  manifest: Manifest;
  /** Keys of blobs that are missing or damaged in the backup. Their files have no bytes. */
  damaged: string[];
}

/** Blobs that are copied at once. */
const COPIES_MAX = 8;

/** Line of the marker that an attempt adds before it fills the database. */
const DATABASE_STEP = 'database';

/**
 * Restores a snapshot into an empty installation that no server uses: files and keys first, the database last and at
 * once. An interrupted restore can be started again; files that are there already are checked, not copied. Migrates an
 * older database. A damaged file does not stop the others. Throws BackupError before it changes anything if the target
 * is not empty, or the snapshot is damaged or does not fit.
 */
export async function restore(
  path: string,
  target: RestoreTarget,
  { snapshot, onProgress, report }: RestoreOptions,
): Promise<RestoreResult> {
  const directory = await openBackupDirectory(path);
  const name = await chooseSnapshot(directory, snapshot);
  const folder = directory.pathOf(name);
  const manifest = await readManifest(folder);
  refuseOther(manifest, target.databaseUrl);
  await createDirectory(target.dataDir);
  const marker = markerOf(target.dataDir);
  const begun = (await ifPresent(fs.readFile(marker, 'utf8')))?.trim().split('\n') ?? null;
  await refuseFull(target, { begun, name });
  if (begun === null) {
    await fs.writeFile(marker, `${name}\n`, { mode: 0o600, flush: true });
    await flushDirectory(target.dataDir);
  }
  const damaged = await restoreBlobs(directory, { folder, manifest, target, onProgress });
  await restoreKeys(folder, target.dataDir);
  onProgress({ phase: 'database', fraction: 0 });
  // Otherwise the earlier attempt was interrupted after the database: no server has started since.
  if (await isDatabaseEmpty(target.databaseUrl)) {
    await fs.appendFile(marker, `${DATABASE_STEP}\n`, { flush: true });
    await readSnapshot({ url: target.databaseUrl, directory: folder }, manifest, report);
  }
  await fs.rm(marker);
  await flushDirectory(target.dataDir);
  return { snapshot: name, manifest, damaged };
}

async function chooseSnapshot(
  { path, list }: BackupDirectory,
  wanted: string | undefined,
): Promise<string> {
  const names = await list();
  const last = names.at(-1);
  if (last === undefined) throw new BackupError(`${path} holds no complete snapshot.`);
  if (wanted === undefined) return last;
  const name = basename(wanted);
  if (!names.includes(name))
    throw new BackupError(`There is no snapshot "${wanted}". There are: ${names.join(', ')}`);
  return name;
}

/** Throws BackupError if this program or this database cannot hold the snapshot. */
function refuseOther({ database, migrations }: Manifest, url: string): void {
  const unknown = migrations.filter((name) => !(name in MIGRATIONS));
  if (unknown.length > 0)
    throw new BackupError(
      `The snapshot was made by a newer version of this program (it has ${unknown.join(', ')}).`,
    );
  const actual = url.startsWith('sqlite:') ? 'sqlite' : 'postgres';
  if (actual === database) return;
  const names = { sqlite: 'SQLite', postgres: 'PostgreSQL' };
  throw new BackupError(
    `The snapshot is of ${names[database]}, and TRIVIUM_DATABASE_URL names ${names[actual]}: ` +
      'a snapshot can be restored only to the same system.',
  );
}

/**
 * Throws BackupError unless the target is empty, or holds what an interrupted restore of this snapshot has left. A
 * database that is full before the restore has reached it belongs to somebody else.
 */
async function refuseFull(
  { databaseUrl, dataDir, blobs }: RestoreTarget,
  { begun, name }: { begun: readonly string[] | null; name: string },
): Promise<void> {
  const [begunName = '', step] = begun ?? [];
  if (begun !== null && begunName !== name)
    throw new BackupError(
      `A restore of ${begunName} into ${dataDir} has not been completed. Add --snapshot ${begunName} to continue it, ` +
        'or restore into another data directory.',
    );
  if (step !== DATABASE_STEP && !(await isDatabaseEmpty(databaseUrl)))
    throw new BackupError(
      'The database is not empty, and a restore overwrites nothing: set TRIVIUM_DATABASE_URL to a new database, ' +
        'or TRIVIUM_DATA_DIR to a new directory, or move the old one away.',
    );
  if (begun !== null) return;
  for await (const _ of blobs.list())
    throw new BackupError(
      'The storage holds files, and a restore overwrites nothing: set TRIVIUM_DATA_DIR or TRIVIUM_STORAGE_URL to a ' +
        'new directory, or move the old one away.',
    );
}

interface BlobsToRestore {
  folder: string;
  manifest: Manifest;
  target: RestoreTarget;
  onProgress: RestoreOptions['onProgress'];
}

/** Copies the blobs that are missing. Returns the keys of those that cannot be restored. */
async function restoreBlobs(
  directory: BackupDirectory,
  { folder, manifest, target, onProgress }: BlobsToRestore,
): Promise<string[]> {
  const damaged: string[] = [];
  let doneBytes = 0;
  await forEachAtOnce(readBlobList(folder), COPIES_MAX, async (blob) => {
    try {
      if (!(await isRestored(target, blob))) await copyBlob(directory.blobs, target.blobs, blob);
    } catch (error) {
      if (!(error instanceof DamagedBlobError)) throw error;
      damaged.push(blob.key);
    }
    doneBytes += blob.sizeBytes;
    onProgress({ phase: 'files', fraction: doneBytes / Math.max(1, manifest.blobs.sizeBytes) });
  });
  return damaged.sort();
}

/** Returns whether an earlier attempt has restored a blob. */
async function isRestored(
  { blobs, checksDigests }: RestoreTarget,
  blob: BlobRow,
): Promise<boolean> {
  if ((await blobs.stat(blob.key))?.sizeBytes !== blob.sizeBytes) return false;
  return checksDigests === true || (await isIntact(blobs, blob));
}

/** Restores the keys, except those that the data directory has already. */
async function restoreKeys(folder: string, dataDir: string): Promise<void> {
  const keys = join(folder, KEYS_FOLDER);
  for (const name of await fs.readdir(keys)) {
    const path = join(dataDir, name);
    if ((await ifPresent(fs.stat(path))) !== null) continue;
    await fs.copyFile(join(keys, name), `${path}.part`);
    await fs.chmod(`${path}.part`, 0o600);
    await fs.rename(`${path}.part`, path);
  }
}
