import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import type { TestApp } from '../support/app.ts';
import { describeEachBackend } from '../support/backend.ts';
import { graphql } from '../support/graphql.ts';
import { makeFileRow, makeKey, makeMediaRow } from '../support/make.ts';
import { asAdmin, bearer } from '../support/private-media.ts';
import { WITH_USERS } from '../support/request.ts';
import { shareApp } from '../support/shared-app.ts';

const toId = (id: number) => Buffer.from(`Media:${id}`).toString('base64url');
const sha256 = () => randomUUID().replaceAll('-', '').repeat(2);

async function newKey(app: TestApp, name: string): Promise<string> {
  await makeKey(app.services, { name, role: 'editor' });
  const keys = app.services.db.selectFrom('api_key').where('name', '=', name).select('uuid');
  return `key:${(await keys.executeTakeFirstOrThrow()).uuid}`;
}

async function read(app: TestApp, ids: readonly number[], fields: string, options = {}) {
  const query = `query ($ids: [ID!]!) { medias(first: ${ids.length}, filter: { ids: $ids }, orderBy: { field: CREATED_AT, direction: ASC }) { nodes { ${fields} } } }`;
  const answer = await graphql(app, query, { ids: ids.map(toId) }, options);
  expect(answer.errors).toBeUndefined();
  return answer.data.medias.nodes;
}

describeEachBackend('who made a media item', (backend) => {
  const open = shareApp(backend, { ...WITH_USERS, TRIVIUM_AUTH: 'open' });
  const required = shareApp(backend, { ...WITH_USERS, TRIVIUM_AUTH: 'required' });

  test('is a user of this server, a key, a user of another issuer, or nobody', async () => {
    const app = required();
    const key = await newKey(app, 'website');
    const owners = ['user:jane', key, 'key:admin', '42', null];
    const ids: number[] = [];
    for (const owner of owners)
      ids.push(await makeMediaRow(app.services.db, { owner, is_public: 1 }));
    const fields = 'owner uploadedBy { id kind name }';
    const known = await read(app, ids, fields, await bearer('bob', { role: 'reader' }));
    expect(known.map(({ uploadedBy }: { uploadedBy: unknown }) => uploadedBy)).toEqual([
      { id: 'user:jane', kind: 'USER', name: 'jane' },
      { id: key, kind: 'KEY', name: 'website' },
      { id: 'key:admin', kind: 'KEY', name: 'admin' },
      { id: '42', kind: 'USER', name: null },
      null,
    ]);
    // Without a credential, names of keys are not told; the name of a user is in its id.
    const anonymous = await read(app, ids, 'uploadedBy { name }');
    expect(anonymous.map(({ uploadedBy }: { uploadedBy: unknown }) => uploadedBy)).toEqual([
      ...[{ name: 'jane' }, { name: null }, { name: null }, { name: null }, null],
    ]);
    const other = open();
    const onOpen = await makeMediaRow(other.services.db, { owner: await newKey(other, 'k') });
    expect(await read(other, [onOpen], 'uploadedBy { name }')).toEqual([
      { uploadedBy: { name: 'k' } },
    ]);
  });
});

describeEachBackend('the viewer', (backend) => {
  const shared = shareApp(backend, { ...WITH_USERS, TRIVIUM_AUTH: 'required' });

  test('has a name', async () => {
    const app = shared();
    const nameOf = async (credential: object) => {
      const { data, errors } = await graphql(app, '{ viewer { name } }', {}, credential as never);
      expect(errors).toBeUndefined();
      return data.viewer.name;
    };
    expect(await nameOf(asAdmin(app))).toBe('admin');
    expect(await nameOf(await bearer('42'))).toBeNull();
    const key = await makeKey(app.services, { name: 'website', role: 'editor' });
    expect(await nameOf({ authorization: `Bearer ${key}` })).toBe('website');
  });
});

