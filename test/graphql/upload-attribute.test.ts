import { expect, test } from 'vitest';
import type { TestApp } from '../support/app.ts';
import { describeEachBackend } from '../support/backend.ts';
import { md5Of, PNG } from '../support/bytes.ts';
import { graphql, succeed } from '../support/graphql.ts';
import { makeFolder, makeTag } from '../support/make.ts';
import { bearer } from '../support/private-media.ts';
import { WITH_USERS } from '../support/request.ts';
import { shareApp } from '../support/shared-app.ts';

const toId = (type: string, id: number) => Buffer.from(`${type}:${id}`).toString('base64url');

const MEDIA = `media { id databaseId name title description keywords altText caption credit metadata
  visibility sortOrder folder { id } tags { id } image { focalPoint { left top } crops { alias } }
  files { resource key filename url } }`;

/** A name that no other test has. */
let count = 0;
const unique = () => `resource ${++count}`;

/** Every attribute of an upload, and the media item that it creates. */
async function attributes(app: TestApp) {
  const folderId = toId('Folder', await makeFolder(app.services.db));
  const tagId = toId('Tag', (await makeTag(app.services.db)).id);
  const resource = unique();
  const own = {
    ...{
      name: 'The name',
      title: 'The title',
      description: 'A description',
      keywords: 'key words',
    },
    ...{ altText: 'An alternative', caption: 'A caption', credit: 'A credit' },
    ...{ metadata: { a: [1, { b: null }] }, visibility: 'PRIVATE', sortOrder: 7 },
  };
  const focalPoint = { left: 0.25, top: 0.75 };
  const crops = [{ alias: 'square', width: 10, height: 10 }];
  return {
    input: { ...own, folderId, tagIds: [tagId], focalPoint, crops, resource, key: 'large' },
    media: {
      ...{ ...own, folder: { id: folderId }, tags: [{ id: tagId }] },
      // Of an image without an original, there is none.
      image: null,
      files: [{ resource, key: 'large', filename: 'a.png' }],
    },
    image: { focalPoint, crops: [{ alias: 'square' }] },
  };
}

async function send(app: TestApp, field: string, input: object, as: string | null, part?: string) {
  const type = `${field.charAt(0).toUpperCase()}${field.slice(1)}`;
  const success = field === 'uploadChunk' ? 'session { uploadId }' : MEDIA;
  const query = `mutation ($input: ${type}Input!) { result: ${field}(input: $input) {
    ... on ${type}Success { ${success} } ... on Error { code message }
    ... on InvalidInputError { issues { path code } } } }`;
  const options = {
    ...(as !== null && (await bearer(as))),
    ...(part && {
      files: { [`input.${part}`]: new File([Buffer.from(PNG)], 'a.png', { type: 'image/png' }) },
    }),
  };
  const { data, errors } = await graphql(app, query, { input }, options);
  return data?.result ?? errors?.[0];
}

const upload = (app: TestApp, input: object, as: string | null = 'alice') =>
  send(app, 'uploadFile', { ...input, file: null }, as, 'file');

async function complete(app: TestApp, input: object, as = 'alice') {
  const chunk = { chunk: null, offset: 0, totalBytes: PNG.length };
  const { session } = succeed(await send(app, 'uploadChunk', chunk, as, 'chunk'));
  return send(app, 'completeUpload', { uploadId: session.uploadId, md5: md5Of(PNG), ...input }, as);
}

