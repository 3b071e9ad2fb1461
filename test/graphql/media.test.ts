import { expect, test } from 'vitest';
import { type TestApp, withApp } from '../support/app.ts';
import { type Backend, describeEachBackend } from '../support/backend.ts';
import { graphql } from '../support/graphql.ts';
import { makeFileRow, makeFolder, makeJwt, makeMediaRow } from '../support/make.ts';

const SECRET = { TRIVIUM_JWT_SECRET: 'the-secret-of-the-tests' };
const ERROR = '... on Error { code message } ... on InvalidInputError { issues { path code } }';
const FIELDS = `id databaseId type name title description keywords url isPublic owner
  image { url width height focalPoint { left top } crops { alias width height coordinates { x1 } } }
  embed { embedType embedId url metadata } oembed { type }`;
const CREATE = `mutation ($input: CreateMediaInput!) {
  createMedia(input: $input) { __typename ... on CreateMediaSuccess { media { ${FIELDS} } } ${ERROR} }
}`;
const UPDATE = `mutation ($input: UpdateMediaInput!) {
  updateMedia(input: $input) { __typename ... on UpdateMediaSuccess { media { ${FIELDS} } } ${ERROR} }
}`;
const DELETE = `mutation ($input: DeleteMediaInput!) {
  deleteMedia(input: $input) { __typename ... on DeleteMediaSuccess { deletedId } ${ERROR} }
}`;

async function bearer(sub: string): Promise<string> {
  return `Bearer ${await makeJwt({ sub }, { secret: SECRET.TRIVIUM_JWT_SECRET })}`;
}

/** Runs `work` with an app that knows users, and with the credential of one. */
function asAlice(backend: Backend, work: (app: TestApp, alice: string) => Promise<void>) {
  return withApp(backend, async (app) => work(app, await bearer('alice')), SECRET);
}

async function create(app: TestApp, input: Record<string, unknown>, authorization?: string) {
  const options = authorization === undefined ? {} : { authorization };
  return (await graphql(app, CREATE, { input }, options)).data.createMedia;
}

