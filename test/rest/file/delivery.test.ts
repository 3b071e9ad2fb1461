import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { withApp } from '../../support/app.ts';
import { describeEachBackend } from '../../support/backend.ts';
import { storeFile, storeFixture } from './stored-file.ts';

describeEachBackend('the bytes of a file', (backend) => {
  test('are the stored ones, with all their headers', () =>
    withApp(backend, async (app) => {
      const bytes = randomBytes(3_000_000);
      const file = await storeFile(app, 'data.bin', bytes);
      const response = await app.fetch(file.urlPath);
      expect(response.status).toBe(200);
      expect(Object.fromEntries(response.headers)).toMatchObject({
        'content-type': 'application/octet-stream',
        'content-length': '3000000',
        'accept-ranges': 'bytes',
        etag: `"${file.md5}"`,
        'last-modified': file.updatedAt.toUTCString(),
        'cache-control': 'public, no-cache',
        'content-disposition': 'attachment; filename="data.bin"',
        'cross-origin-resource-policy': 'cross-origin',
        'x-content-type-options': 'nosniff',
      });
      expect(Buffer.from(await response.arrayBuffer()).equals(bytes)).toBe(true);
    }));

  test('HEAD has the headers of GET and no body, and ignores a range', () =>
    withApp(backend, async (app) => {
      for (const name of ['picture.png', 'note.txt', 'drawing.svg']) {
        const { urlPath } = await storeFixture(app, name);
        const got = await app.fetch(urlPath);
        const asked = await app.fetch(urlPath, {
          method: 'HEAD',
          headers: { range: 'bytes=0-1', 'if-range': got.headers.get('etag')! },
        });
        expect(asked.status).toBe(200);
        expect(await asked.text()).toBe('');
        // `fetch` keeps no connection that it sent a HEAD over.
        const own = ['date', 'x-request-id', 'connection', 'keep-alive'];
        const rest = ({ headers }: Response) =>
          [...headers].filter(([name]) => !own.includes(name));
        expect(rest(asked)).toEqual(rest(got));
        expect(asked.headers.get('content-length')).toBe(
          String((await got.arrayBuffer()).byteLength),
        );
      }
    }));

  test.each([
    ['picture.png', 'image/png', 'inline', null],
    ['clip.mp4', 'video/mp4', 'inline', null],
    ['sound.mp3', 'audio/mpeg', 'inline', null],
    ['document.pdf', 'application/pdf', 'inline', null],
    ['note.txt', 'text/plain; charset=utf-8', 'inline', 'sandbox'],
    ['table.csv', 'text/csv; charset=utf-8', 'inline', 'sandbox'],
    ['drawing-with-script.svg', 'image/svg+xml', 'inline', 'sandbox'],
    ['page.html', 'text/html; charset=utf-8', 'attachment', 'sandbox'],
    ['archive.zip', 'application/zip', 'attachment', 'sandbox'],
  ])('%s is sent as %s, %s, policy %s', (name, type, disposition, policy) =>
    withApp(backend, async (app) => {
      const { urlPath } = await storeFixture(app, name);
      const { headers } = await app.fetch(urlPath, { method: 'HEAD' });
      expect(headers.get('content-type')).toBe(type);
      expect(headers.get('content-disposition')).toBe(`${disposition}; filename="${name}"`);
      expect(headers.get('content-security-policy')?.split(';')[0] ?? null).toBe(policy);
    }),
  );

  test('text that is not UTF-8 is sent without a charset', () =>
    withApp(backend, async (app) => {
      const long = 'é'.repeat(50_000);
      const texts: [Buffer, string][] = [
        [Buffer.from('a;b\nMüller;1\n', 'latin1'), 'text/csv'],
        [Buffer.from('\ufeffa;b\n', 'utf16le'), 'text/csv'],
        // The part that is looked at ends within a character.
        [Buffer.from(`a${long}`), 'text/csv; charset=utf-8'],
        [Buffer.from(long), 'text/csv; charset=utf-8'],
      ];
      for (const [bytes, type] of texts) {
        const { urlPath } = await storeFile(app, 'table.csv', bytes);
        const response = await app.fetch(urlPath);
        expect(response.headers.get('content-type')).toBe(type);
        expect(Buffer.from(await response.arrayBuffer()).equals(bytes)).toBe(true);
      }
    }));

  test('are saved under their real name with ?download=1', () =>
    withApp(backend, async (app) => {
      const { urlPath } = await storeFixture(app, 'picture.png', 'Grüße 🎉.png');
      const name = `filename="Gru_e _.png"; filename*=UTF-8''Gr%C3%BC%C3%9Fe%20%F0%9F%8E%89.png`;
      for (const [query, type] of [
        ['', 'inline'],
        ['?download=1', 'attachment'],
        ['?download', 'attachment'],
        ['?download=true', 'attachment'],
        ['?download=0', 'inline'],
        ['?download=false', 'inline'],
        ['?download=0&download=1', 'attachment'],
        ['?rnd=750&v=webp', 'inline'],
      ]) {
        const { headers } = await app.fetch(urlPath + query, { method: 'HEAD' });
        expect(headers.get('content-disposition')).toBe(`${type}; ${name}`);
      }
    }));

  test('need no credential, even if everything else requires one', () =>
    withApp(
      backend,
      async (app) => {
        const { urlPath } = await storeFixture(app, 'picture.png');
        expect((await app.fetch(urlPath)).status).toBe(200);
        expect((await app.fetch(urlPath, { asAdmin: true })).status).toBe(200);
      },
      { TRIVIUM_AUTH: 'required' },
    ));

  test('are looked up with one statement', () =>
    withApp(backend, async (app) => {
      const { urlPath } = await storeFixture(app, 'picture.png');
      app.statements.length = 0;
      await (await app.fetch(urlPath)).arrayBuffer();
      expect(app.statements).toHaveLength(1);
    }));
});
