import {
  type GraphQLField,
  type GraphQLNamedType,
  getNamedType,
  isCompositeType,
  isInterfaceType,
  isObjectType,
} from 'graphql';
import { expect, it, onTestFinished, vi } from 'vitest';
import { schema } from '../../src/graphql/schema.ts';
import { createApp } from '../../src/start/app.ts';
import { parseConfig } from '../../src/start/config.ts';
import type { Db } from '../../src/store/db.ts';
import { type TestApp, withApp } from '../support/app.ts';
import { describeEachBackend } from '../support/backend.ts';
import { makeFileRow, makeFolder, makeJwt, makeMediaRow, makeTag } from '../support/make.ts';

const SECRET = 'the-secret-of-the-tests';
const SETTINGS = {
  TRIVIUM_JWT_SECRET: SECRET,
  TRIVIUM_AUTH: 'required',
  TRIVIUM_GRAPHIQL: 'on',
  TRIVIUM_PUBLIC_URL: 'http://media.example',
};

/** Where a media item, a folder, a tag or a file is found: `*` stands for the selection. */
const MEDIA = [
  'media(by: { databaseId: 5 }) { * }',
  'media(by: { uuid: "00000000-0000-4000-8000-000000000005" }) { * }',
  'medias { nodes { * } }',
  'medias(first: 2, filter: { search: "picture" }) { edges { cursor node { * } } }',
  'folder(by: { databaseId: 2 }) { medias(orderBy: { field: NAME, direction: DESC }) { nodes { * } } }',
  'tags { nodes { medias(first: 2) { nodes { * } pageInfo { startCursor endCursor } } } }',
  'rootChildren { nodes { ... on Media { * } ... on Folder { children { nodes { ... on Media { * } } } } } }',
];
const FOLDER = [
  'folder(by: { databaseId: 2 }) { * }',
  'rootFolders { nodes { * } }',
  'rootFolders { nodes { folders { edges { node { * } } } } }',
  'medias { nodes { folder { * } } }',
  'medias { nodes { ancestors { * } } }',
  'rootChildren { nodes { ... on Folder { * } } }',
];
const TAG = ['tags { nodes { * } }', 'medias { nodes { tags { * } } }'];
const FILE = ['medias { nodes { file { * } } }', 'medias { nodes { files { * } } }'];
const PLACES: Readonly<Record<string, readonly string[]>> = {
  Media: MEDIA,
  Folder: FOLDER,
  Tag: TAG,
  File: FILE,
  TreeNode: ['rootChildren { nodes { * } }', 'rootFolders { nodes { children { nodes { * } } } }'],
};

/** Operations whose fields share reads, and operations with errors. */
const OTHERS = [
  `query R1 { folder(by: {databaseId: 2}) { medias(first: 50, orderBy: {field: CREATED_AT, direction: DESC}) {
    nodes { databaseId name file { mimeType url width height } createdAt folder { name } tags { name } } } } }`,
  'query R2 { media(by: {databaseId: 5}) { databaseId name file { mimeType url } ancestors { name } tags { name } } }',
  'query R3 { rootFolders(first: 20) { nodes { name folders(first: 20) { nodes { name medias(first: 5) { nodes { databaseId } } } } } } }',
  '{ medias { nodes { file { filename } thumbnail { key } files { md5 } url image { url width thumbhash dominantColor hasAlpha isAnimated } } } }',
  '{ medias { nodes { a: folder { name } b: parent { uuid } ancestors { level } folder { id } } } }',
  '{ medias { nodes { ...a ...b } } } fragment a on Media { folder { name } } fragment b on Media { folder { uuid } }',
  '{ rootFolders { totalCount nodes { medias(first: 1) { totalCount pageInfo { hasNextPage endCursor } } } } }',
  '{ rootFolders { nodes { a: medias(first: -1) { totalCount } b: medias(first: 1) { nodes { name } } } } }',
  '{ rootFolders { nodes { medias(after: "nonsense") { totalCount } } } }',
  // Pages of several folders, of columns that an index has.
  '{ medias { nodes { folder { medias(first: 1) { nodes { databaseId } pageInfo { hasNextPage endCursor } } folders { nodes { id } } } } } }',
  '{ medias { nodes { folder { medias(last: 2, orderBy: { field: NAME }) { edges { cursor node { id } } pageInfo { hasPreviousPage } } } } } }',
  '{ medias { nodes { folder { medias(first: 2, orderBy: { field: CREATED_AT, direction: DESC }) { nodes { id createdAt name } } } } } }',
  '{ medias { nodes { jobs { nodes { jobClass } } } } }',
  '{ folder(by: { databaseId: 99 }) { name } media(by: { databaseId: 99 }) { tags { name } } }',
  'query ($skip: Boolean = true) { medias { nodes { name @skip(if: $skip) title @include(if: $skip) } } }',
  '{ __schema { queryType { name } } medias { __typename nodes { __typename } } }',
  '{ medias(first: 1) { nodes { name { x } } } }',
];

/** Operations with each field of each type alone, at each place: they read no more than that field needs. */
const EACH_FIELD = Object.entries(PLACES).flatMap(([type, places]) =>
  Object.values(fieldsOf(schema.getType(type))).flatMap((field) =>
    places.map((place) => `{ ${place.replaceAll('*', selectionOf(field))} }`),
  ),
);

/** Operations with one field at each place: they read no column that says what a viewer may see. */
const EACH_PLACE = Object.values(PLACES).flatMap((places) =>
  places.map((place) => `{ ${place.replaceAll('*', '__typename id')} }`),
);

function fieldsOf(type: GraphQLNamedType | undefined) {
  return isObjectType(type) || isInterfaceType(type) ? type.getFields() : {};
}

