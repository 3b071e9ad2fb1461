import { describe, expect, test } from 'vitest';
import { encodeGlobalId } from '../../src/graphql/id.ts';
import { LIMITS } from '../../src/graphql/pipeline/limit.ts';
import { insertMediaTags } from '../../src/store/tag/tag.ts';
import { type TestApp, withApp } from '../support/app.ts';
import { BACKENDS, describeEachBackend } from '../support/backend.ts';
import { graphql } from '../support/graphql.ts';
import { makeFileRow, makeFolder, makeKey, makeMediaRow, makeTag } from '../support/make.ts';

const FACETS = `facets { types { type count } tags { tag { id name } count } months { month count }
  totalSizeBytes }`;

const on = (date: string) => ({ created_at: Date.parse(date) });

/** Three images and a document in a folder, one unfiled video, two tags. */
async function makeLibrary({ services: { db } }: TestApp) {
  const folderId = await makeFolder(db);
  const inside = { parent_id: folderId, level: 2, path: `/1/${folderId}/`, is_public: 1 };
  const rows = [
    { ...inside, ...on('2026-10-31T23:59:59.999Z') },
    { ...inside, ...on('2026-11-01T00:00:00Z') },
    { ...inside, ...on('2026-11-30T23:59:59.999Z') },
    { ...inside, ...on('2025-11-05T00:00:00Z'), type: 'doc' },
    { ...on('2026-11-07T00:00:00Z'), type: 'video', is_public: -1, owner: 'carol' },
  ];
  const ids: number[] = [];
  for (const [index, row] of rows.entries()) {
    const id = await makeMediaRow(db, row);
    await makeFileRow(db, id, { size_bytes: 10 ** index });
    await makeFileRow(db, id, { key: 'thumbnail.webp', size_bytes: 5 });
    ids.push(id);
  }
  const [b, a, c] = [
    await makeTag(db, { name: 'b' }),
    await makeTag(db, { name: 'a' }),
    await makeTag(db, { name: 'c' }),
  ].map(({ id }) => id) as [number, number, number];
  await insertMediaTags(db, ids.slice(0, 2), [b, a]);
  await insertMediaTags(db, ids.slice(1, 5), [c]);
  return { ids, folderId, b, a, c };
}

