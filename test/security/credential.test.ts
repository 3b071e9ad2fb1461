import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import type { Context } from '../../src/domain/context.ts';
import { createApiKey, findViewerByKey } from '../../src/domain/viewer/key.ts';
import { createUser, deleteUser, updateUser } from '../../src/domain/viewer/user.ts';
import { copyUsers } from '../../src/domain/viewer/user-copy.ts';
import { type Role, userId, type Viewer } from '../../src/domain/viewer/viewer.ts';
import { type TestApp, type TestServices, user, withApp } from '../support/app.ts';
import { type Backend, describeEachBackend } from '../support/backend.ts';
import { graphql } from '../support/graphql.ts';
import { makeFolder, makeKey } from '../support/make.ts';
import { asAdmin, bearer } from '../support/private-media.ts';
import { WITH_USERS } from '../support/request.ts';
import { shareServices } from '../support/shared-app.ts';
import { openStream } from '../support/sse.ts';

const PASSWORD = 'a good password';

/** Creates an admin, a key of hers, and a key that was created with that key. */
async function withKeys(services: TestServices) {
  const admin = services.as(user('root', 'admin'));
  const name = randomUUID();
  const jane = await createUser(admin, { name, role: 'admin', password: PASSWORD });
  const as = (viewer: Viewer) => services.as(viewer);
  const make = async (ctx: Context, role: Role = 'reader') => {
    const { apiKey, key } = await createApiKey(ctx, { name: 'a key', role });
    return { key, viewer: { kind: 'key', id: apiKey.viewerId, role: 'admin' } as const };
  };
  const janes = { kind: 'user', id: userId(name), role: 'admin' } as const;
  const own = await make(as(janes), 'admin');
  const next = await make(as(own.viewer));
  const others = await make(admin);
  const areValid = () =>
    Promise.all(
      [own, next, others].map(async ({ key }) => (await findViewerByKey(services, key)) !== null),
    );
  return { admin, jane, janes, own, areValid, make, as };
}

describeEachBackend('the keys of a user', (backend) => {
  const shared = shareServices(backend);

  test('are revoked when the user is deleted, with those that were created with them, and no others', async () => {
    const { admin, jane, areValid } = await withKeys(shared());
    expect(await areValid()).toEqual([true, true, true]);
    expect(await deleteUser(admin, jane.id)).toBe(2);
    expect(await areValid()).toEqual([false, false, true]);
  });

  test('are revoked when the user gets a lower role or start nodes, and stay when it gets more rights', async () => {
    const { admin, jane, areValid } = await withKeys(shared());
    await updateUser(admin, jane.id, { role: 'admin', password: `${PASSWORD} 2` });
    expect(await areValid()).toEqual([true, true, true]);
    await updateUser(admin, jane.id, { role: 'editor' });
    expect(await areValid()).toEqual([false, false, true]);
    const limited = await withKeys(shared());
    const startNodeIds = [await makeFolder(shared().db)];
    await updateUser(limited.admin, limited.jane.id, { startNodeIds });
    expect(await limited.areValid()).toEqual([false, false, true]);
  });

  test('are revoked when its entry leaves the users’ file', async () => {
    const services = shared();
    const name = randomUUID();
    const entry = { name, role: 'admin', password: 'scrypt$1$1$1$a$a' } as const;
    await copyUsers(services, [entry]);
    const ctx = services.as({ kind: 'user', id: userId(name), role: 'admin' });
    const { key } = await createApiKey(ctx, { name: 'a key', role: 'reader' });
    await copyUsers(services, [entry]);
    expect(await findViewerByKey(services, key)).not.toBeNull();
    await copyUsers(services, []);
    expect(await findViewerByKey(services, key)).toBeNull();
  });

  test('cannot be created by a request that began before the user or the key was removed', async () => {
    const { admin, jane, janes, own, make, as } = await withKeys(shared());
    await deleteUser(admin, jane.id);
    await expect(make(as(janes))).rejects.toMatchObject({ code: 'NOT_AUTHENTICATED' });
    await expect(make(as(own.viewer))).rejects.toMatchObject({ code: 'NOT_AUTHENTICATED' });
    // Another issuer’s users are nobody’s to remove here.
    await make(as(user('foreign', 'admin')));
  });
});

/** A credential, and what takes it away. */
const ENDINGS: Readonly<
  Record<string, (app: TestApp) => Promise<[string, () => Promise<unknown>]>>
> = {
  'its key is revoked': async (app) => {
    const key = await makeKey(app.services, { name: 'a', role: 'admin' });
    const rows = app.services.db.updateTable('api_key').set({ revoked_at: 1 });
    return [key, () => rows.execute()];
  },
  'its key gets another role': async (app) => {
    const key = await makeKey(app.services, { name: 'a', role: 'admin' });
    const rows = app.services.db.updateTable('api_key').set({ role: 'reader' });
    return [key, () => rows.execute()];
  },
  'its session ends': async (app) => {
    const mutate = (text: string, sender = {}) =>
      graphql(app, `mutation { result: ${text} }`, {}, sender);
    const input = `input: { name: "joe", password: "${PASSWORD}" }`;
    await mutate(`createUser(${input}) { __typename }`, asAdmin(app));
    const { data } = await mutate(`signIn(${input}) { ... on SignInSuccess { token } }`);
    const { token } = data.result;
    return [token, () => mutate('signOut { __typename }', { authorization: `Bearer ${token}` })];
  },
};

/** Starts a server, and on PostgreSQL a second one on the same database. */
async function withServers(
  backend: Backend,
  work: (first: TestApp, last: TestApp) => Promise<void>,
) {
  const options = [{ ...WITH_USERS, TRIVIUM_AUTH: 'required' }, { viewerCheckMs: 50 }] as const;
  if (backend.name === 'sqlite') return withApp(backend, (app) => work(app, app), ...options);
  return backend.withUrl((url) => {
    const same = { ...backend, withUrl: <T>(use: (url: string) => Promise<T>) => use(url) };
    return withApp(
      same,
      (first) => withApp(same, (last) => work(first, last), ...options),
      ...options,
    );
  });
}

describeEachBackend('an idle subscription', (backend) => {
  test('ends when its credential does, on every process, although nothing happens', () =>
    withServers(backend, async (first, last) => {
      const other = await bearer('someone');
      const kept = await openStream(last, 'subscription { mediaChanged { id } }', other);
      for (const [name, begin] of Object.entries(ENDINGS)) {
        const [credential, end] = await begin(first);
        const authorization = `Bearer ${credential}`;
        const stream = await openStream(last, 'subscription { mediaChanged { id } }', {
          authorization,
        });
        await end();
        const events = await stream.rest();
        const code = events[0]?.errors?.[0]?.extensions?.code;
        expect([name, code, events.at(-1)?.event]).toEqual([name, 'NOT_AUTHENTICATED', 'complete']);
      }
      // A valid one goes on.
      const { data } = await graphql(
        last,
        'mutation { createMedia(input: { type: EMBED, embedType: "a", embedId: "b" }) { ... on CreateMediaSuccess { media { id } } } }',
        {},
        other,
      );
      expect((await kept.next())?.data.mediaChanged.id).toBe(data.createMedia.media.id);
      kept.close();
    }));
});
