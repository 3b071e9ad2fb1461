import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { UserEntry } from '../../../src/domain/viewer/user-entry.ts';
import { addUser, readUsers } from '../../../src/start/viewer/user-file.ts';

const PASSWORD = 'scrypt$2$1$1$AAAA$AAAA';
const user = (name: string, role: UserEntry['role'] = 'editor'): UserEntry => ({
  name,
  role,
  password: PASSWORD,
});

it('added users are read back from a file and a directory that only the owner can read', () =>
  withPath(async (path) => {
    expect(await readUsers(path)).toEqual([]);
    await addUser(path, user('alice'), { replace: false });
    await addUser(path, user('bob', 'reader'), { replace: true });
    expect(await readUsers(path)).toEqual([user('alice'), user('bob', 'reader')]);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await stat(join(path, '..'))).mode & 0o777).toBe(0o700);
    expect(await readdir(join(path, '..'))).toEqual(['users.json']);
    // The mode is restored even if it was changed.
    await chmod(path, 0o644);
    await addUser(path, user('carol'), { replace: false });
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  }));

it('an existing user is replaced only with `replace`', () =>
  withPath(async (path) => {
    await addUser(path, user('alice'), { replace: false });
    const before = await readFile(path, 'utf8');
    const again = addUser(path, user('alice', 'admin'), { replace: false });
    await expect(again).rejects.toMatchObject({ issues: [{ path: ['name'], code: 'TAKEN' }] });
    expect(await readFile(path, 'utf8')).toBe(before);
    await addUser(path, user('alice', 'admin'), { replace: true });
    expect(await readUsers(path)).toEqual([user('alice', 'admin')]);
  }));

it('users added concurrently are all kept', () =>
  withPath(async (path) => {
    const names = Array.from({ length: 8 }, (_, index) => `user ${index}`);
    await Promise.all(names.map((name) => addUser(path, user(name), { replace: false })));
    expect((await readUsers(path)).map(({ name }) => name).sort()).toEqual(names);
  }));

it.each(['', '{', '[]', '{"users":[{"name":"secret-of-a-file"}]}', '{"users":1}'])(
  'an invalid file (%j) is neither used nor overwritten',
  (text) =>
    withPath(async (path) => {
      await addUser(path, user('alice'), { replace: false });
      await writeFile(path, text);
      const error = await readUsers(path).catch((error) => error);
      expect(error.name).toBe('UserFileError');
      expect(error.message).toContain(path);
      expect(error.message).not.toContain('secret-of-a-file');
      await expect(addUser(path, user('bob'), { replace: true })).rejects.toThrow('cannot be used');
      expect(await readFile(path, 'utf8')).toBe(text);
      expect(await readdir(join(path, '..'))).toEqual(['users.json']);
    }),
);

/** Runs `work` with the path of a file whose directory does not exist yet. */
async function withPath(work: (path: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'trivium-users-'));
  const path = join(directory, 'private', 'users.json');
  await work(path).finally(() => rm(directory, { recursive: true }));
}