describeEachBackend('the facets of a list', (backend) => {
  test('are of the whole filtered list that the viewer may see, whatever the page', () =>
    withApp(backend, async (app) => {
      const { a, b, c } = await makeLibrary(app);
      const tag = (id: number, name: string) => ({ id: encodeGlobalId('Tag', id), name });
      const facets = async (query: string, options = {}) =>
        (await graphql(app, query, {}, options)).data;
      expect(await facets(`{ medias(first: 1) { ${FACETS} } }`)).toEqual({
        medias: {
          facets: {
            types: [
              { type: 'IMAGE', count: 3 },
              { type: 'DOCUMENT', count: 1 },
            ],
            // Ties are ordered by name.
            tags: [
              { tag: tag(c, 'c'), count: 3 },
              { tag: tag(a, 'a'), count: 2 },
              { tag: tag(b, 'b'), count: 2 },
            ],
            months: [
              { month: '2026-11', count: 2 },
              { month: '2026-10', count: 1 },
              { month: '2025-11', count: 1 },
            ],
            totalSizeBytes: 1111,
          },
        },
      });
      // An admin sees the private one, too.
      const asAdmin = { authorization: `Bearer ${app.adminKey}` };
      const all = await facets(`{ medias { ${FACETS} totalCount } }`, asAdmin);
      expect(all.medias.facets.types).toContainEqual({ type: 'VIDEO', count: 1 });
      expect(all.medias).toMatchObject({ totalCount: 5, facets: { totalSizeBytes: 11_111 } });
      const narrowed = await facets(
        `{ medias(filter: { tagIds: ["${encodeGlobalId('Tag', c)}"], types: [IMAGE] }) { ${FACETS} } }`,
      );
      expect(narrowed.medias.facets).toMatchObject({
        types: [{ type: 'IMAGE', count: 2 }],
        totalSizeBytes: 110,
      });
      const none = await facets(
        '{ medias(filter: { search: "zebra" }) { facets { types { count } tags { count } months { count } totalSizeBytes } } }',
      );
      expect(none.medias.facets).toEqual({ types: [], tags: [], months: [], totalSizeBytes: 0 });
    }));

  test('are those of a folder, of a tag, and of what start nodes show', () =>
    withApp(backend, async (app) => {
      const { folderId, c } = await makeLibrary(app);
      const asAdmin = { authorization: `Bearer ${app.adminKey}` };
      const lists = `folder(by: { databaseId: ${folderId} }) {
          medias(filter: { types: [IMAGE] }) { facets { totalSizeBytes months { month count } } } }
        tag(by: { databaseId: ${c} }) { medias(first: 0) { facets { types { type count } } } }`;
      const { data } = await graphql(app, `{ ${lists} }`, {}, asAdmin);
      expect(data.folder.medias.facets).toEqual({
        totalSizeBytes: 111,
        months: [
          { month: '2026-11', count: 2 },
          { month: '2026-10', count: 1 },
        ],
      });
      expect(data.tag.medias.facets.types).toEqual([
        { type: 'IMAGE', count: 2 },
        { type: 'DOCUMENT', count: 1 },
        { type: 'VIDEO', count: 1 },
      ]);
      const key = await makeKey(app.services, {
        ...{ name: 'k', role: 'reader', startNodeIds: [await makeFolder(app.services.db)] },
      });
      const limited = await graphql(
        app,
        `{ medias { ${FACETS} } }`,
        {},
        { authorization: `Bearer ${key}` },
      );
      expect(limited.data.medias.facets.types).toEqual([]);
    }));

  test('are one statement, and only for what is selected', () =>
    withApp(backend, async (app) => {
      await makeLibrary(app);
      const statements = async (query: string) => {
        app.statements.length = 0;
        expect((await graphql(app, query)).errors).toBeUndefined();
        return app.statements.map((text) => text.replaceAll(/\s+/g, ' '));
      };
      const plain = await statements('{ medias(first: 2) { nodes { id } } }');
      expect(await statements(`{ medias(first: 2) { nodes { id } ${FACETS} } }`)).toHaveLength(
        plain.length + 1,
      );
      const of = async (fields: string) =>
        (await statements(`{ medias(first: 0) { facets { ${fields} } } }`)).filter((text) =>
          text.includes('with matching'),
        );
      expect(await of('types { count } months { count }')).toEqual([
        expect.not.stringMatching(/media_tag|file/),
      ]);
      expect(await of('a: tags(first: 1) { count } b: tags(first: 3) { count }')).toHaveLength(1);
      expect(await of('__typename')).toEqual([]);
    }));

  test('a library page is one request of at most eight statements', () =>
    withApp(backend, async (app) => {
      const { folderId } = await makeLibrary(app);
      app.statements.length = 0;
      const { data, errors } = await graphql(
        app,
        `query ($folder: ID!) { viewer { id kind }
          node(id: $folder) { ... on Folder { id name ancestors { id name } } }
          medias(first: 50, filter: { underFolderId: $folder }) { totalCount
            nodes { id name url type thumbnail { url } tags { id name } }
            pageInfo { endCursor hasNextPage } ${FACETS} } }`,
        { folder: encodeGlobalId('Folder', folderId) },
      );
      expect(errors).toBeUndefined();
      expect(data.medias.nodes).toHaveLength(4);
      expect(app.statements.length).toBeLessThanOrEqual(8);
    }));

  test('have at most 100 tags', () =>
    withApp(backend, async (app) => {
      const { c } = await makeLibrary(app);
      const tags = (first: number) =>
        `{ medias { facets { tags(first: ${first}) { tag { id } } } } }`;
      const id = encodeGlobalId('Tag', c);
      expect((await graphql(app, tags(1))).data.medias.facets.tags).toEqual([{ tag: { id } }]);
      expect((await graphql(app, tags(0))).data.medias.facets.tags).toEqual([]);
      for (const first of [-1, 101]) {
        const { errors } = await graphql(app, tags(first));
        const issues = [{ path: ['first'], code: 'OUT_OF_RANGE' }];
        expect(errors).toMatchObject([{ extensions: { code: 'INVALID_INPUT', issues } }]);
      }
    }));
});

describe('the price of facets', () => {
  const refusal = async (app: TestApp, query: string) =>
    (await graphql(app, query)).errors?.map(({ extensions, message }) => [
      extensions?.code,
      message,
    ]);

  // SQLite alone: the price does not depend on the database.
  const run = (work: (app: TestApp) => Promise<void>) => withApp(BACKENDS[0]!, work);

  test('lets a searched page have them, and no list of lists', () =>
    run(async (app) => {
      const page = `medias(first: 50, filter: { search: "a b", types: [IMAGE] }) { totalCount ${FACETS} nodes { id } }`;
      expect(await refusal(app, `{ ${page} }`)).toBeUndefined();
      const nested =
        '{ rootFolders(first: 20) { nodes { medias(first: 0) { facets { tags { count } } } } } }';
      expect(await refusal(app, nested)).toEqual([
        ['OPERATION_TOO_COSTLY', expect.stringContaining('`rootFolders.nodes.medias.facets.tags`')],
      ]);
    }));

  test('limits their number in an operation, and names one', () =>
    run(async (app) => {
      const lists = ['a', 'b', 'c', 'd'].map((name) => `${name}: medias(first: 0) { ${FACETS} }`);
      expect(LIMITS.counts).toBe(12);
      expect(await refusal(app, `{ ${lists.join(' ')} }`)).toEqual([
        ['TOO_MANY_COUNTS', expect.stringContaining('`a.facets.types`')],
      ]);
    }));
});
