import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { checkSignature, signPath } from '../../../src/domain/file/signed-url.ts';
import { type TestApp, withApp } from '../../support/app.ts';
import { BACKENDS, describeEachBackend } from '../../support/backend.ts';
import { PNG } from '../../support/bytes.ts';
import { graphql } from '../../support/graphql.ts';
import {
  asAdmin,
  bearer,
  change,
  pathOf,
  type UploadedMedia,
  uploadAs,
} from '../../support/private-media.ts';
import { withDataDir, withServerProcess } from '../../support/process.ts';
import { file as toFile, WITH_USERS } from '../../support/request.ts';
import { shareApp } from '../../support/shared-app.ts';

async function makePrivate(app: TestApp): Promise<UploadedMedia> {
  return uploadAs(app, await bearer('alice'), { visibility: 'PRIVATE' });
}

/** Asks for a signed URL. Returns the response. */
async function sign(app: TestApp, { id }: { id: string }, args = '', user = 'alice') {
  const query = `{ node(id: "${id}") { ... on File { signedUrl${args && `(${args})`} } } }`;
  return graphql(app, query, {}, await bearer(user));
}

async function signed(app: TestApp, { file }: UploadedMedia, args = ''): Promise<string> {
  const { data, errors } = await sign(app, file, args);
  expect(errors).toBeUndefined();
  return data.node.signedUrl;
}

async function codeOf(response: Response): Promise<[number, string]> {
  const { error } = (await response.json()) as { error: { code: string } };
  expect(response.headers.get('cache-control')).toBe('no-store');
  return [response.status, error.code];
}

