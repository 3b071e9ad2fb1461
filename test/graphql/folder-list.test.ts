import { expect, test } from 'vitest';
import { encodeGlobalId } from '../../src/graphql/id.ts';
import { LIMITS } from '../../src/graphql/pipeline/limit.ts';
import { type TestApp, withApp } from '../support/app.ts';
import { describeEachBackend } from '../support/backend.ts';
import { graphql } from '../support/graphql.ts';
import { makeFolder, makeKey, makeMediaRow } from '../support/make.ts';
import { call } from './viewer/credential.ts';

const idOf = (id: number) => encodeGlobalId('Folder', id);

async function namesOf(app: TestApp, args: string, authorization = `Bearer ${app.adminKey}`) {
  const query = `{ folders${args} { totalCount nodes { name } } }`;
  const { data, errors } = await graphql(app, query, {}, { authorization });
  expect(errors).toBeUndefined();
  expect(data.folders.totalCount).toBe(data.folders.nodes.length);
  return data.folders.nodes.map(({ name }: { name: string }) => name);
}

/** Three levels of folders, with media between them. */
async function makeTree({ services: { db } }: TestApp) {
  const below = (id: number, level: number, path: string) => ({
    ...{ parent_id: id, level, path: `${path}${id}/` },
  });
  const design = await makeFolder(db, { name: 'Design 2' });
  const logos = await makeFolder(db, { name: 'Café Logos', ...below(design, 2, '/1/') });
  const old = await makeFolder(db, { name: 'Old', ...below(logos, 3, `/1/${design}/`) });
  const events = await makeFolder(db, { name: 'design 10', created_at: 1 });
  const tokyo = await makeFolder(db, { name: '東京写真', ...below(events, 2, '/1/') });
  await makeMediaRow(db, { name: 'Design', ...below(design, 2, '/1/') });
  return { design, logos, old, events, tokyo };
}

