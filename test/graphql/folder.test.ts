import { expect, test } from 'vitest';
import { type TestApp, withApp } from '../support/app.ts';
import { describeEachBackend } from '../support/backend.ts';
import { graphql } from '../support/graphql.ts';
import { makeFileRow, makeFolder, makeJwt, makeMediaRow, makeTag } from '../support/make.ts';

const SECRET = { TRIVIUM_JWT_SECRET: 'the-secret-of-the-tests' };
const ERROR = '... on Error { code message } ... on InvalidInputError { issues { path code } }';

/** Creates folders and media by name: `{ Design: { Logos: { 'a.png': null } } }`. Returns their global ids. */
interface Tree {
  [name: string]: Tree | null;
}

async function makeTree(app: TestApp, tree: Tree, parent = { id: 1, level: 0, path: '/' }) {
  const ids: Record<string, string> = {};
  for (const [index, [name, below]] of Object.entries(tree).entries()) {
    const level = parent.level + 1;
    const path = `${parent.path}${parent.id}/`.replace('//', '/');
    const place = { parent_id: parent.id, level, path, sort_order: index, name };
    const make = below === null ? makeMediaRow : makeFolder;
    const id = await make(app.services.db, place);
    ids[name] = globalId(below === null ? 'Media' : 'Folder', id);
    if (below !== null) Object.assign(ids, await makeTree(app, below, { id, level, path }));
  }
  return ids;
}

function globalId(type: string, id: number): string {
  return Buffer.from(`${type}:${id}`).toString('base64url');
}

async function mutate(app: TestApp, field: string, success: string, as?: string) {
  const query = `mutation { result: ${field} { __typename ... on ${success} ${ERROR} } }`;
  const authorization = as ?? `Bearer ${app.adminKey}`;
  const { data, errors } = await graphql(app, query, {}, { authorization });
  expect(errors).toBeUndefined();
  return data.result;
}

function move(app: TestApp, ids: (string | undefined)[], parentId?: string | null, as?: string) {
  const input = `{ ids: ${JSON.stringify(ids)}, parentId: ${JSON.stringify(parentId ?? null)} }`;
  const success = 'MoveNodesSuccess { nodes { name level sortOrder ancestors { name } } }';
  return mutate(app, `moveNodes(input: ${input})`, success, as);
}

function remove(app: TestApp, id: string | undefined, recursive: boolean, as?: string) {
  const field = `deleteFolder(input: { id: "${id}", recursive: ${recursive} })`;
  return mutate(app, field, 'DeleteFolderSuccess { deletedId }', as);
}

async function bearer(sub: string): Promise<string> {
  return `Bearer ${await makeJwt({ sub }, { secret: SECRET.TRIVIUM_JWT_SECRET })}`;
}

