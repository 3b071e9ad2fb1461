import { expect, it } from 'vitest';
import { createTag } from '../../../src/domain/tag/tag.ts';
import { deleteMedia, updateMedia } from '../../../src/domain/tree/media-change.ts';
import { withApp } from '../../support/app.ts';
import { describeEachBackend } from '../../support/backend.ts';
import { WITH_USERS } from '../../support/request.ts';
import type { ViewerName } from './expectation.ts';
import { bare, query, type Sent } from './request.ts';
import { asUser, type Item, makeWorld, type World } from './world.ts';

/** Viewers who must not notice that private media exist. */
const BLIND: readonly ViewerName[] = ['anonymous', 'reader', 'stranger', 'outside'];

const PAGE = 'totalCount pageInfo { hasNextPage endCursor } edges { cursor node { id } }';
const ORDERS = ['CREATED_AT', 'UPDATED_AT', 'NAME', 'SORT_ORDER'].flatMap((field) =>
  ['ASC', 'DESC'].map((direction) => `{ field: ${field}, direction: ${direction} }`),
);

/** Filters of media, each of which matches hidden ones. */
const filtersOf = ({ folder, tag }: World, hidden: Item): string[] => [
  '{}',
  '{ search: "zebra" }',
  '{ types: [IMAGE] }',
  '{ mimeTypes: ["image/png"] }',
  '{ ownedBy: "owner" }',
  '{ visibility: [PRIVATE] }',
  '{ visibility: [PRIVATE, PUBLIC] }',
  '{ unfiled: false }',
  '{ createdAt: { from: "2020-01-01T00:00:00Z" } }',
  `{ md5: "${hidden.file.md5}" }`,
  `{ ids: ["${hidden.globalId}"] }`,
  `{ search: "${hidden.word}" }`,
  `{ tagIds: ["${tag.globalId}"] }`,
  `{ folderId: "${folder.globalId}" }`,
  `{ underFolderId: "${folder.globalId}" }`,
];

const SORTS = ['resource', 'filename', 'created_at', 'updated_at', 'size', 'mime_type', 'key'];

/** Every list with its counts, pages, orders and filters, and reads that count something. */
function readsOf(world: World, hidden: Item): Sent[] {
  const { folder, tag } = world;
  const medias = (more: string) => query(`medias(first: 2, ${more}) { ${PAGE} }`);
  const inFolder = (field: string) =>
    query(`folder(by: { uuid: "${folder.uuid}" }) { hasChildren ${field} { ${PAGE} } }`);
  const importer = (parameters: string) => bare(`GET /medias?${parameters}`);
  const jobs = (more: string) => query(`jobs(first: 2, ${more}) { ${PAGE} }`);
  return [
    ...ORDERS.map((order) => medias(`orderBy: ${order}`)),
    ...ORDERS.map((order) =>
      medias(`filter: { folderId: "${folder.globalId}" }, orderBy: ${order}`),
    ),
    ...filtersOf(world, hidden).map((filter) => medias(`filter: ${filter}`)),
    ...filtersOf(world, hidden).map((filter) =>
      query(`medias(last: 2, filter: ${filter}) { ${PAGE} }`),
    ),
    ...['medias(first: 2)', 'children(first: 2)', 'children(last: 2)', 'folders'].map(inFolder),
    query(`tag(by: { id: "${tag.globalId}" }) { medias(first: 2) { ${PAGE} } }`),
    query(`rootChildren { ${PAGE} }`),
    query(
      `medias(first: 0, filter: { search: "zebra" }, orderBy: { field: RELEVANCE }) { totalCount }`,
    ),
    ...['{}', '{ statuses: [PAUSED] }', `{ mediaId: "${hidden.globalId}" }`].map((filter) =>
      jobs(`filter: ${filter}`),
    ),
    ...SORTS.flatMap((sort) => [
      importer(`sort=${sort}&page[size]=2`),
      importer(`sort=-${sort}&page[size]=2`),
    ]),
    importer(`filter[resource]=${hidden.uuid}`),
    importer('filter[mime_type]=image/png&page[size]=1'),
    importer('filter[mime_type]=image/png&page[number]=2&page[size]=1'),
    bare('GET /jobs?page[size]=2'),
    bare('GET /jobs?filter[status]=paused&page[size]=1'),
    bare('GET /media'),
    bare(`GET /media/${folder.uuid}/children?pageSize=2`),
    bare(`GET /media/${folder.uuid}/children?pageSize=2&page=2`),
    bare('GET /api/v2/tag/'),
    query('storageUsage { bytes items promisedBytes }'),
  ];
}

/** Returns all responses by viewer and request, without what differs each time. */
async function answersOf({ app, headers }: World, reads: readonly Sent[]) {
  const answers: Record<string, string> = {};
  for (const viewer of BLIND) {
    for (const [index, { headers: own, ...sent }] of reads.entries()) {
      const request = { ...sent, headers: { ...own, ...headers[viewer] } };
      const { statusCode, body } = await app.app.server.inject(request);
      const name = `${viewer} ${index} ${sent.url} ${sent.payload ?? ''}`;
      answers[name] = `${statusCode} ${body}`.replace(/"id":"[0-9a-f-]{36}"/g, '');
    }
  }
  return answers;
}

describeEachBackend('a hidden media item', (backend) => {
  it('changes no count, cursor, order, page, filter or sort for those who cannot see it', () =>
    withApp(
      backend,
      async (app) => {
        const world = await makeWorld(app, 'open');
        const owner = asUser(app);
        await createTag(asUser(app, 'admin', 'admin'), { name: 'zebra' });
        // Hidden ones first, last and between, in every order.
        const hidden: Item[] = [world.items.PRIVATE];
        const kinds = ['PRIVATE', 'PUBLIC', 'PRIVATE', 'UNLISTED', 'PRIVATE'] as const;
        for (const [index, visibility] of kinds.entries()) {
          const item = await world.newItem(visibility);
          if (visibility === 'PRIVATE') hidden.push(item);
          await updateMedia(owner, item.id, {
            name: `n${index}`,
            keywords: 'zebra',
            sortOrder: index,
          });
        }
        const reads = readsOf(world, world.items.PRIVATE);
        const before = await answersOf(world, reads);
        for (const { id } of hidden) await deleteMedia(owner, id);
        const after = await answersOf(world, reads);
        expect(before).toEqual(after);
        // So that the comparison is not one of refusals.
        const isRead = ([name, text]: [string, string]) =>
          name.startsWith('stranger') && !/^200.*"errors"|^[45]/.test(text);
        expect(Object.entries(before).filter(isRead)).toHaveLength(reads.length);
        expect(Object.keys(before).length).toBeGreaterThan(300);
      },
      { ...WITH_USERS, TRIVIUM_AUTH: 'open', TRIVIUM_RATE_REQUESTS: '0' },
    ));
});
