import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type TestApp, withApp } from '../../support/app.ts';
import { describeEachBackend } from '../../support/backend.ts';
import { makeJwt } from '../../support/make.ts';
import {
  CHUNK_BYTES,
  CHUNK_PATH,
  COMPLETE_PATH,
  complete,
  fieldRefusal,
  md5Of,
  readFixture,
  refusal,
  send,
  sendChunk,
  sendFile,
  upload,
} from '../../support/selfcommunity.ts';

const SECRET = 'the-secret-of-the-tests';
const HOUR_MS = 3_600_000;
const UNKNOWN_ID = '0123456789abcdef0123456789abcdef';
const ANY_MD5 = '0'.repeat(32);
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
const JSON_TYPE = { 'content-type': 'application/json' };

const ABCD = Buffer.from('abcd');
const [AB, CD] = [ABCD.subarray(0, 2), ABCD.subarray(2)];
const [FIRST, SECOND] = [
  { startBytes: 0, totalBytes: 4 },
  { startBytes: 2, totalBytes: 4 },
];

const MALFORMED_RANGES = [
  'bytes 0-3',
  'bytes 0-3/*',
  'bytes */4',
  'bytes=0-3/4',
  'bytes -3/4',
  'items 0-3/4',
  'bytes 0-3/4, bytes 0-3/4',
  'bytes 3-0/4',
  'bytes 0-4/4',
  'bytes 0-3/0',
  'bytes 99999999999999999999-99999999999999999999/5',
  'x',
  '',
];
const UNKNOWN_IDS = [
  UNKNOWN_ID,
  UNKNOWN_ID.toUpperCase(),
  'f'.repeat(100_000),
  'null',
  '../../x',
  "' or 1=1",
  'a\0b',
  '日本',
];

/** Files of the blob directory, staged or stored. */
async function blobs(app: TestApp): Promise<string[]> {
  const directory = join(app.dataDir, 'blobs');
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
}

/** An upload that stands at byte 2 of 4. */
async function startUpload(app: TestApp, token?: string): Promise<string> {
  const options = { ...FIRST, ...(token !== undefined && { token }) };
  return (await sendChunk(app, AB, options)).body.upload_id;
}

function multipart(...parts: string[]): RequestInit {
  const body = [...parts.map((part) => `--b\r\n${part}\r\n`), '--b--\r\n'].join('');
  return { body, headers: { 'content-type': 'multipart/form-data; boundary=b' } };
}

function fieldPart(name: string, value: string): string {
  return `Content-Disposition: form-data; name="${name}"\r\n\r\n${value}`;
}

