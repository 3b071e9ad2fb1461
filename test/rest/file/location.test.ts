import { expect, test } from 'vitest';
import { copyMedia } from '../../../src/domain/copy/copy-media.ts';
import { readDetails } from '../../../src/domain/file/details.ts';
import type { File } from '../../../src/domain/file/file.ts';
import { filesByMediaIds } from '../../../src/domain/file/file.ts';
import { signPath } from '../../../src/domain/file/signed-url.ts';
import { replaceFile } from '../../../src/domain/upload/upload-file.ts';
import { as, call } from '../../graphql/viewer/credential.ts';
import { differences, image, secretsIn } from '../../media/location/located.ts';
import { type TestApp, user, withApp } from '../../support/app.ts';
import { describeEachBackend } from '../../support/backend.ts';
import { fixtureBytes, inPieces, PNG } from '../../support/bytes.ts';
import { graphql } from '../../support/graphql.ts';
import { asAdmin, bearer } from '../../support/private-media.ts';
import { WITH_USERS } from '../../support/request.ts';
import { shareApp } from '../../support/shared-app.ts';
import { readZip } from '../../support/zip.ts';
import { storeFile, storeFixture } from './stored-file.ts';

const PUBLIC = { ...WITH_USERS, TRIVIUM_STRIP_LOCATION: 'public' };

const JPEG = await image('jpeg');

/** Larger than what the server keeps in memory, so that it is sent as a stream. */
const LARGE = Buffer.concat([JPEG, Buffer.alloc(400_000, 'trailer')]);

async function get(
  app: TestApp,
  path: string,
  headers: Record<string, string> = {},
  method = 'GET',
) {
  const response = await fetch(app.url + path, { headers, method });
  return { response, headers: response.headers, bytes: Buffer.from(await response.arrayBuffer()) };
}

