import { expect, test } from 'vitest';
import type { TestApp } from '../support/app.ts';
import { describeEachBackend } from '../support/backend.ts';
import { type GraphqlOptions, graphql } from '../support/graphql.ts';
import { asAdmin, bearer, change } from '../support/private-media.ts';
import { file as toFile, WITH_USERS } from '../support/request.ts';
import { shareApp } from '../support/shared-app.ts';

const VERSION = `__typename id uuid filename mimeType sizeBytes md5 sha256 width height
  createdAt replacedAt replacedBy`;
const MEDIA = `id url file { filename url }
  versions { totalCount nodes { ${VERSION} } pageInfo { hasNextPage endCursor } }`;

/** Sends a file with a mutation, and returns the media item. */
async function send(app: TestApp, mutation: string, input: object, text: string) {
  const type = `${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}`;
  const query = `mutation ($input: ${type}Input!) { result: ${mutation}(input: $input) {
    ... on ${type}Success { media { ${MEDIA} } } ... on Error { code message } } }`;
  const options = {
    ...(await bearer('alice')),
    files: { 'input.file': toFile(`${text}.txt`, text) },
  };
  const { data } = await graphql(app, query, { input: { ...input, file: null } }, options);
  return data.result.media;
}

/** Uploads the first of the texts, and replaces it by each of the others in turn. */
async function makeVersions(app: TestApp, [first = '', ...others]: string[], input: object = {}) {
  let media = await send(app, 'uploadFile', input, first);
  for (const text of others) media = await send(app, 'replaceFile', { id: media.id }, text);
  return media;
}

async function read(app: TestApp, id: string, selection: string, sender: GraphqlOptions = {}) {
  const { data, errors } = await graphql(app, `{ node(id: "${id}") { ${selection} } }`, {}, sender);
  expect(errors).toBeUndefined();
  return data.node;
}

const restore = (mediaId: string, versionId: string) =>
  `restoreVersion(input: { mediaId: "${mediaId}", versionId: "${versionId}" }) {
    ... on RestoreVersionSuccess { media { ${MEDIA} } } ... on Error { code message } }`;

describeEachBackend('Media.versions', (backend) => {
  const shared = shareApp(backend, WITH_USERS);

  test('lists the replaced files, newest first, in pages', async () => {
    const app = shared();
    const { id, versions } = await makeVersions(app, ['first', 'second', 'third']);
    expect(versions).toMatchObject({
      totalCount: 2,
      nodes: [{ filename: 'second.txt' }, { filename: 'first.txt', sizeBytes: 5, width: null }],
    });
    const [newest, oldest] = versions.nodes;
    expect(oldest).toMatchObject({ replacedBy: 'alice', replacedAt: newest.createdAt });
    expect(oldest.sha256).toMatch(/^[0-9a-f]{64}$/);
    const alice = await bearer('alice');
    const pageOf = async (args: string) => {
      const selection = `... on Media { versions(${args}) {
        nodes { filename } pageInfo { hasNextPage endCursor } } }`;
      return (await read(app, id, selection, alice)).versions;
    };
    const first = await pageOf('first: 1');
    expect(first).toMatchObject({
      nodes: [{ filename: 'second.txt' }],
      pageInfo: { hasNextPage: true },
    });
    const next = await pageOf(`first: 1, after: "${first.pageInfo.endCursor}"`);
    expect(next).toMatchObject({
      nodes: [{ filename: 'first.txt' }],
      pageInfo: { hasNextPage: false },
    });
    expect(await read(app, oldest.id, `... on FileVersion { ${VERSION} }`, alice)).toEqual(oldest);
  });

  test('is empty for viewers who may not change the media item, and `node` finds none', async () => {
    const app = shared();
    const { id, versions } = await makeVersions(app, ['first', 'second'], { visibility: 'PUBLIC' });
    const selection = '... on Media { versions { totalCount nodes { id } } }';
    const version = versions.nodes[0].id;
    const seen = async (sender: GraphqlOptions) => [
      (await read(app, id, selection, sender)).versions,
      await read(app, version, '__typename', sender),
    ];
    for (const sender of [await bearer('alice'), asAdmin(app)]) {
      const all = { totalCount: 1, nodes: [{ id: version }] };
      expect(await seen(sender)).toEqual([all, { __typename: 'FileVersion' }]);
    }
    const readers = await bearer('alice', { role: 'reader' });
    for (const sender of [{}, await bearer('bob'), readers]) {
      expect(await seen(sender)).toEqual([{ totalCount: 0, nodes: [] }, null]);
    }
  });

  test('of a page of media costs a fixed number of statements', async () => {
    const app = shared();
    const query = `{ medias(first: 2) { nodes { name versions(first: 2) { nodes { filename signedUrl } } } } }`;
    for (const text of ['a', 'b']) await makeVersions(app, [text, 'second', 'third']);
    app.statements.length = 0;
    const { data } = await graphql(app, query, {}, await bearer('alice'));
    expect(
      data.medias.nodes.map((media: { versions: { nodes: [] } }) => media.versions.nodes.length),
    ).toEqual([2, 2]);
    // The media, those of them that the viewer may change, their versions, and their files.
    expect(app.statements.length).toBeLessThanOrEqual(4);
  });
});

