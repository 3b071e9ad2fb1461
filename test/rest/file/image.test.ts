import { expect, test, vi } from 'vitest';
import { deleteMedia, updateMedia } from '../../../src/domain/tree/media-change.ts';
import { replaceFile } from '../../../src/domain/upload/upload-file.ts';
import { SlowImageError } from '../../../src/media/probe.ts';
import { type TestApp, user } from '../../support/app.ts';
import { describeEachBackend } from '../../support/backend.ts';
import { inPieces } from '../../support/bytes.ts';
import { quadrants, shadesOf } from '../../support/image.ts';
import { renditionPath } from '../../support/image-url.ts';
import { makePhoto } from '../../support/photo.ts';
import { shareApp } from '../../support/shared-app.ts';
import { requestRaw, storeFile } from './stored-file.ts';

const JPEG = await quadrants(400, 200).jpeg({ quality: 90 }).toBuffer();
const IMMUTABLE = 'public, max-age=31536000, immutable';

const contextOf = (app: TestApp) => ({ ...app.services, viewer: user(), log: app.app.log });

describeEachBackend('the URL of a rendition', (backend) => {
  const shared = shareApp(backend);

  test('returns it for ever, with validators, ranges, and its name', async () => {
    const app = shared();
    const { mediaId } = await storeFile(app, 'Grüße.jpg', JPEG);
    const args = 'width: 100, height: 100, fit: COVER, format: WEBP, quality: 90';
    const path = await renditionPath(app, mediaId, args);
    expect(path).toMatch(
      /^\/i\/[a-z0-5]{8}\/[\w-]{10}\/w100\.h100\.cover\.webp\.q90\.[\w-]{22}\/gru/,
    );
    const response = await app.fetch(path);
    const bytes = Buffer.from(await response.arrayBuffer());
    expect(response.status).toBe(200);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'image/webp',
      'content-length': String(bytes.length),
      'accept-ranges': 'bytes',
      'cache-control': IMMUTABLE,
      'content-disposition': `inline; filename="Gru_e.webp"; filename*=UTF-8''Gr%C3%BC%C3%9Fe.webp`,
      'cross-origin-resource-policy': 'cross-origin',
      'x-content-type-options': 'nosniff',
    });
    expect(response.headers.get('vary')).toBe('Origin');
    expect(response.headers.has('accept-ch')).toBe(false);
    expect(await shadesOf(bytes)).toBe('red lime blue yellow red');
    const etag = response.headers.get('etag')!;
    const known = await app.fetch(path, { headers: { 'if-none-match': etag } });
    expect([known.status, await known.text()]).toEqual([304, '']);
    expect(known.headers.get('cache-control')).toBe(IMMUTABLE);
    const range = await app.fetch(path, { headers: { range: 'bytes=10-19', 'if-range': etag } });
    expect([range.status, range.headers.get('content-range')]).toEqual([
      206,
      `bytes 10-19/${bytes.length}`,
    ]);
    expect(Buffer.from(await range.arrayBuffer()).equals(bytes.subarray(10, 20))).toBe(true);
    const head = await requestRaw(app, 'HEAD', path);
    expect(head).toMatchObject({ status: 200, body: '' });
    expect(head.headers['content-length']).toBe(String(bytes.length));
    const saved = await app.fetch(`${path}?download=1`);
    expect(saved.headers.get('content-disposition')).toMatch(/^attachment; /);
    const posted = await requestRaw(app, 'POST', path);
    expect([posted.status, posted.headers.allow]).toEqual([405, 'GET, HEAD, OPTIONS']);
  });

  test('changes with the focal point, the crops and the bytes, and the old one leads to it', async () => {
    const app = shared();
    const { mediaId } = await storeFile(app, 'a.jpg', JPEG);
    const args = 'width: 50, height: 100, fit: COVER, format: PNG';
    const paths = [await renditionPath(app, mediaId, args)];
    const follow = async () => {
      paths.push(await renditionPath(app, mediaId, args));
      for (const path of paths.slice(0, -1)) {
        const moved = await app.fetch(path, { redirect: 'manual' });
        expect([moved.status, moved.headers.get('location')]).toEqual([
          302,
          app.url + paths.at(-1),
        ]);
        expect(moved.headers.get('cache-control')).toBe('public, no-cache');
      }
      const response = await app.fetch(paths[0]!);
      expect(response.headers.get('cache-control')).toBe(IMMUTABLE);
      return shadesOf(Buffer.from(await response.arrayBuffer()));
    };
    await updateMedia(contextOf(app), mediaId, { focalPoint: { left: 0, top: 0 } });
    expect(await follow()).toBe('red red blue blue red');
    await updateMedia(contextOf(app), mediaId, { focalPoint: { left: 1, top: 0 } });
    expect(await follow()).toBe('lime lime yellow yellow lime');
    const crops = [{ alias: 'left', width: 40, height: 40 }];
    await updateMedia(contextOf(app), mediaId, { crops });
    await follow();
    expect(new Set(paths).size).toBe(4);
    // Back to what it was: so is the URL, and nothing redirects in a circle.
    await updateMedia(contextOf(app), mediaId, { crops: null });
    expect(await renditionPath(app, mediaId, args)).toBe(paths[2]);
    expect((await app.fetch(paths[2]!, { redirect: 'manual' })).status).toBe(200);
    paths.length = 1;
    const bytes = inPieces(await quadrants(100, 400).png().toBuffer(), 65_536);
    await replaceFile(contextOf(app), mediaId, { filename: 'other.png', bytes });
    await follow();
    expect(paths.at(-1)).toMatch(/\/other\.png$/);
    // What is not an image has no renditions.
    const text = inPieces(Buffer.from('text'), 65_536);
    await replaceFile(contextOf(app), mediaId, { filename: 'a.txt', bytes: text });
    expect(await (await app.fetch(paths[0]!)).text()).toBe('text');
  });

  test('is for nothing that the server has not signed', async () => {
    const app = shared();
    const { mediaId, urlPath } = await storeFile(app, 'a.jpg', JPEG);
    const path = await renditionPath(app, mediaId, 'width: 100');
    const [, , dir, version, parameters = '', name] = path.split('/');
    const [width, signature = ''] = parameters.split('.');
    const rendered = vi.spyOn(app.services.blobs, 'withLocalFile');
    for (const wrong of [
      `/i/${dir}/${version}/w101.${signature}/${name}`,
      `/i/${dir}/${version}/${width}.webp.${signature}/${name}`,
      `/i/${dir}/${version}/${signature}/${name}`,
      `/i/${dir}/${version}/${width}/${name}`,
      `/i/${dir}/${version}/${width}./${name}`,
      `/i/${dir}/${version}/${width}.${signature.slice(0, -1)}/${name}`,
      `/i/${dir}/${version}/${width}.${signature}A/${name}`,
      `/i/${dir}/${version}/${width}.${otherSpelling(signature)}/${name}`,
      `/i/${dir}/0123456789/${parameters}/${name}`,
      `/i/aaaaaaaa/${version}/${parameters}/${name}`,
      `/i/${dir}/${version}/${parameters}/b.jpg`,
      `/i/${dir}/${version}/${parameters}/${name}/`,
      `/i/${dir}/${version}/%77100.${signature}/${name}`,
      `/i/${dir}/${version}/${parameters}/%61.jpg`,
    ]) {
      const { status, headers, body } = await requestRaw(app, 'GET', wrong);
      expect([wrong, status, JSON.parse(body)]).toMatchObject([
        wrong,
        403,
        { error: { code: 'SIGNATURE_INVALID' } },
      ]);
      expect(headers['cache-control']).toMatch(/no-store/);
    }
    for (const query of [
      ...['?width=200', '?v=1', '?Download=1', '?download=1&x', '?', '?&&', '??download=1'],
      ...['?download', '?download=', '?download=0', '?download=true', '?download=abc'],
      ...['?download=1&download=2', '?download=1&', '?download=%31', '?download=1?'],
    ]) {
      const { status, headers, body } = await requestRaw(app, 'GET', path + query);
      expect(headers['cache-control']).toMatch(/no-store/);
      expect([query, status, JSON.parse(body)]).toMatchObject([
        query,
        400,
        { error: { code: 'INVALID_INPUT' } },
      ]);
    }
    expect(rendered).not.toHaveBeenCalled();
    rendered.mockRestore();
    expect((await app.fetch(path)).status).toBe(200);
    await deleteMedia(contextOf(app), mediaId);
    expect([(await app.fetch(path)).status, (await app.fetch(urlPath)).status]).toEqual([404, 404]);
  });

  test('is 503 if rendering takes too long, and not the original', async () => {
    const app = shared();
    const { mediaId, urlPath } = await storeFile(app, 'a.jpg', JPEG);
    const path = await renditionPath(app, mediaId, 'width: 30, format: AUTO');
    const rendered = vi.spyOn(app.services.blobs, 'withLocalFile');
    rendered.mockRejectedValue(new SlowImageError());
    for (const one of [path, `${urlPath}?width=30`]) {
      const response = await app.fetch(one);
      expect([response.status, await response.json()]).toMatchObject([
        503,
        { error: { code: 'SERVER_BUSY' } },
      ]);
      expect(response.headers.get('retry-after')).toBe('60');
    }
    rendered.mockRestore();
  });

  test('is made once for 100 requests at once', async () => {
    const app = shared();
    const { bytes } = await makePhoto({ sizeBytesMin: 1_000_000 });
    const { mediaId } = await storeFile(app, 'photo.jpg', bytes);
    const path = await renditionPath(app, mediaId, 'width: 200, format: WEBP');
    const rendered = vi.spyOn(app.services.blobs, 'withLocalFile');
    const all = await Promise.all(
      Array.from({ length: 100 }, async () => {
        const response = await app.fetch(path);
        return [response.status, (await response.arrayBuffer()).byteLength];
      }),
    );
    expect(new Set(all.map(String)).size).toBe(1);
    expect(all[0]![0]).toBe(200);
    expect(rendered).toHaveBeenCalledOnce();
    rendered.mockRestore();
  });
});

/** Returns the same 16 bytes in another spelling: their last character has four bits that mean nothing. */
function otherSpelling(signature: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const last = alphabet.indexOf(signature.at(-1)!);
  return signature.slice(0, -1) + alphabet[last + 1];
}
