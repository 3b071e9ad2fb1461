import { type FileHandle, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { DomainError } from '../../domain/error.ts';
import { nameTaken, parseUsers, type User } from '../../domain/viewer/user.ts';
import { cleanName } from '../../lib/name.ts';

/** The users' file cannot be used. The message names the file and the reason, and contains no secret. */
export class UserFileError extends Error {
  override readonly name = 'UserFileError';
  readonly code = 'USER_FILE';
}

/** Returns the users of a file; none if the file does not exist. Throws UserFileError. */
export async function readUsers(path: string): Promise<User[]> {
  try {
    return parseUsers(JSON.parse(await readFile(path, 'utf8')));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    // The message of a JSON parser may quote the file.
    const reason = error instanceof SyntaxError ? 'it is not JSON' : messageOf(error);
    throw new UserFileError(`The users' file ${path} cannot be used: ${reason}`);
  }
}

/**
 * Adds a user to a file that only its owner can read; with `replace`, also if the name is taken. The change is atomic
 * for readers; concurrent calls wait for each other. Throws InvalidInputError TAKEN, UserFileError.
 */
export async function addUser(
  path: string,
  user: User,
  { replace }: { replace: boolean },
): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const next = `${path}.new`;
  const handle = await openNext(next);
  try {
    const isNamesake = ({ name }: User) => cleanName(name) === user.name;
    const others = (await readUsers(path)).filter((other) => !replace || !isNamesake(other));
    if (others.some(isNamesake)) throw nameTaken(user.name);
    await handle.writeFile(`${JSON.stringify({ users: [...others, user] }, null, 2)}\n`);
    await handle.sync();
    await rename(next, path);
  } catch (error) {
    await rm(next, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
}

/** Maximum wait for another `trivium user add`, which holds the file for some milliseconds. */
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
        `${path} exists. Another "trivium user add" is running, or was interrupted: then delete the file.`,
      );
    }
    await setTimeout(POLL_MS);
  }
}

function messageOf(error: unknown): string {
  if (error instanceof DomainError) return error.message;
  return error instanceof Error && 'code' in error ? String(error.code) : 'it cannot be read';
}
