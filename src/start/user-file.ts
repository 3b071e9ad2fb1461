import { type FileHandle, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { DomainError } from '../domain/error.ts';
import { nameTaken, parseUsers, type User } from '../domain/viewer/user.ts';

/** The users' file is not what it should be: the message says where and why, and has nothing secret. */
export class UserFileError extends Error {
  override readonly name = 'UserFileError';
  readonly code = 'USER_FILE';
}

/** The users of a file; none while there is no file. Throws UserFileError. */
export async function readUsers(path: string): Promise<User[]> {
  try {
    return parseUsers(JSON.parse(await readFile(path, 'utf8')));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    // What a JSON parser says may quote the file.
    const reason = error instanceof SyntaxError ? 'it is no JSON' : messageOf(error);
    throw new UserFileError(`The users' file ${path} cannot be used: ${reason}`);
  }
}

/**
 * Adds a user to a file, readable by its owner only; `replace`, also in the place of one of that name.
 * Who reads meanwhile finds the file before or after; who adds another one at the same time waits. Throws
 * InvalidInputError TAKEN, UserFileError.
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
    const others = (await readUsers(path)).filter(({ name }) => name !== user.name || !replace);
    if (others.some(({ name }) => name === user.name)) throw nameTaken(user.name);
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

/** How long another `trivium user add` is waited for: it holds the file for some milliseconds. */
const WAIT_MS = 5000;
const POLL_MS = 20;

/** The file that takes the place of the other one: whoever has made it is alone with both. */
async function openNext(path: string): Promise<FileHandle> {
  for (let waitedMs = 0; ; waitedMs += POLL_MS) {
    try {
      return await open(path, 'wx', 0o600);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    }
    if (waitedMs >= WAIT_MS) {
      throw new UserFileError(
        `${path} is in the way: delete it, unless another user is being added.`,
      );
    }
    await setTimeout(POLL_MS);
  }
}

function messageOf(error: unknown): string {
  if (error instanceof DomainError) return error.message;
  return error instanceof Error && 'code' in error ? String(error.code) : 'it cannot be read';
}
