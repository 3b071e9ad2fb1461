import { expect, test } from 'vitest';
import { withApp } from '../../support/app.ts';
import { BACKENDS, describeEachBackend } from '../../support/backend.ts';
import { graphql } from '../../support/graphql.ts';
import { makeKey } from '../../support/make.ts';
import { runTrivium } from '../../support/process.ts';
import { shareApp } from '../../support/shared-app.ts';
import { withStream } from '../../support/sse.ts';
import { as, call, folder, statuses, viewerOf } from './credential.ts';

const CREATED =
  'key apiKey { id name role startNodeUuids createdBy expiresAt lastUsedAt viewerId }';
const KEYS =
  '{ apiKeys(first: 200) { totalCount nodes { id name lastUsedAt createdBy revokedAt } } }';

describeEachBackend('API keys', (backend) => {
  const shared = shareApp(backend, { TRIVIUM_AUTH: 'required' });

  test('a key is shown once, and works in every dialect until it is revoked, which counts at once', async () => {
    const app = shared();
    const { key, apiKey } = await call(app, 'createApiKey', { name: 'Website' }, CREATED);
    expect(apiKey).toMatchObject({
      ...{ name: 'Website', role: 'EDITOR', startNodeUuids: null, createdBy: 'key:admin' },
      ...{ expiresAt: null, lastUsedAt: null, viewerId: expect.stringMatching(/^key:/) },
    });
    expect(await viewerOf(app, key)).toEqual({ kind: 'KEY', id: apiKey.viewerId, role: 'EDITOR' });
    expect(await statuses(app, key)).toEqual([200, 200, 200, 200]);
    const { data } = await graphql(app, KEYS, {}, as(app));
    const listed = data.apiKeys.nodes.find(({ id }: { id: string }) => id === apiKey.id);
    expect(listed).toMatchObject({ name: 'Website', lastUsedAt: expect.any(String) });
    expect(JSON.stringify(data)).not.toContain(key.slice(4));

    const revoked = await call(app, 'revokeApiKey', { id: apiKey.id }, 'apiKey { id revokedAt }');
    expect(revoked.apiKey).toEqual({ id: apiKey.id, revokedAt: expect.any(String) });
    expect(await statuses(app, key)).toEqual([401, 401, 401, 401]);
    const again = await call(app, 'revokeApiKey', { id: apiKey.id }, 'apiKey { id }');
    expect(again).toMatchObject({
      code: 'NOT_FOUND',
      message: expect.stringContaining('no API key'),
    });
    const after = (await graphql(app, KEYS, {}, as(app))).data.apiKeys;
    expect(after.nodes.map(({ id }: { id: string }) => id)).not.toContain(apiKey.id);
    expect(after.totalCount).toBe(after.nodes.length);
    const query = `{ node(id: "${apiKey.id}") { ... on ApiKey { name revokedAt } } }`;
    expect((await graphql(app, query, {}, as(app))).data.node).toMatchObject({ name: 'Website' });
  });

  test('a key is refused from its expiry on', async () => {
    const app = shared();
    const expiresAt = new Date(Date.now() + 3_600_000);
    const { key } = await call(app, 'createApiKey', { name: 'Soon', expiresAt }, 'key');
    expect(await viewerOf(app, key)).not.toBeNull();
    const { clock } = app.services;
    app.services.clock = () => expiresAt.getTime();
    expect(await viewerOf(app, key)).toBeNull();
    app.services.clock = clock;
    const past = { name: 'Past', expiresAt: '2020-01-01T00:00:00Z' };
    expect(await call(app, 'createApiKey', past, 'key')).toMatchObject({
      issues: [{ path: ['input', 'expiresAt'], code: 'IN_THE_PAST' }],
    });
  });

  test.each([
    ['nobody', undefined, 'NOT_AUTHENTICATED'],
    ['a reader', 'reader', 'FORBIDDEN'],
    ['an editor', 'editor', 'FORBIDDEN'],
  ] as const)('%s can neither list, create nor revoke keys', async (_, role, code) => {
    const app = shared();
    const own = role && as(app, await makeKey(app.services, { name: 'own', role }));
    const { apiKey } = await call(app, 'createApiKey', { name: 'Other' }, CREATED);
    const options = own ?? {};
    expect(
      await call(app, 'createApiKey', { name: 'a', role: 'READER' }, 'key', options),
    ).toMatchObject({ code });
    expect(
      await call(app, 'revokeApiKey', { id: apiKey.id }, 'apiKey { id }', options),
    ).toMatchObject({ code });
    const { errors } = await graphql(app, KEYS, {}, options);
    expect(errors?.[0]?.extensions?.code).toBe(code);
    const { data } = await graphql(app, `{ node(id: "${apiKey.id}") { id } }`, {}, options);
    expect(data.node).toBeNull();
  });

  test('a key that raises its rights: none is made outside of the start nodes of its creator', async () => {
    const app = shared();
    const [inside, outside] = [await folder(app, 'Inside'), await folder(app, 'Outside')];
    const below = await folder(app, 'Below', inside);
    const limited = { name: 'Limited', role: 'ADMIN', startNodeIds: [inside] };
    const { key } = await call(app, 'createApiKey', limited, 'key');
    const own = as(app, key);
    const create = (startNodeIds?: string[] | null) =>
      call(app, 'createApiKey', { name: 'Next', role: 'ADMIN', startNodeIds }, CREATED, own);
    // It cannot tell a folder that it does not see from one that does not exist.
    expect(await create([outside])).toMatchObject({ code: 'NOT_FOUND' });
    expect(await create([below, outside])).toMatchObject({ code: 'NOT_FOUND' });
    expect(await create([])).toMatchObject({ issues: [{ path: ['input', 'startNodeIds'] }] });
    const names = async (key: string) => {
      const { data } = await graphql(app, '{ rootChildren { nodes { name } } }', {}, as(app, key));
      return data.rootChildren.nodes.map(({ name }: { name: string }) => name);
    };
    expect(await names((await create([below])).key)).toEqual(['Below']);
    // Without start nodes, it has those of its creator, and not the whole tree.
    for (const absent of [undefined, null]) {
      expect(await names((await create(absent)).key)).toEqual(['Inside']);
    }
    const user = { name: 'climber', password: 'long enough', role: 'ADMIN' };
    const wide = { ...user, startNodeIds: [outside] };
    expect(await call(app, 'createUser', wide, 'user { id }', own)).toMatchObject({
      code: 'NOT_FOUND',
    });
    const made = await call(app, 'createUser', user, 'user { id startNodeUuids }', own);
    expect(made.user.startNodeUuids).toHaveLength(1);
    const moved = { id: made.user.id, startNodeIds: [outside] };
    expect(await call(app, 'updateUser', moved, 'user { id }', own)).toMatchObject({
      code: 'NOT_FOUND',
    });
  });

  test('an admin with start nodes sees, revokes and changes only keys and users that it has created', async () => {
    const app = shared();
    const start = await folder(app, 'Start');
    const input = { name: 'Part', role: 'ADMIN', startNodeIds: [start] };
    const own = as(app, (await call(app, 'createApiKey', input, 'key')).key);
    const other = await call(app, 'createApiKey', { name: 'Other' }, 'key apiKey { id }');
    const mine = await call(app, 'createApiKey', { name: 'Mine' }, 'apiKey { id }', own);
    const { data } = await graphql(app, KEYS, {}, own);
    expect(data.apiKeys).toMatchObject({ totalCount: 1, nodes: [{ name: 'Mine' }] });
    const fields = 'apiKey { id }';
    expect(await call(app, 'revokeApiKey', { id: other.apiKey.id }, fields, own)).toMatchObject({
      code: 'NOT_FOUND',
    });
    expect(await viewerOf(app, other.key)).not.toBeNull();
    expect(await call(app, 'revokeApiKey', { id: mine.apiKey.id }, fields, own)).toMatchObject({
      apiKey: mine.apiKey,
    });

    const zoe = { name: `zoe of ${backend.name}`, password: 'long enough' };
    const { user } = await call(app, 'createUser', zoe, 'user { id }');
    for (const [name, change] of [
      ['updateUser', { password: 'taken over' }],
      ['deleteUser', {}],
    ] as const) {
      const field = name === 'deleteUser' ? 'deletedId' : 'user { id }';
      expect(await call(app, name, { id: user.id, ...change }, field, own)).toMatchObject({
        code: 'NOT_FOUND',
      });
    }
    const found = await graphql(
      app,
      `{ node(id: "${user.id}") { id } users { totalCount } }`,
      {},
      own,
    );
    expect(found.data).toEqual({ node: null, users: { totalCount: 0 } });
  });

  test('a key that expires creates none that expires later', async () => {
    const app = shared();
    const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
    const input = { name: 'Hour', role: 'ADMIN', expiresAt };
    const own = as(app, (await call(app, 'createApiKey', input, 'key')).key);
    const create = (expiresAt?: string) =>
      call(app, 'createApiKey', { name: 'Next', expiresAt }, 'apiKey { expiresAt }', own);
    expect(await create(new Date(Date.now() + 3_700_000).toISOString())).toMatchObject({
      code: 'FORBIDDEN',
    });
    expect(await create()).toMatchObject({ apiKey: { expiresAt } });
    const sooner = new Date(Date.now() + 60_000).toISOString();
    expect(await create(sooner)).toMatchObject({ apiKey: { expiresAt: sooner } });
  });

  test.each([
    ['name', { name: ' ' }],
    ['startNodeIds', { name: 'a', startNodeIds: ['x'] }],
    ['id', { id: 'x' }],
  ])('a wrong %s is named', async (field, input) => {
    const [name, fields] =
      field === 'id' ? ['revokeApiKey', 'apiKey { id }'] : ['createApiKey', 'key'];
    const { issues } = await call(shared(), name, input, fields);
    expect(issues[0].path).toEqual(expect.arrayContaining(['input', field]));
  });

  test('a subscription with a key ends with an error when the key has been revoked, without another event', async () => {
    const app = shared();
    const { key, apiKey } = await call(
      app,
      'createApiKey',
      { name: 'Stream' },
      'key apiKey { id }',
    );
    const query = 'subscription { mediaChanged { kind media { title } } }';
    const create = (title: string) =>
      call(app, 'createMedia', { type: 'URL', url: 'https://x.org', title }, 'media { id }');
    await withStream(
      app,
      query,
      async (stream) => {
        await create('before');
        expect((await stream.next())?.data.mediaChanged.media.title).toBe('before');
        await call(app, 'revokeApiKey', { id: apiKey.id }, 'apiKey { id }');
        await create('after');
        const [last, ...others] = await stream.rest();
        expect(last?.errors?.[0]?.extensions?.code).toBe('NOT_AUTHENTICATED');
        expect(JSON.stringify([last, others])).not.toContain('after');
      },
      as(app, key),
    );
  });

  test('a key that the command line revokes is refused by the running server at once', async () => {
    const app = shared();
    const { key, apiKey } = await call(
      app,
      'createApiKey',
      { name: 'Leaked' },
      'key apiKey { name }',
    );
    expect(await viewerOf(app, key)).not.toBeNull();
    const place = { TRIVIUM_DATABASE_URL: app.databaseUrl, TRIVIUM_DATA_DIR: app.dataDir };
    const { code, output } = await runTrivium(['key', 'revoke', key], place);
    expect([code, output]).toEqual([
      0,
      expect.stringMatching(`^revoked key \\d+, ${apiKey.name}\n$`),
    ]);
    expect(await viewerOf(app, key)).toBeNull();
  });
});

const POSTGRES = BACKENDS.find(({ name }) => name === 'postgres');

test.skipIf(POSTGRES === undefined)(
  'a key or a session that one process of a database revokes is refused by the other at once',
  () =>
    POSTGRES?.withUrl((url) => {
      const backend = { ...POSTGRES, withUrl: <T>(use: (url: string) => Promise<T>) => use(url) };
      return withApp(backend, (first) =>
        withApp(backend, async (second) => {
          const { key, apiKey } = await call(
            first,
            'createApiKey',
            { name: 'a' },
            'key apiKey { id }',
          );
          const user = { name: 'zoe', password: 'long enough' };
          await call(first, 'createUser', user, 'user { id }');
          const { token } = await call(second, 'signIn', user, 'token', {});
          for (const credential of [key, token]) {
            expect(await viewerOf(first, credential)).not.toBeNull();
            expect(await viewerOf(second, credential)).not.toBeNull();
          }
          await call(first, 'revokeApiKey', { id: apiKey.id }, 'apiKey { id }');
          expect(await viewerOf(second, key)).toBeNull();
          await graphql(first, 'mutation { signOut { __typename } }', {}, as(first, token));
          expect(await viewerOf(second, token)).toBeNull();
        }),
      );
    }),
);
