import { expect, test } from 'vitest';
import { withApp } from '../../../support/app.ts';
import { describeEachBackend } from '../../../support/backend.ts';
import {
  CHUNK_PATH,
  complete,
  md5Of,
  readFixture,
  send,
  sendChunk,
  sendFile,
} from '../../../support/selfcommunity.ts';
import {
  AB,
  ABCD,
  CD,
  FIRST,
  fieldPart,
  HOUR_MS,
  multipart,
  SECOND,
  startUpload,
} from './chunk.ts';

describeEachBackend('§2.1: a chunk over SelfCommunity', (backend) => {
  test('returns 201 with upload_id, offset as a string, and expires, in this order', () =>
    withApp(backend, async (app) => {
      const before = Date.now();
      const { status, headers, body } = await sendChunk(app, AB, FIRST);
      expect(status).toBe(201);
      expect(headers.get('content-type')).toBe('application/json; charset=utf-8');
      expect(Object.keys(body)).toEqual(['upload_id', 'offset', 'expires']);
      expect(body.upload_id).toMatch(/^[0-9a-f]{32}$/);
      expect(body.offset).toBe('2');
      expect(body.expires).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      const startedAt = Date.parse(body.expires) - 24 * HOUR_MS;
      expect(startedAt).toBeGreaterThanOrEqual(before);
      expect(startedAt).toBeLessThanOrEqual(Date.now());

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
      // The MD5 was right; these bytes have no type of this dialect.
      expect(done.body).toHaveProperty('type');
    }));

  test('may come with unknown fields', () =>
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

  test('without Content-Range begins at the offset in a field `offset`', () =>
    withApp(backend, async (app) => {
      const uploadId = await startUpload(app);
      const next = await sendChunk(app, CD, { uploadId, range: null, fields: { offset: '2' } });
      expect(next).toMatchObject({ status: 201, body: { offset: '4' } });
    }));

  test('§8 row 6: with Content-Range a field `offset` is ignored', () =>
    withApp(backend, async (app) => {
      const fields = { offset: '17' };
      expect(await sendChunk(app, AB, { ...FIRST, fields })).toMatchObject({ status: 201 });
    }));

  test('§8 row 18: is accepted without a trailing slash, too', () =>
    withApp(backend, async (app) => {
      const { body, headers } = multipart(
        'Content-Disposition: form-data; name="image"\r\n\r\nabcd',
      );
      const path = CHUNK_PATH.slice(0, -1);
      expect((await send(app, path, { body: body!, headers: headers! })).status).toBe(201);
    }));
});

describeEachBackend('chunks that race over SelfCommunity', (backend) => {
  test('when two clients send the same chunk, one succeeds and the other learns the offset', () =>
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

  test('when two clients complete one upload, one gets a media item', () =>
    withApp(backend, async (app) => {
      const pdf = await readFixture('document.pdf');
      const fields = { upload_id: await sendFile(app, pdf), md5: md5Of(pdf) };
      const answers = await Promise.all([complete(app, fields), complete(app, fields)]);
      expect(answers.map(({ status }) => status).sort()).toEqual([201, 400]);
    }));
});
