import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Context } from '../../../src/domain/context.ts';
import { createFolder } from '../../../src/domain/tree/folder.ts';
import { findViewerByKey } from '../../../src/domain/viewer/key.ts';
import { type App, createApp } from '../../../src/start/app.ts';
import { parseConfig } from '../../../src/start/config.ts';
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
    const { users } = JSON.parse(await readFile(join(dataDir, 'users.json'), 'utf8'));
    const start_nodes = [folders.logos.uuid, folders.top.uuid];
    expect(users).toMatchObject([{ name: 'zoe', role: 'reader', start_nodes }]);

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
    await expect(stat(join(dataDir, 'users.json'))).rejects.toThrow('ENOENT');
  }));

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
