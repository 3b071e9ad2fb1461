import { randomUUID } from 'node:crypto';
import { expect, it, vi } from 'vitest';
import { createApiKey, findViewerByKey } from '../../src/domain/viewer/key.ts';
import { userId } from '../../src/domain/viewer/viewer.ts';
import { type Db, openDb } from '../../src/store/db.ts';
import { insertUser, listUsersByIds } from '../../src/store/viewer/user.ts';
import { createTestServices, type TestServices } from '../support/app.ts';
import { describeEachBackend } from '../support/backend.ts';
import { graphql } from '../support/graphql.ts';
import { makeKey } from '../support/make.ts';
import { type ServerProcess, withDataDir, withServerProcess } from '../support/process.ts';

/** Number of kills of each backend. */
const KILLS = Number(process.env.TRIVIUM_TEST_KILLS || 2);
const KEYS = 40;
const USERS = 10;
/** Requests at a time, so that a kill meets them at different steps. */
const CLIENTS = 4;
const ADMIN_KEY = 'tvm_the-admin-key-of-this-test';

/** Something that is taken away, with the keys that nobody may use afterwards. */
interface Target {
  mutation: string;
  keys: string[];
  userId: number | null;
  isAcknowledged: boolean;
}

const toId = (type: string, id: number) => Buffer.from(`${type}:${id}`).toString('base64url');

async function withDb<T>(url: string, work: (services: TestServices) => Promise<T>): Promise<T> {
  const db: Db = openDb({ url });
  const services = createTestServices({ db } as TestServices);
  return work({ ...services, newId: randomUUID }).finally(() => db.destroy());
}

/** Creates keys, and users with two keys each. */
async function makeTargets(services: TestServices): Promise<Target[]> {
  const targets: Target[] = [];
  const add = (mutation: string, keys: string[], userId: number | null) =>
    void targets.push({ mutation, keys, userId, isAcknowledged: false });
  for (let index = 0; index < KEYS; index++) {
    const key = await makeKey(services, { name: randomUUID(), role: 'reader' });
    const last = services.db.selectFrom('api_key').select('id').orderBy('id', 'desc').limit(1);
    const id = toId('ApiKey', (await last.executeTakeFirstOrThrow()).id);
    add(`revokeApiKey(input: { id: "${id}" })`, [key], null);
    if (index >= USERS) continue;
    const name = randomUUID();
    const columns = { name, role: 'admin', start_nodes: null, password: 'x', created_by: null };
    const user = await insertUser(services.db, { ...columns, created_at: 0, updated_at: 0 });
    const viewer = { kind: 'user', id: userId(name), role: 'admin' } as const;
    const ctx = { ...services, viewer, log: services.log };
    const keys = await Promise.all(
      ['a', 'b'].map(async (name) => (await createApiKey(ctx, { name, role: 'reader' })).key),
    );
    add(`deleteUser(input: { id: "${toId('User', user.id)}" })`, keys, user.id);
  }
  return targets;
}

/** Takes everything away, until the server is gone. */
async function takeAway({ url }: ServerProcess, targets: readonly Target[]): Promise<void> {
  const rest = targets.values();
  const client = async () => {
    for (const target of rest) {
      const query = `mutation { result: ${target.mutation} { ... on Error { code } } }`;
      const sent = graphql({ url }, query, {}, { authorization: `Bearer ${ADMIN_KEY}` });
      const answer = await sent.catch(() => null);
      if (answer === null) return;
      expect(answer.data.result).toEqual({});
      target.isAcknowledged = true;
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
}

/** Checks that what was acknowledged is gone, and that nothing is half gone. */
async function check(services: TestServices, targets: readonly Target[]): Promise<void> {
  for (const { keys, userId, isAcknowledged, mutation } of targets) {
    const valid = await Promise.all(keys.map((key) => findViewerByKey(services, key)));
    const areGone = valid.map((viewer) => viewer === null);
    const users =
      userId === null ? [] : await listUsersByIds(services.db, { createdBy: null }, [userId]);
    if (userId !== null) areGone.push(users.length === 0);
    const expected = isAcknowledged || (areGone[0] ?? false);
    expect([mutation, ...areGone]).toEqual([mutation, ...areGone.map(() => expected)]);
  }
}

describeEachBackend('a server that is killed while it takes credentials away', (backend) => {
  it(
    `${KILLS} times: what it has acknowledged is gone, and a user never goes without its keys`,
    () =>
      backend.withUrl((url) =>
        withDataDir(async (dataDir) => {
          const variables = {
            ...{ TRIVIUM_DATABASE_URL: url, TRIVIUM_DATA_DIR: dataDir },
            ...{ TRIVIUM_ADMIN_KEY: ADMIN_KEY, TRIVIUM_JOB_CONCURRENCY: '0' },
          };
          const all: Target[] = [];
          for (let kill = 0; kill < KILLS; kill++) {
            const targets = await withDb(url, makeTargets);
            all.push(...targets);
            const enough = 1 + Math.floor(Math.random() * targets.length * 0.8);
            await withServerProcess(variables, async (server) => {
              const work = takeAway(server, targets);
              const count = () => targets.filter(({ isAcknowledged }) => isAcknowledged).length;
              await vi.waitUntil(() => count() >= enough, { timeout: 60_000, interval: 1 });
              server.child.kill('SIGKILL');
              await Promise.all([server.exit, work]);
            });
            await withDb(url, (services) => check(services, all));
          }
          expect(all.filter(({ isAcknowledged }) => isAcknowledged).length).toBeGreaterThan(0);
        }),
      ),
    60_000 + KILLS * 30_000,
  );
});
