import { constants, openAsBlob } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { CommandError, type FailureList } from '../failure.ts';

/** A local file that can be uploaded. */
export interface LocalFile {
  /** As given on the command line. */
  path: string;
  filename: string;
  /** Reads from disk on demand; fails if the file has changed. */
  blob: Blob;
}

/** Opens the files that can be uploaded, in order; adds the others to `failures`, with the reason. */
export async function openLocalFiles(
  paths: readonly string[],
  failures: FailureList,
): Promise<LocalFile[]> {
  const files: LocalFile[] = [];
  for (const path of paths) {
    try {
      files.push(await openLocalFile(path));
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      failures.add(error.message);
    }
  }
  return files;
}

async function openLocalFile(path: string): Promise<LocalFile> {
  const problem = await findProblem(path).catch(describeSystemError);
  if (problem !== null) throw new CommandError(`${path}: ${problem}`);
  return { path, filename: basename(path), blob: await openAsBlob(path) };
}

async function findProblem(path: string): Promise<string | null> {
  const stats = await stat(path);
  if (stats.isDirectory()) return 'is a directory; name the files in it';
  if (!stats.isFile()) return 'is not a regular file';
  if (stats.size === 0) return 'is empty';
  await access(path, constants.R_OK);
  return null;
}

const SYSTEM_ERRORS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  ENOTDIR: 'no such file',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
};

function describeSystemError(error: NodeJS.ErrnoException): string {
  return SYSTEM_ERRORS[error.code ?? ''] ?? error.message;
}
