import { expect, test } from 'vitest';
import { withApp } from '../../support/app.ts';
import { describeEachBackend } from '../../support/backend.ts';
import { makePhoto } from '../../support/photo.ts';
import { sendRaw, toRequest } from '../../support/raw-request.ts';
import { CHUNK_BYTES, md5Of, readFixture } from '../../support/selfcommunity.ts';

const CHUNK = 'POST /api/v2/media/upload/chunk/';
const COMPLETE = 'POST /api/v2/media/upload/complete/';

// Contract §7.1, byte for byte but for the id, the bytes and the token.
const FIRST_BOUNDARY = '----WebKitFormBoundary6aysnLcI0RBKuCyk';
const NEXT_BOUNDARY = '----WebKitFormBoundaryqJOjWbEWuuWne6nY';
const LAST_BOUNDARY = '----WebKitFormBoundaryfOpxvIGNfpVjBkEr';

interface Part {
  header: string;
  body: string | Uint8Array;
}

function filePart(filename: string, type: string, body: Uint8Array): Part {
  const disposition = `Content-Disposition: form-data; name="image"; filename="${filename}"`;
  return { header: `${disposition}\r\nContent-Type: ${type}`, body };
}

function fieldPart(name: string, body: string): Part {
  return { header: `Content-Disposition: form-data; name="${name}"`, body };
}

function formOf(boundary: string, parts: readonly Part[]): Buffer {
  return Buffer.concat([
    ...parts.flatMap(({ header, body }) => [
      Buffer.from(`--${boundary}\r\n${header}\r\n\r\n`),
      Buffer.from(body),
      Buffer.from('\r\n'),
    ]),
    Buffer.from(`--${boundary}--\r\n`),
  ]);
}

function uploaderHeaders(boundary: string, ...more: string[]): string[] {
  return [
    `Content-Type: multipart/form-data; boundary=${boundary}`,
    ...more,
    'Accept: application/json, text/plain, */*',
  ];
}