describeEachBackend('chunks over SelfCommunity', (backend) => {
  describe('§2.1: a chunk', () => {
    test('is answered with 201 and upload_id, offset as a string, expires, in this order', () =>
      withApp(backend, async (app) => {
        const before = Date.now();
        const { status, headers, body } = await sendChunk(app, AB, FIRST);
        expect(status).toBe(201);
        expect(headers.get('content-type')).toBe('application/json; charset=utf-8');
        expect(Object.keys(body)).toEqual(['upload_id', 'offset', 'expires']);
        expect(body.upload_id).toMatch(/^[0-9a-f]{32}$/);
        expect(body.offset).toBe('2');
        expect(body.expires).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
        const lifeMs = Date.parse(body.expires) - before;
        expect(lifeMs).toBeGreaterThanOrEqual(24 * HOUR_MS);
        expect(lifeMs).toBeLessThan(24 * HOUR_MS + 10_000);

        const uploadId = body.upload_id;
        const next = await sendChunk(app, CD, { uploadId, ...SECOND });
        expect(next).toMatchObject({
          status: 201,
          body: { upload_id: uploadId, offset: '4', expires: body.expires },
        });
      }));

    test.each(['image', 'document', 'file'])('may come in a part named %s', (part) =>
      withApp(backend, async (app) => {
        expect(await sendChunk(app, ABCD, { part })).toMatchObject({ status: 201 });
      }),
    );

    test('may come before the fields, as from `curl -F image=@x -F upload_id=…`', () =>
      withApp(backend, async (app) => {
        const uploadId = await startUpload(app);
        const request = multipart(
          'Content-Disposition: form-data; name="image"; filename="x"\r\n\r\ncd',
          fieldPart('upload_id', uploadId),
        );
        const headers = { ...request.headers, 'content-range': 'bytes 2-3/4' };
        const answer = await send(app, CHUNK_PATH, { ...request, headers });
        expect(answer).toMatchObject({ status: 201, body: { upload_id: uploadId, offset: '4' } });
      }));

    test('may come in a part without a filename, which is not read as text', () =>
      withApp(backend, async (app) => {
        const bytes = Buffer.from([0xff, 0xfe, 0x00, 0x80]);
        const body = Buffer.concat([
          Buffer.from('--b\r\nContent-Disposition: form-data; name=image\r\n\r\n'),
          bytes,
          Buffer.from('\r\n--b--\r\n'),
        ]);
        const { headers } = multipart();
        const { body: session } = await send(app, CHUNK_PATH, { body, headers: { ...headers } });
        expect(session.offset).toBe('4');
        const done = await complete(app, { upload_id: session.upload_id, md5: md5Of(bytes) });
        // The MD5 was right: what is wrong is that these bytes are nothing that this road knows.
        expect(done.body).toHaveProperty('type');
      }));

    test('may come with fields that nobody knows', () =>
      withApp(backend, async (app) => {
        const fields = { cors: '1', expires: 'string', __proto__x: 'y', constructor: 'z' };
        expect(await sendChunk(app, ABCD, { fields })).toMatchObject({ status: 201 });
      }));

    test('of an empty upload_id starts an upload', () =>
      withApp(backend, async (app) => {
        expect(await sendChunk(app, ABCD, { uploadId: '' })).toMatchObject({ status: 201 });
      }));

    test('without Content-Range is the whole file', () =>
      withApp(backend, async (app) => {
        const pdf = await readFixture('document.pdf');
        const options = { range: null, filename: 'a.pdf' };
        const { status, body } = await sendChunk(app, pdf, options);
        expect([status, body.offset]).toEqual([201, String(pdf.length)]);
        const done = await complete(app, { upload_id: body.upload_id, md5: md5Of(pdf) });
        expect(done).toMatchObject({ status: 201, body: { type: 'doc', size: pdf.length } });
      }));

    test('without Content-Range begins where a field `offset` says', () =>
      withApp(backend, async (app) => {
        const uploadId = await startUpload(app);
        const next = await sendChunk(app, CD, { uploadId, range: null, fields: { offset: '2' } });
        expect(next).toMatchObject({ status: 201, body: { offset: '4' } });
      }));

    test('§8 row 6: with Content-Range a field `offset` is not looked at', () =>
      withApp(backend, async (app) => {
        const fields = { offset: '17' };
        expect(await sendChunk(app, AB, { ...FIRST, fields })).toMatchObject({ status: 201 });
      }));

    test('§8 row 18: is taken without the slash at the end, too', () =>
      withApp(backend, async (app) => {
        const { body, headers } = multipart(
          'Content-Disposition: form-data; name="image"\r\n\r\nabcd',
        );
        const path = CHUNK_PATH.slice(0, -1);
        expect((await send(app, path, { body: body!, headers: headers! })).status).toBe(201);
      }));
  });

  describe('§5.3: a chunk is refused', () => {
    test.each([
      ['a form', { body: 'upload_id=&offset=0', headers: FORM }],
      ['JSON', { body: '{"image":{}}', headers: JSON_TYPE }],
      ['a multipart body without the part', multipart(fieldPart('x', 'y'))],
      ['a multipart body without parts', multipart()],
      ['nothing', {}],
    ])('No chunk file was submitted: %s', (_what, init) =>
      withApp(backend, async (app) => {
        const text = 'No chunk file was submitted';
        expect(await send(app, CHUNK_PATH, init)).toMatchObject(refusal(400, text, 'required'));
      }),
    );

    test('Error in request headers: a range that is malformed, empty or past the total', () =>
      withApp(backend, async (app) => {
        for (const range of MALFORMED_RANGES) {
          const answer = await sendChunk(app, ABCD, { range });
          expect(answer, range).toMatchObject(refusal(400, 'Error in request headers'));
        }
        expect(await blobs(app)).toEqual([]);
      }));

    test('Offsets do not match: a new upload that does not begin at 0', () =>
      withApp(backend, async (app) => {
        // §5.4: a client that was answered nothing goes on without an id.
        const answer = await sendChunk(app, CD, SECOND);
        const expected = refusal(400, 'Offsets do not match');
        expect(answer).toEqual({
          headers: expect.anything(),
          status: 400,
          body: { ...expected.body, offset: 0 },
        });
        expect(await blobs(app)).toEqual([]);
      }));

    test('Offsets do not match: a chunk that is there already, or comes too early', () =>
      withApp(backend, async (app) => {
        const uploadId = await startUpload(app);
        for (const startBytes of [0, 3]) {
          const wrong = { uploadId, startBytes, totalBytes: 4 };
          const answer = await sendChunk(app, Buffer.from('x'), wrong);
          expect(answer).toMatchObject(refusal(400, 'Offsets do not match'));
          expect(answer.body.offset).toBe(2);
        }
        expect((await sendChunk(app, CD, { uploadId, ...SECOND })).status).toBe(201);
      }));

    test('Offsets do not match: before the size is looked at', () =>
      withApp(backend, async (app) => {
        const uploadId = await startUpload(app);
        const answer = await sendChunk(app, ABCD, { uploadId, range: 'bytes 0-0/4' });
        expect(answer).toMatchObject(refusal(400, 'Offsets do not match'));
      }));

    test("File size doesn't match headers: nothing of it is kept", () =>
      withApp(backend, async (app) => {
        const text = "File size doesn't match headers";
        for (const range of ['bytes 0-1/4', 'bytes 0-4/5']) {
          expect(await sendChunk(app, ABCD, { range })).toMatchObject(refusal(400, text));
        }
        expect(await blobs(app)).toEqual([]);
        const uploadId = await startUpload(app);
        const long = await sendChunk(app, ABCD, { uploadId, range: 'bytes 2-3/4' });
        expect(long).toMatchObject(refusal(400, text));
        const beyond = await sendChunk(app, ABCD, {
          uploadId,
          range: null,
          fields: { offset: '2' },
        });
        expect(beyond).toMatchObject(refusal(400, text));
        expect((await sendChunk(app, CD, { uploadId, ...SECOND })).status).toBe(201);
      }));

    test('Max chunk size: one byte more than 204800', () =>
      withApp(backend, async (app) => {
        const bytes = Buffer.alloc(CHUNK_BYTES + 1, 'x');
        const tooLong = await sendChunk(app, bytes);
        expect(tooLong).toMatchObject(refusal(400, 'Max chunk size is 204800 bytes'));
        expect(await blobs(app)).toEqual([]);
        expect((await sendChunk(app, bytes.subarray(1))).status).toBe(201);
      }));

    test('a total that changes on the way', () =>
      withApp(backend, async (app) => {
        const uploadId = await startUpload(app);
        const answer = await sendChunk(app, CD, { uploadId, startBytes: 2, totalBytes: 5 });
        const text = 'The upload was started with 4 bytes in total.';
        expect(answer).toMatchObject(refusal(400, text));
      }));

    test('Size of file exceeds the limit: of documents, which is the largest on this road', () =>
      withApp(backend, async (app) => {
        const text = 'Size of file exceeds the limit (52428800 bytes)';
        for (const total of ['52428801', '99999999999999999999']) {
          const answer = await sendChunk(app, AB, { range: `bytes 0-1/${total}` });
          expect(answer).toMatchObject(refusal(400, text));
        }
        expect(await blobs(app)).toEqual([]);
        const allowed = await sendChunk(app, AB, { range: 'bytes 0-1/52428800' });
        expect(allowed.status).toBe(201);
      }));

    test.each([
      ['its magic number', 'picture.png', 'application/octet-stream'],
      ['the type of its part', 'note.txt', 'image/jpeg'],
    ])('Size of file exceeds the limit: of pictures, known by %s', (_by, name, contentType) =>
      withApp(backend, async (app) => {
        const bytes = await readFixture(name);
        const options = { filename: 'blob', contentType, totalBytes: 5 * 2 ** 20 + 1 };
        const text = 'Size of file exceeds the limit (5242880 bytes)';
        expect(await sendChunk(app, bytes, options)).toMatchObject(refusal(400, text));
        expect(await blobs(app)).toEqual([]);
      }),
    );

    test('The submitted file is empty.', () =>
      withApp(backend, async (app) => {
        for (const part of ['document', 'image', 'file']) {
          const answer = await sendChunk(app, Buffer.alloc(0), { part, range: null });
          expect(answer).toMatchObject(refusal(400, 'The submitted file is empty.'));
        }
        expect(await blobs(app)).toEqual([]);
      }));

    test('Upload has already been marked as "complete"', () =>
      withApp(backend, async (app) => {
        const pdf = await readFixture('document.pdf');
        const uploadId = await sendFile(app, pdf);
        await complete(app, { upload_id: uploadId, md5: md5Of(pdf) });
        const answer = await sendChunk(app, pdf, { uploadId });
        const text = 'Upload has already been marked as "complete"';
        expect(answer).toMatchObject(refusal(400, text));
      }));

    test('Upload has expired', () =>
      withApp(backend, async (app) => {
        const uploadId = await startUpload(app);
        app.services.clock = () => Date.now() + 24 * HOUR_MS + 1;
        const answer = await sendChunk(app, CD, { uploadId, ...SECOND });
        expect(answer).toMatchObject(refusal(410, 'Upload has expired'));
        const done = await complete(app, { upload_id: uploadId, md5: ANY_MD5 });
        expect(done).toMatchObject(refusal(410, 'Upload has expired'));
      }));

    test('Upload has expired: also when it has been completed before', () =>
      withApp(backend, async (app) => {
        const pdf = await readFixture('document.pdf');
        const upload_id = await sendFile(app, pdf);
        const fields = { upload_id, md5: md5Of(pdf) };
        expect((await complete(app, fields)).status).toBe(201);
        app.services.clock = () => Date.now() + 24 * HOUR_MS + 1;
        expect(await complete(app, fields)).toMatchObject(refusal(410, 'Upload has expired'));
      }));

    test('Not found.: an upload_id that nobody was given', () =>
      withApp(backend, async (app) => {
        const notFound = refusal(404, 'Not found.', 'not_found');
        for (const id of UNKNOWN_IDS) {
          const answer = await sendChunk(app, CD, { uploadId: id, ...SECOND });
          expect(answer, id).toMatchObject(notFound);
          const done = await complete(app, { upload_id: id, md5: 'string' });
          expect(done, id).toMatchObject(notFound);
        }
      }));

    test('Not found.: another one’s upload, and what is checked after it is not told', () =>
      withApp(
        backend,
        async (app) => {
          const [alice, bob] = await Promise.all(
            [7, 8].map((user_id) => makeJwt({ user_id, token_type: 'access' }, { secret: SECRET })),
          );
          const uploadId = await startUpload(app, alice!);
          const notFound = refusal(404, 'Not found.', 'not_found');
          for (const other of [{ token: bob! }, {}]) {
            const options = { uploadId, startBytes: 1, totalBytes: 2 ** 40, ...other };
            expect(await sendChunk(app, CD, options)).toMatchObject(notFound);
            const done = await complete(app, { upload_id: uploadId, md5: ANY_MD5 }, other);
            expect(done).toMatchObject(notFound);
          }
          const own = await sendChunk(app, CD, { uploadId, ...SECOND, token: alice! });
          expect(own.status).toBe(201);
        },
        { TRIVIUM_JWT_SECRET: SECRET },
      ));
  });

  describe('§5.3: complete is refused', () => {
    test.each([
      ['nothing', {}],
      ['only md5', multipart(fieldPart('md5', ANY_MD5))],
      ['only upload_id', { body: `upload_id=${UNKNOWN_ID}`, headers: FORM }],
      ['empty fields', { body: 'upload_id=&md5=', headers: FORM }],
      ['null', { body: '{"upload_id":null,"md5":null}', headers: JSON_TYPE }],
    ])("Both 'upload_id' and 'md5' are required: %s", (_what, init) =>
      withApp(backend, async (app) => {
        const text = "Both 'upload_id' and 'md5' are required";
        expect(await send(app, COMPLETE_PATH, init)).toMatchObject(refusal(400, text, 'required'));
      }),
    );

    test('md5 checksum does not match: it can be tried again', () =>
      withApp(backend, async (app) => {
        const pdf = await readFixture('document.pdf');
        const upload_id = await sendFile(app, pdf, { filename: 'a.pdf' });
        for (const md5 of [ANY_MD5, 'string', md5Of(pdf).slice(1), `${md5Of(pdf)}0`]) {
          const answer = await complete(app, { upload_id, md5 });
          expect(answer).toMatchObject(refusal(400, 'md5 checksum does not match'));
        }
        expect((await complete(app, { upload_id, md5: md5Of(pdf) })).status).toBe(201);
      }));

    test('md5 checksum does not match: the last chunk is missing', () =>
      withApp(backend, async (app) => {
        const upload_id = await startUpload(app);
        for (const md5 of [md5Of(AB), md5Of(ABCD)]) {
          const answer = await complete(app, { upload_id, md5 });
          expect(answer).toMatchObject(refusal(400, 'md5 checksum does not match'));
        }
      }));

    test('§8 row 17: Upload has already been marked as complete', () =>
      withApp(backend, async (app) => {
        const pdf = await readFixture('document.pdf');
        const upload_id = await sendFile(app, pdf);
        const fields = { upload_id, md5: md5Of(pdf) };
        expect((await complete(app, fields)).status).toBe(201);
        const text = 'Upload has already been marked as complete';
        expect(await complete(app, fields)).toMatchObject(refusal(400, text));
      }));

    test('Size of file exceeds the limit: a picture whose first chunk did not tell', () =>
      withApp(
        backend,
        async (app) => {
          const png = await readFixture('picture.png');
          const totalBytes = png.length;
          const first = await sendChunk(app, png.subarray(0, 1), { totalBytes });
          const uploadId = first.body.upload_id;
          await sendChunk(app, png.subarray(1), { uploadId, startBytes: 1, totalBytes });
          const answer = await complete(app, { upload_id: uploadId, md5: md5Of(png) });
          const text = 'Size of file exceeds the limit (500 bytes)';
          expect(answer).toMatchObject(refusal(400, text));
        },
        { TRIVIUM_IMAGE_BYTES_MAX: '500' },
      ));
  });

  describe('§2.2: type', () => {
    test.each([
      ['image', 'picture.png', 'image'],
      ['eimage', 'picture.png', 'eimage'],
      ['doc', 'document.pdf', 'doc'],
      ['document', 'document.pdf', 'doc'],
      ['file', 'document.pdf', 'doc'],
      ['file', 'animation.gif', 'image'],
      ['', 'picture.webp', 'image'],
      ['undefined', 'document.pdf', 'doc'],
      ['null', 'picture.png', 'image'],
      [undefined, 'photo-with-exif-rotation.jpg', 'image'],
      [undefined, 'document.pdf', 'doc'],
    ])('%j of %s makes %s, whatever it is called', (type, name, made) =>
      withApp(backend, async (app) => {
        const options = { filename: 'blob', ...(type !== undefined && { type }) };
        const answer = await upload(app, await readFixture(name), options);
        expect(answer).toMatchObject({ status: 201, body: { type: made } });
      }),
    );

    test('null in JSON is none', () =>
      withApp(backend, async (app) => {
        const pdf = await readFixture('document.pdf');
        const upload_id = await sendFile(app, pdf);
        const body = JSON.stringify({ type: null, upload_id, md5: md5Of(pdf).toUpperCase() });
        const answer = await send(app, COMPLETE_PATH, { body, headers: JSON_TYPE });
        expect(answer).toMatchObject({ status: 201, body: { type: 'doc' } });
      }));

    test('§8 row 4: vimeo, url and embed are not valid choices, nor is anything else', () =>
      withApp(backend, async (app) => {
        for (const type of ['vimeo', 'url', 'embed', 'share', 'Image', 'video', '__proto__']) {
          const answer = await complete(app, { upload_id: UNKNOWN_ID, md5: ANY_MD5, type });
          const message = `"${type}" is not a valid choice.`;
          expect(answer).toMatchObject(fieldRefusal('type', message, 'invalid_choice'));
        }
      }));

    test.each([
      ['image', 'document.pdf'],
      ['eimage', 'document.pdf'],
      ['doc', 'picture.png'],
      ['document', 'picture.png'],
      [undefined, 'note.txt'],
      [undefined, 'clip.mp4'],
      [undefined, 'drawing.svg'],
      ['file', 'page.html'],
      ['image', 'truncated.jpg'],
    ])('%s of %s is refused, naming the field', (type, name) =>
      withApp(backend, async (app) => {
        const options = { filename: 'blob', ...(type !== undefined && { type }) };
        const answer = await upload(app, await readFixture(name), options);
        expect(answer).toMatchObject(fieldRefusal('type', expect.any(String), 'invalid'));
      }),
    );

    test('a PDF that its part calls a picture is refused', () =>
      withApp(backend, async (app) => {
        const options = { filename: 'a.jpg', contentType: 'image/jpeg' };
        const answer = await upload(app, await readFixture('document.pdf'), options);
        expect(answer).toMatchObject(fieldRefusal('type', expect.any(String), 'invalid'));
      }));

    test('documents are what the configuration says', () =>
      withApp(
        backend,
        async (app) => {
          const options = { filename: 'a.csv', type: 'doc' };
          const answer = await upload(app, await readFixture('table.csv'), options);
          expect(answer).toMatchObject({ status: 201, body: { type: 'doc', title: 'a.csv' } });
        },
        { TRIVIUM_DOCUMENT_TYPES: 'application/pdf, text/csv' },
      ));
  });

  describe('§3: the media', () => {
    test('of a picture has its URL, size and type, and its bytes are those that were sent', () =>
      withApp(backend, async (app) => {
        const png = await readFixture('picture.png');
        const { body } = await upload(app, png, { filename: 'Täglich "1" 日.png' });
        expect(body).toMatchObject({
          type: 'image',
          title: 'Täglich "1" 日.png',
          url: null,
          image_width: 20,
          image_height: 16,
          image_mimetype: 'image/png',
          size: png.length,
        });
        expect(body.image).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/media\/[a-z0-5]{8}\/[\w.-]+\.png$/);
        const sent = await fetch(body.image);
        expect(Buffer.from(await sent.arrayBuffer()).equals(png)).toBe(true);
      }));

    test('of a document has its URL and name, and its bytes are those that were sent', () =>
      withApp(backend, async (app) => {
        const pdf = await readFixture('document.pdf');
        const { body } = await upload(app, pdf, { filename: 'résumé (1).pdf', type: 'document' });
        const expected = { type: 'doc', title: 'résumé (1).pdf', image: null, image_width: null };
        expect(body).toMatchObject({ ...expected, mimetype: 'application/pdf' });
        expect(body.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/media\/[a-z0-5]{8}\/[\w.-]+\.pdf$/);
        const sent = await fetch(body.url);
        expect(Buffer.from(await sent.arrayBuffer()).equals(pdf)).toBe(true);
      }));

    test('has links that begin with the configured URL', () =>
      withApp(
        backend,
        async (app) => {
          const { body } = await upload(app, await readFixture('picture.png'));
          expect(body.image).toMatch(/^https:\/\/media\.example\/base\/media\//);
        },
        { TRIVIUM_PUBLIC_URL: 'https://media.example/base/' },
      ));

    test('§8 row 19: of a picture called `blob` has no title', () =>
      withApp(backend, async (app) => {
        const { body } = await upload(app, await readFixture('picture.png'), { filename: 'blob' });
        expect(body.title).toBeNull();
      }));

    test('of a document without a name has a title all the same', () =>
      withApp(backend, async (app) => {
        const pdf = await readFixture('document.pdf');
        expect((await upload(app, pdf, { filename: 'blob' })).body.title).toMatch(/\.pdf$/);
      }));
  });

  describe('§4: a body', () => {
    test.each([
      ['JSON', (fields: object) => ({ body: JSON.stringify(fields), headers: JSON_TYPE })],
      [
        'a form',
        (fields: object) => ({
          body: new URLSearchParams(Object.entries(fields)).toString(),
          headers: FORM,
        }),
      ],
      [
        'JSON that calls itself a form, as in the documents',
        (fields: object) => ({ body: ` ${JSON.stringify(fields)}`, headers: FORM }),
      ],
      [
        'multipart',
        (fields: object) =>
          multipart(...Object.entries(fields).map(([name, value]) => fieldPart(name, value))),
      ],
      [
        'a form of repeated keys, of which the last wins',
        (fields: object) => ({
          body: `md5=x&type=vimeo&${new URLSearchParams(Object.entries(fields))}`,
          headers: FORM,
        }),
      ],
      [
        'multipart with repeated keys, of which the last wins',
        (fields: object) =>
          multipart(
            fieldPart('md5', 'x'),
            ...Object.entries(fields).map(([name, value]) => fieldPart(name, value)),
          ),
      ],
    ])('may be %s', (_encoding, encode) =>
      withApp(backend, async (app) => {
        const pdf = await readFixture('document.pdf');
        const upload_id = await sendFile(app, pdf);
        const init = encode({ upload_id, type: 'doc', md5: md5Of(pdf) });
        const answer = await send(app, COMPLETE_PATH, init);
        expect(answer).toMatchObject({ status: 201, body: { type: 'doc' } });
      }),
    );

    test('of JSON that is no object is refused, in the words of the service', () =>
      withApp(backend, async (app) => {
        const types = { '[1]': 'list', '"x"': 'str', true: 'bool', 1: 'int', 1.5: 'float' };
        for (const [body, type] of Object.entries(types)) {
          const answer = await send(app, COMPLETE_PATH, { body, headers: JSON_TYPE });
          const message = `Invalid data. Expected a dictionary, but got ${type}.`;
          expect(answer).toMatchObject(fieldRefusal('non_field_errors', message, 'invalid'));
        }
      }));

    test('of broken JSON is refused', () =>
      withApp(backend, async (app) => {
        const detail = expect.stringMatching(/^JSON parse error - ./);
        for (const body of ['{', 'abc', '{"a":1}x', '\u0000', Buffer.from([0x22, 0xff, 0x22])]) {
          for (const path of [CHUNK_PATH, COMPLETE_PATH]) {
            const answer = await send(app, path, { body, headers: JSON_TYPE });
            expect(answer).toMatchObject(refusal(400, detail, 'parse_error'));
          }
        }
      }));

    test.each([
      ['without an end', { ...multipart(), body: '--b\r\n' }],
      ['without a boundary', { body: 'x', headers: { 'content-type': 'multipart/form-data' } }],
      ['of something else', { ...multipart(), body: 'upload_id=1' }],
    ])('of broken multipart is refused: %s', (_what, init) =>
      withApp(backend, async (app) => {
        for (const path of [CHUNK_PATH, COMPLETE_PATH]) {
          const detail = expect.stringMatching(/^Multipart form parse error - ./);
          expect(await send(app, path, init)).toMatchObject(refusal(400, detail, 'parse_error'));
        }
      }),
    );

    test('of another content type is refused, or of none', () =>
      withApp(backend, async (app) => {
        for (const type of ['text/plain', 'image/jpeg', 'a/b; charset=utf-8', 'nonsense', '']) {
          for (const path of [CHUNK_PATH, COMPLETE_PATH]) {
            const body = Buffer.from('upload_id=1');
            const init = { body, headers: type === '' ? {} : { 'content-type': type } };
            const detail = `Unsupported media type "${type}" in request.`;
            const expected = refusal(415, detail, 'unsupported_media_type');
            expect(await send(app, path, init)).toMatchObject(expected);
          }
        }
      }));

    test('of fields that are no text is refused', () =>
      withApp(backend, async (app) => {
        for (const value of [{}, [], true]) {
          const body = JSON.stringify({ upload_id: value, md5: 'x' });
          const answer = await send(app, COMPLETE_PATH, { body, headers: JSON_TYPE });
          const expected = fieldRefusal('upload_id', 'Not a valid string.', 'invalid');
          expect(answer).toMatchObject(expected);
        }
      }));
  });

  describe('§4: other requests', () => {
    test('of another method are not allowed, and told which is', () =>
      withApp(backend, async (app) => {
        for (const method of ['GET', 'PUT', 'PATCH', 'DELETE']) {
          for (const path of [CHUNK_PATH, COMPLETE_PATH, CHUNK_PATH.slice(0, -1)]) {
            const answer = await send(app, path, { method });
            const detail = `Method "${method}" not allowed.`;
            expect(answer).toMatchObject(refusal(405, detail, 'method_not_allowed'));
            expect(answer.headers.get('allow')).toBe('POST, OPTIONS');
          }
        }
      }));

    test('of unknown paths are not found', () =>
      withApp(backend, async (app) => {
        for (const path of ['/api/v2/', '/api/v2', '/api/v2/media/upload/x/', '/api/v2/x/?a=1']) {
          for (const method of ['GET', 'POST', 'DELETE']) {
            const answer = await send(app, path, { method });
            expect(answer).toMatchObject(refusal(404, 'Not found.', 'not_found'));
          }
        }
      }));
  });
});