describeEachBackend('a signed URL', (backend) => {
  const shared = shareApp(backend, WITH_USERS);

  test('gives the bytes of a private file to everyone, for GET, HEAD and ranges, and to no cache', async () => {
    const app = shared();
    const url = await signed(app, await makePrivate(app));
    const response = await fetch(url);
    expect(response.status).toBe(200);
    expect(response.headers.get('cache-control')).toBe('private, no-store');
    expect(response.headers.get('content-disposition')).toMatch(/^inline/);
    expect(Buffer.from(await response.arrayBuffer()).equals(PNG)).toBe(true);
    expect((await fetch(url, { method: 'HEAD' })).status).toBe(200);
    const part = await fetch(url, { headers: { range: 'bytes=0-3' } });
    expect([part.status, (await part.arrayBuffer()).byteLength]).toEqual([206, 4]);
  });

  test('saves the file if it was made for a download', async () => {
    const app = shared();
    const { headers, status } = await fetch(
      await signed(app, await makePrivate(app), 'download: true'),
    );
    expect([status, headers.get('content-disposition')]).toEqual([
      200,
      'attachment; filename="picture.png"',
    ]);
  });

  test('works as every `url` of a private media item, and those of others are not signed', async () => {
    const app = shared();
    const media = await makePrivate(app);
    const urls = [media.url, media.file.url, media.image?.url ?? '', media.files[0]?.url ?? ''];
    for (const url of urls) {
      expect(new URL(url).searchParams.has('signature')).toBe(true);
      expect((await fetch(url)).status).toBe(200);
    }
    const other = await uploadAs(app, await bearer('alice'));
    for (const url of [other.url, other.file.url, other.image?.url ?? '']) {
      expect(new URL(url).search).toBe('');
    }
  });

  test('is refused if its path, a parameter or its signature is another one', async () => {
    const app = shared();
    const [media, other] = [await makePrivate(app), await makePrivate(app)];
    const url = await signed(app, media);
    const search = new URL(url).search;
    const last = url.at(-1) === 'A' ? 'B' : 'A';
    const expires = Number(new URL(url).searchParams.get('expires'));
    const forged = [
      url.replace(pathOf(url), pathOf(other.file.url)),
      `${url}&width=8`,
      `${url}&download=1`,
      `${url}&expires=${expires}`,
      url.replace(`expires=${expires}`, `expires=${expires + 1}`),
      url.replace(/expires=\d+&/, ''),
      url.slice(0, -1),
      url.slice(0, -1) + last,
      `${url}=`,
      `${url}A`,
      `${url}&signature=${new URL(url).searchParams.get('signature')}`,
      `${app.url}${pathOf(url)}?signature=`,
    ];
    for (const one of forged) {
      expect([one, ...(await codeOf(await fetch(one)))]).toEqual([one, 403, 'SIGNATURE_INVALID']);
    }
    // Also where none is needed: a client learns of its fault.
    const unlisted = await uploadAs(app, await bearer('alice'));
    const elsewhere = await fetch(unlisted.file.url + search);
    expect(await codeOf(elsewhere)).toEqual([403, 'SIGNATURE_INVALID']);
  });

  test('covers the parameters of a rendition', async () => {
    const app = shared();
    const path = pathOf((await makePrivate(app)).file.url);
    const query = { width: '7', format: 'png' };
    const rendition = signPath(app.services, path, { expiresInSeconds: 60 }, query);
    const response = await app.fetch(rendition);
    expect([response.status, response.headers.get('cache-control')]).toEqual([
      200,
      'private, no-store',
    ]);
    const changed = await app.fetch(rendition.replace('width=7', 'width=8'));
    expect(await codeOf(changed)).toEqual([403, 'SIGNATURE_INVALID']);
  });

  test('expires', async () => {
    const app = shared();
    const { services } = app;
    const path = pathOf((await makePrivate(app)).file.url);
    const at = (secondsAgo: number) => ({
      ...services,
      clock: () => Date.now() - secondsAgo * 1000,
    });
    const [old, young] = [61, 50].map((ago) => signPath(at(ago), path, { expiresInSeconds: 60 }));
    expect(await codeOf(await app.fetch(old!))).toEqual([403, 'SIGNATURE_EXPIRED']);
    expect((await app.fetch(young!)).status).toBe(200);
  });

  test.each(['POST', 'PUT', 'PATCH', 'DELETE'])('is not for %s', async (method) => {
    const app = shared();
    const { status, headers } = await fetch(await signed(app, await makePrivate(app)), { method });
    expect([status, headers.get('allow')]).toEqual([405, 'GET, HEAD, OPTIONS']);
  });

  test('ends with its file, and when the media item becomes private', async () => {
    const app = shared();
    const owner = await bearer('alice');
    const [first, second] = [await makePrivate(app), await uploadAs(app, owner)];
    const urls = [await signed(app, first), await signed(app, second)];
    for (const url of urls) expect((await fetch(url)).status).toBe(200);
    await change(app, owner, `deleteMedia(input: { id: "${first.id}" }) { __typename }`);
    const input = `{ id: "${second.id}", visibility: PRIVATE }`;
    await change(app, owner, `updateMedia(input: ${input}) { __typename }`);
    for (const url of urls) expect((await fetch(url)).status).toBe(404);
  });

  test('is only for who may see the file', async () => {
    const app = shared();
    const { file } = await makePrivate(app);
    expect((await sign(app, file, '', 'bob')).data).toEqual({ node: null });
    const query = `{ node(id: "${file.id}") { ... on File { signedUrl } } }`;
    expect((await graphql(app, query)).data).toEqual({ node: null });
    const { data } = await graphql(app, query, {}, asAdmin(app));
    expect(data.node.signedUrl).toMatch(/&signature=[\w-]{43}$/);
  });

  test('lives for one second to seven days', async () => {
    const app = shared();
    const { file } = await makePrivate(app);
    for (const [seconds, isAllowed] of [
      [1, true],
      [604_800, true],
      [0, false],
      [-5, false],
      [604_801, false],
      [2_147_483_647, false],
    ] as const) {
      const { data, errors } = await sign(app, file, `expiresInSeconds: ${seconds}`);
      if (isAllowed) {
        const expires = Number(new URL(data.node.signedUrl).searchParams.get('expires'));
        expect(Math.abs(expires - Date.now() / 1000 - seconds)).toBeLessThan(60);
      } else {
        const issues = [expect.objectContaining({ path: ['expiresInSeconds'] })];
        expect(errors?.[0]?.extensions).toMatchObject({ code: 'INVALID_INPUT', issues });
      }
    }
  });
});

