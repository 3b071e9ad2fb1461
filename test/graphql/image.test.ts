import sharp from 'sharp';
import { expect, test } from 'vitest';
import { updateMedia } from '../../src/domain/tree/media-change.ts';
import { storeFile, storeFixture } from '../rest/file/stored-file.ts';
import { user, withApp } from '../support/app.ts';
import { BACKENDS, describeEachBackend } from '../support/backend.ts';
import { graphql } from '../support/graphql.ts';
import { quadrants } from '../support/image.ts';
import { imageOf } from '../support/image-url.ts';
import { makeMediaRow } from '../support/make.ts';
import { shareApp } from '../support/shared-app.ts';

const JPEG = await quadrants(1000, 500).jpeg().toBuffer();

/** Returns the parameters in the path of a rendition, without the signature. */
function parametersOf(url: string): string {
  return new URL(url).pathname.split('/')[4]!.split('.').slice(0, -1).join('.');
}

/** Returns the parameters and the descriptor of each candidate of a `srcset`. */
function candidatesOf(srcset: string): string[] {
  return srcset.split(', ').map((candidate) => {
    const [url = '', descriptor] = candidate.split(' ');
    return `${parametersOf(url)} ${descriptor}`;
  });
}

describeEachBackend('Image', (backend) => {
  const shared = shareApp(backend);

  test('has the URL of the file without arguments, and one URL for each rendition', async () => {
    const app = shared();
    const { mediaId, urlPath } = await storeFile(app, 'a.jpg', JPEG);
    const image = await imageOf(
      app,
      mediaId,
      `url none: url(width: null, fit: null) same: url(width: 4000) exact: url(width: 300, height: 150)
       wide: url(width: 300) high: url(height: 150, fit: COVER, quality: 80, format: JPEG)
       cut: url(width: 300, height: 300, fit: COVER, crop: "none")`,
    );
    expect([image.url, image.none]).toEqual([app.url + urlPath, app.url + urlPath]);
    expect(parametersOf(image.same)).toBe('');
    expect(image.wide).toBe(image.high);
    expect(image.wide).toBe(image.exact);
    expect(parametersOf(image.wide)).toBe('w300');
    expect(parametersOf(image.cut)).toBe('w300.h300.cover');
    expect((await fetch(image.same)).headers.get('content-type')).toBe('image/jpeg');
  });

  test('has a srcset whose candidates are as wide as they say, and never wider than the image', async () => {
    const app = shared();
    const { mediaId } = await storeFile(app, 'a.jpg', JPEG);
    const ctx = { ...app.services, viewer: user(), log: app.app.log };
    const crops = [{ alias: 'hero', width: 600, height: 200 }];
    await updateMedia(ctx, mediaId, { crops });
    const image = await imageOf(
      app,
      mediaId,
      `default: srcset webp: srcset(widths: [640, 320, 5000, 320], format: WEBP)
       square: srcset(widths: [200, 400, 800], aspectRatio: 1) hero: srcset(widths: [300, 900], crop: "hero")
       inside: srcset(widths: [300], aspectRatio: 1, fit: INSIDE)`,
    );
    expect(candidatesOf(image.default)).toEqual([
      ...['w160 160w', 'w320 320w', 'w640 640w', 'w960 960w', ' 1000w'],
    ]);
    expect(candidatesOf(image.webp)).toEqual(['w320.webp 320w', 'w640.webp 640w', 'webp 1000w']);
    expect(candidatesOf(image.square)).toEqual([
      ...['w200.h200.cover 200w', 'w400.h400.cover 400w', 'w500.h500.cover 500w'],
    ]);
    expect(candidatesOf(image.hero).map((one) => one.split(' ')[1])).toEqual(['300w', '900w']);
    expect(candidatesOf(image.inside)).toEqual(['w300 300w']);
    for (const candidate of [image.default, image.square, image.hero].join(', ').split(', ')) {
      const [url = '', descriptor] = candidate.split(' ');
      const bytes = Buffer.from(await (await fetch(url)).arrayBuffer());
      expect(`${(await sharp(bytes).metadata()).width}w`).toBe(descriptor);
    }
  });

  test('of a linked image has its URL, whatever the arguments', async () => {
    const app = shared();
    const mediaId = await makeMediaRow(app.services.db, {
      type: 'image',
      image_url: 'https://example.com/a, b.jpg,',
    });
    const image = await imageOf(app, mediaId, 'url small: url(width: 10) srcset(widths: [10])');
    expect(image).toEqual({
      url: 'https://example.com/a, b.jpg,',
      small: 'https://example.com/a, b.jpg,',
      srcset: 'https://example.com/a,%20b.jpg%2C',
    });
  });

  test('of a file that cannot be drawn has the URL of the file', async () => {
    const app = shared();
    const { mediaId, urlPath } = await storeFixture(app, 'drawing.svg');
    const url = app.url + urlPath;
    expect(await imageOf(app, mediaId, 'url small: url(width: 10) srcset')).toEqual({
      ...{ url, small: url, srcset: url },
    });
  });

  test.each([
    ['url(width: 0)', 'width'],
    ['url(height: 5001)', 'height'],
    ['url(quality: 101)', 'quality'],
    ['srcset(widths: [-1])', 'widths'],
    [`srcset(widths: [${Array.from({ length: 21 }, (_, at) => at + 1)}])`, 'widths'],
    ['srcset(aspectRatio: 0)', 'aspectRatio'],
  ])('rejects %s', async (field, name) => {
    const app = shared();
    const { mediaId } = await storeFile(app, 'a.jpg', JPEG);
    const query = `{ media(by: { databaseId: ${mediaId} }) { image { ${field} } } }`;
    const { status, errors } = await graphql(app, query);
    expect(status).toBe(200);
    expect(errors).toMatchObject([{ extensions: { code: 'INVALID_INPUT' } }]);
    expect(JSON.stringify(errors)).toContain(name);
  });

  test('has crops of different names: of two, only the first could be asked for', async () => {
    const app = shared();
    const { mediaId } = await storeFile(app, 'a.jpg', JPEG);
    const ctx = { ...app.services, viewer: user(), log: app.app.log };
    const hero = { alias: 'hero', width: 6, height: 2 };
    const other = { ...hero, alias: 'other' };
    await expect(updateMedia(ctx, mediaId, { crops: [hero, other, hero] })).rejects.toMatchObject({
      issues: [{ path: ['crops', 2, 'alias'] }],
    });
    await updateMedia(ctx, mediaId, { crops: [hero, other] });
  });

  test('costs no SQL for its renditions', async () => {
    const app = shared();
    await storeFile(app, 'a.jpg', JPEG);
    const count = async (fields: string) => {
      app.statements.length = 0;
      await graphql(app, `{ medias(first: 50) { nodes { image { ${fields} } } } }`);
      return app.statements.length;
    };
    const plain = await count('url');
    expect(await count('url(width: 100) srcset large: srcset(format: AUTO)')).toBe(plain);
  });
});

test('strangers get sizes of the ladder in the aspect ratio that they ask for', () =>
  withApp(
    BACKENDS[0]!,
    async (app) => {
      const { mediaId } = await storeFile(app, 'a.jpg', JPEG);
      const ctx = { ...app.services, viewer: user(), log: app.app.log };
      await updateMedia(ctx, mediaId, { visibility: 'public' });
      const fields = 'url(width: 333, height: 222, fit: COVER) odd: url(width: 333)';
      const asked = async (sender = {}) => {
        const image = await imageOf(app, mediaId, fields, sender);
        return [parametersOf(image.url), parametersOf(image.odd)];
      };
      expect(await asked()).toEqual(['w340.h227.cover', 'w340']);
      const authorization = `Bearer ${app.adminKey}`;
      expect(await asked({ authorization })).toEqual(['w333.h222.cover', 'w333']);
    },
    { TRIVIUM_AUTH: 'required' },
  ));
