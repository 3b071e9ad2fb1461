import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { request } from 'node:http';
import { Readable } from 'node:stream';
import { expect, test, vi } from 'vitest';
import { contentOf, MIB, withListening } from './file/content.ts';

test('bytes that end before their promised length cut the connection', async () => {
  const bytes = randomBytes(MIB);
  await withListening(
    async () => contentOf(bytes, { sizeBytes: 2 * MIB, mimeType: 'image/png' }),
    async (url) => {
      const response = await fetch(url);
      expect(response.headers.get('content-length')).toBe(String(2 * MIB));
      await expect(response.arrayBuffer()).rejects.toThrow();
    },
  );
});

test('bytes that fail in the middle cut the connection', async () => {
  const content = contentOf(randomBytes(MIB));
  content.read = async () =>
    Readable.from(
      (function* () {
        yield Buffer.alloc(100);
        throw new Error('The disk is on fire');
      })(),
    );
  await withListening(
    async () => content,
    async (url) => {
      await expect((await fetch(url)).arrayBuffer()).rejects.toThrow();
    },
  );
});

test('a piece is recycled only after it has been sent', async () => {
  const bytes = randomBytes(20 * MIB);
  const free: Uint8Array[] = [Buffer.alloc(MIB), Buffer.alloc(MIB)];
  async function* pieces(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += MIB) {
      const piece = free.pop();
      if (piece === undefined) throw new Error('Nothing was given back');
      piece.set(bytes.subarray(at, at + MIB));
      yield piece;
    }
  }
  const recycle = (piece: Uint8Array) => free.push(piece.fill(0));
  const body = Object.assign(pieces(), { destroy: () => undefined, recycle });
  await withListening(
    async () => ({ ...contentOf(bytes), read: async () => body }),
    async (url) => {
      const received = Buffer.from(await (await fetch(url)).arrayBuffer());
      expect(received.equals(bytes)).toBe(true);
    },
  );
});

test('a waiting body is closed when the client disconnects', async () => {
  const body = new Readable({ read() {} });
  body.push(Buffer.alloc(10));
  await withListening(
    async () => ({ ...contentOf(Buffer.alloc(20)), read: async () => body }),
    async (url) => {
      const [response] = await once(request(url).end(), 'response');
      response.destroy();
      await vi.waitFor(() => expect(body.destroyed).toBe(true));
    },
  );
});

test('a client that disconnects at any time is no error of the server', async () => {
  const bytes = randomBytes(10 * MIB);
  const levels: number[] = [];
  const onLog = (line: string) => {
    const { level, path } = JSON.parse(line);
    if (path === '/') levels.push(level);
  };
  const cuts = 20;
  await withListening(
    async () => contentOf(bytes),
    async (url) => {
      for (let round = 0; round < cuts; round++) {
        const [response] = await once(request(url).end(), 'response');
        if (round % 2 === 1) await once(response, 'data');
        response.socket[round % 4 < 2 ? 'resetAndDestroy' : 'destroy']();
      }
      await vi.waitFor(() => expect(levels).toHaveLength(cuts));
    },
    onLog,
  );
  expect(new Set(levels)).toEqual(new Set([30]));
});