describeEachBackend('folders', (backend) => {
  test('are listed flat, in the natural order of their names, filtered and searched', () =>
    withApp(backend, async (app) => {
      const { design, logos, old, events } = await makeTree(app);
      const all = ['Café Logos', 'Design 2', 'design 10', 'Old', '東京写真'];
      expect(await namesOf(app, '')).toEqual(all);
      expect(await namesOf(app, '(orderBy: { field: NAME, direction: DESC })')).toEqual(
        [...all].reverse(),
      );
      expect((await namesOf(app, '(orderBy: { field: CREATED_AT })'))[0]).toBe('design 10');
      const ofDesign = `filter: { parentId: "${idOf(design)}" }`;
      expect(await namesOf(app, `(orderBy: { field: CREATED_AT }, ${ofDesign})`)).toEqual([
        'Café Logos',
      ]);
      const filtered = (filter: string) => namesOf(app, `(filter: { ${filter} })`);
      expect(await filtered(`underFolderId: "${idOf(design)}"`)).toEqual(['Café Logos', 'Old']);
      expect(await filtered(`parentId: "${idOf(design)}"`)).toEqual(['Café Logos']);
      expect(await filtered(`ids: ["${idOf(old)}", "${idOf(events)}"]`)).toEqual([
        'design 10',
        'Old',
      ]);
      // Words from their beginning, without case and accents, as media are searched.
      expect(await filtered('search: "DES"')).toEqual(['Design 2', 'design 10']);
      expect(await filtered('search: "cafe log"')).toEqual(['Café Logos']);
      expect(await filtered('search: "esign"')).toEqual([]);
      expect(await filtered('search: "写真"')).toEqual(['東京写真']);
      expect(await filtered('search: "100%_"')).toEqual([]);
      expect(await filtered('search: "!"')).toEqual([]);
      expect(await filtered(`search: "old", underFolderId: "${idOf(events)}"`)).toEqual([]);
      expect(await filtered(`search: "old", underFolderId: "${idOf(logos)}"`)).toEqual(['Old']);
    }));

  test('are found by a new name at once, and again after a restore', () =>
    withApp(backend, async (app) => {
      const make = async (name: string) =>
        (await call(app, 'createFolder', { name }, 'folder { id }')).folder.id as string;
      const id = await make('First name');
      const found = (text: string) => namesOf(app, `(filter: { search: "${text}" })`);
      expect(await found('first')).toEqual(['First name']);
      await call(app, 'updateFolder', { id, name: 'Second name' }, 'folder { id }');
      expect([await found('first'), await found('second')]).toEqual([[], ['Second name']]);
      await call(app, 'deleteFolder', { id }, 'deletedId');
      expect(await found('second')).toEqual([]);
      await call(app, 'restoreNodes', { ids: [id] }, 'nodes { id }');
      expect(await found('second')).toEqual(['Second name']);
    }));

  test('are only those that the viewer may see', () =>
    withApp(
      backend,
      async (app) => {
        const { logos } = await makeTree(app);
        const key = await makeKey(app.services, {
          ...{ name: 'k', role: 'reader', startNodeIds: [logos] },
        });
        expect(await namesOf(app, '', `Bearer ${key}`)).toEqual(['Café Logos', 'Old']);
        expect(await namesOf(app, '(filter: { search: "des" })', `Bearer ${key}`)).toEqual([]);
        const { data } = await graphql(app, '{ folders { totalCount nodes { id } } }');
        expect(data.folders).toEqual({ totalCount: 0, nodes: [] });
      },
      { TRIVIUM_AUTH: 'required' },
    ));

  test('1,000 of them with their parents and ancestors are one request of three statements', () =>
    withApp(backend, async (app) => {
      const { db } = app.services;
      const top = await makeFolder(db, { name: 'top' });
      const place = { parent_id: top, level: 2, path: `/1/${top}/` };
      for (let n = 0; n < 1000; n++) await makeFolder(db, { name: `folder ${n}`, ...place });
      const query = (first: number, after = '') =>
        `{ folders(first: ${first} ${after}) { nodes { id name level parent { id } ancestors { id name } }
          pageInfo { hasNextPage endCursor } } }`;
      app.statements.length = 0;
      const response = await graphql(app, query(1000));
      expect(response.errors).toBeUndefined();
      const { nodes, pageInfo } = response.data.folders;
      expect(nodes).toHaveLength(1000);
      expect(nodes[999].name).toBe('folder 999');
      expect(nodes[5].parent).toEqual({ id: idOf(top) });
      // The folders, and the one that contains them, as parent and as ancestor.
      expect(app.statements.length).toBeLessThanOrEqual(3);
      const { cost } = (response as unknown as { extensions: { cost: { requested: number } } })
        .extensions;
      expect(cost.requested).toBeGreaterThan(20_000);
      expect(cost.requested).toBeLessThan(LIMITS.cost / 2);
      const rest = await graphql(app, query(1000, `after: "${pageInfo.endCursor}"`));
      expect(rest.data.folders.nodes.map(({ name }: { name: string }) => name)).toEqual(['top']);
    }));

  test('a page has at most 1,000, and other lists keep their limit', () =>
    withApp(backend, async (app) => {
      const issue = { path: ['first'], code: 'OUT_OF_RANGE' };
      for (const query of [
        '{ folders(first: 1001) { nodes { id } } }',
        '{ rootFolders(first: 201) { nodes { id } } }',
      ]) {
        const { errors } = await graphql(app, query);
        expect(errors?.[0]?.extensions).toMatchObject({ issues: [issue] });
      }
      const ids = await graphql(app, '{ folders(filter: { ids: ["x"] }) { nodes { id } } }');
      expect(ids.errors?.[0]?.extensions).toMatchObject({
        issues: [{ path: ['filter', 'ids', 0], code: 'INVALID_ID' }],
      });
    }));
});
