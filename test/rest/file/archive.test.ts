import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { uploadFile } from '../../../src/domain/upload/upload-file.ts';
import { as, call, folder } from '../../graphql/viewer/credential.ts';
import { type TestApp, user, withApp } from '../../support/app.ts';
import { describeEachBackend } from '../../support/backend.ts';
import { fixtureBytes, inPieces } from '../../support/bytes.ts';
import { makeKey, makeTag } from '../../support/make.ts';
import { bearer, type Credential, pathOf } from '../../support/private-media.ts';
import { WITH_USERS } from '../../support/request.ts';
import { shareApp } from '../../support/shared-app.ts';
import { readZip, type ZipEntry } from '../../support/zip.ts';

const PICTURE = fixtureBytes('picture.png');
const TEXT = Buffer.from('The same line again and again.\n'.repeat(500));

interface Upload {
  bytes?: Buffer;
  /** Global id of a folder. */
  inFolder?: string;
  tagIds?: number[];
  visibility?: 'public' | 'unlisted' | 'private';
}

/** Uploads a file as alice; returns the global id of its media item. */
async function upload(
  app: TestApp,
  filename: string,
  { bytes = PICTURE, inFolder = '', ...input }: Upload = {},
): Promise<string> {
  const ctx = { ...app.services, viewer: user('alice'), log: app.app.log };
  const folderId = inFolder && Number(Buffer.from(inFolder, 'base64url').toString().split(':')[1]);
  const more = { ...input, ...(folderId && { folderId }) };
  const { id } = await uploadFile(ctx, { filename, bytes: inPieces(bytes), ...more });
  return Buffer.from(`Media:${id}`).toString('base64url');
}

async function createUrl(app: TestApp, input: object, sender: Credential | object = as(app)) {
  const result = await call(app, 'createArchiveUrl', { ...input }, 'url expiresAt', sender);
  if (result.url === undefined) throw new Error(JSON.stringify(result));
  return result.url as string;
}

async function download(app: TestApp, input: object, sender?: Credential): Promise<ZipEntry[]> {
  const response = await fetch(await createUrl(app, input, sender));
  expect(response.status).toBe(200);
  return readZip(Buffer.from(await response.arrayBuffer()));
}

const pathsOf = (entries: readonly ZipEntry[]) => entries.map(({ path }) => path).sort();

