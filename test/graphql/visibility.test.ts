import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { type TestApp, withApp } from '../support/app.ts';
import { describeEachBackend } from '../support/backend.ts';
import { graphql } from '../support/graphql.ts';
import { asAdmin, bearer, change, pathOf, uploadAs } from '../support/private-media.ts';
import { JWT_SECRET, WITH_USERS } from '../support/request.ts';
import { shareApp } from '../support/shared-app.ts';
import { openStream } from '../support/sse.ts';

const MEDIA =
  '{ __typename ... on Error { code } ... on MEDIA { media { id visibility isPublic } } }';
const mediaOf = (name: string) =>
  MEDIA.replace('MEDIA', `${name.charAt(0).toUpperCase()}${name.slice(1)}Success`);

async function makeFolder(app: TestApp, input: string): Promise<string> {
  const selection = '{ ... on CreateFolderSuccess { folder { id } } ... on Error { code } }';
  return (await change(app, asAdmin(app), `createFolder(input: { ${input} }) ${selection}`)).folder
    .id;
}

async function setFolder(app: TestApp, id: string, visibility: string): Promise<void> {
  const input = `{ id: "${id}", visibility: ${visibility} }`;
  await change(
    app,
    asAdmin(app),
    `updateFolder(input: ${input}) { __typename ... on Error { code } }`,
  );
}

