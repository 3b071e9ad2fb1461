import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isPassword } from '../../../../src/domain/viewer/password.ts';
import { createUserEntry } from '../../../../src/domain/viewer/user-entry.ts';
import { addUser } from '../../../../src/start/viewer/user-file.ts';
import { type TestApp, withApp } from '../../../support/app.ts';
import { BACKENDS } from '../../../support/backend.ts';
import { runTrivium, withDataDir } from '../../../support/process.ts';

const PASSWORD = 'pass 1234é';

/** A server whose users' file has Jane, an editor. */
function withJane(work: (app: TestApp, usersFile: string) => Promise<void>): Promise<void> {
  return withDataDir(async (directory) => {
    const usersFile = join(directory, 'users.json');
    const jane = { name: 'jane@example.com', role: 'editor', password: PASSWORD } as const;
    await addUser(usersFile, await createUserEntry(jane), { replace: false });
    await withApp(BACKENDS[0]!, (app) => work(app, usersFile), { TRIVIUM_USERS_FILE: usersFile });
  });
}

function ask(app: TestApp, form: Record<string, string>, headers: Record<string, string> = {}) {
  return app.fetch('/oauth/token', { method: 'POST', body: new URLSearchParams(form), headers });
}

const login = (username: string, password: string) => ({
  grant_type: 'password',
  username,
  password,
});

test('only a correct password returns a token, and every dialect accepts it', () =>
  withJane(async (app) => {
    const response = await ask(app, login('jane@example.com', PASSWORD));
    expect(response.status).toBe(200);
    expect(response.headers.get('cache-control')).toBe('no-store');
    const body = await response.json();
    expect(body).toEqual({
      access_token: expect.any(String),
      token_type: 'bearer',
      expires_in: 3600,
    });
    const headers = { authorization: `Bearer ${body.access_token}` };
    expect((await app.fetch('/media', { headers })).status).toBe(200);
    const query = JSON.stringify({ query: '{ viewer { id role } }' });
    const asked = await app.fetch('/graphql', {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: query,
    });
    expect((await asked.json()).data.viewer).toEqual({
      id: 'user:jane@example.com',
      role: 'EDITOR',
    });
    const wrong = await ask(app, login('jane@example.com', 'wrong password'));
    const unknown = await ask(app, login('john', PASSWORD));
    for (const refused of [wrong, unknown]) {
      expect(refused.status).toBe(400);
      expect(await refused.json()).toEqual({
        error: 'invalid_grant',
        error_description: 'The user name or password is incorrect.',
      });
    }
    const forms = [
      [{ username: 'a', password: 'b' }, 'invalid_request'],
      [{ grant_type: 'password', username: 'a' }, 'invalid_request'],
      [
        { grant_type: 'client_credentials', username: 'a', password: 'b' },
        'unsupported_grant_type',
      ],
      [{ grant_type: 'refresh_token', refresh_token: 'a' }, 'unsupported_grant_type'],
    ] as const;
    for (const [form, error] of forms) {
      expect((await (await ask(app, form)).json()).error).toBe(error);
    }
    expect((await ask(app, login('a', 'b'), { 'api-key': 'wrong' })).status).toBe(401);
  }));

test('a user who is added while the server runs can log in, and a removed user cannot', () =>
  withJane(async (app, usersFile) => {
    const added = ['user', 'add', 'joe', '--role', 'reader', '--users-file', usersFile];
    expect((await runTrivium(added, {}, `${PASSWORD}\n`)).code).toBe(0);
    expect((await ask(app, login('joe', PASSWORD))).status).toBe(200);
    const changed = { name: 'joe', role: 'reader', password: 'another one' } as const;
    const again = addUser(usersFile, await createUserEntry(changed), { replace: false });
    await expect(again).rejects.toThrow('user "joe" already exists');
    const short = createUserEntry({ ...changed, password: 'short' });
    await expect(short).rejects.toMatchObject({ issues: [{ path: ['password'] }] });
    await addUser(usersFile, await createUserEntry(changed), { replace: true });
    expect((await ask(app, login('joe', PASSWORD))).status).toBe(400);
    expect((await stat(usersFile)).mode & 0o777).toBe(0o600);
    const text = await readFile(usersFile, 'utf8');
    expect(text).not.toContain(PASSWORD);
    const { users } = JSON.parse(text);
    expect(users.map((user: { name: string }) => user.name)).toEqual(['jane@example.com', 'joe']);
    expect(await isPassword('another one', users[1].password)).toBe(true);
    await writeFile(usersFile, '{"users":[]}');
    expect((await ask(app, login('joe', 'another one'))).status).toBe(400);
    await writeFile(usersFile, '{"users": "secret');
    const broken = await ask(app, login('joe', 'another one'));
    expect(broken.status).toBe(400);
    expect(await broken.text()).not.toMatch(/secret|users\.json/);
  }));

test('a users’ file that cannot be used stops the start', () =>
  withDataDir(async (directory) => {
    const usersFile = join(directory, 'users.json');
    await writeFile(usersFile, '{"users":[{"name":"a","role":"king","password":"x"}]}');
    const { code, errors } = await runTrivium(['serve', '--data-dir', directory, '--port', '0']);
    expect(code).toBe(1);
    expect(errors).toContain(`${usersFile} cannot be used`);
    expect(errors).toContain('users.0.role');
  }));

test('the grant may be JSON', () =>
  withJane(async (app) => {
    const send = (body: string, type = 'application/json') =>
      app.fetch('/oauth/token', { method: 'POST', body, headers: { 'content-type': type } });
    const grant = login('jane@example.com', PASSWORD);
    const response = await send(JSON.stringify(grant), 'application/json; charset=utf-8');
    const { access_token, ...rest } = await response.json();
    expect([response.status, rest]).toEqual([200, { token_type: 'bearer', expires_in: 3600 }]);
    const headers = { authorization: `Bearer ${access_token}` };
    expect((await app.fetch('/media', { headers })).status).toBe(200);
    for (const [body, message] of [
      ['{}', /grant_type/],
      [JSON.stringify({ ...grant, username: 7 }), /username/],
      [JSON.stringify({ ...grant, password: null }), /password/],
      [JSON.stringify({ ...grant, password: '' }), /password/],
      ['[]', /object/],
      ['"a"', /object/],
      ['{', /./],
      ['', /./],
    ] as const) {
      const refused = await send(body);
      const error = await refused.json();
      expect([refused.status, error.error], body).toEqual([400, 'invalid_request']);
      expect(error.error_description).toMatch(message);
    }
    expect((await send('{}', 'text/plain')).status).toBe(415);
    const wrong = await send(JSON.stringify({ ...grant, password: 'wrong' }));
    expect([wrong.status, (await wrong.json()).error]).toEqual([400, 'invalid_grant']);
  }));

test('a form with more than 1,000 fields is refused before it is parsed', () =>
  withJane(async (app) => {
    const send = (body: string) =>
      app.fetch('/oauth/token', {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body,
      });
    const grant = new URLSearchParams(login('jane@example.com', PASSWORD)).toString();
    expect((await send(`${grant}${'&a'.repeat(997)}`)).status).toBe(200);
    const refused = await send(`${grant}${'&a'.repeat(998)}`);
    expect([refused.status, (await refused.json()).error]).toEqual([400, 'invalid_request']);
  }));
