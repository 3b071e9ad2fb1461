import { expect, test } from 'vitest';
import type { TestApp } from '../../support/app.ts';
import { describeEachBackend } from '../../support/backend.ts';
import { graphql } from '../../support/graphql.ts';
import { makeKey } from '../../support/make.ts';
import { shareApp } from '../../support/shared-app.ts';
import { as, call, folder, makeUser } from './credential.ts';

const ENTRY = 'at action actor { kind id name role } target { kind id name } details';
const LOG = `query ($first: Int, $after: String, $filter: AuditFilter) {
  auditLog(first: $first, after: $after, filter: $filter) {
    totalCount pageInfo { hasNextPage endCursor } nodes { ${ENTRY} } } }`;

function read(app: TestApp, variables: Record<string, unknown>, credential = app.adminKey) {
  return graphql(app, LOG, variables, as(app, credential));
}

async function log(app: TestApp, variables: Record<string, unknown>, credential = app.adminKey) {
  const { data, errors } = await read(app, variables, credential);
  expect(errors).toBeUndefined();
  return data.auditLog;
}

const LINK = { type: 'URL', url: 'https://example.org/page?token=in-the-query', name: 'Link' };

async function link(app: TestApp, credential: string, input: object = {}): Promise<string> {
  const options = as(app, credential);
  return (await call(app, 'createMedia', { ...LINK, ...input }, 'media { id }', options)).media.id;
}

const HISTORY = `query ($id: ID!) { node(id: $id) { ... on Media { name
  history(first: 1) { totalCount pageInfo { hasNextPage } nodes { ${ENTRY} } } } } }`;

async function history(app: TestApp, id: string, credential: string) {
  const { data, errors } = await graphql(app, HISTORY, { id }, as(app, credential));
  expect(errors).toBeUndefined();
  return data.node?.history;
}