describeEachBackend('the duplicates of a media item', (backend) => {
  const shared = shareApp(backend, { ...WITH_USERS, TRIVIUM_AUTH: 'required' });

  const insert = async (app: TestApp, digest: string | null, columns = {}, file = {}) => {
    const id = await makeMediaRow(app.services.db, { owner: 'alice', ...columns });
    await makeFileRow(app.services.db, id, { sha256: digest, ...file });
    return id;
  };
  const duplicates = async (app: TestApp, id: number, sub: string, claims = {}) => {
    const [media] = await read(app, [id], 'duplicates { databaseId }', await bearer(sub, claims));
    return media.duplicates.map(({ databaseId }: { databaseId: number }) => databaseId);
  };

  test('are those with the same original that the viewer may see, without itself', async () => {
    const app = shared();
    const digest = sha256();
    const id = await insert(app, digest);
    expect(await duplicates(app, id, 'alice')).toEqual([]);
    const second = await insert(app, digest);
    const hidden = await insert(app, digest, { owner: 'bob', is_public: -1 });
    const variant = await insert(app, sha256());
    await makeFileRow(app.services.db, variant, { sha256: digest, key: 'k', url_name: 'k' });
    await insert(app, sha256());
    expect(await duplicates(app, id, 'alice')).toEqual([second]);
    expect(await duplicates(app, second, 'alice')).toEqual([id]);
    expect(await duplicates(app, id, 'bob')).toEqual([second, hidden]);
    expect(await duplicates(app, id, 'carol', { role: 'admin' })).toEqual([second, hidden]);
    expect(await duplicates(app, hidden, 'bob')).toEqual([id, second]);
    expect(await duplicates(app, variant, 'alice')).toEqual([]);
    // Within start nodes, its own unfiled ones.
    const limited = { start_nodes: [randomUUID()] };
    expect(await duplicates(app, hidden, 'bob', limited)).toEqual([]);
    expect(await duplicates(app, id, 'alice', limited)).toEqual([second]);
  });

  test('are none while the digest is not known, and of a link', async () => {
    const app = shared();
    const ids = [await insert(app, null), await insert(app, null)];
    expect(await duplicates(app, ids[0]!, 'alice')).toEqual([]);
    const link = await makeMediaRow(app.services.db, { owner: 'alice', type: 'url' });
    expect(await duplicates(app, link, 'alice')).toEqual([]);
  });

  test('are the 50 oldest, of which everything can be asked', async () => {
    const app = shared();
    const digest = sha256();
    const ids: number[] = [];
    for (let index = 0; index < 60; index++) ids.push(await insert(app, digest));
    expect(await duplicates(app, ids[10]!, 'alice')).toEqual(
      ids.filter((id) => id !== ids[10]).slice(0, 50),
    );
    const fields =
      'duplicates { id name file { sha256 } permissions { canEdit } duplicates { id } }';
    const [media] = await read(app, [ids[0]!], fields, await bearer('alice'));
    expect(media.duplicates[49]).toMatchObject({
      ...{ name: 'A media', file: { sha256: digest }, permissions: { canEdit: true } },
    });
    expect(media.duplicates[49].duplicates).toHaveLength(50);
  });

  test('with the creators and the permissions of 50 media cost three statements, as of two', async () => {
    const app = shared();
    const digests = Array.from({ length: 25 }, sha256);
    const key = await newKey(app, 'importer');
    const ids: number[] = [];
    for (let index = 0; index < 50; index++) {
      ids.push(await insert(app, digests[index % 25]!, { owner: index % 2 ? key : 'user:jane' }));
    }
    const fields = `id altText metadata uploadedBy { name } permissions { canEdit canDelete canMove }
      duplicates { id uploadedBy { id } permissions { canMove } }`;
    const statements = async (some: readonly number[]) => {
      app.statements.length = 0;
      const medias = await read(app, some, fields, asAdmin(app));
      expect(medias).toHaveLength(some.length);
      expect(medias[0]).toMatchObject({ duplicates: [{ uploadedBy: { id: expect.anything() } }] });
      return app.statements.length;
    };
    // The page, the duplicates, and the names of keys.
    expect(await statements(ids)).toBe(3);
    expect(await statements(ids.slice(0, 2))).toBe(3);
    app.statements.length = 0;
    await read(app, ids, 'id uploadedBy { id kind } permissions { canEdit }', asAdmin(app));
    expect(app.statements).toHaveLength(1);
  });
});
