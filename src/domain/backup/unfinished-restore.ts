import { promises as fs } from 'node:fs';
import { join } from 'node:path';
import { ifPresent } from '../../blob/disk.ts';
import { BackupError } from './error.ts';

/** Returns the path of the file that exists while a restore is not complete. It holds the name of the snapshot. */
export function markerOf(dataDir: string): string {
  return join(dataDir, 'restore.unfinished');
}

/** Throws BackupError if a restore into this data directory has begun and not ended: its blobs have no rows yet. */
export async function refuseUnfinishedRestore(dataDir: string): Promise<void> {
  const marker = markerOf(dataDir);
  if ((await ifPresent(fs.stat(marker))) === null) return;
  throw new BackupError(
    `A restore into ${dataDir} has not been completed: run \`trivium restore\` again. ` +
      `To give it up, delete ${marker}; the server then deletes the restored files.`,
  );
}
