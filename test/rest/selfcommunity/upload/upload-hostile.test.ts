import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { type TestApp, withApp } from '../../../support/app.ts';
import { describeEachBackend } from '../../../support/backend.ts';
import { openSocket, type RawAnswer, sendRaw, toRequest } from '../../../support/raw-request.ts';
import {
  type Answer,
  CHUNK_PATH,
  COMPLETE_PATH,
  send,
  sendChunk,
} from '../../../support/selfcommunity.ts';

const PATHS = [CHUNK_PATH, COMPLETE_PATH];
const MULTIPART = 'Content-Type: multipart/form-data; boundary=b';
const CONTENT_TYPES = [
  'application/json',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=b',
  'multipart/form-data; boundary="a b"',
  'multipart/form-data; boundary=',
  'multipart/form-data',
  'text/plain',
  'application/octet-stream',
  '*',
  ';',
];

const CHUNK_FORM = [
  '--b\r\nContent-Disposition: form-data; name="upload_id"\r\n\r\n',
  '\r\n--b\r\nContent-Disposition: form-data; name="image"; filename="a.txt"',
  '\r\nContent-Type: text/plain\r\n\r\nabcd\r\n--b--\r\n',
].join('');

/** Creates a generator of numbers that are the same in every run. */
function createRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 8) % below;
  };
}

/**
 * Expects a response that a client can parse, that is not a server error, and that does not reveal the implementation.
 */
function expectRefusal(answer: RawAnswer | null, what: string): void {
  expect(answer, what).not.toBeNull();
  expect(answer!.status, what).toBeGreaterThanOrEqual(400);
  expect(answer!.status, what).toBeLessThan(500);
  const body = JSON.parse(answer!.body);
  expect(body.errors, what).toBeInstanceOf(Array);
  expect(answer!.body, what).not.toMatch(/node_modules|\.ts:|\n\s+at /);
}

async function blobs(app: TestApp): Promise<string[]> {
  const directory = join(app.dataDir, 'blobs');
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
}

async function expectAlive(app: TestApp): Promise<void> {
  expect((await sendChunk(app, Buffer.from('ab'), { totalBytes: 4 })).status).toBe(201);
}

