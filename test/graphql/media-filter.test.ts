import { expect, test } from 'vitest';
import { type TestApp, withApp } from '../support/app.ts';
import { describeEachBackend } from '../support/backend.ts';
import { graphql } from '../support/graphql.ts';
import { makeFileRow, makeFolder, makeMediaRow, makeTag } from '../support/make.ts';

const LIST = `query ($filter: MediaFilter, $orderBy: MediaOrder, $first: Int, $after: String, $last: Int, $before: String) {
  medias(filter: $filter, orderBy: $orderBy, first: $first, after: $after, last: $last, before: $before) {
    totalCount nodes { name } edges { cursor } pageInfo { hasNextPage hasPreviousPage } } }`;

async function list(app: TestApp, variables: object) {
  const { data, errors } = await graphql(app, LIST, { ...variables });
  expect(errors).toBeUndefined();
  return data.medias as {
    totalCount: number;
    nodes: { name: string }[];
    edges: { cursor: string }[];
  };
}

const namesOf = ({ nodes }: { nodes: { name: string }[] }) => nodes.map(({ name }) => name);

const globalId = (type: string, id: number) => Buffer.from(`${type}:${id}`).toString('base64url');

/** Inserts three media, with and without each attribute. */
async function makeThree({ services: { db } }: TestApp) {
  const folder = await makeFolder(db);
  const filed = { parent_id: folder, level: 2, path: `/1/${folder}/` };
  const a = await makeMediaRow(db, {
    ...filed,
    ...{ name: 'c2 Éa', type: 'image', title: 'Zoo', taken_at: 1000, is_public: 1 },
    ...{ alt_text: 'A', latitude: 48.1, longitude: 11.5, metadata: '{"stars":5}' },
  });
  const b = await makeMediaRow(db, { ...filed, name: 'c10', type: 'video', duration_ms: 5000 });
  await makeMediaRow(db, { name: 'Link', type: 'url', title: 'ant' });
  await makeFileRow(db, a, { size_bytes: 100, width: 30, height: 20, extension: 'jpg' });
  await makeFileRow(db, b, { size_bytes: 50, width: null, height: null, mime_type: 'video/mp4' });
  const tag = await makeTag(db);
  await db
    .insertInto('media_tag')
    .values({ media_id: a, tag_id: tag.id } as never)
    .execute();
  return { folderId: globalId('Folder', folder), tagId: globalId('Tag', tag.id) };
}

const FILTERS: readonly [filter: object, found: string][] = [
  [{ sizeBytes: { min: 100 } }, 'a'],
  [{ sizeBytes: { max: 50 } }, 'b'],
  [{ width: { min: 30, max: 30 } }, 'a'],
  [{ height: { max: 19 } }, ''],
  [{ not: { width: { min: 1 } } }, 'b l'],
  [{ orientations: ['LANDSCAPE'] }, 'a'],
  [{ orientations: ['PORTRAIT', 'SQUARE'] }, ''],
  [{ not: { orientations: ['LANDSCAPE'] } }, 'b l'],
  [{ orientations: [] }, ''],
  [{ durationMs: { min: 5000 } }, 'b'],
  [{ takenAt: { from: '1970-01-01T00:00:01Z', to: '1970-01-01T00:00:01Z' } }, 'a'],
  [{ updatedAt: { from: '1970-01-01T00:00:01Z' } }, 'a b l'],
  [{ extensions: ['.JPG'] }, 'a'],
  [{ tagged: true }, 'a'],
  [{ tagged: false }, 'b l'],
  [{ isPublic: true }, 'a'],
  [{ isPublic: false }, 'b l'],
  [{ isPublic: true, visibility: ['UNLISTED'] }, ''],
  [{ visibility: ['UNLISTED', 'PRIVATE'] }, 'b l'],
  [{ hasAltText: true }, 'a'],
  [{ hasAltText: false }, 'b l'],
  [{ nameContains: '2 éA' }, 'a'],
  [{ nameContains: '_' }, ''],
  [{ near: { latitude: 48, longitude: 11, radiusM: 50_000 } }, 'a'],
  [{ near: { latitude: 48, longitude: 11, radiusM: 30_000 } }, ''],
  [{ metadata: { key: 'stars' } }, 'a'],
  [{ metadata: { key: 'stars', equals: 5 } }, 'a'],
  [{ metadata: { key: 'stars', equals: '5' } }, ''],
  [{ metadata: { key: 'stars', exists: false } }, 'b l'],
  [{ mimeTypes: ['video/*'] }, 'b'],
  [{ mimeTypes: ['image/*', 'video/mp4'] }, 'a b'],
  [{ mimeTypes: ['IMAGE/*', 'Video/MP4; codecs="avc1"'] }, 'a b'],
  [{ or: [{ types: ['URL'] }, { and: [{ types: ['VIDEO'] }, { nameContains: '10' }] }] }, 'b l'],
  [{ or: [] }, ''],
  [{ and: [] }, 'a b l'],
  [{ and: [{ search: 'zoo' }] }, 'a'],
];

/** Media without the value are first with `ASC`. */
const ORDERS: Readonly<Record<string, string>> = {
  SIZE: 'l b a',
  TYPE: 'a l b',
  TITLE: 'b l a',
  TAKEN_AT: 'b l a',
  NAME: 'a b l',
};