describeEachBackend('credentials of uploads over SelfCommunity', (backend) => {
  test('§8 row 1: none is needed while TRIVIUM_AUTH is open; a good one records who it was', () =>
    withApp(
      backend,
      async (app) => {
        const pdf = await readFixture('document.pdf');
        expect((await upload(app, pdf)).status).toBe(201);
        const token = await makeJwt({ user_id: 7, token_type: 'access' }, { secret: SECRET });
        const { body } = await upload(app, pdf, { token });
        const [row] = await app.services.db
          .selectFrom('media')
          .where('id', '=', body.id)
          .select('owner')
          .execute();
        expect(row).toEqual({ owner: '7' });
      },
      { TRIVIUM_JWT_SECRET: SECRET },
    ));

  test('one is needed where TRIVIUM_AUTH requires it, whatever the body is', () =>
    withApp(
      backend,
      async (app) => {
        const text = 'Authentication credentials were not provided.';
        const expected = refusal(401, text, 'not_authenticated');
        const answers = [
          await sendChunk(app, ABCD),
          await complete(app, { upload_id: UNKNOWN_ID, md5: ANY_MD5 }),
          await send(app, CHUNK_PATH, { body: '{', headers: JSON_TYPE }),
          await send(app, CHUNK_PATH, { body: Buffer.from('x') }),
        ];
        for (const answer of answers) {
          expect(answer).toMatchObject(expected);
          expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="api"');
        }
        expect(await blobs(app)).toEqual([]);
        expect((await sendChunk(app, ABCD, { token: app.adminKey })).status).toBe(201);
      },
      { TRIVIUM_AUTH: 'required' },
    ));

  test('a bad one is refused although none is needed, on any path and method', () =>
    withApp(
      backend,
      async (app) => {
        const expired = await makeJwt({ user_id: 7 }, { secret: SECRET, expiresIn: '-1s' });
        const expected = refusal(401, 'Given token not valid for any token type');
        expected.body.errors[0]!.code = 'authentication_failed';
        for (const token of ['nonsense', expired]) {
          const answers = [
            await sendChunk(app, ABCD, { token }),
            await complete(app, { upload_id: UNKNOWN_ID, md5: ANY_MD5 }, { token }),
            await send(app, '/api/v2/nothing/', { method: 'GET', token }),
            await send(app, CHUNK_PATH, { method: 'GET', token }),
          ];
          for (const answer of answers) {
            expect(answer).toMatchObject(expected);
            expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="api"');
          }
        }
      },
      { TRIVIUM_JWT_SECRET: SECRET },
    ));

  test('a reader’s is too little', () =>
    withApp(
      backend,
      async (app) => {
        const token = await makeJwt({ user_id: 7, role: 'reader' }, { secret: SECRET });
        const text = 'You do not have permission to perform this action.';
        const answer = await sendChunk(app, ABCD, { token });
        expect(answer).toMatchObject(refusal(403, text, 'permission_denied'));
      },
      { TRIVIUM_AUTH: 'required', TRIVIUM_JWT_SECRET: SECRET },
    ));

  test('§6: a browser of another origin may send chunks, and asks without a credential', () =>
    withApp(
      backend,
      async (app) => {
        const answer = await fetch(app.url + CHUNK_PATH, {
          method: 'OPTIONS',
          headers: {
            origin: 'https://community.example',
            'access-control-request-method': 'POST',
            'access-control-request-headers': 'authorization,content-range',
          },
        });
        expect(answer.status).toBe(204);
        expect(answer.headers.get('access-control-allow-origin')).toBe('*');
        expect(answer.headers.get('access-control-allow-methods')).toContain('POST');
        const allowed = answer.headers.get('access-control-allow-headers');
        expect(allowed).toContain('content-range');
        const refused = await sendChunk(app, ABCD);
        expect(refused.headers.get('access-control-allow-origin')).toBe('*');
      },
      { TRIVIUM_AUTH: 'required' },
    ));
});

