import { readFile } from 'node:fs/promises';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { type TestApp, withApp } from '../support/app.ts';
import { BACKENDS, describeEachBackend } from '../support/backend.ts';
import { type GraphqlAnswer, graphql } from '../support/graphql.ts';
import { makePhoto } from '../support/photo.ts';
import { withStream } from '../support/sse.ts';

const [backend] = BACKENDS;

/** A server and an admin of it. */
interface Library extends TestApp {
  /** Runs an operation as an admin, and returns its data. */
  ask(query: string, variables?: Record<string, unknown>): Promise<GraphqlAnswer['data']>;
  /** Uploads the image with these fields in one request, and returns the media item. */
  upload(
    input?: Record<string, unknown>,
    bytes?: Uint8Array,
  ): Promise<{ id: string; name: string; url: string }>;
}

function withLibrary(work: (library: Library) => Promise<void>, on = backend!): Promise<void> {
  return withApp(on, async (app) => {
    const authorization = `Bearer ${app.adminKey}`;
    const image = await readFile('test/support/fixture/picture.png');
    const ask: Library['ask'] = async (query, variables = {}) => {
      const { data, errors } = await graphql(app, query, variables, { authorization });
      expect(errors).toBeUndefined();
      return data;
    };
    await work({
      ...app,
      ask,
      async upload(input = {}, bytes = image) {
        const query = `mutation ($input: UploadFileInput!) {
          uploadFile(input: $input) { ... on UploadFileSuccess { media { id name url } } ... on Error { message } }
        }`;
        const files = { 'input.file': new File([Buffer.from(bytes)], 'picture.png') };
        const variables = { input: { ...input, file: null } };
        const { data } = await graphql(app, query, variables, { authorization, files });
        expect(data.uploadFile).toEqual({ media: expect.anything() });
        return data.uploadFile.media;
      },
    });
  });
}

/** Returns the names of the media that match a filter, in an order. */
async function names({ ask }: Library, filter: object, orderBy = 'NAME'): Promise<string[]> {
  const query = `query ($filter: MediaFilter) {
    medias(filter: $filter, orderBy: { field: ${orderBy} }) { nodes { name } }
  }`;
  const { medias } = await ask(query, { filter });
  return medias.nodes.map(({ name }: { name: string }) => name);
}

