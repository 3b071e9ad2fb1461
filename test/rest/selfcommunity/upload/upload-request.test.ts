import { expect, test } from 'vitest';
import { withApp } from '../../../support/app.ts';
import { describeEachBackend } from '../../../support/backend.ts';
import { makeJwt } from '../../../support/make.ts';
import {
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
} from '../../../support/selfcommunity.ts';
import {
  ABCD,
  ANY_MD5,
  blobs,
  FORM,
  fieldPart,
  JSON_TYPE,
  multipart,
  SECRET,
  UNKNOWN_ID,
} from './chunk.ts';

describeEachBackend('§4: a body over SelfCommunity', (backend) => {
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

  test('of JSON that is not an object is refused, with the message of the original service', () =>
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

  test('of another content type, or without one, is refused', () =>
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

  test('of fields that are not text is refused', () =>
    withApp(backend, async (app) => {
      for (const value of [{}, [], true]) {
        const body = JSON.stringify({ upload_id: value, md5: 'x' });
        const answer = await send(app, COMPLETE_PATH, { body, headers: JSON_TYPE });
        const expected = fieldRefusal('upload_id', 'Not a valid string.', 'invalid');
        expect(answer).toMatchObject(expected);
      }
    }));
});

describeEachBackend('§4: other requests over SelfCommunity', (backend) => {
  test('of another method are not allowed, and the response names the allowed ones', () =>
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

describeEachBackend('the credential of an upload over SelfCommunity', (backend) => {
  test('§8 row 1: is optional while TRIVIUM_AUTH is open; a valid one records the owner', () =>
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

  test('is required if TRIVIUM_AUTH is required, whatever the body is', () =>
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

  test('is refused if it is invalid, even where it is optional, on any path and method', () =>
    withApp(
      backend,
      async (app) => {
        const expired = await makeJwt({ user_id: 7 }, { secret: SECRET, expiresIn: '-2m' });
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

  test('of a reader is refused', () =>
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

  test('§6: a browser on another origin may send chunks, and its preflight needs no credential', () =>
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
