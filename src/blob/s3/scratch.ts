import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { createDirectory } from '../disk.ts';

/** The same for all scratch directories of this process, and for no other process. */
const PROCESS = randomBytes(8).toString('hex');

/** A directory of a process on another machine is spared for this time: nobody here knows whether it runs. */
const FOREIGN_AGE_MS = 24 * 3_600_000;

const NAME = /^(.*)\.(\d+)\.([0-9a-f]{16})$/;

/**
 * Creates the directory of this process for temporary files, `<directory>/<host>.<pid>.<random>`, and deletes those of
 * processes that have ended. Returns its path.
 */
export async function openScratch(directory: string): Promise<string> {
  const parent = await createDirectory(directory);
  const own = join(parent, `${hostname()}.${process.pid}.${PROCESS}`);
  for (const name of await fs.readdir(parent)) {
    const path = join(parent, name);
    if (path !== own && (await isLeftOver(path, name))) {
      await fs.rm(path, { recursive: true, force: true });
    }
  }
  await fs.mkdir(own, { recursive: true, mode: 0o700 });
  return own;
}

async function isLeftOver(path: string, name: string): Promise<boolean> {
  const [, host, pid] = NAME.exec(name) ?? [];
  if (host === undefined) return false;
  if (host === hostname()) return Number(pid) === process.pid || !isRunning(Number(pid));
  const stats = await fs.stat(path).catch(() => null);
  return stats !== null && Date.now() - stats.mtimeMs > FOREIGN_AGE_MS;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Another user's process.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
