import { promises as fs } from 'node:fs';
import { basename, join } from 'node:path';
import { ifPresent } from '../../blob/disk.ts';
import { forEachAtOnce } from '../../lib/at-once.ts';
import { writeLines } from '../../lib/line-file.ts';
import { type TakeBlobs, writeSnapshot } from '../../store/backup/snapshot.ts';
import type { Services } from '../context.ts';
import { type BlobHold, withBlobHold } from '../file/blob-hold.ts';
import {
  copyBlob,
  DamagedBlobError,
  hasBlob,
  isIntact,
  pruneBlobs,
  readBlobList,
} from './blob-list.ts';
import {
  type BackupDirectory,
  BLOBS_FILE,
  deleteFolder,
  KEYS_FOLDER,
  type Manifest,
  nextName,
  withBackupDirectory,
  writeFolder,
} from './directory.ts';

/** The installation to back up. */
export interface BackupSource {
  services: Pick<Services, 'db' | 'blobs' | 'clock' | 'newId'>;
  databaseUrl: string;
  /** Files with secret keys. Those that do not exist are left out. */
  keyFiles: readonly string[];
}

/** Options of a backup. */
export interface BackupOptions {
  /** Number of snapshots to keep, the new one included. */
  keep: number;
  /** Whether to read all blobs in the directory again; one that has lost its digest is copied again. */
  isVerifying: boolean;
  onProgress: (progress: BackupProgress) => void;
}

/** How far a backup or restore is. */
export interface BackupProgress {
  phase: 'database' | 'files';
  /** The fraction that is done. */
  fraction: number;
}

/** The result of a backup. */
export interface BackupResult {
  /** Path of the new snapshot. */
  path: string;
  manifest: Manifest;
  copied: { count: number; sizeBytes: number };
  /** Blobs that were deleted because no kept snapshot refers to them. */
  pruned: number;
}

/** Blobs that are copied at once: each waits for the disk several times. */
const COPIES_MAX = 8;

/**
 * Adds a snapshot of an installation to a directory, while servers use the installation. The snapshot is that of one
 * moment. Copies only blobs that the directory does not have, and checks the digest of each; a damaged one is named in
 * the manifest and does not stop the others. A crash leaves the earlier snapshots as they were. Throws BackupError.
 */
export function backUp(
  source: BackupSource,
  path: string,
  options: BackupOptions,
): Promise<BackupResult> {
  return withBackupDirectory(path, async (directory) => {
    const { services } = source;
    const name = nextName(await directory.list(), services.clock());
    const copied = { count: 0, sizeBytes: 0 };
    const manifest = await withBlobHold(services, (hold) =>
      writeFolder(directory, name, (folder) =>
        fillFolder(source, { directory, folder, hold, copied }, options),
      ),
    );
    const names = await directory.list();
    for (const old of names.slice(0, -options.keep)) await deleteFolder(directory, old);
    const pruned = await pruneBlobs(directory, await directory.list());
    return { path: directory.pathOf(name), manifest, copied, pruned };
  });
}

interface Target {
  directory: BackupDirectory;
  folder: string;
  hold: BlobHold;
  copied: BackupResult['copied'];
}

async function fillFolder(
  { services, databaseUrl, keyFiles }: BackupSource,
  { directory, folder, hold, copied }: Target,
  { isVerifying, onProgress }: BackupOptions,
): Promise<Omit<Manifest, 'files' | 'format'>> {
  const createdAt = new Date(services.clock()).toISOString();
  const totals = { count: 0, sizeBytes: 0 };
  const content = await writeSnapshot(
    { db: services.db, url: databaseUrl, directory: folder },
    writeBlobList(folder, totals),
    (fraction) => onProgress({ phase: 'database', fraction }),
  );
  await copyKeys(keyFiles, folder);
  const damaged: string[] = [];
  let doneBytes = 0;
  await forEachAtOnce(readBlobList(folder), COPIES_MAX, async (blob) => {
    try {
      const isThere = await hasBlob(directory.blobs, blob);
      if (!isThere || (isVerifying && !(await isIntact(directory.blobs, blob)))) {
        await copyBlob(services.blobs, directory.blobs, blob);
        copied.count += 1;
        copied.sizeBytes += blob.sizeBytes;
      }
    } catch (error) {
      if (!(error instanceof DamagedBlobError)) throw error;
      damaged.push(blob.key);
    }
    doneBytes += blob.sizeBytes;
    onProgress({ phase: 'files', fraction: doneBytes / Math.max(1, totals.sizeBytes) });
  });
  hold.check();
  return { createdAt, ...content, blobs: totals, damaged: damaged.sort() };
}

/** Writes the list of blobs, and counts them. */
function writeBlobList(folder: string, totals: Manifest['blobs']): TakeBlobs {
  return async (blobs) => {
    async function* lines() {
      for await (const blob of blobs) {
        totals.count += 1;
        totals.sizeBytes += blob.sizeBytes;
        yield JSON.stringify(blob);
      }
    }
    await writeLines(join(folder, BLOBS_FILE), lines());
  };
}

async function copyKeys(paths: readonly string[], folder: string): Promise<void> {
  await fs.mkdir(join(folder, KEYS_FOLDER), { mode: 0o700 });
  for (const path of paths) {
    const bytes = await ifPresent(fs.readFile(path));
    if (bytes === null) continue;
    const copy = join(folder, KEYS_FOLDER, basename(path));
    await fs.writeFile(copy, bytes, { mode: 0o600, flush: true });
  }
}
