import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Context } from '../../../src/domain/context.ts';
import { createFolder } from '../../../src/domain/tree/folder.ts';
import { findViewerByKey } from '../../../src/domain/viewer/key.ts';
import { isPassword } from '../../../src/domain/viewer/password.ts';
import { type App, createApp } from '../../../src/start/app.ts';
import { parseConfig } from '../../../src/start/config.ts';
import { findUserByName } from '../../../src/store/viewer/user.ts';
import { runInProcess } from '../../support/command.ts';
import { runTrivium, withDataDir } from '../../support/process.ts';

const PASSWORD = 'pass word é';

test('a user with start nodes logs in, keeps the token across restarts, and sees only those nodes', () =>
  withDataDir(async (dataDir) => {
    const variables = { TRIVIUM_DATA_DIR: dataDir };
    const folders = await inApp(dataDir, makeFolders);
    // The name comes last, so that the test fails if --start-node consumes it.
    const nodes = ['--start-node', '/Design/Logos', '--start-node', folders.top.uuid];
    const add = ['user', 'add', '--role', 'reader', ...nodes, 'zoe'];
    const ended = await runTrivium(add, variables, `${PASSWORD}\nwhat follows\n`);
    expect(ended).toEqual({ code: 0, output: 'zoe may log in as reader\n', errors: '' });
    const list = await runInProcess(['user', 'list', '--json'], variables);
    expect(JSON.parse(list.output)).toMatchObject({
      ...{ name: 'zoe', role: 'reader', isFromFile: false },
      startNodes: [folders.logos.uuid, folders.top.uuid],
    });
    expect(list.output).not.toContain('scrypt');

    const token = await inApp(dataDir, async ({ server }) => {
      const payload = new URLSearchParams({
        ...{ grant_type: 'password', username: 'zoe', password: PASSWORD },
      });
      const headers = { 'content-type': 'application/x-www-form-urlencoded' };
      const request = { method: 'POST', url: '/oauth/token', headers } as const;
      const answer = await server.inject({ ...request, payload: payload.toString() });
      return answer.json().access_token;
    });
    expect((await stat(join(dataDir, 'token.key'))).mode & 0o777).toBe(0o600);
    await inApp(dataDir, async ({ server }) => {
      const headers = { authorization: `Bearer ${token}` };
      const { _embedded } = (await server.inject({ url: '/media', headers })).json();
      expect(_embedded.media.map(({ name }: { name: string }) => name).sort()).toEqual([
        'Logos',
        'Top',
      ]);
      const { uuid } = folders.design;
      expect((await server.inject({ url: `/media/${uuid}`, headers })).statusCode).toBe(403);
    });
  }));

test('a key is created with start nodes; an unknown start node is an error for keys and users', () =>
  withDataDir(async (dataDir) => {
    const variables = { TRIVIUM_DATA_DIR: dataDir };
    const { logos } = await inApp(dataDir, makeFolders);
    const create = ['key', 'create', '--start-node', logos.uuid.toUpperCase(), 'Backup'];
    const { code, output } = await runTrivium(create, variables);
    expect(code).toBe(0);
    const viewer = await inApp(dataDir, ({ services }) => findViewerByKey(services, output.trim()));
    expect(viewer).toMatchObject({ role: 'editor', startNodes: [{ id: logos.id }] });
    for (const command of [
      ['key', 'create', 'Backup'],
      ['user', 'add', 'zoe'],
    ]) {
      const wrong = await runTrivium([...command, '--start-node', '/None'], variables, PASSWORD);
      expect([wrong.code, wrong.output]).toEqual([1, '']);
      expect(wrong.errors).toBe('trivium: There is no folder "/None".\n');
    }
    const silent = await runTrivium(['user', 'add', 'zoe'], variables);
    expect([silent.code, silent.errors]).toEqual([1, expect.stringContaining('no password')]);
    expect((await runInProcess(['user', 'list'], variables)).output).not.toContain('zoe');
  }));

describe.each(['the database', 'the users’ file'])('users in %s', (place) => {
  test('are added, replaced, listed, changed and removed', () =>
    withDataDir(async (dataDir) => {
      const usersFile = join(dataDir, 'file.json');
      const isFile = place !== 'the database';
      const variables = {
        TRIVIUM_DATA_DIR: dataDir,
        ...(isFile && { TRIVIUM_USERS_FILE: usersFile }),
      };
      const type = async (password: string, ...args: string[]) => {
        const { code, output, errors } = await runTrivium(args, variables, `${password}\n`);
        return [code, output || errors];
      };
      const run = (...args: string[]) => runInProcess(args, variables);
      expect(await type(PASSWORD, 'user', 'add', 'zoe')).toEqual([0, 'zoe may log in as editor\n']);
      const taken = 'trivium: name: A user "zoe" already exists.\n';
      expect(await type(PASSWORD, 'user', 'add', 'zoe')).toEqual([1, taken]);
      const force = ['user', 'add', 'zoe', '--role', 'admin', '--force'];
      expect(await type('another one', ...force)).toEqual([0, 'zoe may log in as admin\n']);
      expect(await passwordOf(variables, 'zoe')).toBe('another one');
      const { output } = await run('user', 'list');
      expect(output).toMatch(/^NAME +ROLE +START NODES +CREATED +KEPT\n/);
      expect(output).toMatch(new RegExp(`\nzoe +admin +all +\\S+Z +in ${place}\n$`));
      const changed = await type('the third one', 'user', 'passwd', 'zoe');
      expect(changed).toEqual([0, 'changed the password of zoe\n']);
      expect(await passwordOf(variables, 'zoe')).toBe('the third one');
      if (isFile) expect(await readFile(usersFile, 'utf8')).toMatch(/"zoe"[\s\S]*scrypt/);
      else await expect(stat(usersFile)).rejects.toThrow('ENOENT');
      expect(await run('user', 'remove', 'zoe')).toMatchObject({
        code: 0,
        output: 'removed zoe\n',
      });
      if (isFile) expect(JSON.parse(await readFile(usersFile, 'utf8'))).toEqual({ users: [] });
      for (const command of ['remove', 'passwd']) {
        const errors = 'trivium: there is no user "zoe"\n';
        expect(await run('user', command, 'zoe')).toEqual({ code: 1, output: '', errors });
      }
    }));
});

/** Returns the password of a user among those of the test above. */
async function passwordOf(
  variables: Readonly<Record<string, string>>,
  name: string,
): Promise<string | undefined> {
  return inApp(variables.TRIVIUM_DATA_DIR ?? '', async ({ services }) => {
    const row = await findUserByName(services.db, name);
    for (const password of [PASSWORD, 'another one', 'the third one']) {
      if (await isPassword(password, row?.password ?? null)) return password;
    }
    return undefined;
  });
}

async function makeFolders({ services, log }: App) {
  const ctx: Context = { ...services, log, viewer: { kind: 'user', id: 'a', role: 'admin' } };
  const design = await createFolder(ctx, { name: 'Design' });
  const logos = await createFolder(ctx, { name: 'Logos', parentId: design.id });
  return { design, logos, top: await createFolder(ctx, { name: 'Top' }) };
}

/** Runs `work` with an app on `dataDir` that does not listen. */
async function inApp<T>(dataDir: string, work: (app: App) => Promise<T>): Promise<T> {
  const variables = { TRIVIUM_DATA_DIR: dataDir, TRIVIUM_LOG_LEVEL: 'silent' };
  const app = await createApp(parseConfig(variables));
  return work(app).finally(() => app.stop());
}