describeEachBackend('restoreVersion', (backend) => {
  const shared = shareApp(backend, WITH_USERS);

  test('makes a version the file of the media item again', async () => {
    const app = shared();
    const alice = await bearer('alice');
    const { id, url, versions } = await makeVersions(app, ['first', 'second']);
    const { media } = await change(app, alice, restore(id, versions.nodes[0].id));
    expect(media).toMatchObject({
      id,
      file: { filename: 'first.txt' },
      versions: { totalCount: 1, nodes: [{ filename: 'second.txt' }] },
    });
    for (const one of [media.url, url]) expect(await (await fetch(one)).text()).toBe('first');
  });

  test('returns an error for others, for versions of other media, and for wrong ids', async () => {
    const app = shared();
    const [media, other] = [
      await makeVersions(app, ['first', 'second']),
      await makeVersions(app, ['third', 'fourth']),
    ];
    const version = media.versions.nodes[0].id;
    const codeOf = async (sender: GraphqlOptions, mediaId: string, versionId: string) => {
      const query = `mutation { result: ${restore(mediaId, versionId)} }`;
      return (await graphql(app, query, {}, sender)).data.result.code;
    };
    const alice = await bearer('alice');
    expect(await codeOf({}, media.id, version)).toBe('NOT_AUTHENTICATED');
    expect(await codeOf(await bearer('bob'), media.id, version)).toBe('FORBIDDEN');
    expect(await codeOf(alice, other.id, version)).toBe('NOT_FOUND');
    expect(await codeOf(alice, media.id, media.id)).toBe('INVALID_INPUT');
    expect(await codeOf(asAdmin(app), media.id, version)).toBeUndefined();
    expect(await codeOf(alice, media.id, version)).toBe('NOT_FOUND');
  });
});

describeEachBackend('the URL of a version', (backend) => {
  const shared = shareApp(backend, WITH_USERS);

  async function makeSigned(args = '') {
    const app = shared();
    const alice = await bearer('alice');
    const { id, versions } = await makeVersions(app, ['first', 'second']);
    const version = versions.nodes[0].id;
    const { signedUrl } = await read(
      app,
      version,
      `... on FileVersion { signedUrl${args} }`,
      alice,
    );
    return { app, alice, id, version, url: signedUrl as string };
  }

  test('gives its bytes to everyone who has the signature, and to no cache', async () => {
    const { url } = await makeSigned('(download: true)');
    const response = await fetch(url);
    expect([response.status, await response.text()]).toEqual([200, 'first']);
    expect(response.headers.get('cache-control')).toBe('private, no-store');
    expect(response.headers.get('content-disposition')).toBe('attachment; filename="first.txt"');
    const part = await fetch(url, { headers: { range: 'bytes=1-3' } });
    expect([part.status, await part.text()]).toEqual([206, 'irs']);
    expect((await fetch(url, { method: 'HEAD' })).status).toBe(200);
    expect((await fetch(url, { method: 'DELETE' })).status).toBe(405);
  });

  test('is refused without a valid signature, whoever asks', async () => {
    const { app, alice, url } = await makeSigned();
    const { pathname, search } = new URL(url);
    for (const headers of [{}, alice, asAdmin(app)]) {
      const response = await app.fetch(pathname, { headers });
      expect([response.status, response.headers.get('cache-control')]).toEqual([404, 'no-store']);
      expect((await app.fetch(`${pathname}${search}&x=1`, { headers })).status).toBe(403);
    }
    const unknown = pathname.replace(/.{12}$/, '000000000000');
    expect((await app.fetch(unknown + search)).status).toBe(403);
  });

  test('is 404 once the version is restored, or the media item is private or deleted', async () => {
    const restored = await makeSigned();
    await change(restored.app, restored.alice, restore(restored.id, restored.version));
    const hidden = await makeSigned();
    const input = `{ id: "${hidden.id}", visibility: PRIVATE }`;
    await change(hidden.app, hidden.alice, `updateMedia(input: ${input}) { __typename }`);
    const deleted = await makeSigned();
    const deletion = `deleteMedia(input: { id: "${deleted.id}" }) { __typename }`;
    await change(deleted.app, deleted.alice, deletion);
    for (const { url } of [restored, hidden, deleted]) expect((await fetch(url)).status).toBe(404);
  });
});