describeEachBackend('the audit log', (backend) => {
  const shared = shareApp(backend, { TRIVIUM_AUTH: 'required' });
  const keyOf = (role: 'reader' | 'editor' | 'admin', name: string = role) =>
    makeKey(shared().services, { name, role });

  test('is for admins; each filter finds what matches it, page by page, and counts it', async () => {
    const app = shared();
    const [editor, reader] = [await keyOf('editor', 'Newsroom'), await keyOf('reader')];
    const id = await link(app, editor);
    await call(app, 'updateMedia', { id, name: 'New' }, 'media { id }', as(app, editor));
    await call(app, 'updateMedia', { id, name: 'Newer' }, 'media { id }');
    for (const [credential, code] of [[editor], [reader], ['', 'NOT_AUTHENTICATED']]) {
      const options = credential ? as(app, credential) : {};
      const { errors } = await graphql(app, LOG, {}, options);
      expect(errors?.[0]?.extensions?.code).toBe(code ?? 'FORBIDDEN');
    }
    const filter = { targetId: id };
    const all = await log(app, { filter });
    expect(all.totalCount).toBe(3);
    const [newest, middle, oldest] = all.nodes;
    expect([newest.action, middle.action, oldest.action]).toEqual(['UPDATE', 'UPDATE', 'CREATE']);
    expect(newest.actor).toEqual({ kind: 'KEY', id: 'key:admin', name: null, role: 'ADMIN' });
    expect(oldest.actor).toMatchObject({ kind: 'KEY', name: 'Newsroom', role: 'EDITOR' });
    expect(oldest.target).toEqual({ kind: 'MEDIA', id, name: 'Link' });

    const found = [];
    for (let after = null, hasNextPage = true; hasNextPage; ) {
      const page = await log(app, { filter, first: 1, after });
      found.push(...page.nodes);
      ({ endCursor: after, hasNextPage } = page.pageInfo);
    }
    expect(found).toEqual(all.nodes);

    const actorId = oldest.actor.id;
    expect((await log(app, { filter: { actorId } })).nodes).toEqual([middle, oldest]);
    const created = await log(app, { filter: { ...filter, action: 'CREATE' } });
    expect([created.totalCount, created.nodes]).toEqual([1, [oldest]]);
    const at = { from: oldest.at, to: newest.at };
    expect((await log(app, { filter: { ...filter, at } })).totalCount).toBe(3);
    const later = { from: new Date(Date.parse(newest.at) + 1) };
    expect((await log(app, { filter: { ...filter, at: later } })).nodes).toEqual([]);
    const { errors } = await read(app, { filter: { targetId: 'x' } });
    expect(errors?.[0]?.extensions?.code).toBe('INVALID_INPUT');
  });

  test('shows an admin with start nodes its own actions only', async () => {
    const app = shared();
    const inside = await folder(app, 'Inside');
    const limited = { name: 'Limited', role: 'ADMIN', startNodeIds: [inside] };
    const { key } = await call(app, 'createApiKey', limited, 'key');
    expect((await log(app, {}, key)).totalCount).toBe(0);
    await folder(app, 'By somebody else', inside);
    const options = as(app, key);
    const name = 'By the key';
    await call(app, 'createFolder', { name, parentId: inside }, 'folder { id }', options);
    const { totalCount, nodes } = await log(app, {}, key);
    expect([totalCount, nodes[0].target.name]).toEqual([1, name]);
    const actorId = 'key:admin';
    expect((await log(app, { filter: { actorId } }, key)).totalCount).toBe(0);
  });

  test('has the history of a media item for those who may change it, also after its deletion', async () => {
    const app = shared();
    const owner = await keyOf('editor');
    const strangers = [await keyOf('editor'), await keyOf('reader')];
    const id = await link(app, owner, { visibility: 'PUBLIC' });
    await call(app, 'updateMedia', { id, title: 'T' }, 'media { id }');
    for (const credential of [owner, app.adminKey]) {
      expect(await history(app, id, credential)).toMatchObject({
        ...{ totalCount: 2, pageInfo: { hasNextPage: true } },
        nodes: [{ action: 'UPDATE', actor: { id: 'key:admin' }, target: { id } }],
      });
    }
    const nothing = { totalCount: 0, pageInfo: { hasNextPage: false }, nodes: [] };
    for (const credential of strangers) {
      expect(await history(app, id, credential)).toEqual(nothing);
    }
    const { data } = await graphql(app, HISTORY, { id });
    expect(data.node).toEqual({ name: 'Link', history: nothing });
    await call(app, 'updateMedia', { id, visibility: 'PRIVATE' }, 'media { id }');
    expect(await history(app, id, strangers[0] ?? '')).toBeUndefined();
    await call(app, 'deleteMedia', { id }, 'deletedId', as(app, owner));
    expect(await history(app, id, app.adminKey)).toBeUndefined();
    const { nodes } = await log(app, { filter: { targetId: id } });
    expect(nodes.map(({ action }: { action: string }) => action)).toEqual([
      ...['DELETE', 'CHANGE_VISIBILITY', 'UPDATE', 'CREATE'],
    ]);
  });

  test('reads the histories of a list by a fixed number of statements', async () => {
    const app = shared();
    for (const _ of [1, 2, 3]) await link(app, app.adminKey);
    const query = `{ medias(first: 3) { nodes { history { totalCount nodes { action actor { name } } } } } }`;
    app.statements.length = 0;
    const { data } = await graphql(app, query, {}, as(app));
    expect(data.medias.nodes).toHaveLength(3);
    expect(data.medias.nodes[0].history).toMatchObject({
      ...{ totalCount: 1, nodes: [{ action: 'CREATE', actor: { name: null } }] },
    });
    // The media, a page of each, the counts, and the names of keys.
    expect(app.statements).toHaveLength(4);
  });

  test('knows failed sign-ins, but not what was typed in the place of a name', async () => {
    const app = shared();
    const password = 'a long password';
    const user = await makeUser(app, password);
    for (const name of [user.name, password]) {
      expect(await call(app, 'signIn', { name, password: 'wrong' }, 'token', {})).toMatchObject({
        code: 'NOT_AUTHENTICATED',
      });
    }
    const actor = { kind: 'ANONYMOUS', id: null, name: null, role: null };
    const entry = { action: 'SIGN_IN_FAILED', actor, details: {} };
    const { nodes } = await log(app, { first: 2 });
    expect(nodes).toMatchObject([
      { ...entry, target: { kind: 'USER', id: null, name: null } },
      { ...entry, target: { kind: 'USER', ...user } },
    ]);
    await call(app, 'signIn', { name: user.name, password }, 'token', {});
    const signedIn = await log(app, { first: 1, filter: { actorId: `user:${user.name}` } });
    expect(signedIn.nodes[0].actor).toMatchObject({ kind: 'USER', name: user.name });
  });

  test('holds no secret: no key, password, token or query of a URL', async () => {
    const app = shared();
    const password = 'never in the log';
    const { key } = await call(app, 'createApiKey', { name: 'k' }, 'key');
    const { user } = await call(app, 'createUser', { name: 'ada', password }, 'user { id }');
    await call(app, 'updateUser', { id: user.id, password: `${password} 2` }, 'user { id }');
    const session = { name: 'ada', password: `${password} 2` };
    const { token } = await call(app, 'signIn', session, 'token', {});
    await link(app, app.adminKey, { title: 'T' });
    await call(app, 'importUrl', { url: LINK.url }, 'job { id }');
    const rows = await app.services.db.selectFrom('audit_entry').selectAll().execute();
    const text = JSON.stringify(rows);
    for (const secret of [key, key.slice(4), password, token, token.slice(4), app.adminKey]) {
      expect(text).not.toContain(secret);
    }
    expect(text).not.toMatch(/scrypt|in-the-query|tvm_|tvs_/);
  });
});