describeEachBackend('TRIVIUM_STRIP_LOCATION=public', (backend) => {
  const shared = shareApp(backend, PUBLIC);

  test.each([
    ['kept in memory', JPEG],
    ['sent as a stream', LARGE],
  ])(
    'an original %s is delivered without location, except to viewers who may edit',
    async (_, bytes) => {
      const app = shared();
      const { urlPath } = await storeFile(app, 'photo.jpg', bytes);
      const strangers = [{}, await bearer('bob')];
      for (const headers of strangers) {
        const sent = await get(app, urlPath, headers);
        expect(sent.response.status).toBe(200);
        expect(secretsIn(sent.bytes)).toEqual([]);
        expect(sent.bytes.length).toBe(bytes.length);
        expect(differences(sent.bytes, bytes)).toBeLessThan(1500);
        expect(sent.headers.get('cache-control')).toBe('public, no-cache');
        expect(sent.headers.get('vary')).toMatch(/Authorization.*Cookie/);
      }
      const stranger = await get(app, urlPath);
      const editors = [await bearer('alice'), asAdmin(app)];
      for (const headers of editors) {
        const sent = await get(app, urlPath, headers);
        expect(sent.bytes.equals(bytes)).toBe(true);
        expect(sent.headers.get('cache-control')).toBe('private, no-cache');
        expect(sent.headers.get('etag')).not.toBe(stranger.headers.get('etag'));
        // The tag of one is none of the other.
        const etag = String(sent.headers.get('etag'));
        expect((await get(app, urlPath, { 'if-none-match': etag })).response.status).toBe(200);
        const known = { ...headers, 'if-none-match': etag };
        expect((await get(app, urlPath, known)).response.status).toBe(304);
      }
      const etag = String(stranger.headers.get('etag'));
      expect((await get(app, urlPath, { 'if-none-match': etag })).response.status).toBe(304);
      const head = await get(app, urlPath, {}, 'HEAD');
      expect(head.headers.get('etag')).toBe(etag);
      expect(head.headers.get('content-length')).toBe(String(bytes.length));
    },
  );

  test.each([
    ['kept in memory', JPEG],
    ['sent as a stream', LARGE],
  ])('each range of an original %s is a part of the same bytes', async (_, bytes) => {
    const app = shared();
    const { urlPath } = await storeFile(app, 'photo.jpg', bytes);
    const whole = (await get(app, urlPath)).bytes;
    const place = bytes.indexOf('Zermattville');
    for (const start of [0, 1, place - 3, place, place + 5, bytes.length - 9]) {
      for (const length of [1, 7, 5000]) {
        const end = Math.min(start + length, bytes.length) - 1;
        const part = await get(app, urlPath, { range: `bytes=${start}-${end}` });
        expect(part.response.status).toBe(206);
        expect(part.bytes.equals(whole.subarray(start, end + 1))).toBe(true);
      }
    }
  });

  test('a file without location is the same for all, with one tag, in any cache', async () => {
    const app = shared();
    const { urlPath } = await storeFile(app, 'picture.png', PNG);
    const [stranger, editor] = [
      await get(app, urlPath),
      await get(app, urlPath, await bearer('alice')),
    ];
    expect(stranger.bytes.equals(PNG)).toBe(true);
    for (const name of ['etag', 'cache-control', 'vary']) {
      expect(stranger.headers.get(name)).toBe(editor.headers.get(name));
    }
    expect(stranger.headers.get('cache-control')).toBe('public, no-cache');
  });

  test('a video has no location', async () => {
    const app = shared();
    const { urlPath } = await storeFixture(app, 'phone.mov');
    const { bytes } = await get(app, urlPath);
    expect([bytes.includes('+52.52'), bytes.length]).toEqual([
      false,
      fixtureBytes('phone.mov').length,
    ]);
  });

  test('a signature opens a file, and not its location: what counts is who asks', async () => {
    const app = shared();
    const { urlPath } = await storeFile(app, 'photo.jpg', JPEG);
    const signed = signPath(app.services, urlPath, { expiresInSeconds: 60 });
    expect(secretsIn((await get(app, signed)).bytes)).toEqual([]);
    expect((await get(app, signed, await bearer('alice'))).bytes.equals(JPEG)).toBe(true);
  });

  test('a rendition that the server does not make is the original, and has no location either', async () => {
    const app = shared();
    const { urlPath } = await storeFile(app, 'photo.jpg', JPEG);
    const { bytes, headers } = await get(app, `${urlPath}?width=99999`);
    expect(secretsIn(bytes)).toEqual([]);
    expect(headers.get('vary')).toMatch(/Authorization/);
  });

  test('a version and an archive have none, except for viewers who may edit', async () => {
    const app = shared();
    const file = await storeFile(app, 'photo.jpg', JPEG);
    const archive = await archiveOf(app, file);
    for (const [headers, found] of [
      [{}, 0],
      [await bearer('alice'), secretsIn(JPEG).length],
    ] as const) {
      const [entry] = readZip((await get(app, archive, headers)).bytes);
      expect(secretsIn(entry!.bytes)).toHaveLength(found);
    }
    const version = await versionOf(app, file);
    expect(secretsIn((await get(app, version)).bytes)).toEqual([]);
    expect((await get(app, version, await bearer('alice'))).bytes.equals(JPEG)).toBe(true);
  });

  test('the details and the filter by place tell it to viewers who may edit only', async () => {
    const app = shared();
    const file = await storeFixture(app, 'photo-with-details.jpg');
    await readDetails(contextOf(app), file.uuid);
    const near = '{ near: { latitude: 52.52, longitude: -13.4, radiusM: 100 } }';
    const query = `{ medias(filter: ${near}) { nodes { name } }
      node(id: "${idOf(file)}") { ... on Media { details { camera latitude altitudeM } } }
      others: medias(filter: { not: ${near} }) { totalCount } all: medias { totalCount } }`;
    for (const sender of [await bearer('alice'), asAdmin(app)]) {
      const { data } = await graphql(app, query, {}, sender);
      expect(data.medias.nodes).toEqual([{ name: 'photo-with-details.jpg' }]);
      expect(data.node.details).toMatchObject({ latitude: 52.52, altitudeM: 34.5 });
      expect(data.all.totalCount - data.others.totalCount).toBe(1);
    }
    const { data } = await graphql(app, query, {}, await bearer('bob'));
    expect(data.medias.nodes).toEqual([]);
    expect(data.node.details).toEqual({ camera: 'Canon EOS R5', latitude: null, altitudeM: null });
    expect(data.others.totalCount).toBe(data.all.totalCount);
    const { errors } = await graphql(app, `{ medias(filter: ${near}) { totalCount } }`);
    expect(errors?.[0]?.extensions?.code).toBe('NOT_AUTHENTICATED');
  });

  test('a copy by somebody who may not edit the original has none', async () => {
    const app = shared();
    const file = await storeFixture(app, 'photo-with-details.jpg');
    await readDetails(contextOf(app), file.uuid);
    for (const [name, found] of [
      ['bob', false],
      ['alice', true],
    ] as const) {
      const ctx = contextOf(app, name);
      const { id } = await copyMedia(ctx, { id: file.mediaId });
      const [copy] = (await filesByMediaIds(ctx, [id])).get(id)!;
      await readDetails(ctx, copy!.uuid);
      const columns = app.services.db.selectFrom('media').where('id', '=', id).selectAll();
      const { latitude, taken_at } = await columns.executeTakeFirstOrThrow();
      expect([latitude !== null, taken_at !== null]).toEqual([found, true]);
      const { bytes } = await get(app, copy!.urlPath, await bearer(name));
      expect(bytes.equals(fixtureBytes('photo-with-details.jpg'))).toBe(found);
    }
  });
});

