import { type FileHandle, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { DomainError } from '../../domain/error.ts';
import { nameTaken, parseUserEntries, type UserEntry } from '../../domain/viewer/user-entry.ts';
import { parseJsonFile } from '../../lib/json.ts';
import { cleanName } from '../../lib/name.ts';

/** The users' file cannot be used. The message names the file and the reason, and contains no secret. */
export class UserFileError extends Error {
  override readonly name = 'UserFileError';
  readonly code = 'USER_FILE';
}

/**
 * Returns the users of a file; none if the file does not exist. Throws UserFileError, which names the `setting` that the
 * path comes from.
 */
export async function readUsers(path: string, setting?: string): Promise<UserEntry[]> {
  try {
    return parseUserEntries(parseJsonFile(await readFile(path, 'utf8')));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    // The message of a JSON parser may quote the file.
    const reason = error instanceof SyntaxError ? 'it is not JSON' : messageOf(error);
    const source = setting === undefined ? '' : ` (${setting})`;
    throw new UserFileError(`The users' file ${path} cannot be used${source}: ${reason}`);
  }
}

/**
 * Adds a user to a file that only its owner can read; with `replace`, also if the name is taken. Throws
 * InvalidInputError TAKEN, UserFileError.
 */
export function addUser(
  path: string,
  user: UserEntry,
  { replace }: { replace: boolean },
): Promise<void> {
  return changeUsers(path, (entries) => {
    const others = entries.filter((other) => !replace || !isNamed(other, user.name));
    if (others.some((other) => isNamed(other, user.name))) throw nameTaken(user.name);
    return [...others, user];
  });
}

/** Removes a user from a file. Throws UserFileError if the file has no such user. */
export function removeUser(path: string, name: string): Promise<void> {
  return changeUsers(path, (entries) => {
    const others = entries.filter((entry) => !isNamed(entry, name));
    if (others.length === entries.length) throw noSuchUser(path, name);
    return others;
  });
}

/** Replaces the hash of a user's password in a file. Throws UserFileError if the file has no such user. */
export function setPassword(path: string, name: string, password: string): Promise<void> {
  return changeUsers(path, (entries) => {
    if (!entries.some((entry) => isNamed(entry, name))) throw noSuchUser(path, name);
    return entries.map((entry) => (isNamed(entry, name) ? { ...entry, password } : entry));
  });
}

function isNamed(entry: UserEntry, name: string): boolean {
  return cleanName(entry.name) === cleanName(name);
}

function noSuchUser(path: string, name: string): UserFileError {
  return new UserFileError(`There is no user "${name}" in ${path}.`);
}

/** Changes the users of a file, atomically for readers. Concurrent calls wait for each other. */
async function changeUsers(
  path: string,
  change: (entries: readonly UserEntry[]) => UserEntry[],
): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const next = `${path}.new`;
  const handle = await openNext(next);
  try {
    const users = change(await readUsers(path));
    await handle.writeFile(`${JSON.stringify({ users }, null, 2)}\n`);
    await handle.sync();
    await rename(next, path);
  } catch (error) {
    await rm(next, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
}

/** Maximum wait for another `trivium user`, which holds the file for some milliseconds. */
const WAIT_MS = 5000;
const POLL_MS = 20;

/** Creates the file that replaces the users' file. It is also the lock: only one process can create it. */
async function openNext(path: string): Promise<FileHandle> {
  for (let waitedMs = 0; ; waitedMs += POLL_MS) {
    try {
      return await open(path, 'wx', 0o600);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    }
    if (waitedMs >= WAIT_MS) {
      throw new UserFileError(
        `${path} exists. Another "trivium user" is running, or was interrupted: then delete the file.`,
      );
    }
    await setTimeout(POLL_MS);
  }
}

function messageOf(error: unknown): string {
  if (error instanceof DomainError) return error.message;
  return error instanceof Error && 'code' in error ? String(error.code) : 'it cannot be read';
}