describeEachBackend('chunks that race over SelfCommunity', (backend) => {
  test('of two clients that send the same chunk one wins, the other learns the offset', () =>
    withApp(backend, async (app) => {
      const bytes = Buffer.alloc(100_001, 'x');
      const totalBytes = bytes.length;
      const first = await sendChunk(app, bytes.subarray(0, 1), { totalBytes });
      const racing = { uploadId: first.body.upload_id, startBytes: 1, totalBytes };
      const answers = await Promise.all(
        Array.from({ length: 8 }, () => sendChunk(app, bytes.subarray(1), racing)),
      );
      const statuses = answers.map(({ status }) => status).sort();
      expect(statuses).toEqual([201, 400, 400, 400, 400, 400, 400, 400]);
      for (const { body } of answers.filter(({ status }) => status === 400)) {
        expect(body).toMatchObject({ detail: 'Offsets do not match', offset: totalBytes });
      }
    }));

  test('of two clients that complete one upload, one gets a media', () =>
    withApp(backend, async (app) => {
      const pdf = await readFixture('document.pdf');
      const fields = { upload_id: await sendFile(app, pdf), md5: md5Of(pdf) };
      const answers = await Promise.all([complete(app, fields), complete(app, fields)]);
      expect(answers.map(({ status }) => status).sort()).toEqual([201, 400]);
    }));
});
