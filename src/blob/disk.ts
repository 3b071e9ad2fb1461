import { randomUUID } from 'node:crypto';
import * as fs from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';

/** Creates a directory with its parents, and makes their names durable. Returns its absolute path. */
export async function createDirectory(path: string): Promise<string> {
  const directory = resolve(path);
  const first = (await fs.mkdir(directory, { recursive: true })) ?? directory;
  for (let created = directory; created.length >= first.length; created = dirname(created)) {
    await flushDirectory(dirname(created));
  }
  return directory;
}

/** Makes the names in a directory durable; fsync(2): the fsync of a file does not cover its name. */
export async function flushDirectory(path: string): Promise<void> {
  const directory = await fs.open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/** Throws unless a file can be written to the directory, made durable, and renamed now. Leaves no file behind. */
export async function checkDirectory(directory: string): Promise<void> {
  const name = `.check-${randomUUID()}`;
  const paths = [join(directory, name), join(directory, `${name}-renamed`)] as const;
  try {
    await fs.writeFile(paths[0], 'x', { flush: true });
    await fs.rename(...paths);
  } finally {
    for (const path of paths) await fs.rm(path, { force: true });
  }
}

/** Returns the size of a file in bytes; null if it does not exist. */
export async function sizeOf(path: string): Promise<number | null> {
  return (await ifPresent(fs.stat(path)))?.size ?? null;
}

/** Resolves to null instead of failing with "no such file or directory"; checking first would be a race. */
export async function ifPresent<T>(work: Promise<T>): Promise<T | null> {
  try {
    return await work;
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return null;
    throw error;
  }
}

/** Tells whether the file system failed with this code. */
export function isSystemError(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
