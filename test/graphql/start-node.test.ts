import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import type { TestApp } from '../support/app.ts';
import { describeEachBackend } from '../support/backend.ts';
import { graphql } from '../support/graphql.ts';
import { makeFileRow, makeFolder, makeJwt, makeMediaRow, makeTag } from '../support/make.ts';
import { shareApp } from '../support/shared-app.ts';

const SECRET = 'the-secret-of-the-tests';

const READ = `query ($ids: [ID!]!, $outside: ID!, $outsideUuid: UUID!, $mediaUuid: UUID!) {
  rootChildren(first: 5) { totalCount nodes { name parent { name } ancestors { name } } }
  rootFolders(first: 5) {
    totalCount
    nodes {
      name hasChildren
      children { totalCount nodes { name parent { name } } }
      medias { totalCount nodes { name folder { name } ancestors { name } file { filename } } }
    }
  }
  medias(first: 5) { totalCount nodes { name tags { medias { totalCount nodes { name } } } } }
  search: medias(first: 5, filter: { search: "picture" }) { totalCount nodes { name } }
  below: medias(first: 5, filter: { underFolderId: $outside }) { totalCount nodes { name } }
  nodes(ids: $ids) { __typename }
  node(id: $outside) { id }
  folder(by: { uuid: $outsideUuid }) { name }
  byPath: folder(by: { path: "/outside" }) { name }
  media(by: { uuid: $mediaUuid }) { name }
}`;

/** Creates `/outside/start` with an image in each folder. Both images are public and have the same tag. */
async function makeTree({ services: { db } }: TestApp) {
  const outside = await makeFolder(db, { name: 'outside', uuid: randomUUID() });
  const place = { parent_id: outside, level: 2, path: `/1/${outside}/` };
  const uuid = randomUUID();
  const start = await makeFolder(db, { ...place, name: 'start', uuid });
  const below = { parent_id: start, level: 3, path: `/1/${outside}/${start}/` };
  const mediaUuid = randomUUID();
  const medias = [
    await makeMediaRow(db, { ...below, name: 'picture inside', is_public: 1 }),
    await makeMediaRow(db, { ...place, name: 'picture outside', is_public: 1, uuid: mediaUuid }),
  ];
  const tag = await makeTag(db);
  for (const media_id of medias) {
    await makeFileRow(db, media_id, { filename: `${media_id}.png` });
    await db.insertInto('media_tag').values({ media_id, tag_id: tag.id }).execute();
  }
  const outsideRow = db.selectFrom('media').select('uuid').where('id', '=', outside);
  const { uuid: outsideUuid } = await outsideRow.executeTakeFirstOrThrow();
  const files = await db.selectFrom('file').select(['id', 'media_id']).execute();
  const fileIds = medias.map((id) => files.find(({ media_id }) => media_id === id)?.id);
  return { outside, outsideUuid, start, uuid, medias, mediaUuid, fileIds };
}

const globalId = (type: string, id: number | undefined) =>
  Buffer.from(`${type}:${id}`).toString('base64url');

describeEachBackend('a viewer with start nodes in GraphQL', (backend) => {
  const shared = shareApp(backend, { TRIVIUM_JWT_SECRET: SECRET });

  test('reads the subtrees of its start nodes and nothing else', async () => {
    const app = shared();
    const { outside, outsideUuid, uuid, medias, mediaUuid, fileIds } = await makeTree(app);
    const claims = { sub: 'jane', role: 'admin', start_nodes: [uuid] };
    const authorization = `Bearer ${await makeJwt(claims, { secret: SECRET })}`;
    const ids = [
      ...medias.map((id) => globalId('Media', id)),
      ...fileIds.map((id) => globalId('File', id)),
      globalId('Folder', outside),
    ];
    const variables = { ids, outside: globalId('Folder', outside), outsideUuid, mediaUuid };
    const { data, errors } = await graphql(app, READ, variables, { authorization });
    expect(errors).toBeUndefined();
    const inside = { totalCount: 1, nodes: [{ name: 'picture inside' }] };
    expect(data).toEqual({
      rootChildren: { totalCount: 1, nodes: [{ name: 'start', parent: null, ancestors: [] }] },
      rootFolders: {
        totalCount: 1,
        nodes: [
          {
            ...{ name: 'start', hasChildren: true },
            children: {
              totalCount: 1,
              nodes: [{ name: 'picture inside', parent: { name: 'start' } }],
            },
            medias: {
              totalCount: 1,
              nodes: [
                {
                  ...{ name: 'picture inside', folder: { name: 'start' } },
                  ...{ ancestors: [{ name: 'start' }], file: { filename: `${medias[0]}.png` } },
                },
              ],
            },
          },
        ],
      },
      medias: { totalCount: 1, nodes: [{ name: 'picture inside', tags: [{ medias: inside }] }] },
      search: inside,
      below: inside,
      nodes: [{ __typename: 'Media' }, null, { __typename: 'File' }, null, null],
      ...{ node: null, folder: null, byPath: null, media: null },
    });
  });

  test('gets NotFoundError for changes outside its start nodes', async () => {
    const app = shared();
    const { outside, start, uuid, medias } = await makeTree(app);
    const claims = { sub: 'jane', role: 'admin', start_nodes: [uuid] };
    const authorization = `Bearer ${await makeJwt(claims, { secret: SECRET })}`;
    const [inMedia, outMedia] = medias.map((id) => globalId('Media', id));
    const [outFolder, startId] = [globalId('Folder', outside), globalId('Folder', start)];
    const fields = {
      NOT_FOUND: [
        `createFolder(input: { name: "a", parentId: "${outFolder}" })`,
        `updateFolder(input: { id: "${outFolder}", name: "a" })`,
        `deleteFolder(input: { id: "${outFolder}", recursive: true })`,
        `moveNodes(input: { ids: ["${inMedia}"], parentId: "${outFolder}" })`,
        `moveNodes(input: { ids: ["${outMedia}"], parentId: "${startId}" })`,
        `updateMedia(input: { id: "${outMedia}", title: "a" })`,
        `deleteMedia(input: { id: "${outMedia}" })`,
        `createMedia(input: { type: URL, url: "https://x.org", folderId: "${outFolder}" })`,
      ],
      FORBIDDEN: [
        `createFolder(input: { name: "a" })`,
        `moveNodes(input: { ids: ["${inMedia}"] })`,
        `moveNodes(input: { ids: ["${startId}"], parentId: "${startId}" })`,
        `deleteFolder(input: { id: "${startId}", recursive: true })`,
      ],
    };
    for (const [code, mutations] of Object.entries(fields)) {
      for (const mutation of mutations) {
        const query = `mutation { result: ${mutation} { ... on Error { code } } }`;
        const { data, errors } = await graphql(app, query, {}, { authorization });
        expect([mutation, data?.result, errors]).toEqual([mutation, { code }, undefined]);
      }
    }
  });

  test('takes one more statement than a viewer without start nodes, and counts its media for a list and for its number', async () => {
    const app = shared();
    const { uuid } = await makeTree(app);
    const count = async (claims: object) => {
      const token = await makeJwt({ sub: 'jane', role: 'admin', ...claims }, { secret: SECRET });
      app.statements.length = 0;
      const query =
        '{ medias(first: 5) { nodes { name tags { name } } } rootFolders { nodes { hasChildren } } }';
      const { errors } = await graphql(app, query, {}, { authorization: `Bearer ${token}` });
      expect(errors).toBeUndefined();
      return app.statements.length;
    };
    const without = await count({});
    expect(await count({ start_nodes: [uuid] })).toBe(without + 3);
  });
});
