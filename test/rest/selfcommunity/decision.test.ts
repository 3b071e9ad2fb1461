import { expect, test } from 'vitest';
import { type TestApp, withApp } from '../../support/app.ts';
import { BACKENDS } from '../../support/backend.ts';
import { makeJwt } from '../../support/make.ts';
import { WITH_USERS } from '../../support/request.ts';
import {
  CHUNK_PATH,
  fieldRefusal,
  linkEmbed,
  readFixture,
  refusal,
  send,
  sendChunk,
  upload,
} from '../../support/selfcommunity.ts';
import { call, FORBIDDEN, NO_CREDENTIAL, tokenOf } from './call.ts';

// Contract §8: the contradictions of its sources, and the decisions. Rows 4, 6, 17, 18 and 19
// are in `upload.test.ts`, beside the other tests of their subjects.
const serve = (work: (app: TestApp) => Promise<void>, variables = {}) =>
  withApp(BACKENDS[0]!, work, { ...WITH_USERS, ...variables });

const REQUIRED = { TRIVIUM_AUTH: 'required' };
const LINK = { type: 'url', url: 'https://example.com/a' };
const BYTES = Buffer.from('%PDF-');

test('§8 row 1: a media item can be created without a credential, unless the setting forbids it', async () => {
  await serve(async (app) => {
    expect((await call(app, 'POST /media/', { fields: LINK })).status).toBe(201);
    const headers = { authorization: 'Bearer a.bad.token' };
    expect((await call(app, 'POST /media/', { fields: LINK, headers })).status).toBe(401);
  });
  await serve(async (app) => {
    expect(await call(app, 'POST /media/', { fields: LINK })).toMatchObject(NO_CREDENTIAL);
    expect(await sendChunk(app, BYTES)).toMatchObject(NO_CREDENTIAL);
    expect((await call(app, 'POST /media/', { fields: LINK, as: 1 })).status).toBe(201);
  }, REQUIRED);
});

test('§8 row 2: anyone can write tags, unless the setting asks for a credential; anyone can read them', async () => {
  const fields = { name: 'a' };
  await serve(async (app) => {
    expect((await call(app, 'POST /tag/', { fields })).status).toBe(201);
  });
  await serve(async (app) => {
    expect(await call(app, 'POST /tag/', { fields })).toMatchObject(NO_CREDENTIAL);
    const { body } = await call(app, 'POST /tag/', { fields, as: 1 });
    const line = `/tag/${body.id}/`;
    expect(await call(app, `GET ${line}`)).toMatchObject({ status: 200, body });
    expect(await call(app, `PUT ${line}`, { fields, as: 1 })).toMatchObject(FORBIDDEN);
    expect((await call(app, `PUT ${line}`, { fields, as: 'admin' })).status).toBe(200);
  }, REQUIRED);
});

test('§8 row 3: only an admin changes or deletes media of an anonymous viewer', () =>
  serve(async (app) => {
    const { id } = (await call(app, 'POST /media/', { fields: LINK })).body;
    for (const line of [`PATCH /media/${id}/`, `DELETE /media/${id}/`]) {
      expect(await call(app, line)).toMatchObject(NO_CREDENTIAL);
      expect(await call(app, line, { as: 1 })).toMatchObject(FORBIDDEN);
      expect((await call(app, line, { as: 'admin' })).status).toBeLessThan(300);
    }
  }));

test('§8 row 5: vimeo, url, embed, share and image can be created', () =>
  serve(async (app) => {
    for (const fields of [
      LINK,
      { ...LINK, type: 'vimeo' },
      { ...LINK, type: 'image' },
      { type: 'embed', embed_type: 'a', embed_id: 'b' },
      { type: 'share', shared_object: 1 },
    ]) {
      const { status, body } = await call(app, 'POST /media/', { fields });
      expect([status, body.type]).toEqual([201, fields.type]);
    }
  }));

test('§8 row 7: a chunk without a file is 400 in any encoding, and never 415', () =>
  serve(async (app) => {
    const text = 'No chunk file was submitted';
    for (const body of [new URLSearchParams({ upload_id: 'x' }), new FormData()]) {
      expect(await send(app, CHUNK_PATH, { body })).toMatchObject({ body: { detail: text } });
    }
    const headers = { 'content-type': 'application/json' };
    const answer = await send(app, CHUNK_PATH, { body: '{"image":{}}', headers });
    expect(answer).toMatchObject(refusal(400, text, 'required'));
  }));

test('§8 row 8: `offset` is a string in a response, and a number in an error', () =>
  serve(async (app) => {
    const { body } = await sendChunk(app, BYTES, { totalBytes: 100 });
    expect(body.offset).toBe('5');
    const again = await sendChunk(app, BYTES, { totalBytes: 100, uploadId: body.upload_id });
    expect(again.body.offset).toBe(5);
  }));

test('§8 row 9: a chunk and `complete` are answered with 201', () =>
  serve(async (app) => {
    expect((await sendChunk(app, BYTES)).status).toBe(201);
    const pdf = await readFixture('document.pdf');
    expect((await upload(app, pdf, { filename: 'a.pdf' })).status).toBe(201);
  }));