/** Selects a field, with the scalar fields of its objects. */
function selectionOf(field: GraphQLField<unknown, unknown>): string {
  const type = getNamedType(field.type);
  if (!isCompositeType(type)) return field.name;
  const isConnection = type.name.endsWith('Connection');
  const names = Object.values(fieldsOf(type)).filter(
    (one) => !isCompositeType(getNamedType(one.type)),
  );
  const selected = names.map(({ name }) => name).join(' ');
  return `${field.name} { __typename ${selected} ${isConnection ? 'nodes { __typename }' : ''} }`;
}

describeEachBackend('the fast path', (backend) => {
  it('answers every operation with the bytes of the slow one, for every kind of viewer', () => {
    // A signed URL holds the second at which it expires: both servers sign in the same second.
    vi.useFakeTimers({ toFake: ['Date'] });
    onTestFinished(() => void vi.useRealTimers());
    return withApp(
      backend,
      async (fast) => {
        await makeTree(fast.services.db);
        await withSlowTwin(fast, async (slow) => {
          for (const { authorization, queries } of await viewers(fast)) {
            for (const query of [...queries, ...OTHERS]) {
              const expected = await ask(slow, query, authorization);
              expect(await ask(fast.url, query, authorization), query).toEqual(expected);
            }
          }
        });
      },
      SETTINGS,
    );
  }, 120_000);
});

/** Creates `/a/b` (2, 3), media of every kind in them and beside them (4 to 8), files and tags. */
async function makeTree(db: Db): Promise<void> {
  const a = await makeFolder(db, { name: 'a', uuid: uuid(2) });
  const inA = { parent_id: a, level: 2, path: `/1/${a}/` };
  const b = await makeFolder(db, { ...inA, name: 'b', uuid: uuid(3) });
  const inB = { parent_id: b, level: 3, path: `/1/${a}/${b}/` };
  const medias = [
    await makeMediaRow(db, { ...inA, name: 'picture', is_public: 1, uuid: uuid(4) }),
    await makeMediaRow(db, { ...inB, ...EVERYTHING, uuid: uuid(5) }),
    await makeMediaRow(db, { ...inB, type: 'doc', name: 'paper', owner: 'alice', uuid: uuid(6) }),
    await makeMediaRow(db, { name: 'unfiled picture', owner: 'alice', uuid: uuid(7) }),
    await makeMediaRow(db, { ...inA, ...EMBED, is_public: 1, uuid: uuid(8) }),
  ];
  const known = { color: '#123456', thumbhash: 'aGFzaA==', has_alpha: 0, is_animated: 1 };
  await makeFileRow(db, medias[0]!, known);
  for (const media of medias.slice(1, 4)) await makeFileRow(db, media);
  await makeFileRow(db, medias[0]!, { key: 'thumbnail.webp', color: '#123456', sha256: 'a' });
  for (const name of ['one', 'two']) {
    const { id: tag_id } = await makeTag(db, { name, description: name });
    const rows = medias.slice(1, 4).map((media_id) => ({ media_id, tag_id }));
    await db.insertInto('media_tag').values(rows).execute();
  }
}

const uuid = (id: number) => `00000000-0000-4000-8000-${String(id).padStart(12, '0')}`;

const EVERYTHING = {
  name: 'everything',
  title: 'Title "é"',
  description: 'A description',
  keywords: 'key, word',
  image_url: 'https://example.com/image.png',
  image_width: 3,
  image_height: 4,
  focal_point: '{"left":0.1,"top":0.2}',
  crops: '[{"alias":"square","width":1,"height":1}]',
  is_public: 1,
} as const;

const EMBED = {
  type: 'url',
  name: 'embed',
  url: 'https://example.com/page',
  embed_type: 'a',
  embed_id: '1',
  embed_url: 'https://example.com/embed',
  embed_metadata: '{"images":["https://example.com/1.png"]}',
  oembed_type: 'photo',
  oembed_url: 'https://example.com/oembed.png',
  oembed_width: 5,
  oembed_height: 6,
  oembed_duration: 7,
  oembed_html: '<p>',
} as const;

/** An admin, a viewer who sees one folder, and nobody, who sees what is public; and what each asks. */
async function viewers({ adminKey }: TestApp) {
  const claims = { sub: 'alice', start_nodes: [uuid(3)] };
  const token = await makeJwt(claims, { secret: SECRET });
  return [
    { authorization: `Bearer ${adminKey}`, queries: EACH_FIELD },
    { authorization: `Bearer ${token}`, queries: EACH_PLACE },
    { authorization: null, queries: EACH_PLACE },
  ];
}

/** Runs `work` with a second server on the same database, whose fast path is off. */
async function withSlowTwin(fast: TestApp, work: (url: string) => Promise<void>): Promise<void> {
  const config = parseConfig({
    TRIVIUM_PORT: '0',
    TRIVIUM_LOG_LEVEL: 'silent',
    TRIVIUM_JOB_CONCURRENCY: '0',
    TRIVIUM_DATA_DIR: fast.dataDir,
    TRIVIUM_DATABASE_URL: fast.databaseUrl,
    TRIVIUM_ADMIN_KEY: fast.adminKey,
    ...SETTINGS,
    TRIVIUM_FAST_PATH: 'off',
  });
  const app = await createApp(config);
  try {
    await work(await app.start());
  } finally {
    await app.stop();
  }
}

/** The status, the type and the bytes of an answer. */
async function ask(url: string, query: string, authorization: string | null) {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(authorization && { authorization }) },
    body: JSON.stringify({ query }),
  });
  const text = await response.text();
  const type = response.headers.get('content-type');
  // An error that is the server's fault names its request.
  return { status: response.status, type, text: text.replaceAll(/"requestId":"[^"]*"/g, '') };
}
