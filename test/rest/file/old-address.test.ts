import sharp from 'sharp';
import { expect, test } from 'vitest';
import type { Context } from '../../../src/domain/context.ts';
import { type File, filesByMediaIds } from '../../../src/domain/file/file.ts';
import { signPath } from '../../../src/domain/file/signed-url.ts';
import { versionsOfEach } from '../../../src/domain/file/version.ts';
import { createThumbnail } from '../../../src/domain/rendition/thumbnail.ts';
import { deleteMedia, updateMedia } from '../../../src/domain/tree/media-change.ts';
import { uploadToResource } from '../../../src/domain/upload/resource-upload.ts';
import { restoreVersion } from '../../../src/domain/upload/restore-version.ts';
import { replaceFile } from '../../../src/domain/upload/upload-file.ts';
import { type TestApp, user } from '../../support/app.ts';
import { describeEachBackend } from '../../support/backend.ts';
import { inPieces, PNG } from '../../support/bytes.ts';
import { bearer } from '../../support/private-media.ts';
import { WITH_USERS } from '../../support/request.ts';
import { shareApp } from '../../support/shared-app.ts';
import { storeFile } from './stored-file.ts';

describeEachBackend('the old URL of a replaced file', (backend) => {
  const shared = shareApp(backend, WITH_USERS);

  /** Stores `old.txt`, and replaces it by `new.txt`. */
  async function makeReplaced() {
    const app = shared();
    const ctx: Context = { ...app.services, viewer: user(), log: app.app.log };
    const file = await storeFile(app, 'old.txt', Buffer.from('old bytes'));
    await replace(ctx, file, 'new.txt', Buffer.from('new bytes'));
    return { app, ctx, file, path: file.urlPath };
  }

  test('serves the current file, as its own URL does, whole, in part and to caches', async () => {
    const { app, path, file } = await makeReplaced();
    const current = file.urlPath.replace('old.txt', 'new.txt');
    for (const init of [
      {},
      { method: 'HEAD' },
      { headers: { range: 'bytes=0-2' } },
      { headers: { 'if-none-match': `"${file.md5}"` } },
    ]) {
      const [old, own] = [await describe(app, path, init), await describe(app, current, init)];
      expect(old).toEqual(own);
      expect(old.status).toBe('headers' in init && 'range' in init.headers ? 206 : 200);
    }
    const { headers } = await app.fetch(path);
    expect([headers.get('cache-control'), headers.get('content-disposition')]).toEqual([
      'public, no-cache',
      'inline; filename="new.txt"',
    ]);
    const etag = headers.get('etag') ?? '';
    expect((await app.fetch(path, { headers: { 'if-none-match': etag } })).status).toBe(304);
  });

  test('never serves the old bytes, not as a rendition either', async () => {
    const app = shared();
    const ctx: Context = { ...app.services, viewer: user(), log: app.app.log };
    const file = await storeFile(app, 'red.png', await plain('#f00'));
    const red = await pixel(app, `${file.urlPath}?width=4&format=png`);
    await replace(ctx, file, 'blue.png', await plain('#00f'));
    for (const query of ['', '?width=4&format=png', '?width=4&format=png&rnd=1']) {
      expect(await pixel(app, file.urlPath + query)).toEqual([0, 0, 255]);
    }
    expect(red).toEqual([255, 0, 0]);
  });

  test('serves the current file after more replacements, and the file that takes the name back', async () => {
    const { app, ctx, file, path } = await makeReplaced();
    const get = async (name: string) => (await app.fetch(path.replace('old.txt', name))).text();
    await replace(ctx, file, 'newer.txt', Buffer.from('newer bytes'));
    for (const name of ['old.txt', 'new.txt', 'newer.txt'])
      expect(await get(name)).toBe('newer bytes');
    await replace(ctx, file, 'old.txt', Buffer.from('newest bytes'));
    expect((await originalOf(ctx, file)).urlPath).toBe(path);
    for (const name of ['old.txt', 'new.txt', 'newer.txt'])
      expect(await get(name)).toBe('newest bytes');
    const [version] =
      (await versionsOfEach(ctx, [file.mediaId], {})).get(file.mediaId)?.nodes ?? [];
    await restoreVersion(ctx, { mediaId: file.mediaId, versionId: version!.id });
    for (const name of ['old.txt', 'new.txt', 'newer.txt'])
      expect(await get(name)).toBe('newer bytes');
  });

  test('leads to no other file of the media item, whose new files get another name', async () => {
    const { app, ctx, file, path } = await makeReplaced();
    const variant = { resource: file.resource, key: 'old.txt' };
    const [added] = await uploadToResource(ctx, variant, async (take) => {
      await take({
        filename: 'x.txt',
        bytes: inPieces(Buffer.from('variant')),
        declaredType: null,
      });
      return { key: 'old.txt', projectId: null };
    });
    expect(added?.urlPath).toBe(path.replace('old.txt', 'old--2.txt'));
    expect(await (await app.fetch(path)).text()).toBe('new bytes');
    // The same for a file of the server itself.
    const thumbnail = await storeFile(app, 'thumbnail.webp', PNG);
    await replace(ctx, thumbnail, 'picture.png', PNG);
    await createThumbnail(ctx, thumbnail.uuid);
    const made = (await filesByMediaIds(ctx, [thumbnail.mediaId])).get(thumbnail.mediaId)?.[1];
    expect(made?.urlPath).toMatch(/thumbnail--2\.webp$/);
    expect((await app.fetch(thumbnail.urlPath)).headers.get('content-type')).toBe('image/png');
  });

  test('is for the same viewers as the current file, and for holders of a signed URL', async () => {
    const { app, ctx, file, path } = await makeReplaced();
    await updateMedia(ctx, file.mediaId, { visibility: 'private' });
    expect((await app.fetch(path)).status).toBe(404);
    const [, , dir] = (await originalOf(ctx, file)).urlPath.split('/');
    const moved = `/media/${dir}/old.txt`;
    const statusOf = async (path: string, as?: string) => {
      const headers: Record<string, string> = as ? await bearer(as) : {};
      const response = await app.fetch(path, { headers });
      return [response.status, response.headers.get('cache-control')];
    };
    expect(await statusOf(moved)).toEqual([404, 'no-store']);
    expect(await statusOf(moved, 'bob')).toEqual([404, 'no-store']);
    expect(await statusOf(moved, 'alice')).toEqual([200, 'private, no-store']);
    const signed = signPath(app.services, moved, { expiresInSeconds: 60 });
    expect(await statusOf(signed)).toEqual([200, 'private, no-store']);
    expect(await (await app.fetch(signed)).text()).toBe('new bytes');
    expect(await statusOf(signed.replace('old.txt', 'new.txt'))).toEqual([403, 'no-store']);
  });

  test('is 404 once the media item has been deleted', async () => {
    const { app, ctx, file, path } = await makeReplaced();
    await deleteMedia(ctx, file.mediaId);
    expect((await app.fetch(path)).status).toBe(404);
  });

  test('costs one more statement than the current one', async () => {
    const { app, path } = await makeReplaced();
    const count = async (path: string) => {
      app.statements.length = 0;
      await (await app.fetch(path)).arrayBuffer();
      return app.statements.length;
    };
    expect(await count(path.replace('old.txt', 'new.txt'))).toBe(1);
    expect(await count(path)).toBe(2);
  });
});

function replace(ctx: Context, { mediaId }: File, filename: string, bytes: Buffer) {
  return replaceFile(ctx, mediaId, { filename, bytes: inPieces(bytes, 4096) });
}

async function originalOf(ctx: Context, { mediaId }: File): Promise<File> {
  return (await filesByMediaIds(ctx, [mediaId])).get(mediaId)![0]!;
}

/** The parts of a response that two URLs of one file share. */
async function describe(app: TestApp, path: string, init: RequestInit) {
  const response = await app.fetch(path, init);
  const names = ['etag', 'last-modified', 'cache-control', 'content-type', 'content-disposition'];
  const headers = [...names, 'content-range', 'vary'].map((name) => response.headers.get(name));
  return { status: response.status, headers, body: await response.text() };
}

function plain(background: string): Promise<Buffer> {
  return sharp({ create: { width: 8, height: 8, channels: 3, background } })
    .png()
    .toBuffer();
}

/** The color of the first pixel of an image. */
async function pixel(app: TestApp, path: string): Promise<number[]> {
  const bytes = await (await app.fetch(path)).arrayBuffer();
  return [...(await sharp(bytes).removeAlpha().raw().toBuffer()).subarray(0, 3)];
}
