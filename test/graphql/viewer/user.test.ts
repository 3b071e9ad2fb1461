import { expect, test } from 'vitest';
import { describeEachBackend } from '../../support/backend.ts';
import { graphql } from '../../support/graphql.ts';
import { makeKey } from '../../support/make.ts';
import { shareApp } from '../../support/shared-app.ts';
import { as, call } from './credential.ts';

const USER = 'user { id name role startNodeUuids isFromFile createdBy viewerId }';

describeEachBackend('users', (backend) => {
  const shared = shareApp(backend, { TRIVIUM_AUTH: 'required' });

  test('are created, listed by name, changed and deleted', async () => {
    const app = shared();
    const names = ['b', 'a', 'Zoe\u0308'];
    for (const name of names) {
      const { user } = await call(app, 'createUser', { name, password: '12345678' }, USER);
      expect(user).toMatchObject({
        ...{ role: 'EDITOR', startNodeUuids: null, isFromFile: false, createdBy: 'key:admin' },
        viewerId: `user:${name.normalize('NFC')}`,
      });
    }
    const query =
      '{ users(first: 2) { totalCount nodes { id name } pageInfo { hasNextPage endCursor } } }';
    const { data } = await graphql(app, query, {}, as(app));
    expect(data.users).toMatchObject({ totalCount: 3, pageInfo: { hasNextPage: true } });
    const { endCursor } = data.users.pageInfo;
    const rest = await graphql(
      app,
      `{ users(after: "${endCursor}") { nodes { id name } } }`,
      {},
      as(app),
    );
    const all = [...data.users.nodes, ...rest.data.users.nodes];
    expect(all.map(({ name }) => name)).toEqual(['Zoë', 'a', 'b']);
    const [{ id }] = all;
    const changed = await call(app, 'updateUser', { id, role: 'ADMIN', password: null }, USER);
    expect(changed.user).toMatchObject({ name: 'Zoë', role: 'ADMIN' });
    expect(await call(app, 'deleteUser', { id }, 'deletedId')).toMatchObject({ deletedId: id });
    for (const [name, field] of [
      ['updateUser', 'user { id }'],
      ['deleteUser', 'deletedId'],
    ] as const) {
      expect(await call(app, name, { id }, field)).toMatchObject({ code: 'NOT_FOUND' });
    }
  });

  test.each([
    ['name', { name: '  ', password: '12345678' }],
    ['name', { name: 'taken', password: '12345678' }],
    ['password', { name: 'x', password: '1234567' }],
    ['startNodeIds', { name: 'x', password: '12345678', startNodeIds: ['x'] }],
  ])('a wrong %s is named: %j', async (field, input) => {
    const app = shared();
    await call(app, 'createUser', { name: 'taken', password: '12345678' }, 'user { id }');
    expect((await call(app, 'createUser', input, 'user { id }')).issues[0].path).toEqual(
      expect.arrayContaining(['input', field]),
    );
  });

  test.each([
    ['nobody', undefined, 'NOT_AUTHENTICATED'],
    ['a reader', 'reader', 'FORBIDDEN'],
    ['an editor', 'editor', 'FORBIDDEN'],
  ] as const)('%s can neither list nor change users', async (_, role, code) => {
    const app = shared();
    const own =
      role === undefined ? {} : as(app, await makeKey(app.services, { name: 'own', role }));
    const taken = { name: `victim of ${role}`, password: '12345678' };
    const { user } = await call(app, 'createUser', taken, 'user { id }');
    const calls = [
      call(app, 'createUser', { name: 'x', password: '12345678' }, 'user { id }', own),
      call(app, 'updateUser', { id: user.id, role: 'ADMIN' }, 'user { id }', own),
      call(app, 'deleteUser', { id: user.id }, 'deletedId', own),
    ];
    for (const result of await Promise.all(calls)) expect(result).toMatchObject({ code });
    const { errors } = await graphql(app, '{ users { nodes { id } } }', {}, own);
    expect(errors?.[0]?.extensions?.code).toBe(code);
    const found = await graphql(app, `{ node(id: "${user.id}") { id } }`, {}, own);
    expect(found.data.node).toBeNull();
  });
});