test('§8 row 10: an embed is accepted flat and nested, and shown as both', () =>
  serve(async (app) => {
    const embed = { embed_type: 'a', embed_id: '1' };
    const flat = await call(app, 'POST /media/', { fields: { type: 'embed', ...embed } });
    const nested = await call(app, 'POST /media/', { fields: { type: 'embed', embed } });
    for (const { body } of [flat, nested]) expect(body).toMatchObject({ ...embed, embed });
  }));

test('§8 row 11: every media item has the superset of the fields', () =>
  serve(async (app) => {
    const pdf = await readFixture('document.pdf');
    const stored = await upload(app, pdf, { filename: 'a.pdf' });
    const link = await call(app, 'POST /media/', { fields: LINK });
    expect(Object.keys(link.body)).toEqual(Object.keys(stored.body));
    expect(Object.keys(link.body)).toHaveLength(29);
  }));

test('§8 row 12: a media item can be patched, and a tag deleted', () =>
  serve(async (app) => {
    const { id } = (await call(app, 'POST /media/', { fields: LINK, as: 1 })).body;
    expect((await call(app, `PATCH /media/${id}/`, { fields: {}, as: 1 })).status).toBe(200);
    await call(app, 'POST /tag/', { fields: { name: 'a' } });
    expect((await call(app, 'DELETE /tag/1/')).status).toBe(204);
  }));

test('§8 row 13: anyone can read a media item, unless the setting forbids it', async () => {
  const read = async (app: TestApp) => {
    const { id } = (await call(app, 'POST /media/', { fields: LINK, as: 1 })).body;
    return [
      (await call(app, `GET /media/${id}/`)).status,
      (await call(app, `GET /media/${id}/`, { as: 2 })).status,
    ];
  };
  await serve(async (app) => expect(await read(app)).toEqual([200, 200]));
  await serve(async (app) => expect(await read(app)).toEqual([401, 200]), REQUIRED);
});

test('§8 row 14: two tags may have the same type and name', () =>
  serve(async (app) => {
    for (const id of [1, 2]) {
      const answer = await call(app, 'POST /tag/', { fields: { name: 'a' } });
      expect(answer).toMatchObject({ status: 201, body: { id, name: 'a' } });
    }
  }));

test('§8 row 15: a boolean that a form omits has its default', () =>
  serve(async (app) => {
    const fields = { name: 'a' };
    for (const encoding of ['form', 'multipart'] as const) {
      const { body } = await call(app, 'POST /tag/', { fields, encoding });
      expect(body).toMatchObject({ visible: true, active: true, visibility_boost: false });
      const put = { fields, encoding };
      const { body: changed } = await call(app, `PUT /tag/${body.id}/`, put);
      expect(changed).toEqual(body);
    }
  }));

test('§8 row 16: an error has the forms of Django REST framework and of the SDK at once', () =>
  serve(async (app) => {
    const field = await call(app, 'POST /media/', { fields: { type: 'url', url: 'x' } });
    expect(field).toMatchObject(fieldRefusal('url', 'Enter a valid URL.', 'invalid'));
    const general = await call(app, 'GET /media/999/');
    expect(general).toMatchObject(refusal(404, 'Not found.', 'not_found'));
  }));

test('§8 row 18: a write without the trailing slash is not redirected, so that it keeps its body', () =>
  serve(async (app) => {
    const init = { method: 'POST', body: new URLSearchParams({ name: 'a' }) };
    const answer = await app.fetch('/api/v2/tag', { ...init, redirect: 'error' });
    expect(answer.status).toBe(201);
  }));

test('§8 row 20: a link has its embed before its page is fetched, and creating it fetches no page', () =>
  serve(async (app) => {
    for (const url of ['http://127.0.0.1:1/secret', 'http://169.254.169.254/latest', LINK.url]) {
      const { status, body } = await call(app, 'POST /media/', { fields: { type: 'url', url } });
      expect(status).toBe(201);
      expect(body.embed).toEqual(linkEmbed(body.id, url));
    }
  }));

test('§8 row 21: a deleted media item is in no list, and 404', () =>
  serve(async (app) => {
    const { id } = (await call(app, 'POST /media/', { fields: LINK, as: 1 })).body;
    await call(app, `DELETE /media/${id}/`, { as: 1 });
    expect((await call(app, `GET /media/${id}/`)).status).toBe(404);
    await call(app, 'POST /tag/', { fields: { name: 'a' } });
    await call(app, 'DELETE /tag/1/');
    expect((await call(app, 'GET /tag/1/')).status).toBe(404);
    for (const query of ['', '?deleted=true', '?search=a']) {
      expect((await call(app, `GET /tag/${query}`)).body.count).toBe(0);
    }
  }));

test('§6: a token names its user in `user_id`, and must be an access token', () =>
  serve(async (app) => {
    const { id } = (await call(app, 'POST /media/', { fields: LINK, as: 7 })).body;
    const headers = { authorization: `Bearer ${await tokenOf(7)}` };
    expect((await call(app, `DELETE /media/${id}/`, { headers })).status).toBe(204);
    const secret = WITH_USERS.TRIVIUM_JWT_SECRET;
    for (const claims of [{ user_id: 7, token_type: 'refresh' }, { token_type: 'access' }, {}]) {
      const authorization = `Bearer ${await makeJwt(claims, { secret })}`;
      expect((await call(app, 'GET /tag/', { headers: { authorization } })).status).toBe(401);
    }
  }));
