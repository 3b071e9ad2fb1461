import { expect, test } from 'vitest';
import { type TestApp, withApp } from '../../../support/app.ts';
import { type Backend, describeEachBackend } from '../../../support/backend.ts';
import { makeJwt } from '../../../support/make.ts';
import {
  CHUNK_BYTES,
  CHUNK_PATH,
  COMPLETE_PATH,
  complete,
  md5Of,
  readFixture,
  refusal,
  send,
  sendChunk,
  sendFile,
} from '../../../support/selfcommunity.ts';
import {
  AB,
  ABCD,
  ANY_MD5,
  blobs,
  CD,
  FORM,
  fieldPart,
  HOUR_MS,
  JSON_TYPE,
  MALFORMED_RANGES,
  multipart,
  SECOND,
  SECRET,
  startUpload,
  UNKNOWN_ID,
  UNKNOWN_IDS,
} from './chunk.ts';

describeEachBackend('§5.3: a chunk over SelfCommunity is refused', (backend) => {
  testRequired(backend, 'No chunk file was submitted', CHUNK_PATH, {
    'a form': { body: 'upload_id=&offset=0', headers: FORM },
    JSON: { body: '{"image":{}}', headers: JSON_TYPE },
    'a multipart body without the part': multipart(fieldPart('x', 'y')),
    'a multipart body without parts': multipart(),
    nothing: {},
  });

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
      // §5.4: a client that receives no error continues without an id.
      const answer = await sendChunk(app, CD, SECOND);
      const expected = refusal(400, 'Offsets do not match');
      expect(answer).toEqual({
        headers: expect.anything(),
        status: 400,
        body: { ...expected.body, offset: 0 },
      });
      expect(await blobs(app)).toEqual([]);
    }));

  test('Offsets do not match: a chunk that was sent before, or comes too early', () =>
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

  test('Offsets do not match: before the size is checked', () =>
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

  test('a total that changes between chunks', () =>
    withApp(backend, async (app) => {
      const uploadId = await startUpload(app);
      const answer = await sendChunk(app, CD, { uploadId, startBytes: 2, totalBytes: 5 });
      const text = 'The total must be 4 bytes, as in the first chunk.';
      expect(answer).toMatchObject(refusal(400, text));
    }));

  test('Size of file exceeds the limit: of documents, which is the largest in this dialect', () =>
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
  ])('Size of file exceeds the limit: of images, known by %s', (_by, name, contentType) =>
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
      const fields = await completeUpload(app);
      app.services.clock = () => Date.now() + 24 * HOUR_MS + 1;
      expect(await complete(app, fields)).toMatchObject(refusal(410, 'Upload has expired'));
    }));

  test('Not found.: an unknown upload_id', () =>
    withApp(backend, async (app) => {
      const notFound = refusal(404, 'Not found.', 'not_found');
      for (const id of UNKNOWN_IDS) {
        const answer = await sendChunk(app, CD, { uploadId: id, ...SECOND });
        expect(answer, id).toMatchObject(notFound);
        const done = await complete(app, { upload_id: id, md5: 'string' });
        expect(done, id).toMatchObject(notFound);
      }
    }));

  test('Not found.: another user’s upload, before any other check', () =>
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

describeEachBackend('§5.3: complete over SelfCommunity is refused', (backend) => {
  testRequired(backend, "Both 'upload_id' and 'md5' are required", COMPLETE_PATH, {
    nothing: {},
    'only md5': multipart(fieldPart('md5', ANY_MD5)),
    'only upload_id': { body: `upload_id=${UNKNOWN_ID}`, headers: FORM },
    'empty fields': { body: 'upload_id=&md5=', headers: FORM },
    null: { body: '{"upload_id":null,"md5":null}', headers: JSON_TYPE },
  });

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
      const fields = await completeUpload(app);
      const text = 'Upload has already been marked as complete';
      expect(await complete(app, fields)).toMatchObject(refusal(400, text));
    }));

  test('Size of file exceeds the limit: an image that its first chunk did not reveal', () =>
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

/** Declares a test for each request without what is required. */
function testRequired(
  backend: Backend,
  text: string,
  path: string,
  requests: Record<string, RequestInit>,
) {
  test.each(Object.entries(requests))(`${text}: %s`, (_what, init) =>
    withApp(backend, async (app) => {
      expect(await send(app, path, init)).toMatchObject(refusal(400, text, 'required'));
    }),
  );
}

/** Uploads a PDF and completes it. Returns the fields that completed it. */
async function completeUpload(app: TestApp) {
  const pdf = await readFixture('document.pdf');
  const fields = { upload_id: await sendFile(app, pdf), md5: md5Of(pdf) };
  expect((await complete(app, fields)).status).toBe(201);
  return fields;
}