describeEachBackend('an archive', (backend) => {
  const shared = shareApp(backend, WITH_USERS);

  test('contains the selected media, with unique names, and text compressed', async () => {
    const app = shared();
    const ids = [
      await upload(app, 'a.png'),
      await upload(app, 'A.png'),
      await upload(app, 'Größe 東京.txt', { bytes: TEXT }),
    ];
    const entries = await download(app, { ids });
    expect(pathsOf(entries)).toEqual(['A (2).png', 'Größe 東京.txt', 'a.png'].sort());
    for (const { path, isStored, isUtf8, bytes } of entries) {
      const isText = path.endsWith('.txt');
      expect([path, isStored, isUtf8]).toEqual([path, !isText, true]);
      expect(bytes.equals(isText ? TEXT : PICTURE)).toBe(true);
    }
  });

  test('of a folder has its subfolders as directories, and no links', async () => {
    const app = shared();
    const top = await folder(app, 'Holiday');
    const [sub, same] = [await folder(app, 'Sea', top), await folder(app, 'sea', top)];
    const deep = await folder(app, 'CON', sub);
    const link = { type: 'URL', url: 'https://example.org/', folderId: top };
    await call(app, 'createMedia', link, 'media { id }');
    for (const inFolder of [top, sub, same, deep]) await upload(app, 'a.png', { inFolder });
    const expected = ['Sea/_CON/a.png', 'Sea/a.png', 'a.png', 'sea (2)/a.png'];
    expect(pathsOf(await download(app, { folderId: top }))).toEqual(expected.sort());
    const entries = await download(app, { ids: [top, sub] });
    expect(pathsOf(entries)).toEqual(expected.map((path) => `Holiday/${path}`).sort());
  });

  test('of links only is refused as empty', async () => {
    const app = shared();
    const folderId = await folder(app, 'Links');
    const link = { type: 'URL', url: 'https://example.org/', folderId };
    const { media } = await call(app, 'createMedia', link, 'media { id }');
    const filter = { folderId, search: 'example', sizeBytes: { max: 5 } };
    for (const input of [{ folderId }, { ids: [media.id] }, { filter: { folderId } }, { filter }]) {
      const result = await call(app, 'createArchiveUrl', input, 'url');
      expect(result).toMatchObject({ code: 'INVALID_INPUT', issues: [{ code: 'EMPTY' }] });
    }
  });

  test('of a filter contains what matches at the time of the download', async () => {
    const app = shared();
    const { id } = await makeTag(app.services.db);
    const tagId = Buffer.from(`Tag:${id}`).toString('base64url');
    const createdAt = { from: '2020-01-01T00:00:00Z' };
    await upload(app, 'one.png', { tagIds: [id] });
    const url = await createUrl(app, { filter: { tagIds: [tagId], createdAt } });
    await upload(app, 'two.png', { tagIds: [id] });
    const entries = readZip(Buffer.from(await (await fetch(url)).arrayBuffer()));
    expect(pathsOf(entries)).toEqual(['one.png', 'two.png']);
  });

  test('has the name that was asked for, is not stored by caches, and answers HEAD', async () => {
    const app = shared();
    const input = { ids: [await upload(app, 'a.png')], name: 'Größe/1.zip' };
    const url = await createUrl(app, input);
    for (const method of ['GET', 'HEAD']) {
      const { status, headers, body } = await fetch(url, { method });
      await body?.cancel();
      expect([status, headers.get('content-type'), headers.get('cache-control')]).toEqual([
        200,
        'application/zip',
        'private, no-store',
      ]);
      expect(headers.get('content-disposition')).toBe(
        `attachment; filename="Gro_e_1.zip"; filename*=UTF-8''Gr%C3%B6%C3%9Fe_1.zip`,
      );
    }
  });

  test('is what its viewer may see, whoever downloads it', async () => {
    const app = shared();
    const inFolder = await folder(app, 'Mixed');
    for (const visibility of ['public', 'unlisted', 'private'] as const)
      await upload(app, `${visibility}.png`, { inFolder, visibility });
    const all = ['private.png', 'public.png', 'unlisted.png'];
    const of = async (sender: Credential) =>
      pathsOf(await download(app, { folderId: inFolder }, sender));
    expect(await of(await bearer('alice'))).toEqual(all);
    expect(await of(await bearer('bob'))).toEqual(all.slice(1));
    expect(pathsOf(await download(app, { folderId: inFolder }))).toEqual(all);
  });

  test('ends with the key that its URL was made with', async () => {
    const app = shared();
    const ids = [await upload(app, 'a.png')];
    const created = await call(
      app,
      'createApiKey',
      { name: 'k', role: 'READER' },
      'key apiKey { id }',
    );
    const sender = { authorization: `Bearer ${created.key}` };
    const url = await createUrl(app, { ids }, sender);
    expect((await fetch(url, { method: 'HEAD' })).status).toBe(200);
    await call(app, 'revokeApiKey', { id: created.apiKey.id }, 'apiKey { id }');
    expect((await fetch(url)).status).toBe(401);
  });

  test('ends with the start nodes of its viewer', async () => {
    const app = shared();
    const [own, other] = [await folder(app, 'Own'), await folder(app, 'Other')];
    const { uuid } = (await app.services.db
      .selectFrom('media')
      .select('uuid')
      .where('id', '=', Number(Buffer.from(own, 'base64url').toString().split(':')[1]))
      .executeTakeFirst())!;
    const key = await makeKey(app.services, { role: 'editor', name: 'n', startNodes: [uuid] });
    const sender = { authorization: `Bearer ${key}` };
    await upload(app, 'in.png', { inFolder: own });
    const outside = await upload(app, 'out.png', { inFolder: other });
    expect(pathsOf(await download(app, { ids: [own] }, sender))).toEqual(['Own/in.png']);
    for (const ids of [[other], [outside]]) {
      const refused = await call(app, 'createArchiveUrl', { ids }, 'url', sender);
      expect(refused).toMatchObject({ code: 'NOT_FOUND' });
    }
  });

  test('a file that is gone or damaged is listed, and the others are whole', async () => {
    const app = shared();
    const ids = [];
    for (const name of ['a.png', 'gone.png', 'lost.png', 'z.png'])
      ids.push(await upload(app, name));
    const url = await createUrl(app, { ids });
    await call(app, 'deleteNodes', { ids: [ids[1]] }, 'deletedIds');
    const row = await app.services.db
      .selectFrom('file')
      .select(['id', 'blob_key'])
      .where('filename', '=', 'lost.png')
      .executeTakeFirstOrThrow();
    await app.services.blobs.delete(row.blob_key);
    const entries = readZip(Buffer.from(await (await fetch(url)).arrayBuffer()));
    expect(pathsOf(entries)).toEqual(['MISSING.txt', 'a.png', 'z.png']);
    const { bytes } = entries.find(({ path }) => path === 'MISSING.txt')!;
    expect(bytes.toString()).toContain('lost.png');
    expect(bytes.toString()).toContain('1 selected items');
  });

  test('other programs can read it', async () => {
    const app = shared();
    const top = await folder(app, 'T');
    for (const [name, bytes] of [['ü.txt', TEXT] as const, ['a.png', PICTURE] as const])
      await upload(app, name, { bytes, inFolder: top });
    const zip = Buffer.from(
      await (await fetch(await createUrl(app, { ids: [top] }))).arrayBuffer(),
    );
    const directory = await mkdtemp(join(tmpdir(), 'trivium-zip-'));
    try {
      const path = join(directory, 'a.zip');
      await writeFile(path, zip);
      for (const [command, ...args] of READERS) {
        if (!existsSync(command)) continue;
        const { stdout } = await promisify(execFile)(command, [...args, path]);
        expect(stdout).toMatch(/No errors detected|^None$/m);
      }
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  test.each<[string, object, object]>([
    ['no selection', {}, { path: ['input', 'ids'], code: 'REQUIRED' }],
    ['an empty list', { ids: [] }, { path: ['input', 'ids'], code: 'TOO_SMALL' }],
    [
      'two selections',
      { ids: ['x'], filter: {} },
      { path: ['input', 'ids', '0'], code: 'INVALID_ID' },
    ],
    [
      'two selections of valid ids',
      { ids: [mediaId(1)], filter: {} },
      { path: ['input', 'ids'], code: 'CONFLICT' },
    ],
    [
      'too long a lifetime',
      { filter: { md5: '0'.repeat(32) }, expiresInSeconds: 604_801 },
      { path: ['input', 'expiresInSeconds'] },
    ],
    ['nothing', { filter: { md5: '0'.repeat(32) } }, { path: ['input', 'filter'], code: 'EMPTY' }],
    [
      'a filter that fits in no URL',
      { filter: { mimeTypes: Array.from({ length: 100 }, () => `text/${'x'.repeat(40)}`) } },
      { path: ['input', 'filter'], code: 'TOO_BIG' },
    ],
    [
      'an invalid filter',
      { filter: { search: 'a '.repeat(20) } },
      { path: ['input', 'filter', 'search'], code: 'TOO_BIG' },
    ],
  ])('%s is refused', async (_what, input, issue) => {
    const result = await call(shared(), 'createArchiveUrl', { ...input }, 'url');
    expect(result).toMatchObject({ code: 'INVALID_INPUT', issues: [issue] });
  });

  test('a URL that is changed, not signed or expired is refused', async () => {
    const app = shared();
    const url = await createUrl(app, { ids: [await upload(app, 'a.png')], expiresInSeconds: 1 });
    const other = new URL(url);
    other.searchParams.set('of', `${other.searchParams.get('of')}A`);
    const changed = await fetch(other);
    expect([changed.status, await changed.json()]).toMatchObject([
      403,
      { error: { code: 'SIGNATURE_INVALID' } },
    ]);
    expect((await fetch(`${app.url}/archive`)).status).toBe(403);
    expect((await fetch(`${app.url}/archive`, { method: 'POST' })).status).toBe(405);
    const { clock } = app.services;
    app.services.clock = () => Date.now() + 2000;
    try {
      expect(await (await fetch(url)).json()).toMatchObject({
        error: { code: 'SIGNATURE_EXPIRED' },
      });
    } finally {
      app.services.clock = clock;
    }
    expect(pathOf(url)).toBe('/archive');
  });

  test('too many at once get 429, and a client that goes away frees its place', () =>
    withApp(
      backend,
      async (app) => {
        const id = await upload(app, 'large.bin', { bytes: Buffer.alloc(32 * 2 ** 20) });
        const url = await createUrl(app, { ids: [id] });
        const open = await Promise.all(Array.from({ length: 4 }, () => fetch(url)));
        expect(open.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
        const refused = await fetch(url);
        expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '30']);
        expect(await refused.json()).toMatchObject({ error: { code: 'TOO_MANY_REQUESTS' } });
        await Promise.all(open.map(({ body }) => body?.cancel()));
        // The server notices it by itself; at the end of the test, no file is left open.
        await expect
          .poll(
            async () => {
              const response = await fetch(url);
              await response.body?.cancel();
              return response.status;
            },
            { timeout: 20_000 },
          )
          .toBe(200);
      },
      WITH_USERS,
    ));
});

const READERS = [
  ['/usr/bin/unzip', '-t'],
  ['/usr/bin/python3', '-c', 'import sys, zipfile; print(zipfile.ZipFile(sys.argv[1]).testzip())'],
] as const;

function mediaId(id: number): string {
  return Buffer.from(`Media:${id}`).toString('base64url');
}
