import * as fs from 'node:fs/promises';
import { join } from 'node:path';
import { createTurns } from '../../lib/turns.ts';
import type { BlobStream } from '../blob-store.ts';
import { StorageError } from '../failure.ts';

/** Downloads that run at once. Decoders are bounded themselves, so that few copies exist. */
const RUNNING_MAX = 4;

/** Space that copies leave free on the disk. */
const RESERVE_BYTES = 64 * 2 ** 20;

/** Opens a blob, with its size. */
export type OpenBlob = () => Promise<{ sizeBytes: number; stream: BlobStream }>;

/** Temporary files that hold blobs. */
export interface LocalCopies {
  /**
   * Runs `work` with the path of a read-only copy. Concurrent callers share the copy of a key; the last one deletes it.
   * Throws StorageError if the disk has too little space.
   */
  withCopy<T>(key: string, open: OpenBlob, work: (path: string) => Promise<T>): Promise<T>;
}

interface Copy {
  path: Promise<string>;
  users: number;
}

/** Creates copies in a directory that belongs to this process. */
export function createLocalCopies(directory: string): LocalCopies {
  const copies = new Map<string, Copy>();
  const turns = createTurns({ runningMax: RUNNING_MAX, tooBusy: () => new Error('No turn') });
  let count = 0;

  async function download(open: OpenBlob): Promise<string> {
    const path = join(directory, `copy-${count++}`);
    const endTurn = await turns.take();
    try {
      const { sizeBytes, stream } = await open();
      try {
        await requireSpace(directory, sizeBytes);
        await fs.writeFile(path, stream, { flag: 'wx', mode: 0o400 });
      } finally {
        stream.destroy();
      }
      return path;
    } catch (error) {
      await fs.rm(path, { force: true });
      throw error;
    } finally {
      endTurn();
    }
  }

  async function leave(key: string, copy: Copy): Promise<void> {
    copy.users--;
    if (copy.users > 0) return;
    copies.delete(key);
    const path = await copy.path.catch(() => null);
    if (path !== null) await fs.rm(path, { force: true });
  }

  return {
    async withCopy(key, open, work) {
      const copy = copies.get(key) ?? { path: download(open), users: 0 };
      copies.set(key, copy);
      copy.users++;
      try {
        return await work(await copy.path);
      } finally {
        await leave(key, copy);
      }
    },
  };
}

async function requireSpace(directory: string, sizeBytes: number): Promise<void> {
  const { bavail, bsize } = await fs.statfs(directory);
  if (bavail * bsize >= sizeBytes + RESERVE_BYTES) return;
  throw new StorageError('full', `The disk of ${directory} has no room for a temporary copy.`);
}