describeEachBackend('media in GraphQL', (backend) => {
  test.each([
    [
      { type: 'URL', url: 'https://example.com/a' },
      { type: 'URL', url: 'https://example.com/a', image: null, embed: null },
    ],
    [
      {
        type: 'VIMEO',
        url: 'https://vimeo.com/1',
        title: 'A film',
        imageUrl: 'https://x.org/i.png',
      },
      { type: 'VIMEO', title: 'A film', image: { url: 'https://x.org/i.png', width: null } },
    ],
    [
      { type: 'IMAGE', url: 'https://x.org/i.png' },
      { type: 'IMAGE', url: null, image: { url: 'https://x.org/i.png' } },
    ],
    [
      { type: 'EMBED', embedType: 'game', embedId: '7', embedMetadata: { a: [1] } },
      { type: 'EMBED', embed: { embedType: 'game', embedId: '7', metadata: { a: [1] } } },
    ],
    [
      { type: 'SHARE', embedType: 'post', embedId: '7', embedUrl: 'https://x.org/7' },
      { type: 'SHARE', url: 'https://x.org/7', embed: { embedId: '7', url: 'https://x.org/7' } },
    ],
  ])('createMedia creates a media item without a file: %j', (input, expected) =>
    withApp(backend, async (app) => {
      const { media } = await create(app, input);
      expect(media).toMatchObject(expected);
      const { data } = await graphql(app, `{ media(by: { id: "${media.id}" }) { ${FIELDS} } }`);
      expect(data.media).toEqual(media);
    }),
  );

  test.each([
    [{ type: 'URL' }, 'url', 'REQUIRED'],
    [{ type: 'EMBED', embedType: 'x' }, 'embedId', 'REQUIRED'],
    [{ type: 'URL', url: 'javascript:alert(1)' }, 'url', 'INVALID'],
    [{ type: 'DOCUMENT', url: 'https://x.org' }, 'type', 'INVALID_CHOICE'],
    [{ type: 'URL', url: 'https://x.org', title: 'x'.repeat(256) }, 'title', 'TOO_BIG'],
    [{ type: 'URL', url: 'https://x.org', description: '\0' }, 'description', 'INVALID'],
    [
      { type: 'EMBED', embedType: 'x', embedId: '1', embedMetadata: [] },
      'embedMetadata',
      'INVALID',
    ],
    [{ type: 'URL', url: 'https://x.org', name: ' ' }, 'name', 'BLANK'],
  ])('createMedia is refused and names the field: %j', (input, field, code) =>
    withApp(backend, async (app) => {
      const { __typename, issues } = await create(app, input);
      expect(__typename).toBe('InvalidInputError');
      expect(issues[0]).toMatchObject({ path: ['input', field], ...(code && { code }) });
    }),
  );

  test('metadata with 65 levels is refused, and the fault is named', () =>
    withApp(backend, async (app) => {
      const response = await createWithLevels(app, 65);
      expect((await response.json()) as object).toMatchObject({
        data: { createMedia: { issues: [{ path: ['input', 'embedMetadata'], code: 'INVALID' }] } },
      });
    }));

  test('metadata with 50,000 levels is refused before it is parsed', () =>
    withApp(backend, async (app) => {
      const response = await createWithLevels(app, 50_000);
      expect([response.status, await response.text()]).toEqual([
        400,
        expect.stringContaining('100 levels'),
      ]);
    }));

  test('a media item is renamed, and moved among its siblings', () =>
    asAlice(backend, async (app, alice) => {
      const parent = await makeFolder(app.services.db, {});
      const folderId = Buffer.from(`Folder:${parent}`).toString('base64url');
      const link = { type: 'URL', url: 'https://x.org', folderId };
      const { media } = await create(app, { ...link, name: 'A', title: 'One' }, alice);
      await create(app, { ...link, name: 'B' }, alice);
      await create(app, { ...link, name: 'C', sortOrder: -1 }, alice);
      const names = async () => {
        const query = `{ folder(by: { id: "${folderId}" }) { children { nodes { name } } } }`;
        const { data } = await graphql(app, query, {}, { authorization: alice });
        return data.folder.children.nodes.map(({ name }: { name: string }) => name);
      };
      expect(await names()).toEqual(['C', 'A', 'B']);
      const input = { id: media.id, name: 'D', sortOrder: 9 };
      const { data } = await graphql(app, UPDATE, { input }, { authorization: alice });
      expect(data.updateMedia.media).toMatchObject({ name: 'D', title: 'One' });
      expect(await names()).toEqual(['C', 'B', 'D']);
      const kept = { id: media.id, name: null, sortOrder: null };
      await graphql(app, UPDATE, { input: kept }, { authorization: alice });
      expect(await names()).toEqual(['C', 'B', 'D']);
    }));

  test('an update sets given fields, clears null fields, and keeps the others', () =>
    asAlice(backend, async (app, alice) => {
      const start = { type: 'URL', url: 'https://x.org', title: 'A', description: 'B' };
      const { media } = await create(app, start, alice);
      const input = {
        id: media.id,
        title: null,
        keywords: 'k',
        imageUrl: 'https://x.org/i.png',
        focalPoint: { left: 0.25, top: 1 },
        crops: [{ alias: 'wide', width: 200, height: 100 }],
        isPublic: true,
      };
      const { data } = await graphql(app, UPDATE, { input }, { authorization: alice });
      expect(data.updateMedia.media).toMatchObject({
        title: null,
        description: 'B',
        keywords: 'k',
        isPublic: true,
        image: {
          url: 'https://x.org/i.png',
          focalPoint: { left: 0.25, top: 1 },
          crops: [{ alias: 'wide', width: 200, height: 100, coordinates: null }],
        },
      });
    }));

  test('only its creator and an admin may change or delete a media item', () =>
    asAlice(backend, async (app, alice) => {
      const { media } = await create(app, { type: 'URL', url: 'https://x.org' }, alice);
      const input = { id: media.id };
      const codeOf = async (authorization?: string) => {
        const options = authorization === undefined ? {} : { authorization };
        const [changed, deleted] = await Promise.all([
          graphql(app, UPDATE, { input }, options),
          graphql(app, DELETE, { input: { id: media.id } }, options),
        ]);
        return [changed.data.updateMedia.code, deleted.data.deleteMedia.code];
      };
      expect(await codeOf()).toEqual(['NOT_AUTHENTICATED', 'NOT_AUTHENTICATED']);
      expect(await codeOf(await bearer('bob'))).toEqual(['FORBIDDEN', 'FORBIDDEN']);
      const admin = `Bearer ${app.adminKey}`;
      const { data } = await graphql(app, DELETE, { input }, { authorization: admin });
      expect(data.deleteMedia).toEqual({ __typename: 'DeleteMediaSuccess', deletedId: media.id });
      const again = await graphql(app, DELETE, { input }, { authorization: admin });
      expect(again.data.deleteMedia.code).toBe('NOT_FOUND');
    }));

  test('deleting a media item deletes its rows and creates a job that deletes its content', () =>
    withApp(
      backend,
      async (app) => {
        const { db } = app.services;
        const mediaId = await makeMediaRow(db);
        await makeFileRow(db, mediaId, { blob_key: 'a'.repeat(32) });
        const { data } = await graphql(app, `{ media(by: { databaseId: ${mediaId} }) { id } }`);
        const options = { authorization: `Bearer ${app.adminKey}` };
        await graphql(app, DELETE, { input: { id: data.media.id } }, options);
        expect(await db.selectFrom('file').selectAll().execute()).toEqual([]);
        const jobs = await db.selectFrom('job').select(['job_class', 'arguments']).execute();
        expect(jobs).toEqual([
          { job_class: 'delete-blob', arguments: JSON.stringify({ blob_keys: ['a'.repeat(32)] }) },
        ]);
      },
      { TRIVIUM_TRASH_DAYS: '0' },
    ));

  test('a page of 50 media with folder, tags and file takes four statements', () =>
    withApp(backend, async (app) => {
      for (let index = 0; index < 60; index++) {
        await makeFileRow(app.services.db, await makeMediaRow(app.services.db));
      }
      app.statements.length = 0;
      const { data } = await graphql(
        app,
        '{ medias(first: 50) { nodes { name folder { name } tags { name } file { url } url image { url } } } }',
      );
      expect(data.medias.nodes).toHaveLength(50);
      // These media are in no folder, which saves the fourth statement.
      expect(app.statements).toHaveLength(3);
    }));

  test('paging works in both directions, and inserts do not shift pages', () =>
    withApp(backend, async (app) => {
      const { db } = app.services;
      for (const name of ['a', 'b', 'c', 'd', 'e']) await makeMediaRow(db, { name });
      const page = async (args: string) => {
        const query = `{ medias(${args}) {
          totalCount nodes { name } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
        } }`;
        const { medias } = (await graphql(app, query)).data;
        return {
          ...medias,
          names: medias.nodes.map((node: { name: string }) => node.name).join(''),
        };
      };
      const first = await page('first: 2');
      expect(first).toMatchObject({ names: 'ed', totalCount: 5, pageInfo: { hasNextPage: true } });
      await makeMediaRow(db, { name: 'new' });
      const second = await page(`first: 2, after: "${first.pageInfo.endCursor}"`);
      expect(second).toMatchObject({ names: 'cb', pageInfo: { hasPreviousPage: true } });
      const third = await page(`first: 2, after: "${second.pageInfo.endCursor}"`);
      expect(third).toMatchObject({ names: 'a', pageInfo: { hasNextPage: false } });
      const back = await page(`last: 2, before: "${third.pageInfo.startCursor}"`);
      expect(back.names).toBe('cb');
      expect((await page('last: 2')).names).toBe('ba');
      expect((await page('first: 0')).names).toBe('');
    }));

  test.each([
    'medias(first: 201) { totalCount }',
    'medias(first: -1) { totalCount }',
    'medias(first: 1, last: 1) { totalCount }',
    'medias(after: "e30") { nodes { id } }',
    'node(id: "nonsense") { id }',
    // Query:1 and __proto__:1: neither type has ids.
    'node(id: "UXVlcnk6MQ") { id }',
    'nodes(ids: ["X19wcm90b19fOjE"]) { id }',
    'media(by: { id: "VGFnOjE" }) { id }',
  ])('%s fails with an error for the client', (field) =>
    withApp(backend, async (app) => {
      const { errors, status } = await graphql(app, `{ ${field} }`);
      expect(status).toBe(200);
      expect(errors?.[0]?.extensions).toMatchObject({ code: 'INVALID_INPUT' });
    }),
  );

  test.each(['9007199254740993', '-1', '1e3', 'x', '99999999999999999999999'])(
    'a global id with the key %s finds nothing, without an error',
    (key) =>
      withApp(backend, async (app) => {
        const id = Buffer.from(`Media:${key}`).toString('base64url');
        const { data, errors } = await graphql(app, `{ node(id: "${id}") { id } }`);
        expect(errors).toBeUndefined();
        expect(data.node).toBeNull();
      }),
  );

  test('a node of which only `__typename` is asked is found', () =>
    withApp(backend, async (app) => {
      const { db } = app.services;
      const folder = await makeFolder(db);
      const media = await makeMediaRow(db);
      const query = `{ folder(by: { databaseId: ${folder} }) { __typename }
        media(by: { databaseId: ${media} }) { ... on Media { __typename } }
        none: media(by: { databaseId: ${folder} }) { __typename } }`;
      const authorization = `Bearer ${app.adminKey}`;
      const { data, errors } = await graphql(app, query, {}, { authorization });
      expect(errors).toBeUndefined();
      const found = { folder: { __typename: 'Folder' }, media: { __typename: 'Media' } };
      expect(data).toEqual({ ...found, none: null });
    }));

  test('if a credential is required, an anonymous viewer sees public media only', () =>
    withApp(
      backend,
      async (app) => {
        const { db } = app.services;
        await makeMediaRow(db, { name: 'secret' });
        const id = await makeMediaRow(db, { name: 'public', is_public: 1 });
        const query = `{ medias { totalCount nodes { name } }
          shown: media(by: { databaseId: ${id} }) { name }
          hidden: media(by: { databaseId: ${id - 1} }) { name } }`;
        expect((await graphql(app, query)).data).toEqual({
          medias: { totalCount: 1, nodes: [{ name: 'public' }] },
          shown: { name: 'public' },
          hidden: null,
        });
        const asAdmin = { authorization: `Bearer ${app.adminKey}` };
        expect((await graphql(app, query, {}, asAdmin)).data.medias.totalCount).toBe(2);
      },
      { TRIVIUM_AUTH: 'required' },
    ));
});

/** Creates an embed whose metadata has so many levels. */
function createWithLevels(app: TestApp, levels: number): Promise<Response> {
  const lists = levels - 1;
  const query = CREATE.replace('$input: CreateMediaInput!', '$metadata: JSON').replace(
    'input: $input',
    'input: { type: EMBED, embedType: "x", embedId: "1", embedMetadata: $metadata }',
  );
  // Written by hand: JSON.stringify fails at such a depth, and the server must not.
  const metadata = `{"a":${'['.repeat(lists)}${']'.repeat(lists)}}`;
  return fetch(`${app.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: `{"query":${JSON.stringify(query)},"variables":{"metadata":${metadata}}}`,
  });
}