describeEachBackend('the visibility of a media item', (backend) => {
  const shared = shareApp(backend, WITH_USERS);

  test('is set by every input that creates one, and defaults to UNLISTED', async () => {
    const app = shared();
    const owner = await bearer('alice');
    for (const visibility of ['PUBLIC', 'UNLISTED', 'PRIVATE']) {
      const expected = { visibility, isPublic: visibility === 'PUBLIC' };
      expect(await uploadAs(app, owner, { visibility })).toMatchObject(expected);
      const input = `{ type: URL, url: "https://x.org", visibility: ${visibility} }`;
      const link = await change(
        app,
        owner,
        `createMedia(input: ${input}) ${mediaOf('createMedia')}`,
      );
      expect(link.media).toMatchObject(expected);
      const chunk = `mutation ($input: UploadChunkInput!) { uploadChunk(input: $input) {
        ... on UploadChunkSuccess { session { uploadId } } } }`;
      const files = { 'input.chunk': new File(['A note.'], 'note.txt') };
      const options = { ...owner, files };
      const { data } = await graphql(app, chunk, { input: { offset: 0, totalBytes: 7 } }, options);
      const md5 = createHash('md5').update('A note.').digest('hex');
      const { uploadId } = data.uploadChunk.session;
      const completion = `{ uploadId: "${uploadId}", md5: "${md5}", visibility: ${visibility} }`;
      const completed = `completeUpload(input: ${completion}) ${mediaOf('completeUpload')}`;
      expect((await change(app, owner, completed)).media).toMatchObject(expected);
      const { job } = await change(
        app,
        owner,
        `importUrl(input: { url: "https://x.org/a.png?s=1", visibility: ${visibility} }) {
          ... on ImportUrlSuccess { job { arguments } } ... on Error { code } }`,
      );
      expect(job.arguments).toEqual({
        url: 'https://x.org/a.png',
        visibility: visibility.toLowerCase(),
      });
    }
    expect(await uploadAs(app, owner)).toMatchObject({ visibility: 'UNLISTED', isPublic: false });
  });

  test('and `isPublic` are two forms of one value', async () => {
    const app = shared();
    const owner = await bearer('alice');
    const { id } = await uploadAs(app, owner);
    const set = async (fields: string) => {
      const input = `{ id: "${id}", ${fields} }`;
      const { media } = await change(
        app,
        owner,
        `updateMedia(input: ${input}) ${mediaOf('updateMedia')}`,
      );
      return [media.visibility, media.isPublic];
    };
    expect(await set('isPublic: true')).toEqual(['PUBLIC', true]);
    expect(await set('isPublic: false')).toEqual(['UNLISTED', false]);
    expect(await set('visibility: PRIVATE')).toEqual(['PRIVATE', false]);
    // Nothing becomes more visible by a client that does not know of private media.
    expect(await set('isPublic: false')).toEqual(['PRIVATE', false]);
    expect(await set('title: "a", visibility: null, isPublic: null')).toEqual(['PRIVATE', false]);
    expect(await set('visibility: PUBLIC, isPublic: true')).toEqual(['PUBLIC', true]);
    expect(await set('visibility: UNLISTED, isPublic: false')).toEqual(['UNLISTED', false]);
    const update = `mutation { updateMedia(input: { id: "${id}", visibility: PRIVATE, isPublic: true }) {
      ... on InvalidInputError { issues { path code } } } }`;
    const { data } = await graphql(app, update, {}, owner);
    expect(data.updateMedia.issues).toEqual([{ path: ['input', 'isPublic'], code: 'CONFLICT' }]);
    const input = '{ type: URL, url: "https://x.org", isPublic: true }';
    const link = await change(app, owner, `createMedia(input: ${input}) ${mediaOf('createMedia')}`);
    expect(link.media).toMatchObject({ visibility: 'PUBLIC', isPublic: true });
  });

  test('is changed by its owner and by admins only', async () => {
    const app = shared();
    const media = await uploadAs(app, await bearer('alice'));
    const update = `mutation { updateMedia(input: { id: "${media.id}", visibility: PRIVATE }) {
      __typename ... on Error { code } } }`;
    const codeFor = async (options: object) =>
      (await graphql(app, update, {}, options)).data.updateMedia.code;
    expect(await codeFor({})).toBe('NOT_AUTHENTICATED');
    expect(await codeFor(await bearer('bob'))).toBe('FORBIDDEN');
    expect(await codeFor(asAdmin(app))).toBeUndefined();
    // Now it does not exist for others.
    expect(await codeFor(await bearer('bob'))).toBe('NOT_FOUND');
  });

  test('is inherited from the nearest folder that has one, by every dialect', async () => {
    const app = shared();
    const [owner, admin] = [await bearer('alice'), asAdmin(app)];
    const top = await makeFolder(app, 'name: "top", visibility: PRIVATE');
    const middle = await makeFolder(app, `name: "middle", parentId: "${top}"`);
    const inner = await makeFolder(app, `name: "inner", parentId: "${middle}", visibility: PUBLIC`);
    const shown = async (id: string) => {
      const query = `{ node(id: "${id}") { ... on Folder { uuid visibility isVisibilityInherited } } }`;
      const { data } = await graphql(app, query, {}, admin);
      return data.node;
    };
    expect(await shown(top)).toMatchObject({ visibility: 'PRIVATE', isVisibilityInherited: false });
    expect(await shown(middle)).toMatchObject({
      visibility: 'PRIVATE',
      isVisibilityInherited: true,
    });
    expect(await shown(inner)).toMatchObject({
      visibility: 'PUBLIC',
      isVisibilityInherited: false,
    });
    const uploaded = async (folderId: string, more = {}) =>
      (await uploadAs(app, owner, { folderId, ...more })).visibility;
    expect(await uploaded(middle)).toBe('PRIVATE');
    expect(await uploaded(inner)).toBe('PUBLIC');
    expect(await uploaded(inner, { visibility: 'UNLISTED' })).toBe('UNLISTED');
    const link = async (more: string) => {
      const input = `{ type: URL, url: "https://x.org", folderId: "${inner}", ${more} }`;
      return (await change(app, owner, `createMedia(input: ${input}) ${mediaOf('createMedia')}`))
        .media;
    };
    expect(await link('')).toMatchObject({ visibility: 'PUBLIC' });
    expect(await link('isPublic: false')).toMatchObject({ visibility: 'UNLISTED' });
    const form = new FormData();
    const { uuid } = await shown(middle);
    const content = { mediaTypeAlias: 'File', name: 'Note', parentId: uuid };
    form.set('content', JSON.stringify(content));
    form.set('umbracoFile', new File(['A note.'], 'note.txt'));
    const response = await app.fetch('/media', { method: 'POST', body: form, asAdmin: true });
    const { _id } = (await response.json()) as { _id: string };
    const query = `{ media(by: { uuid: "${_id}" }) { visibility } }`;
    expect((await graphql(app, query, {}, admin)).data.media).toEqual({ visibility: 'PRIVATE' });
    await setFolder(app, inner, 'null');
    expect(await shown(inner)).toMatchObject({
      visibility: 'PRIVATE',
      isVisibilityInherited: true,
    });
    await setFolder(app, top, 'UNLISTED');
    expect(await uploaded(inner)).toBe('UNLISTED');
  });

  test('of a folder is shown in the trash as it will be after a restore', async () => {
    const app = shared();
    const admin = asAdmin(app);
    const top = await makeFolder(app, 'name: "kept", visibility: PUBLIC');
    const own = await makeFolder(app, `name: "own", parentId: "${top}", visibility: PRIVATE`);
    const plain = await makeFolder(app, `name: "plain", parentId: "${top}"`);
    for (const id of [own, plain]) {
      await change(app, admin, `deleteFolder(input: { id: "${id}" }) { __typename }`);
    }
    const query = '{ trash { nodes { id ... on Folder { visibility isVisibilityInherited } } } }';
    const { nodes } = (await graphql(app, query, {}, admin)).data.trash;
    const shown = (id: string) => nodes.find((node: { id: string }) => node.id === id);
    expect(shown(own)).toEqual({ id: own, visibility: 'PRIVATE', isVisibilityInherited: false });
    expect(shown(plain)).toEqual({ id: plain, visibility: 'PUBLIC', isVisibilityInherited: true });
  });

  test('filters lists', async () => {
    const app = shared();
    const owner = await bearer(`filter ${Date.now()}`);
    const tag = await app.services.db
      .insertInto('tag')
      .values({
        type: 'user',
        name: 'a',
        name_sort: 'a',
        color: '#fff',
        visible: 1,
        active: 1,
        visibility_boost: 0,
        created_at: 1,
        updated_at: 1,
        description: null,
      })
      .returning('id')
      .executeTakeFirstOrThrow();
    const tagIds = [Buffer.from(`Tag:${tag.id}`).toString('base64url')];
    for (const visibility of ['PUBLIC', 'UNLISTED', 'PRIVATE']) {
      await uploadAs(app, owner, { visibility, tagIds });
    }
    const count = async (options: object, visibilities: string) => {
      const filter = `{ tagIds: ["${tagIds[0]}"], visibility: ${visibilities} }`;
      const { data } = await graphql(
        app,
        `{ medias(filter: ${filter}) { totalCount nodes { visibility } } }`,
        {},
        options,
      );
      expect(data.medias.nodes).toHaveLength(data.medias.totalCount);
      return data.medias.nodes.map(({ visibility }: { visibility: string }) => visibility).sort();
    };
    expect(await count(owner, '[PRIVATE]')).toEqual(['PRIVATE']);
    expect(await count(owner, '[PUBLIC, UNLISTED]')).toEqual(['PUBLIC', 'UNLISTED']);
    expect(await count(asAdmin(app), '[PUBLIC, PRIVATE]')).toEqual(['PRIVATE', 'PUBLIC']);
    expect(await count(await bearer('bob'), '[PRIVATE]')).toEqual([]);
    expect(await count({}, '[PRIVATE, UNLISTED, PUBLIC]')).toEqual(['PUBLIC', 'UNLISTED']);
    expect(await count(owner, '[]')).toEqual([]);
  });

  test('is told to subscribers: a media item that becomes private is deleted for others, and a private one does not exist', async () => {
    const app = shared();
    const owner = await bearer('alice');
    const query = 'subscription { mediaChanged { kind id media { visibility } } }';
    const streams = {
      owner: await openStream(app, query, { authorization: owner.authorization }),
      stranger: await openStream(app, query, {
        authorization: (await bearer('bob')).authorization,
      }),
      anonymous: await openStream(app, query),
    };
    const media = await uploadAs(app, owner, { visibility: 'PRIVATE' });
    const other = await uploadAs(app, owner);
    const seen = async (name: keyof typeof streams, id: string) => {
      for (;;) {
        const event = await streams[name].next();
        const { mediaChanged } = event?.data ?? {};
        // The first event of others is that of the other media item.
        if (name === 'owner' ? mediaChanged.id === id : true) return mediaChanged;
      }
    };
    expect(await seen('owner', media.id)).toMatchObject({ media: { visibility: 'PRIVATE' } });
    for (const name of ['stranger', 'anonymous'] as const) {
      expect(await seen(name, other.id)).toMatchObject({ id: other.id, kind: 'CREATED' });
    }
    await change(app, owner, `deleteMedia(input: { id: "${media.id}" }) { __typename }`);
    const input = `{ id: "${other.id}", visibility: PRIVATE }`;
    await change(app, owner, `updateMedia(input: ${input}) { __typename }`);
    for (const name of ['stranger', 'anonymous'] as const) {
      expect(await seen(name, other.id)).toEqual({ id: other.id, kind: 'DELETED', media: null });
    }
    for (const stream of Object.values(streams)) stream.close();
  });
});