describeEachBackend('hostile uploads over SelfCommunity', (backend) => {
  test('random bytes, as a body of any content type', () =>
    withApp(backend, async (app) => {
      const random = createRandom(20_261_121);
      for (let round = 0; round < 120; round++) {
        const body = Buffer.from(Array.from({ length: random(600) + 1 }, () => random(256)));
        const type = CONTENT_TYPES[round % CONTENT_TYPES.length];
        const line = `POST ${PATHS[round % 2]}`;
        const answer = await sendRaw(app, toRequest(line, [`Content-Type: ${type}`], body));
        expectRefusal(answer, `${round}: ${type}`);
      }
      expect(await blobs(app)).toEqual([]);
    }));

  test('a form with single bytes replaced is a chunk, or refused', () =>
    withApp(backend, async (app) => {
      const random = createRandom(7);
      const bytes = [0, 10, 13, 32, 34, 45, 58, 59, 61, 92, 128, 255];
      for (let round = 0; round < 150; round++) {
        const body = Buffer.from(CHUNK_FORM);
        for (let count = random(4); count >= 0; count--) {
          body[random(body.length)] = bytes[random(bytes.length)]!;
        }
        const answer = await sendRaw(app, toRequest(`POST ${CHUNK_PATH}`, [MULTIPART], body));
        if (answer?.status !== 201) expectRefusal(answer, JSON.stringify(body.toString('latin1')));
      }
      await expectAlive(app);
    }));

  test('a form that ends too early, at every byte', () =>
    withApp(backend, async (app) => {
      // It is complete even without the line end after the last boundary.
      for (let length = 0; length < CHUNK_FORM.length - 2; length++) {
        const body = Buffer.from(CHUNK_FORM.slice(0, length));
        const answer = await sendRaw(app, toRequest(`POST ${CHUNK_PATH}`, [MULTIPART], body));
        expectRefusal(answer, `after ${length} bytes`);
      }
      expect(await blobs(app)).toEqual([]);
    }));

  test('thousands of parts', () =>
    withApp(backend, async (app) => {
      const part = '--b\r\nContent-Disposition: form-data; name="x"\r\n\r\n1\r\n';
      for (const path of PATHS) {
        const body = Buffer.from(`${part.repeat(5000)}--b--\r\n`);
        const answer = await sendRaw(app, toRequest(`POST ${path}`, [MULTIPART], body));
        expectRefusal(answer, path);
        expect(JSON.parse(answer!.body).detail).toContain('more than 1000 parts');
      }
    }));

  test.each([
    ['multipart', '--b\r\nContent-Disposition: form-data; name="x"\r\n\r\n', MULTIPART],
    ['a form', 'x=', 'Content-Type: application/x-www-form-urlencoded'],
    ['JSON', '"', 'Content-Type: application/json'],
  ])('a field of 10 MB in %s; the connection can be used again', (_what, start, type) =>
    withApp(backend, async (app) => {
      const body = Buffer.concat([Buffer.from(start), Buffer.alloc(10_000_000, 'x')]);
      const socket = await openSocket(app);
      const received: Buffer[] = [];
      socket.on('data', (bytes) => received.push(bytes));
      const text = () => Buffer.concat(received).toString();
      socket.write(toRequest(`POST ${COMPLETE_PATH}`, [type], body));
      await expect.poll(text, { timeout: 60_000 }).toContain('HTTP/1.1 413');
      socket.write(toRequest('GET /healthz', []));
      await expect.poll(text, { timeout: 60_000 }).toContain('HTTP/1.1 200');
      socket.destroy();
    }),
  );

  test('a file of 30 MB instead of a chunk', () =>
    withApp(backend, async (app) => {
      const answer = await sendChunk(app, Buffer.alloc(30_000_000, 'x'));
      const body = { detail: 'Max chunk size is 204800 bytes' };
      expect(answer).toMatchObject({ status: 400, body });
      expect(await blobs(app)).toEqual([]);
    }));

  test('names that are special in JavaScript', () =>
    withApp(backend, async (app) => {
      for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
        const fields = { [name]: '{"upload_id":"x"}' };
        const form = new FormData();
        form.set(name, 'x');
        const headers = { 'content-type': 'application/json' };
        const text = `{"${name}":{"upload_id":"x","md5":"y"}}`;
        const answers: Answer[] = [
          await send(app, COMPLETE_PATH, { body: form }),
          await send(app, COMPLETE_PATH, { body: text, headers }),
          await send(app, COMPLETE_PATH, { body: new URLSearchParams(fields) }),
          await sendChunk(app, Buffer.from('a'), { part: name }),
        ];
        for (const answer of answers) {
          expect(answer.status).toBe(400);
          expect(answer.body.errors[0].code).toBe('required');
        }
        expect((await sendChunk(app, Buffer.from('a'), { fields })).status).toBe(201);
      }
    }));

  test('JSON that is nested a hundred thousand deep', () =>
    withApp(backend, async (app) => {
      const headers = { 'content-type': 'application/json' };
      const deep = '['.repeat(100_000) + ']'.repeat(100_000);
      for (const body of [deep, `{"upload_id":${deep},"md5":"x"}`, `{"type":${deep}}`]) {
        expect((await send(app, COMPLETE_PATH, { body, headers })).status).toBe(400);
      }
    }));

  test('a large part that is not form-data is skipped', () =>
    withApp(backend, async (app) => {
      for (const disposition of ['attachment; name="x"', 'form-data', 'form-data; x="y"']) {
        const alien = `--b\r\nContent-Disposition: ${disposition}\r\n\r\n${'x'.repeat(300_000)}`;
        const body = Buffer.from(`${alien}\r\n${CHUNK_FORM}`);
        const answer = await sendRaw(app, toRequest(`POST ${CHUNK_PATH}`, [MULTIPART], body));
        expect(answer?.status, disposition).toBe(201);
      }
    }));

  test('headers of 100 kB are answered with JSON', () =>
    withApp(backend, async (app) => {
      const request = toRequest(`POST ${CHUNK_PATH}`, [`X-Large: ${'x'.repeat(100_000)}`]);
      const answer = await sendRaw(app, request);
      expect(answer?.status).toBe(431);
      expect(JSON.parse(answer!.body)).toHaveProperty('message');
    }));

  test('a part header of 100 kB', () =>
    withApp(backend, async (app) => {
      const body = Buffer.from(`--b\r\nX-Large: ${'x'.repeat(100_000)}\r\n\r\n1\r\n--b--\r\n`);
      const answer = await sendRaw(app, toRequest(`POST ${CHUNK_PATH}`, [MULTIPART], body));
      expectRefusal(answer, 'part');
    }));

  test('an invalid type of a part reaches neither the database nor the answer', () =>
    withApp(backend, async (app) => {
      for (const type of ['a\0b/c', 'x'.repeat(5000), '\u00ff\u00fe', 'image/\0png']) {
        const body = Buffer.from(CHUNK_FORM.replace('text/plain', type));
        const answer = await sendRaw(app, toRequest(`POST ${CHUNK_PATH}`, [MULTIPART], body));
        expect(answer?.status, JSON.stringify(type)).toBe(201);
      }
    }));

  test('a connection that is cut midway leaves nothing, and the upload can continue', () =>
    withApp(backend, async (app) => {
      const first = await sendChunk(app, Buffer.from('ab'), { totalBytes: 100_004 });
      const uploadId: string = first.body.upload_id;
      const before = await blobs(app);
      const form = CHUNK_FORM.replace('\r\n\r\n\r\n', `\r\n\r\n${uploadId}\r\n`);
      const body = Buffer.from(form.replace('abcd', 'x'.repeat(100_000)));
      const range = 'Content-Range: bytes 2-100001/100004';
      const request = toRequest(`POST ${CHUNK_PATH}`, [MULTIPART, range], body);
      for (const length of [50, 200, request.length - 40_000, request.length - 3]) {
        const socket = await openSocket(app);
        socket.write(request.subarray(0, length));
        await sleep(20);
        const closed = once(socket, 'close');
        socket.resetAndDestroy();
        await closed;
      }
      expect(await blobs(app)).toEqual(before);
      const wrong = await sendChunk(app, Buffer.from('x'), { uploadId, totalBytes: 100_004 });
      expect(wrong.body.offset).toBe(2);
      expect((await sendRaw(app, request))?.status).toBe(201);
    }));

  test('a Content-Length that is too small cuts off the form, and the rest is not treated as a request', () =>
    withApp(backend, async (app) => {
      const whole = toRequest(`POST ${CHUNK_PATH}`, [MULTIPART], Buffer.from(CHUNK_FORM));
      const lie = whole.toString().replace(/Content-Length: \d+/, 'Content-Length: 60');
      const answer = await sendRaw(app, Buffer.from(lie));
      // The connection is refused, whatever the path: the response is Fastify's own, and JSON too.
      expect(answer?.status).toBe(400);
      expect(JSON.parse(answer!.body)).toBeTypeOf('object');
      await expectAlive(app);
    }));

  test('a Content-Length that is too large waits for the rest, which never comes', () =>
    withApp(backend, async (app) => {
      const whole = toRequest(`POST ${CHUNK_PATH}`, [MULTIPART], Buffer.from(CHUNK_FORM));
      const more = String(CHUNK_FORM.length + 1000);
      const lie = whole.toString().replace(/Content-Length: \d+/, `Content-Length: ${more}`);
      // The form is complete: bytes after its last boundary do not matter.
      const answer = await sendRaw(app, Buffer.from(lie));
      expect(answer?.status).toBe(201);
      const cut = await openSocket(app);
      cut.end(Buffer.from(lie).subarray(0, -10));
      await once(cut.resume(), 'close');
      await expectAlive(app);
    }));
});