describeEachBackend('folders in GraphQL', (backend) => {
  test('a folder lists folders and media by sort order, with their ancestors', () =>
    withApp(backend, async (app) => {
      await makeTree(app, { Design: { 'a.png': null, Logos: { 'b.png': null }, 'c.png': null } });
      const { data } = await graphql(
        app,
        `{ rootChildren { totalCount nodes { __typename name level } }
           folder(by: { path: "/Design" }) {
             hasChildren
             children { totalCount nodes { __typename name level ancestors { name } } }
             folders { totalCount nodes { name hasChildren parent { name } } }
             medias(first: 1) { totalCount nodes { name } pageInfo { hasNextPage } }
           } }`,
      );
      expect(data.rootChildren).toEqual({
        totalCount: 1,
        nodes: [{ __typename: 'Folder', name: 'Design', level: 1 }],
      });
      const ancestors = [{ name: 'Design' }];
      expect(data.folder).toEqual({
        hasChildren: true,
        children: {
          totalCount: 3,
          nodes: [
            { __typename: 'Media', name: 'a.png', level: 2, ancestors },
            { __typename: 'Folder', name: 'Logos', level: 2, ancestors },
            { __typename: 'Media', name: 'c.png', level: 2, ancestors },
          ],
        },
        folders: {
          totalCount: 1,
          nodes: [{ name: 'Logos', hasChildren: true, parent: { name: 'Design' } }],
        },
        medias: { totalCount: 2, nodes: [{ name: 'a.png' }], pageInfo: { hasNextPage: true } },
      });
    }));

  test('renaming a folder keeps its position', () =>
    withApp(backend, async (app) => {
      const ids = await makeTree(app, { A: {}, B: {} });
      const field = `updateFolder(input: { id: "${ids.B}", name: " C " })`;
      const { folder } = await mutate(
        app,
        field,
        'UpdateFolderSuccess { folder { name sortOrder } }',
      );
      expect(folder).toEqual({ name: 'C', sortOrder: 1 });
    }));

  test('moving a folder moves everything below it', () =>
    withApp(backend, async (app) => {
      const ids = await makeTree(app, { A: { B: { 'x.png': null } }, C: { 'y.png': null } });
      const { nodes } = await move(app, [ids.B, ids['y.png']], ids.C);
      expect(nodes).toEqual([
        { name: 'B', level: 2, sortOrder: 1, ancestors: [{ name: 'C' }] },
        { name: 'y.png', level: 2, sortOrder: 2, ancestors: [{ name: 'C' }] },
      ]);
      const { data } = await graphql(
        app,
        `{ node(id: "${ids['x.png']}") {
        ... on Media { level ancestors { name } folder { name } } } }`,
      );
      expect(data.node).toEqual({
        level: 3,
        ancestors: [{ name: 'C' }, { name: 'B' }],
        folder: { name: 'B' },
      });
      const top = await move(app, [ids['x.png']]);
      expect(top.nodes).toEqual([{ name: 'x.png', level: 1, sortOrder: 2, ancestors: [] }]);
    }));

  test('moving an unfiled media item into a folder files it', () =>
    withApp(backend, async (app) => {
      const ids = await makeTree(app, { A: {} });
      const media = await makeMediaRow(app.services.db, { name: 'loose' });
      const { nodes } = await move(app, [globalId('Media', media)], ids.A);
      expect(nodes).toEqual([
        { name: 'loose', level: 2, sortOrder: 0, ancestors: [{ name: 'A' }] },
      ]);
    }));

  test('a move past the highest sort order keeps the tree readable', () =>
    withApp(backend, async (app) => {
      const ids = await makeTree(app, { A: { last: {} }, B: {}, C: {} });
      const last = 2 ** 31 - 1;
      await app.services.db
        .updateTable('media')
        .set({ sort_order: last })
        .where('name', '=', 'last')
        .execute();
      const { nodes } = await move(app, [ids.B, ids.C], ids.A);
      expect(nodes).toMatchObject([{ sortOrder: last }, { sortOrder: last }]);
    }));

  test('moving a folder below itself is refused, and no node is moved', () =>
    withApp(backend, async (app) => {
      const ids = await makeTree(app, { A: { B: {} }, 'x.png': null });
      for (const parent of [ids.A, ids.B]) {
        expect(await move(app, [ids['x.png'], ids.A], parent)).toMatchObject({
          __typename: 'FolderCycleError',
        });
      }
      const { data } = await graphql(app, '{ rootChildren { nodes { name } } }');
      expect(data.rootChildren.nodes).toEqual([{ name: 'A' }, { name: 'x.png' }]);
    }));

  test('of two simultaneous moves into each other, one succeeds and the other is refused as a cycle', () =>
    withApp(backend, async (app) => {
      for (let round = 0; round < 5; round++) {
        const ids = await makeTree(app, { [`A${round}`]: {}, [`B${round}`]: {} });
        const [a, b] = Object.values(ids);
        const answers = await Promise.all([move(app, [a], b), move(app, [b], a)]);
        const names = answers.map(({ __typename }) => __typename).sort();
        expect(names).toEqual(['FolderCycleError', 'MoveNodesSuccess']);
      }
    }));

  test('the error names the field with an id that is not a node, or not a folder', () =>
    withApp(backend, async (app) => {
      const ids = await makeTree(app, { A: {}, 'x.png': null });
      expect(await move(app, [ids['x.png']], ids['x.png'])).toMatchObject({
        issues: [{ path: ['input', 'parentId'], code: 'INVALID_ID' }],
      });
      expect(await move(app, [ids.A], globalId('Folder', 999))).toMatchObject({
        code: 'NOT_FOUND',
      });
      expect(await move(app, [globalId('Media', 1)], ids.A)).toMatchObject({ code: 'NOT_FOUND' });
      expect(await move(app, [], ids.A)).toMatchObject({ issues: [{ path: ['input', 'ids'] }] });
    }));

  test('a folder that is not empty is deleted only with `recursive`', () =>
    withApp(
      backend,
      async (app) => {
        const { db } = app.services;
        const ids = await makeTree(app, { A: { B: { 'x.png': null } }, C: {} });
        const media = Number(
          Buffer.from(ids['x.png'] ?? '', 'base64url')
            .toString()
            .split(':')[1],
        );
        await makeFileRow(db, media, { blob_key: 'b'.repeat(32) });
        expect(await remove(app, ids.A, false)).toMatchObject({ code: 'FOLDER_NOT_EMPTY' });
        expect(await remove(app, ids.A, true)).toMatchObject({ deletedId: ids.A });
        expect(await remove(app, ids.A, true)).toMatchObject({ code: 'NOT_FOUND' });
        const { data } = await graphql(
          app,
          '{ rootChildren { nodes { name } } medias { totalCount } }',
        );
        expect(data).toEqual({
          rootChildren: { nodes: [{ name: 'C' }] },
          medias: { totalCount: 0 },
        });
        const jobs = await db.selectFrom('job').select('arguments').execute();
        expect(jobs).toEqual([{ arguments: JSON.stringify({ blob_keys: ['b'.repeat(32)] }) }]);
      },
      { TRIVIUM_TRASH_DAYS: '0' },
    ));

  test('its creator deletes a folder with the nodes of others in it, and nobody else but an admin', () =>
    withApp(
      backend,
      async (app) => {
        const [alice, bob] = [await bearer('alice'), await bearer('bob')];
        const create = (name: string, parent: string | null, as: string) =>
          mutate(
            app,
            `createFolder(input: { name: "${name}", parentId: ${JSON.stringify(parent)} })`,
            'CreateFolderSuccess { folder { id } }',
            as,
          );
        const { folder } = await create('A', null, alice);
        await create('B', folder.id, bob);
        expect(await remove(app, folder.id, true, bob)).toMatchObject({ code: 'FORBIDDEN' });
        expect(await move(app, [folder.id], null, bob)).toMatchObject({ code: 'FORBIDDEN' });
        expect(await remove(app, folder.id, true, alice)).toMatchObject({ deletedId: folder.id });
        const others = (await create('A', null, alice)).folder;
        expect(await remove(app, others.id, true)).toMatchObject({ deletedId: others.id });
      },
      SECRET,
    ));

  test('20 folders with 20 folders each, with 5 media each, take three statements', () =>
    withApp(backend, async (app) => {
      const medias = Object.fromEntries(['a', 'b'].map((name) => [name, null]));
      const tree = Object.fromEntries(
        ['1', '2', '3'].map((n) => [n, Object.fromEntries(['x', 'y'].map((m) => [m + n, medias]))]),
      );
      await makeTree(app, tree);
      app.statements.length = 0;
      const { data } = await graphql(
        app,
        `{ rootFolders(first: 20) { nodes { name folders(first: 20) { nodes {
             name medias(first: 5) { nodes { name } } } } } } }`,
      );
      expect(data.rootFolders.nodes).toHaveLength(3);
      expect(data.rootFolders.nodes[2].folders.nodes[1].medias.nodes).toEqual([
        { name: 'a' },
        { name: 'b' },
      ]);
      expect(app.statements).toHaveLength(3);
    }));

  test('the ancestors of many media take one more statement', () =>
    withApp(backend, async (app) => {
      await makeTree(app, { A: { B: { C: { x: null, y: null } } }, D: { z: null } });
      app.statements.length = 0;
      const { data } = await graphql(
        app,
        '{ medias(first: 50) { nodes { name ancestors { name } } } }',
      );
      expect(data.medias.nodes[1].ancestors.map(({ name }: { name: string }) => name)).toEqual([
        'A',
        'B',
        'C',
      ]);
      expect(app.statements).toHaveLength(2);
    }));

  test('media are filtered by words, folder, tag, type and time, and ordered by name', () =>
    withApp(backend, async (app) => {
      const { db } = app.services;
      const ids = await makeTree(app, {
        Design: { Logos: { 'Été.png': null }, 'zebra.png': null },
      });
      const tag = await makeTag(db, { name: 'Holiday' });
      await makeMediaRow(db, { name: 'loose', type: 'doc', created_at: Date.UTC(2020, 0, 1) });
      const tagging = `tagMedia(input: { mediaIds: ["${ids['zebra.png']}"], addTagIds: ["${globalId('Tag', tag.id)}"] })`;
      const tagged = await mutate(app, tagging, 'TagMediaSuccess { medias { tags { name } } }');
      expect(tagged.medias).toEqual([{ tags: [{ name: 'Holiday' }] }]);
      const found = async (filter: string) => {
        const query = `{ medias(filter: { ${filter} }, orderBy: { field: NAME }) { totalCount nodes { name } } }`;
        const { medias } = (await graphql(app, query)).data;
        expect(medias.totalCount).toBe(medias.nodes.length);
        return medias.nodes.map((node: { name: string }) => node.name);
      };
      expect(await found('search: "ete"')).toEqual(['Été.png']);
      expect(await found('search: "HOLI png"')).toEqual(['zebra.png']);
      expect(await found('search: "?!"')).toEqual([]);
      expect(await found(`folderId: "${ids.Design}"`)).toEqual(['zebra.png']);
      expect(await found(`underFolderId: "${ids.Design}"`)).toEqual(['Été.png', 'zebra.png']);
      expect(await found('unfiled: true')).toEqual(['loose']);
      expect(await found('types: [DOCUMENT]')).toEqual(['loose']);
      expect(await found('createdAt: { to: "2021-01-01T00:00:00Z" }')).toEqual(['loose']);
      expect(await found(`tagIds: ["${globalId('Tag', tag.id)}"]`)).toEqual(['zebra.png']);
      expect(await found('md5: "x"')).toEqual([]);
    }));
});