describeEachBackend('requests of the vendor’s uploader, byte for byte', (backend) => {
  test('§7.1: chunks of a document, and complete with `document`', () =>
    withApp(backend, async (app) => {
      const authorization = `Authorization: Bearer ${app.adminKey}`;
      const pdf = await readFixture('document.pdf');
      const file = Buffer.concat([pdf, Buffer.alloc(500_009 - pdf.length, '%')]);
      let uploadId = '';
      for (let start = 0; start < file.length; start += CHUNK_BYTES) {
        const chunk = file.subarray(start, start + CHUNK_BYTES);
        const range = `bytes ${start}-${start + chunk.length - 1}/500009`;
        const boundary = start === 0 ? FIRST_BOUNDARY : NEXT_BOUNDARY;
        const part = filePart('report.pdf', 'application/pdf', chunk);
        const parts = start === 0 ? [part] : [fieldPart('upload_id', uploadId), part];
        const headers = uploaderHeaders(boundary, authorization, `Content-Range: ${range}`);
        const answer = await sendRaw(app, toRequest(CHUNK, headers, formOf(boundary, parts)));
        expect(answer?.status).toBe(201);
        const session = JSON.parse(answer!.body);
        expect(session.offset).toBe(String(start + chunk.length));
        uploadId = session.upload_id;
      }
      const parts = [
        fieldPart('upload_id', uploadId),
        fieldPart('type', 'document'),
        fieldPart('md5', md5Of(file)),
      ];
      const headers = uploaderHeaders(LAST_BOUNDARY, authorization);
      const body = formOf(LAST_BOUNDARY, parts);
      const answer = await sendRaw(app, toRequest(COMPLETE, headers, body));
      expect(answer?.status).toBe(201);
      expect(answer?.headers['content-type']).toBe('application/json; charset=utf-8');
      const media = JSON.parse(answer!.body);
      expect(media).toMatchObject({ type: 'doc', title: 'report.pdf', size: 500_009 });
      const sent = await fetch(media.url.replace(/^http:\/\/[^/]+/, app.url));
      expect(Buffer.from(await sent.arrayBuffer()).equals(file)).toBe(true);
    }));

  test.each([
    ['image', 'gallery'],
    ['eimage', 'editor'],
  ])('§7.1: an image that a canvas has redrawn, called blob, of type %s (%s)', (type) =>
    withApp(backend, async (app) => {
      const { bytes, width, height } = await makePhoto({ sizeBytesMin: 269_786 });
      let uploadId = '';
      for (let start = 0; start < bytes.length; start += CHUNK_BYTES) {
        const chunk = bytes.subarray(start, start + CHUNK_BYTES);
        const range = `bytes ${start}-${start + chunk.length - 1}/${bytes.length}`;
        const part = filePart('blob', 'image/jpeg', chunk);
        const parts = start === 0 ? [part] : [fieldPart('upload_id', uploadId), part];
        const headers = uploaderHeaders(NEXT_BOUNDARY, `Content-Range: ${range}`);
        const answer = await sendRaw(app, toRequest(CHUNK, headers, formOf(NEXT_BOUNDARY, parts)));
        uploadId = JSON.parse(answer!.body).upload_id;
      }
      const fields = { upload_id: uploadId, type, md5: md5Of(bytes) };
      const parts = Object.entries(fields).map(([name, value]) => fieldPart(name, value));
      const headers = uploaderHeaders(LAST_BOUNDARY);
      const body = formOf(LAST_BOUNDARY, parts);
      const answer = await sendRaw(app, toRequest(COMPLETE, headers, body));
      expect(JSON.parse(answer!.body)).toMatchObject({
        type,
        title: null,
        image_width: width,
        image_height: height,
        image_mimetype: 'image/jpeg',
      });
    }),
  );

  test('§7.1: a GIF, which is not redrawn, in one chunk; complete as JSON, as from the SDK', () =>
    withApp(backend, async (app) => {
      const gif = await readFixture('animation.gif');
      const range = `Content-Range: bytes 0-${gif.length - 1}/${gif.length}`;
      const form = formOf(FIRST_BOUNDARY, [filePart('anim.gif', 'image/gif', gif)]);
      const chunk = toRequest(CHUNK, uploaderHeaders(FIRST_BOUNDARY, range), form);
      const { upload_id } = JSON.parse((await sendRaw(app, chunk))!.body);
      const body = Buffer.from(JSON.stringify({ type: 'image', upload_id, md5: md5Of(gif) }));
      const headers = ['Content-Type: application/json', 'User-Agent: axios/1.21.1'];
      const answer = await sendRaw(app, toRequest(COMPLETE, headers, body));
      expect(answer?.status).toBe(201);
      expect(JSON.parse(answer!.body)).toMatchObject({ type: 'image', title: 'anim.gif' });
    }));

  test.each(['/api/v2/tag/%zz/', '/api/v2/media/%ff/', '/api/v2/%E0%A4%A'])(
    '§5.2: %s is an unknown path, in both envelopes',
    (path) =>
      withApp(backend, async (app) => {
        const answer = await sendRaw(app, toRequest(`GET ${path}`, []));
        expect(answer?.status).toBe(400);
        const message = expect.stringContaining('is not a valid url component');
        expect(JSON.parse(answer!.body)).toEqual({
          detail: message,
          errors: [{ message, code: 'parse_error' }],
        });
      }),
  );

  test('§7 capture 1: a request without a file, as from the SDK’s broken helper, is refused', () =>
    withApp(backend, async (app) => {
      const headers = ['Content-Type: application/json', 'Content-Range: bytes 0-204799/410834'];
      const request = toRequest(CHUNK, headers, Buffer.from('{"image":{}}'));
      const answer = await sendRaw(app, request);
      expect(answer?.status).toBe(400);
      expect(JSON.parse(answer!.body).detail).toBe('No chunk file was submitted');
    }));

  test('§1: a name that is not ASCII, with quotes, as browsers send it', () =>
    withApp(backend, async (app) => {
      const pdf = await readFixture('document.pdf');
      const form = formOf(FIRST_BOUNDARY, [
        filePart('résumé %221%22 日.pdf', 'application/pdf', pdf),
      ]);
      const range = `Content-Range: bytes 0-${pdf.length - 1}/${pdf.length}`;
      const chunk = toRequest(CHUNK, uploaderHeaders(FIRST_BOUNDARY, range), form);
      const { upload_id } = JSON.parse((await sendRaw(app, chunk))!.body);
      const parts = [fieldPart('upload_id', upload_id), fieldPart('md5', md5Of(pdf))];
      const complete = formOf(LAST_BOUNDARY, parts);
      const answer = await sendRaw(
        app,
        toRequest(COMPLETE, uploaderHeaders(LAST_BOUNDARY), complete),
      );
      expect(JSON.parse(answer!.body).title).toBe('résumé "1" 日.pdf');
    }));

  test('§1: a chunk in `Transfer-Encoding: chunked`, as from the documents’ curl', () =>
    withApp(backend, async (app) => {
      const form = formOf(FIRST_BOUNDARY, [
        filePart('a.pdf', 'application/pdf', Buffer.from('ab')),
      ]);
      const pieces = [form.subarray(0, 30), form.subarray(30)].flatMap((piece) => [
        Buffer.from(`${piece.length.toString(16)}\r\n`),
        piece,
        Buffer.from('\r\n'),
      ]);
      const head = [
        `${CHUNK} HTTP/1.1`,
        'Host: 127.0.0.1',
        'Transfer-Encoding: chunked',
        'Content-Range: bytes 0-1/4',
        `Content-Type: multipart/form-data; boundary=${FIRST_BOUNDARY}`,
      ].join('\r\n');
      const end = Buffer.from('0\r\n\r\n');
      const request = Buffer.concat([Buffer.from(`${head}\r\n\r\n`), ...pieces, end]);
      const answer = await sendRaw(app, request);
      expect([answer?.status, JSON.parse(answer!.body).offset]).toEqual([201, '2']);
    }));
});