describeEachBackend('TRIVIUM_STRIP_LOCATION=never', (backend) => {
  test('renditions have no metadata of any format', () =>
    withApp(backend, async (app) => {
      for (const source of ['jpeg', 'png', 'webp', 'avif', 'tiff'] as const) {
        const { urlPath } = await storeFile(app, `a.${source}`, await image(source));
        for (const format of ['jpg', 'png', 'webp', 'gif']) {
          const { bytes, headers } = await get(app, `${urlPath}?width=32&format=${format}`);
          expect(headers.get('content-type')).toMatch(/^image\/(?:jpeg|png|webp|gif)$/);
          const left = ['Exif', 'xmpmeta', 'Photoshop', 'eXIf', 'Maker'];
          expect(left.filter((text) => bytes.includes(text))).toEqual([]);
          expect(secretsIn(bytes)).toEqual([]);
        }
      }
    }));

  test('is the default, and everybody gets the original', () =>
    withApp(backend, async (app) => {
      const { urlPath } = await storeFile(app, 'photo.jpg', JPEG);
      const { bytes, headers } = await get(app, urlPath);
      expect(bytes.equals(JPEG)).toBe(true);
      expect(headers.get('vary') ?? '').not.toMatch(/Authorization/);
    }));
});

function contextOf(app: TestApp, name = 'alice') {
  return { ...app.services, viewer: user(name), log: app.app.log };
}

function idOf({ mediaId }: File): string {
  return Buffer.from(`Media:${mediaId}`).toString('base64url');
}

async function archiveOf(app: TestApp, file: File): Promise<string> {
  const input = { ids: [idOf(file)] };
  const { url } = await call(app, 'createArchiveUrl', input, 'url', as(app));
  return String(url).slice(app.url.length);
}

/** Replaces a file. Returns the signed path of its version. */
async function versionOf(app: TestApp, file: File): Promise<string> {
  await replaceFile(contextOf(app), file.mediaId, { filename: 'b.png', bytes: inPieces(PNG, 999) });
  const query = `{ node(id: "${idOf(file)}") { ... on Media { versions { nodes { signedUrl } } } } }`;
  const { data } = await graphql(app, query, {}, await bearer('alice'));
  return data.node.versions.nodes[0].signedUrl.slice(app.url.length);
}