describeEachBackend('an upload', (backend) => {
  const shared = shareApp(backend, WITH_USERS);

  test.each([
    ['uploadFile', upload],
    ['completeUpload', complete],
  ])('%s takes every attribute, so that no second call is needed', async (_, send) => {
    const app = shared();
    const { input, media, image } = await attributes(app);
    expect((await send(app, input)).media).toMatchObject(media);
    // The original is added by its name alone.
    const added = await send(app, { resource: input.resource });
    expect(added.media).toMatchObject({
      ...{ name: 'The name', title: 'The title', metadata: input.metadata, image },
      files: [{ key: '' }, { key: 'large' }],
    });
    const { id } = succeed(await send(app, { ...input, resource: undefined, key: null })).media;
    const query = `query ($id: ID!) { node(id: $id) { ... on Media { image { focalPoint { left top } } } } }`;
    const { data } = await graphql(app, query, { id }, await bearer('alice'));
    expect(data.node.image.focalPoint).toEqual(input.focalPoint);
    const rows = await app.services.db
      .selectFrom('media_metadata')
      .innerJoin('media', 'media.id', 'media_metadata.media_id')
      .where('media.resource', '=', input.resource)
      .select(['key', 'value'])
      .execute();
    expect(rows).toEqual([{ key: 'a', value: '[1,{"b":null}]' }]);
  });

  test('has a name and a title of its own, or one of them, or the filename', async () => {
    const app = shared();
    const named = async (input: object) => {
      const { name, title } = succeed(await upload(app, input)).media;
      return [name, title];
    };
    expect(await named({})).toEqual(['a.png', 'a.png']);
    expect(await named({ name: 'n' })).toEqual(['n', 'n']);
    expect(await named({ title: 't' })).toEqual(['t', 't']);
    expect(await named({ name: 'n', title: 't' })).toEqual(['n', 't']);
    expect(await named({ resource: unique(), name: 'n' })).toEqual(['n', 'n']);
    expect(await named({ resource: unique() })).toEqual(['a.png', 'a.png']);
  });

  test.each([
    ['uploadFile', upload],
    ['completeUpload', complete],
  ])(
    '%s adds a file to a resource that exists, and does not change the media item',
    async (_, send) => {
      const app = shared();
      const resource = unique();
      const { media } = succeed(await send(app, { resource, title: 'kept' }));
      const more = { title: 'x', metadata: {}, tagIds: [], folderId: null, visibility: 'PUBLIC' };
      expect(await send(app, { resource, key: 'k', ...more })).toMatchObject({
        code: 'INVALID_INPUT',
        issues: ['title', 'metadata', 'visibility'].map((field) => ({
          path: ['input', field],
          code: 'CONFLICT',
        })),
      });
      expect((await send(app, { resource, key: 'k' })).media).toMatchObject({
        ...{ id: media.id, title: 'kept', files: [{ key: '' }, { key: 'k' }] },
      });
      for (const key of ['', 'k', null]) {
        expect(await send(app, { resource, key })).toMatchObject({ code: 'ALREADY_EXISTS' });
      }
      expect(await send(app, { resource, key: 'other' }, 'bob')).toMatchObject({
        code: 'FORBIDDEN',
      });
      expect(await send(app, { key: 'k' })).toMatchObject({
        issues: [{ path: ['input', 'resource'], code: 'REQUIRED' }],
      });
      expect(await send(app, { resource: '' })).toMatchObject({
        issues: [{ path: ['input', 'resource'], code: 'BLANK' }],
      });
    },
  );

  test('of an original after a variant keeps a name that a client has given', async () => {
    const app = shared();
    const names = async (input: object) => {
      const resource = unique();
      await upload(app, { resource, key: 'k', ...input });
      const { name, title } = succeed(await upload(app, { resource })).media;
      return [name, title];
    };
    expect(await names({ title: 't' })).toEqual(['t', 't']);
    expect(await names({ name: 'n', title: 't' })).toEqual(['n', 't']);
    expect(await names({})).toEqual(['a.png', 'a.png']);
  });

  test('to a named resource needs a credential, even on an open server', async () => {
    const app = shared();
    expect(await upload(app, { resource: unique() }, null)).toMatchObject({
      code: 'NOT_AUTHENTICATED',
    });
    expect((await upload(app, { altText: 'x', metadata: { a: 1 } }, null)).media).toMatchObject({
      ...{ altText: 'x', metadata: { a: 1 } },
    });
  });

  test('with an attribute that is wrong is refused, and a session goes on', async () => {
    const app = shared();
    const wrong = { metadata: { a: { b: [[[[1]]]] } }, altText: 'a'.repeat(2001) };
    for (const send of [upload, complete]) {
      expect((await send(app, wrong)).issues).toEqual([
        { path: ['input', 'altText'], code: 'TOO_BIG' },
        { path: ['input', 'metadata', 'a', 'b', '0', '0', '0'], code: 'TOO_BIG' },
      ]);
    }
  });

  test('of two to the same new resource at once, one creates it and the other adds to it', async () => {
    const app = shared();
    const resource = unique();
    const results = await Promise.all(['a', 'b', ''].map((key) => upload(app, { resource, key })));
    const ids = results.map((result) => succeed(result).media.id);
    expect(new Set(ids).size).toBe(1);
    const same = await Promise.all([0, 1, 2].map(() => upload(app, { resource, key: 'same' })));
    expect(same.filter(({ code }) => code === 'ALREADY_EXISTS')).toHaveLength(2);
  });
});