describeEachBackend('TRIVIUM_VISIBILITY_DEFAULT', (backend) => {
  test.each(['public', 'private'])('%s holds for every dialect', (visibilityDefault) =>
    withApp(
      backend,
      async (app) => {
        const owner = await bearer('7', { user_id: 7 });
        const visibility = visibilityDefault.toUpperCase();
        expect((await uploadAs(app, owner)).visibility).toBe(visibility);
        expect((await uploadAs(app, owner, { visibility: 'UNLISTED' })).visibility).toBe(
          'UNLISTED',
        );
        const headers = { ...owner, 'content-type': 'application/json' };
        const body = JSON.stringify({ type: 'url', url: 'https://x.org' });
        const posted = await app.fetch('/api/v2/media/', { method: 'POST', headers, body });
        const { id } = (await posted.json()) as { id: number };
        const file = new FormData();
        file.set('media', new File(['A note.'], 'note.txt'));
        const sent = { method: 'POST', headers: owner, body: file };
        expect((await app.fetch('/medias/files/a-resource', sent)).status).toBe(200);
        const query = `{ link: media(by: { databaseId: ${id} }) { visibility }
          file: media(by: { resource: "a-resource" }) { visibility file { url } } }`;
        const { data } = await graphql(app, query, {}, owner);
        expect([data.link.visibility, data.file.visibility]).toEqual([visibility, visibility]);
        const { status } = await app.fetch(pathOf(data.file.file.url));
        expect(status).toBe(visibility === 'PRIVATE' ? 404 : 200);
        const folder = await makeFolder(app, 'name: "a"');
        const shown = `{ node(id: "${folder}") { ... on Folder { visibility isVisibilityInherited } } }`;
        const { data: found } = await graphql(app, shown, {}, asAdmin(app));
        expect(found.node).toEqual({ visibility, isVisibilityInherited: true });
      },
      { TRIVIUM_JWT_SECRET: JWT_SECRET, TRIVIUM_VISIBILITY_DEFAULT: visibilityDefault },
    ),
  );
});
