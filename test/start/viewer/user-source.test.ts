import { access, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createUserEntry } from '../../../src/domain/viewer/user-entry.ts';
import { addUser, readUsers } from '../../../src/start/viewer/user-file.ts';
import { type TestApp, withApp } from '../../support/app.ts';
import { describeEachBackend } from '../../support/backend.ts';
import { runInProcess } from '../../support/command.ts';
import { graphql } from '../../support/graphql.ts';
import { withDataDir, withServerProcess } from '../../support/process.ts';

const PASSWORD = 'pass 1234é';
const USERS = '{ users { nodes { id name role isFromFile } } }';

const entryOf = (name: string, role: 'reader' | 'editor' = 'editor') =>
  createUserEntry({ name, role, password: PASSWORD });

async function login(url: string, username: string, password = PASSWORD): Promise<string | null> {
  const body = new URLSearchParams({ grant_type: 'password', username, password });
  const response = await fetch(`${url}/oauth/token`, { method: 'POST', body });
  return response.ok ? (await response.json()).access_token : null;
}

async function isRefused(url: string, token: string): Promise<boolean> {
  const headers = { authorization: `Bearer ${token}` };
  return (await fetch(`${url}/media`, { headers })).status === 401;
}

async function listUsers(app: TestApp): Promise<{ id: string; name: string; role: string }[]> {
  const options = { authorization: `Bearer ${app.adminKey}` };
  return (await graphql(app, USERS, {}, options)).data.users.nodes;
}

describeEachBackend('a users’ file that is set', (backend) => {
  /** A server whose users' file has Jane. */
  const withJane = (work: (app: TestApp, path: string) => Promise<void>) =>
    withDataDir(async (directory) => {
      const path = join(directory, 'users.json');
      await addUser(path, await entryOf('jane'), { replace: false });
      await withApp(backend, (app) => work(app, path), { TRIVIUM_USERS_FILE: path });
    });

  test('keeps working: who is added to it logs in at once; who is removed or changed loses its sessions', () =>
    withJane(async (app, path) => {
      const jane = (await login(app.url, 'jane')) ?? '';
      await addUser(path, await entryOf('joe', 'reader'), { replace: false });
      const joe = (await login(app.url, 'joe')) ?? '';
      expect([await isRefused(app.url, jane), await isRefused(app.url, joe)]).toEqual([
        false,
        false,
      ]);
      expect(await listUsers(app)).toMatchObject([
        { name: 'jane', role: 'EDITOR', isFromFile: true },
        { name: 'joe', role: 'READER', isFromFile: true },
      ]);
      const [entry] = await readUsers(path);
      await writeFile(path, JSON.stringify({ users: [{ ...entry, role: 'admin' }] }));
      // Without a login: the file is checked once a second.
      await expect.poll(() => isRefused(app.url, joe)).toBe(true);
      expect(await isRefused(app.url, jane)).toBe(false);
      expect(await listUsers(app)).toMatchObject([{ name: 'jane', role: 'ADMIN' }]);
      await addUser(
        path,
        await createUserEntry({ name: 'jane', role: 'editor', password: 'another one' }),
        { replace: true },
      );
      expect(await login(app.url, 'jane')).toBeNull();
      expect(await isRefused(app.url, jane)).toBe(true);
      expect(await login(app.url, 'jane', 'another one')).not.toBeNull();
    }));

  test('decides: the API cannot change its users, and can have others beside them', () =>
    withJane(async (app) => {
      const token = (await login(app.url, 'jane')) ?? '';
      const [{ id = '' } = {}] = await listUsers(app);
      const mutate = async (field: string, authorization = `Bearer ${app.adminKey}`) => {
        const query = `mutation { result: ${field} { __typename ... on Error { code message } } }`;
        return (await graphql(app, query, {}, { authorization })).data.result;
      };
      const passwords = `{ currentPassword: "${PASSWORD}", newPassword: "another one" }`;
      for (const result of [
        await mutate(`updateUser(input: { id: "${id}", role: ADMIN })`),
        await mutate(`deleteUser(input: { id: "${id}" })`),
        await mutate(`changePassword(input: ${passwords})`, `Bearer ${token}`),
      ]) {
        expect(result).toMatchObject({ code: 'FORBIDDEN', message: expect.stringMatching(/file/) });
      }
      const other = `createUser(input: { name: "other", password: "${PASSWORD}" })`;
      expect(await mutate(other)).toEqual({ __typename: 'CreateUserSuccess' });
      expect(await login(app.url, 'other')).not.toBeNull();
    }));

  test('that becomes unusable changes nothing: its users of before still log in', () =>
    withJane(async (app, path) => {
      await writeFile(path, '{"users": "secret');
      expect(await login(app.url, 'jane')).not.toBeNull();
    }));
});

test('users move from the file of earlier versions into the database at the first start, once', () =>
  withDataDir(async (dataDir) => {
    const path = join(dataDir, 'users.json');
    await addUser(path, await entryOf('jane'), { replace: false });
    await addUser(path, await entryOf('joe', 'reader'), { replace: false });
    const variables = { TRIVIUM_DATA_DIR: dataDir };
    await withServerProcess(variables, async ({ url, log }) => {
      expect(log.find(({ msg }) => String(msg).startsWith('moved the users'))).toMatchObject({
        users: 2,
        path: `${path}.imported`,
      });
      expect(await login(url, 'jane')).not.toBeNull();
      // The command line and the running server have one database.
      expect((await runInProcess(['user', 'remove', 'joe'], variables)).code).toBe(0);
      expect(await login(url, 'joe')).toBeNull();
    });
    await expect(access(path)).rejects.toThrow('ENOENT');
    expect((await stat(`${path}.imported`)).mode & 0o777).toBe(0o600);
    expect(await readFile(`${path}.imported`, 'utf8')).not.toContain(PASSWORD);
    await withServerProcess(variables, async ({ url }) => {
      expect(await login(url, 'joe')).toBeNull();
      expect(await login(url, 'jane')).not.toBeNull();
    });
  }));

test('the users of a file that is no longer set stay, and can be changed', () =>
  withDataDir(async (dataDir) => {
    const path = join(dataDir, 'other.json');
    await addUser(path, await entryOf('jane'), { replace: false });
    const variables = { TRIVIUM_DATA_DIR: dataDir };
    await withServerProcess({ ...variables, TRIVIUM_USERS_FILE: path }, async ({ url }) => {
      expect(await login(url, 'jane')).not.toBeNull();
    });
    await withServerProcess(variables, async ({ url }) => {
      expect(await login(url, 'jane')).not.toBeNull();
      const removed = await runInProcess(['user', 'remove', 'jane'], variables);
      expect([removed.code, removed.output]).toEqual([0, 'removed jane\n']);
      expect(await login(url, 'jane')).toBeNull();
    });
  }));
