import { randomBytes } from 'node:crypto';
import { request } from 'node:http';
import { Readable } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { FileGoneError } from '../../../src/domain/file/file.ts';
import type { Content } from '../../../src/http/file/file-response.ts';
import { contentOf, MIB, serve, withListening } from './content.ts';

test('the bytes arrive unchanged, as a whole and as a range', async () => {
  const bytes = randomBytes(5 * MIB + 3);
  await withListening(
    async () => contentOf(bytes),
    async (url) => {
      const whole = await fetch(url);
      expect(Buffer.from(await whole.arrayBuffer()).equals(bytes)).toBe(true);
      const part = await fetch(url, { headers: { range: 'bytes=99999-3000000' } });
      const expected = bytes.subarray(99_999, 3_000_001);
      expect(Buffer.from(await part.arrayBuffer()).equals(expected)).toBe(true);
    },
  );
});

test('an empty file has an empty response', async () => {
  await withListening(
    async () => contentOf(Buffer.alloc(0), { mimeType: 'text/plain' }),
    async (url) => {
      for (const headers of [{}, { range: 'bytes=0-' }]) {
        const response = await fetch(url, { headers });
        expect(response.status).toBe(200);
        expect(response.headers.get('content-length')).toBe('0');
        expect(await response.text()).toBe('');
      }
    },
  );
});

test('a request for a file that is replaced while it is opened returns the new one', async () => {
  const gone = contentOf(Buffer.from('old'));
  gone.read = async () => {
    throw new FileGoneError({ id: 1 });
  };
  const open = vi.fn(async () => contentOf(Buffer.from('new and longer')));
  open.mockResolvedValueOnce(gone);
  const { statusCode, headers, body } = await serve(open).inject({ method: 'GET', url: '/' });
  expect([statusCode, headers['content-length'], body]).toEqual([200, '14', 'new and longer']);
});

test('a file whose bytes are lost is opened once more, and is then a server error', async () => {
  const open = vi.fn(async (): Promise<Content> => {
    const read = async () => Promise.reject(new FileGoneError({ id: 1 }));
    return { ...contentOf(Buffer.from('old')), read };
  });
  expect((await serve(open).inject({ method: 'GET', url: '/' })).statusCode).toBe(500);
  expect(open).toHaveBeenCalledTimes(2);
});

test('a client that disconnected before its file was opened leaves nothing open', async () => {
  const body = Readable.from([Buffer.alloc(20)]);
  let open = (_content: Content): void => undefined;
  const opening = new Promise<Content>((resolve) => {
    open = resolve;
  });
  const asked = Promise.withResolvers<void>();
  const wait = () => {
    asked.resolve();
    return opening;
  };
  await withListening(wait, async (url) => {
    const abandoned = request(url)
      .on('error', () => undefined)
      .end();
    await asked.promise;
    abandoned.destroy();
    // Waits until the server has noticed it, too.
    await setTimeout(50);
    open({ ...contentOf(Buffer.alloc(20)), read: async () => body });
    await vi.waitFor(() => expect(body.destroyed).toBe(true));
  });
});

test('Last-Modified is never later than Date', async () => {
  const updatedAt = new Date(Date.now() + 3_600_000);
  const { headers } = await serve(async () => contentOf(Buffer.from('x'), { updatedAt })).inject(
    '/',
  );
  expect(Date.parse(headers['last-modified']!)).toBeLessThanOrEqual(Date.now());
});