const NAMES: Readonly<Record<string, string>> = { a: 'c2 Éa', b: 'c10', l: 'Link' };
const toNames = (letters: string) => letters.split(' ').flatMap((letter) => NAMES[letter] ?? []);

const INVALID: readonly [filter: object, path: string, code: string][] = [
  [{ width: { min: -1 } }, 'width.min', 'OUT_OF_RANGE'],
  [{ or: [{ height: { max: -5 } }] }, 'or.0.height.max', 'OUT_OF_RANGE'],
  [{ not: { sizeBytes: { min: 2, max: 1 } } }, 'not.sizeBytes', 'INVALID'],
  [{ takenAt: { from: '2020-01-02T00:00:00Z', to: '2020-01-01T00:00:00Z' } }, 'takenAt', 'INVALID'],
  [{ near: { latitude: 91, longitude: 0, radiusM: 1 } }, 'near.latitude', 'OUT_OF_RANGE'],
  [{ near: { latitude: 0, longitude: 0, radiusM: 0 } }, 'near.radiusM', 'OUT_OF_RANGE'],
  [{ mimeTypes: ['*/*'] }, 'mimeTypes.0', 'INVALID'],
  [{ mimeTypes: ['image/png', 'text'] }, 'mimeTypes.1', 'INVALID'],
  [{ mimeTypes: ['text/'] }, 'mimeTypes.0', 'INVALID'],
  [{ not: { mimeTypes: [''] } }, 'not.mimeTypes.0', 'INVALID'],
  [{ mimeTypes: [' '] }, 'mimeTypes.0', 'INVALID'],
  [{ mimeTypes: ['; charset=utf-8'] }, 'mimeTypes.0', 'INVALID'],
  [{ extensions: ['jpg', ''] }, 'extensions.1', 'INVALID'],
  [{ not: { extensions: ['.'] } }, 'not.extensions.0', 'INVALID'],
  [{ extensions: [' '] }, 'extensions.0', 'INVALID'],
  [{ metadata: { key: 'a', equals: 1, exists: false } }, 'metadata.exists', 'CONFLICT'],
  [{ nameContains: 'a\0' }, 'nameContains', 'INVALID'],
  [{ ownedBy: 'a\0' }, 'ownedBy', 'INVALID'],
  [{ anyTagIds: ['x'] }, 'anyTagIds.0', 'INVALID_ID'],
  [{ and: [{ folderId: 'x' }] }, 'and.0.folderId', 'INVALID_ID'],
  [{ extensions: Array(1000).fill('a') }, 'extensions', 'TOO_BIG'],
  [{ or: Array(1000).fill({}) }, '', 'TOO_BIG'],
  [{ or: Array(21).fill({ types: ['URL'] }) }, '', 'TOO_BIG'],
  [{ not: { not: { not: { not: {} } } } }, 'not.not.not.not', 'TOO_BIG'],
];

describeEachBackend('a filter of media', (backend) => {
  test('finds what each field says, and counts it', () =>
    withApp(backend, async (app) => {
      const { folderId } = await makeThree(app);
      for (const [filter, found] of FILTERS) {
        const orderBy = { field: 'NAME' };
        const label = JSON.stringify(filter);
        const page = await list(app, { filter, orderBy });
        expect(namesOf(page), label).toEqual(toNames(found));
        expect(page.totalCount, label).toBe(page.nodes.length);
        const query = `query ($id: ID!, $filter: MediaFilter) { folder(by: { id: $id }) {
          medias(filter: $filter, orderBy: { field: NAME }) { totalCount nodes { name } } } }`;
        const { data } = await graphql(app, query, { id: folderId, filter });
        const ofFolder = data.folder.medias;
        expect(namesOf(ofFolder), label).toEqual(toNames(found).filter((name) => name !== 'Link'));
        expect(ofFolder.totalCount, label).toBe(ofFolder.nodes.length);
      }
    }));

  test('is refused with the whole path of a wrong field', () =>
    withApp(backend, async (app) => {
      for (const [filter, path, code] of INVALID) {
        const { errors } = await graphql(app, LIST, { filter });
        expect(errors?.[0]?.extensions, JSON.stringify(filter).slice(0, 200)).toMatchObject({
          code: 'INVALID_INPUT',
          issues: [{ path: ['filter', ...path.split('.').filter(Boolean)].map(toStep), code }],
        });
      }
    }));

  test('an order has each media item once, forwards and backwards', () =>
    withApp(backend, async (app) => {
      await makeThree(app);
      for (const [field, found] of Object.entries(ORDERS)) {
        for (const direction of ['ASC', 'DESC']) {
          const expected = direction === 'ASC' ? toNames(found) : toNames(found).toReversed();
          const orderBy = { field, direction };
          const forwards: string[] = [];
          const backwards: string[] = [];
          let [after, before]: (string | undefined)[] = [];
          for (let count = 0; count < 4; count++) {
            const next = await list(app, { orderBy, first: 1, after });
            const previous = await list(app, { orderBy, last: 1, before });
            forwards.push(...namesOf(next));
            backwards.unshift(...namesOf(previous));
            after = next.edges[0]?.cursor ?? after;
            before = previous.edges[0]?.cursor ?? before;
          }
          expect(forwards, `${field} ${direction}`).toEqual(expected);
          expect(backwards, `${field} ${direction}`).toEqual(expected);
        }
      }
    }));
});

function toStep(step: string): string | number {
  return /^\d+$/.test(step) ? Number(step) : step;
}
