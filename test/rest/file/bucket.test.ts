import { randomBytes } from 'node:crypto';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { createApp } from '../../../src/start/app.ts';
import { parseConfig } from '../../../src/start/config.ts';
import { describeEachBackend } from '../../support/backend.ts';
import { withDataDir } from '../../support/process.ts';
import { s3Variables, withS3App } from '../../support/s3-app.ts';
import { withS3Server } from '../../support/s3-server.ts';
import { storeFile, storeFixture } from './stored-file.ts';

/** An image that no format compresses. */
function noise(): Promise<Buffer> {
  const raw = { width: 512, height: 512, channels: 3 } as const;
  return sharp(randomBytes(512 * 512 * 3), { raw })
    .png()
    .toBuffer();
}

describeEachBackend('files in a bucket', (backend) => {
  test('are sent by the server, whole and in ranges, and so are their renditions', () =>
    withS3App(backend, async (app, s3) => {
      const bytes = await noise();
      const { urlPath } = await storeFile(app, 'noise.png', bytes);
      const whole = await app.fetch(urlPath);
      expect(Buffer.from(await whole.arrayBuffer()).equals(bytes)).toBe(true);
      const part = await app.fetch(urlPath, { headers: { range: 'bytes=1000-2999' } });
      expect(part.status).toBe(206);
      expect(Buffer.from(await part.arrayBuffer()).equals(bytes.subarray(1000, 3000))).toBe(true);
      s3.resetCounts();
      const sized = `${urlPath}?width=160`;
      const [first, second] = [await app.fetch(sized), await app.fetch(sized)];
      expect(await first.arrayBuffer()).toEqual(await second.arrayBuffer());
      expect(s3.state().counts.put).toBe(1);
      expect(s3.state().uploads).toEqual([]);
      const { objects } = s3.state();
      expect(objects.every(({ name }) => name.startsWith('library/stored/'))).toBe(true);
    }));

  test('a bucket that fails is 503 with a time to wait, also at the readiness check', () =>
    withS3App(backend, async (app, s3) => {
      const { urlPath } = await storeFile(app, 'noise.png', await noise());
      s3.fail({ what: { status: 403, code: 'AccessDenied' }, times: 3 });
      const refused = await app.fetch(urlPath);
      expect(refused.status).toBe(503);
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
      expect((await app.fetch('/readyz')).status).toBe(503);
    }));

  test('are never redirected by default', () =>
    withS3App(backend, async (app) => {
      const { urlPath } = await storeFile(app, 'noise.png', await noise());
      expect((await app.fetch(urlPath, { redirect: 'manual' })).status).toBe(200);
    }));

  test.each(['public', 'all'])('are redirected where that is safe (%s)', (mode) =>
    withS3App(
      backend,
      async (app) => {
        const bytes = await noise();
        const file = await storeFile(app, 'nöise.png', bytes);
        const get = (path: string, init: RequestInit = {}) =>
          app.fetch(path, { redirect: 'manual', ...init });
        const shown = await get(file.urlPath);
        expect(shown.status).toBe(302);
        const maxAge = Number(
          /^public, max-age=(\d+)$/.exec(shown.headers.get('cache-control')!)?.[1],
        );
        const url = new URL(shown.headers.get('location')!);
        expect(Number(url.searchParams.get('X-Amz-Expires'))).toBeGreaterThan(maxAge);
        const sent = await fetch(url);
        expect(sent.headers.get('content-type')).toBe('image/png');
        expect(sent.headers.get('content-disposition')).toMatch(/^inline; .*n%C3%B6ise\.png/);
        expect(Buffer.from(await sent.arrayBuffer()).equals(bytes)).toBe(true);
        const range = { headers: { range: 'bytes=0-9' } };
        expect((await (await app.fetch(file.urlPath, range)).arrayBuffer()).byteLength).toBe(10);
        const saved = await get(`${file.urlPath}?download=1`);
        expect(saved.headers.get('location')).toMatch(/response-content-disposition=attachment/);

        expect((await get(file.urlPath, { method: 'HEAD' })).status).toBe(200);
        expect((await get(`${file.urlPath}?width=160`)).status).toBe(200);
        expect((await get((await storeFixture(app, 'picture.png')).urlPath)).status).toBe(200);
        const page = Buffer.from(`<!doctype html><p>${'x'.repeat(400_000)}`);
        const html = await get((await storeFile(app, 'a.html', page)).urlPath);
        expect(html.status).toBe(200);
        expect(html.headers.get('content-security-policy')).toMatch(/sandbox/);
        const etag = { headers: { 'if-none-match': `"${file.md5}"` } };
        expect((await get(file.urlPath, etag)).status).toBe(304);
        const unchanged = { 'if-match': `"${file.md5}"` };
        expect((await get(file.urlPath, { headers: unchanged })).status).toBe(200);
        const resumed = { 'if-range': `"${file.md5}"`, range: 'bytes=0-9' };
        expect((await get(file.urlPath, { headers: resumed })).status).toBe(206);
        const ofBucket = { 'if-range': sent.headers.get('etag')!, range: 'bytes=0-9' };
        expect((await get(file.urlPath, { headers: ofBucket })).status).toBe(302);

        await app.services.db.updateTable('media').set({ is_public: -1 }).execute();
        const headers = { authorization: `Bearer ${app.adminKey}` };
        const own = await get(file.urlPath, { headers });
        expect(own.headers.get('cache-control')).toBe('private, no-store');
        expect(own.status).toBe(mode === 'all' ? 302 : 200);
        if (mode === 'all') expect(own.headers.get('location')).toMatch(/X-Amz-Expires=60&/);
        expect((await get(file.urlPath)).status).toBe(404);
      },
      { TRIVIUM_STORAGE_REDIRECT: mode },
    ),
  );
});

test.each([
  ['a bucket that does not exist', { bucket: 'absent' }, /NoSuchBucket/],
  ['wrong credentials', { secret: 'wrong' }, /SignatureDoesNotMatch/],
  ['another region', { region: 'us-east-1' }, /AuthorizationHeaderMalformed/],
] as const)('a start with %s fails and says why', (_, given, message) =>
  withS3Server((s3) =>
    withDataDir(async (dataDir) => {
      const variables = s3Variables(s3);
      const {
        bucket = 'trivium',
        secret = variables.AWS_SECRET_ACCESS_KEY,
        region = 'eu-test-1',
      } = given as { bucket?: string; secret?: string; region?: string };
      const config = parseConfig({
        TRIVIUM_DATA_DIR: dataDir,
        TRIVIUM_LOG_LEVEL: 'silent',
        ...variables,
        TRIVIUM_STORAGE_URL: `s3://${bucket}?endpoint=${s3.url}&region=${region}`,
        AWS_SECRET_ACCESS_KEY: secret,
      });
      const error = await createApp(config).catch((reason) => reason);
      expect(error.name).toBe('StartError');
      expect(error.message).toMatch(message);
      expect(error.message).not.toContain(secret);
    }),
  ),
);
