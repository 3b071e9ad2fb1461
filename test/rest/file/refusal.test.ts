import { expect, test } from 'vitest';
import { withApp } from '../../support/app.ts';
import { describeEachBackend } from '../../support/backend.ts';
import { requestRaw, storeFixture } from './stored-file.ts';

describeEachBackend('requests that are not a GET of a file', (backend) => {
  test('with another method are 405, whatever their body is', () =>
    withApp(backend, async (app) => {
      const { urlPath } = await storeFixture(app, 'picture.png');
      for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'TRACE']) {
        for (const type of ['application/json', 'application/x-strange']) {
          const answer = await requestRaw(app, method, urlPath, { 'content-type': type });
          expect(answer.status).toBe(405);
          expect(answer.headers.allow).toBe('GET, HEAD, OPTIONS');
          expect(JSON.parse(answer.body).error.code).toBe('METHOD_NOT_ALLOWED');
        }
      }
      expect((await requestRaw(app, 'OPTIONS', urlPath)).status).toBe(204);
    }));

  test('with another path are 404, or 400 if the path is malformed, and never 500', () =>
    withApp(backend, async (app) => {
      const { urlPath } = await storeFixture(app, 'picture.png');
      const [, , dir] = urlPath.split('/');
      for (const [path, status] of [
        [`/media/${dir}/other.png`, 404],
        [`/media/aaaaaaaa/picture.png`, 404],
        [`/media/${dir}/Picture.png`, 404],
        [`/media/${dir}x/picture.png`, 404],
        [`/media/${dir!.slice(1)}/picture.png`, 404],
        [`/media/${dir!.toUpperCase()}/picture.png`, 404],
        [`/media/${dir!.slice(1)}6/picture.png`, 404],
        // One segment is an item of the tree, which cannot be read without a credential.
        [`/media/${dir}`, 401],
        [`/media/${dir}/`, 401],
        [`/media/${dir}//picture.png`, 404],
        [`/media/${dir}/picture.png/more`, 404],
        [`/media/${dir}/..`, 404],
        [`/media/${dir}/%2e%2e`, 404],
        [`/media/${dir}/..%2f..%2fadmin.key`, 404],
        [`/media/${dir}/..%5c..%5cadmin.key`, 404],
        [`/media/../../../../etc/passwd`, 404],
        [`/media/%2e%2e/%2e%2e/etc/passwd`, 404],
        [`/media/${dir}/%00`, 404],
        [`/media/${dir}/picture.png%00`, 404],
        [`/media/%00${dir!.slice(1)}/picture.png`, 404],
        [`/media/${dir}/picture.png%20`, 404],
        [`/media/${dir}/picture.png;v=1`, 404],
        [`/media/${dir}/'%20or%20'1'='1`, 404],
        [`/media/${dir}/${'%F0%9F%8E%89'.repeat(20)}`, 404],
        [`/media/${dir}/${'a'.repeat(101)}`, 404],
        [`/media/${dir}/%c0%ae%c0%ae`, 400],
        [`/media/${dir}/%ff`, 400],
        [`/media/${dir}/%`, 400],
        [`/media/${dir}/%zz`, 400],
        [`/media/${dir}/${'a'.repeat(5000)}`, 404],
      ] as const) {
        for (const method of ['GET', 'HEAD']) {
          const answer = await requestRaw(app, method, path);
          expect([path, answer.status]).toEqual([path, status]);
          if (method === 'GET') expect(JSON.parse(answer.body).error).toBeDefined();
        }
      }
    }));

  test('find the file if its path is encoded in another way', () =>
    withApp(backend, async (app) => {
      const { urlPath } = await storeFixture(app, 'picture.png');
      for (const path of [urlPath.replace('.png', '%2Epng'), `${urlPath}?a=%ff%00&b`]) {
        expect((await requestRaw(app, 'HEAD', path)).status).toBe(200);
      }
      const absolute = await requestRaw(app, 'HEAD', app.url + urlPath);
      expect(absolute.status).toBe(200);
    }));

  test('reach the other dialects for the other paths below /media', () =>
    withApp(backend, async (app) => {
      for (const path of [
        '/media/type',
        '/media/type/image',
        '/media/ca4249ed-2b23-4337-b522-63cabe5587d1',
        '/media/ca4249ed-2b23-4337-b522-63cabe5587d1/children',
      ]) {
        const answer = await requestRaw(app, 'DELETE', path);
        expect([path, answer.status]).not.toEqual([path, 405]);
      }
    }));

  test('with an invalid credential are 401, even if none is needed', () =>
    withApp(backend, async (app) => {
      const { urlPath } = await storeFixture(app, 'picture.png');
      for (const headers of [
        { authorization: 'Bearer wrong' },
        { authorization: 'Basic d3Jvbmc6' },
        { 'api-key': 'wrong' },
        { cookie: 'auth-token=wrong' },
      ]) {
        const response = await app.fetch(urlPath, { headers });
        expect(response.status).toBe(401);
        expect(((await response.json()) as { error: unknown }).error).toMatchObject({
          code: 'NOT_AUTHENTICATED',
        });
      }
    }));
});