describe('the keys of signed URLs', () => {
  const PATH = '/media/aaaaaaaa/a.png';
  const clock = () => 1_800_000_000_000;
  const withKeys = (...urlKeys: string[]) => ({ urlKeys, clock });
  const queryOf = (signedPath: string) =>
    Object.fromEntries(new URL(signedPath, 'http://host').searchParams);

  test('all verify, and the first one signs, so that they can be exchanged one by one', () => {
    const query = queryOf(signPath(withKeys('old'), PATH, { expiresInSeconds: 9 }));
    expect(checkSignature(withKeys('old'), PATH, query)).toBe('valid');
    expect(checkSignature(withKeys('new', 'old'), PATH, query)).toBe('valid');
    expect(checkSignature(withKeys('new'), PATH, query)).toBe('invalid');
    const next = queryOf(signPath(withKeys('new', 'old'), PATH, { expiresInSeconds: 9 }));
    expect(checkSignature(withKeys('new'), PATH, next)).toBe('valid');
  });

  test('sign the query as it is, whatever the order of its parameters', () => {
    const given = { width: '9', mode: 'crop' };
    const query = queryOf(signPath(withKeys('a'), PATH, { expiresInSeconds: 9 }, given));
    const reversed = Object.fromEntries(Object.entries(query).reverse());
    expect(checkSignature(withKeys('a'), PATH, reversed)).toBe('valid');
    expect(checkSignature(withKeys('a'), PATH, { ...query, mode: ['crop'] })).toBe('invalid');
    expect(checkSignature(withKeys('a'), PATH, given)).toBe('absent');
  });

  test('are generated without the setting, for their owner only; no signature is in the log', async () => {
    await withDataDir(async (dataDir) => {
      const variables = { TRIVIUM_DATA_DIR: dataDir, TRIVIUM_LOG_LEVEL: 'trace' };
      await withServerProcess(variables, async (server) => {
        const { mode } = await stat(join(dataDir, 'url.key'));
        expect((mode & 0o777).toString(8)).toBe('600');
        const { url } = server;
        const upload = `mutation ($input: UploadFileInput!) { uploadFile(input: $input) {
          ... on UploadFileSuccess { media { file { signedUrl } } } } }`;
        const files = { 'input.file': toFile('picture.png', PNG) };
        const { data } = await graphql({ url }, upload, { input: {} }, { files });
        const { signedUrl } = data.uploadFile.media.file;
        const signature = new URL(signedUrl).searchParams.get('signature')!;
        const statuses = [];
        for (const one of [
          signedUrl,
          `${signedUrl}&width=9`,
          signedUrl.replace('/media/', '/%zz/'),
        ]) {
          statuses.push((await fetch(one)).status);
        }
        statuses.push((await fetch(signedUrl, { method: 'POST' })).status);
        statuses.push((await fetch(signedUrl, { headers: { range: 'bytes=999999-' } })).status);
        expect(statuses).toEqual([200, 403, 400, 405, 416]);
        // A malformed path has no route, and no line.
        await expect.poll(() => server.log.filter(({ msg }) => msg === 'request').length).toBe(5);
        expect(JSON.stringify(server.log)).not.toContain(signature);
      });
    });
  });
});

const NEXT = 'next-key-0123456789-abcdefghijklm';
const OLD = 'old-key-0123456789-nopqrstuvwxyz-';

test.each(BACKENDS)('a server with two keys accepts URLs of both on $name', (backend) =>
  withApp(
    backend,
    async (app) => {
      const media = await makePrivate(app);
      const [next, old] = app.services.urlKeys;
      expect([next, old]).toEqual([NEXT, OLD]);
      for (const key of [next!, old!]) {
        const signer = { ...app.services, urlKeys: [key] };
        const path = signPath(signer, pathOf(media.file.url), { expiresInSeconds: 600 });
        expect((await app.fetch(path)).status).toBe(200);
      }
    },
    { ...WITH_USERS, TRIVIUM_URL_KEYS: `${NEXT}, ${OLD}` },
  ),
);
