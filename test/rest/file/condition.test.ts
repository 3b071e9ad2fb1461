import { expect, test } from 'vitest';
import { type TestApp, withApp } from '../../support/app.ts';
import { describeEachBackend } from '../../support/backend.ts';
import { storeFile } from './stored-file.ts';

const BYTES = Buffer.from('0123456789');

/** GETs the ten digits with the headers that `make` makes of their validators. */
async function get(
  app: TestApp,
  make: (etag: string, lastModified: string) => Record<string, string>,
  method = 'GET',
) {
  const file = await storeFile(app, 'digits.bin', BYTES);
  const headers = make(`"${file.md5}"`, file.updatedAt.toUTCString());
  const response = await app.fetch(file.urlPath, { method, headers });
  return { file, response, text: await response.text() };
}

describeEachBackend('a range of a file', (backend) => {
  test.each([
    { range: 'bytes=2-4', expected: '234', contentRange: 'bytes 2-4/10' },
    { range: 'bytes=7-', expected: '789', contentRange: 'bytes 7-9/10' },
    { range: 'bytes=-2', expected: '89', contentRange: 'bytes 8-9/10' },
    { range: 'bytes=0-', expected: '0123456789', contentRange: 'bytes 0-9/10' },
    { range: 'bytes=-99', expected: '0123456789', contentRange: 'bytes 0-9/10' },
    { range: 'bytes=9-99', expected: '9', contentRange: 'bytes 9-9/10' },
    { range: 'bytes=4-4, 99-', expected: '4', contentRange: 'bytes 4-4/10' },
  ])('$range is 206 with $expected', ({ range, expected, contentRange }) =>
    withApp(backend, async (app) => {
      const { file, response, text } = await get(app, () => ({ range }));
      expect(response.status).toBe(206);
      expect(text).toBe(expected);
      expect(Object.fromEntries(response.headers)).toMatchObject({
        'content-range': contentRange,
        'content-length': String(expected.length),
        'content-type': 'text/plain; charset=utf-8',
        'accept-ranges': 'bytes',
        etag: `"${file.md5}"`,
      });
    }),
  );

  test.each(['bytes=0-1,3-4', 'bytes=4-2', 'bytes=x', 'lines=1-2', 'bytes 0-1'])(
    '%s is answered with the whole file',
    (range) =>
      withApp(backend, async (app) => {
        const { response, text } = await get(app, () => ({ range }));
        expect([response.status, text]).toEqual([200, '0123456789']);
        expect(response.headers.get('content-range')).toBeNull();
      }),
  );

  test.each(['bytes=10-', 'bytes=-0', 'bytes=10-12,99-'])('%s is 416', (range) =>
    withApp(backend, async (app) => {
      const { response, text } = await get(app, () => ({ range }));
      expect(response.status).toBe(416);
      expect(response.headers.get('content-range')).toBe('bytes */10');
      expect(JSON.parse(text)).toEqual({
        error: { code: 'RANGE_NOT_SATISFIABLE', message: expect.any(String) },
      });
    }),
  );

  test('is ignored if If-Range names another state of the file', () =>
    withApp(backend, async (app) => {
      const range = 'bytes=0-1';
      const status = async (make: Parameters<typeof get>[1]) =>
        (await get(app, make)).response.status;
      expect(await status((etag) => ({ range, 'if-range': etag }))).toBe(206);
      expect(await status((_, date) => ({ range, 'if-range': date }))).toBe(206);
      expect(await status((etag) => ({ range, 'if-range': `W/${etag}` }))).toBe(200);
      expect(await status(() => ({ range, 'if-range': '"other"' }))).toBe(200);
      const gone = { range: 'bytes=99-', 'if-range': '"other"' };
      expect(await status(() => gone)).toBe(200);
    }));
});

describeEachBackend('a condition', (backend) => {
  test.each(['GET', 'HEAD'])('that %s has the file already is 304 without a body', (method) =>
    withApp(backend, async (app) => {
      for (const make of [
        (etag: string) => ({ 'if-none-match': `"x", W/${etag}` }),
        () => ({ 'if-none-match': '*' }),
        (_: string, date: string) => ({ 'if-modified-since': date }),
        (etag: string) => ({ 'if-none-match': etag, range: 'bytes=99-' }),
      ]) {
        const { file, response, text } = await get(app, make, method);
        expect([response.status, text]).toEqual([304, '']);
        expect(response.headers.get('etag')).toBe(`"${file.md5}"`);
        expect(response.headers.get('cache-control')).toBe('public, no-cache');
        expect(response.headers.get('content-length')).toBeNull();
        expect(response.headers.get('content-type')).toBeNull();
        // A cache adopts it: a policy that has become stricter applies to its stored response.
        expect(response.headers.get('content-security-policy')).toContain('sandbox');
      }
    }),
  );

  test('that fails is 412', () =>
    withApp(backend, async (app) => {
      for (const make of [
        () => ({ 'if-match': '"other"' }),
        (etag: string) => ({ 'if-match': `W/${etag}`, 'if-none-match': etag }),
        () => ({ 'if-unmodified-since': 'Sun, 06 Nov 1994 08:49:37 GMT' }),
        () => ({ 'if-match': '"other"', range: 'bytes=99-' }),
      ]) {
        const { response, text } = await get(app, make);
        expect(response.status).toBe(412);
        expect(JSON.parse(text).error.code).toBe('PRECONDITION_FAILED');
      }
    }));

  test('that holds, or that is malformed, changes nothing', () =>
    withApp(backend, async (app) => {
      for (const make of [
        (etag: string) => ({ 'if-match': etag }),
        () => ({ 'if-match': 'nonsense' }),
        () => ({ 'if-none-match': 'nonsense' }),
        () => ({ 'if-none-match': '"other"' }),
        () => ({ 'if-modified-since': 'yesterday' }),
        (_: string, date: string) => ({ 'if-unmodified-since': date }),
      ]) {
        const { response, text } = await get(app, make);
        expect([response.status, text]).toEqual([200, '0123456789']);
      }
    }));

  test('of a missing file is 404', () =>
    withApp(backend, async (app) => {
      const headers = { 'if-match': '"x"', 'if-none-match': '*', range: 'bytes=0-1' };
      expect((await app.fetch('/media/abcdefgh/none.png', { headers })).status).toBe(404);
    }));
});