// The names are those of the table in the review that this API answers: what the app of a media library needs.
describe('an app can', () => {
  test('list the open uploads of its user, to resume them', () =>
    withLibrary(async ({ ask, url, adminKey }) => {
      const query = `mutation ($input: UploadChunkInput!) {
        uploadChunk(input: $input) { ... on UploadChunkSuccess { session { uploadId } } }
      }`;
      const files = { 'input.chunk': new File(['abc'], 'a.txt') };
      const input = { offset: 0, totalBytes: 9, chunk: null };
      const authorization = `Bearer ${adminKey}`;
      const { data } = await graphql({ url }, query, { input }, { authorization, files });
      const { uploadId } = data.uploadChunk.session;
      expect(await ask('{ uploadSessions { nodes { uploadId offset } } }')).toEqual({
        uploadSessions: { nodes: [{ uploadId, offset: 3 }] },
      });
    }));

  test('upload with attributes', () =>
    withLibrary(async ({ ask, upload }) => {
      const fields = {
        ...{ name: 'Red', visibility: 'PRIVATE', keywords: 'square', altText: 'A red square' },
        ...{ caption: 'Fig. 1', credit: 'Ada', metadata: { campaign: 'spring' } },
        focalPoint: { left: 0.2, top: 0.4 },
      };
      const { id } = await upload(fields);
      const { media } = await ask(
        `query ($id: ID!) {
        media(by: { id: $id }) {
          name visibility keywords altText caption credit metadata image { focalPoint { left top } }
        }
      }`,
        { id },
      );
      const { focalPoint, ...others } = fields;
      expect(media).toEqual({ ...others, image: { focalPoint } });
    }));

  test('fill a folder picker with one request', () =>
    withLibrary(async ({ ask }) => {
      const create = (name: string, parentId?: string) =>
        ask(
          `mutation ($input: CreateFolderInput!) {
          createFolder(input: $input) { ... on CreateFolderSuccess { folder { id } } }
        }`,
          { input: { name, parentId } },
        ).then(({ createFolder }) => createFolder.folder.id);
      const parent = await create('Design');
      await create('Logos', parent);
      expect(
        await ask('{ folders(first: 1000) { totalCount nodes { name parent { name } } } }'),
      ).toEqual({
        folders: {
          totalCount: 2,
          nodes: [
            { name: 'Design', parent: null },
            { name: 'Logos', parent: { name: 'Design' } },
          ],
        },
      });
      const found = await ask('{ folders(filter: { search: "log" }) { nodes { name } } }');
      expect(found).toEqual({ folders: { nodes: [{ name: 'Logos' }] } });
    }));

  test('filter by size, kind of type, tags, visibility, dimensions, change, extension and part of the name', () =>
    withLibrary(async (library) => {
      const { media } = await library
        .upload({ name: 'alpha', altText: 'x' })
        .then((media) => ({ media }));
      await library.ask(
        `mutation { createMedia(input: { type: URL, url: "https://x.org", name: "beta" }) { __typename } }`,
      );
      const { createTag } = await library.ask(`mutation {
        createTag(input: { name: "sea" }) { ... on CreateTagSuccess { tag { id } } }
      }`);
      const tagId = createTag.tag.id;
      await library.ask(
        `mutation ($ids: [ID!]!, $tag: [ID!]!) {
        tagMedia(input: { mediaIds: $ids, addTagIds: $tag }) { __typename }
      }`,
        { ids: [media.id], tag: [tagId] },
      );
      const alpha: object[] = [
        { sizeBytes: { min: 1 } },
        { mimeTypes: ['image/*'] },
        { anyTagIds: [tagId] },
        { tagged: true },
        { width: { min: 1 }, height: { max: 10_000 } },
        { extensions: ['png'] },
        { nameContains: 'LPH' },
        { hasAltText: true },
        { not: { types: ['URL'] } },
        { and: [{ tagged: true }, { or: [{ nameContains: 'beta' }, { hasAltText: true }] }] },
      ];
      for (const filter of alpha) {
        expect(await names(library, filter), JSON.stringify(filter)).toEqual(['alpha']);
      }
      expect(await names(library, { tagged: false })).toEqual(['beta']);
      expect(await names(library, { isPublic: false })).toEqual(['alpha', 'beta']);
      expect(await names(library, { updatedAt: { from: '2020-01-01T00:00:00Z' } })).toHaveLength(2);
    }));

  test('filter by orientation', () =>
    withLibrary(async (library) => {
      for (const [name, width, height] of [
        ['wide', 40, 20],
        ['high', 20, 40],
        ['square', 30, 30],
      ] as const) {
        const create = { width, height, channels: 3, background: 'red' } as const;
        await library.upload({ name }, await sharp({ create }).png().toBuffer());
      }
      expect(await names(library, { orientations: ['LANDSCAPE'] })).toEqual(['wide']);
      expect(await names(library, { orientations: ['PORTRAIT'] })).toEqual(['high']);
      expect(await names(library, { orientations: ['SQUARE', 'LANDSCAPE'] })).toEqual([
        'square',
        'wide',
      ]);
      expect(await names(library, { not: { orientations: ['SQUARE'] } })).toEqual(['high', 'wide']);
    }));

  test('combine filters with OR and NOT', () =>
    withLibrary(async (library) => {
      for (const name of ['a', 'b', 'c']) await library.upload({ name });
      const either = { or: [{ nameContains: 'a' }, { nameContains: 'c' }] };
      expect(await names(library, either)).toEqual(['a', 'c']);
      expect(await names(library, { not: either })).toEqual(['b']);
    }));

  test('sort by size, type and title, and by name as people do', () =>
    withLibrary(async (library) => {
      for (const name of ['c10', 'É', 'B', 'a', 'c2'])
        await library.upload({ name, title: `T ${name}` });
      expect(await names(library, {})).toEqual(['a', 'B', 'c2', 'c10', 'É']);
      expect(await names(library, {}, 'TITLE')).toEqual(['a', 'B', 'c2', 'c10', 'É']);
      for (const field of ['SIZE', 'TYPE', 'TAKEN_AT', 'RELEVANCE']) {
        expect(await names(library, {}, field), field).toHaveLength(5);
      }
    }));

  test('show facet counts', () =>
    withLibrary(async ({ ask, upload }) => {
      await upload();
      const { medias } = await ask(`{ medias { facets {
        types { type count } tags { count } months { count } totalSizeBytes
      } } }`);
      expect(medias).toEqual({
        facets: {
          types: [{ type: 'IMAGE', count: 1 }],
          tags: [],
          months: [{ count: 1 }],
          totalSizeBytes: (await readFile('test/support/fixture/picture.png')).length,
        },
      });
    }));

  test('keep alt text, caption and credit, and custom fields that filters find', () =>
    withLibrary(async (library) => {
      const { id } = await library.upload({
        name: 'a',
        metadata: { campaign: 'spring', year: 2026 },
      });
      const { updateMedia } = await library.ask(
        `mutation ($id: ID!) {
        updateMedia(input: { id: $id, altText: "Sea", metadata: { year: null, place: "Oslo" } }) {
          ... on UpdateMediaSuccess { media { altText metadata } }
        }
      }`,
        { id },
      );
      expect(updateMedia).toEqual({
        media: { altText: 'Sea', metadata: { campaign: 'spring', place: 'Oslo' } },
      });
      const found = (metadata: object) => names(library, { metadata });
      expect(await found({ key: 'campaign', equals: 'spring' })).toEqual(['a']);
      expect(await found({ key: 'place', exists: true })).toEqual(['a']);
      expect(await found({ key: 'year', exists: true })).toEqual([]);
    }));

  test('drag to reorder', () =>
    withLibrary(async ({ ask, upload }) => {
      const { createFolder } = await ask(`mutation {
        createFolder(input: { name: "F" }) { ... on CreateFolderSuccess { folder { id } } }
      }`);
      const folderId = createFolder.folder.id;
      const [one, , three] = [
        await upload({ name: '1', folderId }),
        await upload({ name: '2', folderId }),
        await upload({ name: '3', folderId }),
      ];
      const { placeNodes } = await ask(
        `mutation ($ids: [ID!]!, $afterId: ID) {
        placeNodes(input: { ids: $ids, afterId: $afterId }) {
          ... on PlaceNodesSuccess { nodes { name } } ... on Error { message }
        }
      }`,
        { ids: [three.id], afterId: one.id },
      );
      expect(placeNodes).toEqual({ nodes: [{ name: '3' }] });
      const { folder } = await ask(
        `query ($id: ID!) {
        folder(by: { id: $id }) { children { nodes { name } } }
      }`,
        { id: folderId },
      );
      expect(folder).toEqual({ children: { nodes: ['1', '3', '2'].map((name) => ({ name })) } });
    }));

  test('delete, restore and edit in bulk', () =>
    withLibrary(async (library) => {
      const ids = [
        (await library.upload({ name: 'a' })).id,
        (await library.upload({ name: 'b' })).id,
      ];
      const edit = `mutation ($ids: [ID!]!) { updateMedias(input: { ids: $ids, credit: "Ada" }) {
        ... on UpdateMediasSuccess { medias { credit } } } }`;
      expect(await library.ask(edit, { ids })).toEqual({
        updateMedias: { medias: [{ credit: 'Ada' }, { credit: 'Ada' }] },
      });
      await library.ask(
        'mutation ($ids: [ID!]!) { deleteNodes(input: { ids: $ids }) { __typename } }',
        { ids },
      );
      expect(await names(library, {})).toEqual([]);
      await library.ask(
        'mutation ($ids: [ID!]!) { restoreNodes(input: { ids: $ids }) { __typename } }',
        { ids },
      );
      expect(await names(library, {})).toEqual(['a', 'b']);
    }));

  test('copy a media item, and find duplicates', () =>
    withLibrary(async ({ ask, upload }) => {
      const { id } = await upload({ name: 'a' });
      const { copyMedia } = await ask(
        `mutation ($id: ID!) { copyMedia(input: { id: $id, name: "b" }) {
        ... on CopyMediaSuccess { media { name duplicates { name } } } ... on Error { message } } }`,
        { id },
      );
      expect(copyMedia).toEqual({ media: { name: 'b', duplicates: [{ name: 'a' }] } });
    }));

  test('change a selection by a filter, after a count', () =>
    withLibrary(async ({ ask, upload }) => {
      await upload({ name: 'draft' });
      const { deleteWhere } =
        await ask(`mutation { deleteWhere(input: { filter: { nameContains: "draft" }, dryRun: true }) {
        ... on DeleteWhereSuccess { count job { id } } ... on Error { message } } }`);
      expect(deleteWhere).toEqual({ count: 1, job: null });
    }));

  test('download many files as a ZIP', () =>
    withLibrary(async ({ ask, upload }) => {
      const ids = [(await upload({ name: 'a' })).id, (await upload({ name: 'b' })).id];
      const { createArchiveUrl } = await ask(
        `mutation ($ids: [ID!]!) { createArchiveUrl(input: { ids: $ids }) {
        ... on CreateArchiveUrlSuccess { url expiresAt } ... on Error { message } } }`,
        { ids },
      );
      const response = await fetch(createArchiveUrl.url);
      expect(response.headers.get('content-type')).toBe('application/zip');
      const bytes = Buffer.from(await response.arrayBuffer());
      expect(bytes.subarray(0, 4).toString('latin1')).toBe('PK\u0003\u0004');
    }));

  test('show who uploaded, and what its user may do', () =>
    withLibrary(async ({ ask, upload }) => {
      await upload();
      expect(
        await ask(
          '{ medias { nodes { uploadedBy { name kind } permissions { canEdit canDelete canMove } } } }',
        ),
      ).toEqual({
        medias: {
          nodes: [
            {
              uploadedBy: { name: 'admin', kind: 'KEY' },
              permissions: { canEdit: true, canDelete: true, canMove: true },
            },
          ],
        },
      });
    }));

  test('show its current user, and let an editor make tags', () =>
    withLibrary(async ({ ask, url }) => {
      const { createApiKey } =
        await ask(`mutation { createApiKey(input: { name: "Ed", role: EDITOR }) {
        ... on CreateApiKeySuccess { key } } }`);
      const createTag = `mutation { createTag(input: { name: "sea" }) {
        ... on CreateTagSuccess { tag { name } } ... on Error { code } } }`;
      const authorization = `Bearer ${createApiKey.key}`;
      const answers = [createTag, '{ viewer { name kind role } }'].map((query) =>
        graphql({ url }, query, {}, { authorization }),
      );
      expect(await Promise.all(answers)).toMatchObject([
        { data: { createTag: { tag: { name: 'sea' } } } },
        { data: { viewer: { name: 'Ed', kind: 'KEY', role: 'EDITOR' } } },
      ]);
    }));

  test.each([
    ['folderChanged', 'folder', 'createFolder(input: { name: "new" })'],
    ['tagChanged', 'tag', 'createTag(input: { name: "new" })'],
  ])('see live updates of folders and tags: %s', (event, noun, change) =>
    withLibrary(async (library) => {
      const query = `subscription { ${event} { kind ${noun} { name } } }`;
      await withStream(library, query, async ({ next }) => {
        await library.ask(`mutation { ${change} { __typename } }`);
        const data = { [event]: { kind: 'CREATED', [noun]: { name: 'new' } } };
        expect(await next()).toMatchObject({ data });
      });
    }),
  );

  test('upload a photo of a phone, of more than 5 MiB', () =>
    withLibrary(async ({ upload }) => {
      const { bytes } = await makePhoto({ sizeBytesMin: 6 * 2 ** 20 });
      expect(await upload({}, bytes)).toMatchObject({ name: 'picture.png' });
    }));
});

describeEachBackend('a page of a library', (backend) => {
  test('is one request of at most 8 SQL statements', () =>
    withLibrary(async (library) => {
      for (let item = 0; item < 3; item++) await library.upload();
      library.statements.length = 0;
      await library.ask(`{
        viewer { id kind role }
        rootFolders { nodes { name medias { totalCount } ancestors { name } } }
        medias(first: 50, orderBy: { field: NAME }) {
          totalCount
          facets { types { type count } tags { tag { name } count } months { month count } totalSizeBytes }
          nodes { id name altText url thumbnail { url } tags { id name } permissions { canEdit } }
        }
      }`);
      expect(library.statements.length).toBeLessThanOrEqual(8);
    }, backend));
});
