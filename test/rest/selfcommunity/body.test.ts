import { expect, test } from 'vitest';
import { ROUTES } from '../../../src/rest/selfcommunity/route-table.ts';
import { type TestApp, withApp } from '../../support/app.ts';
import { BACKENDS } from '../../support/backend.ts';
import { WITH_USERS } from '../../support/request.ts';
import { fieldRefusal, refusal } from '../../support/selfcommunity.ts';
import { call, NOT_FOUND } from './call.ts';

const JSON_TYPE = { 'content-type': 'application/json' };
const FORM_TYPE = { 'content-type': 'application/x-www-form-urlencoded' };

// Reading a request does not depend on the database.
const serve = (work: (app: TestApp) => Promise<void>, variables = {}) =>
  withApp(BACKENDS[0]!, work, { ...WITH_USERS, ...variables });

const postTag = (app: TestApp, body: string, headers: Record<string, string>) =>
  call(app, 'POST /tag/', { body: Buffer.from(body), headers });

test('§4: an empty JSON body counts as an empty object', () =>
  serve(async (app) => {
    const expected = fieldRefusal('name', 'This field is required.', 'required');
    expect(await postTag(app, '', JSON_TYPE)).toMatchObject(expected);
    expect(await call(app, 'POST /tag/')).toMatchObject(expected);
  }));

test.each([
  ['[]', 'list'],
  ['"a"', 'str'],
  ['1', 'int'],
  ['1.5', 'float'],
  ['true', 'bool'],
])('§4: JSON that is not an object is refused: %s', (body, type) =>
  serve(async (app) => {
    const message = `Invalid data. Expected a dictionary, but got ${type}.`;
    const expected = fieldRefusal('non_field_errors', message, 'invalid');
    expect(await postTag(app, body, JSON_TYPE)).toMatchObject(expected);
  }),
);

test('§4: JSON null is refused as missing data', () =>
  serve(async (app) => {
    const expected = fieldRefusal('non_field_errors', 'No data provided', 'null');
    expect(await postTag(app, 'null', JSON_TYPE)).toMatchObject(expected);
  }));

test.each([
  ['application/json', '{"name":', /^JSON parse error - /],
  ['application/json', '[[[['.repeat(50) + ']]]]'.repeat(50), /^JSON parse error - .*deep/],
  ['multipart/form-data', 'x', /^Multipart form parse error - /],
  ['multipart/form-data; boundary=x', 'x', /^Multipart form parse error - /],
])('§4: a broken body of %s is a parse error: %s', (type, body, message) =>
  serve(async (app) => {
    const answer = await postTag(app, body, { 'content-type': type });
    expect(answer).toMatchObject({
      status: 400,
      body: {
        detail: expect.stringMatching(message),
        errors: [{ message: expect.stringMatching(message), code: 'parse_error' }],
      },
    });
  }),
);

test.each(['text/plain', 'application/xml', 'nonsense'])('§4: a body of %s is 415', (type) =>
  serve(async (app) => {
    const message = `Unsupported media type "${type}" in request.`;
    const expected = refusal(415, message, 'unsupported_media_type');
    expect(await postTag(app, 'name=a', { 'content-type': type })).toMatchObject(expected);
  }),
);

test('§4: the last of repeated keys wins', () =>
  serve(async (app) => {
    expect((await postTag(app, 'name=a&name=b', FORM_TYPE)).body.name).toBe('b');
    expect((await postTag(app, '{"name":"a","name":"b"}', JSON_TYPE)).body.name).toBe('b');
    const form = new FormData();
    for (const name of ['a', 'b']) form.append('name', name);
    expect((await call(app, 'POST /tag/', { body: form })).body.name).toBe('b');
  }));

test('§4: JSON under the content type of a form is read; text that only resembles JSON is a form', () =>
  serve(async (app) => {
    expect((await postTag(app, ' {"name":"a"}', FORM_TYPE)).body.name).toBe('a');
    const answer = await postTag(app, '{"name":&name=b', FORM_TYPE);
    expect(answer.body.name).toBe('b');
  }));

test('§4: the content type may have parameters and capital letters', () =>
  serve(async (app) => {
    const type = { 'content-type': 'Application/JSON; charset=utf-8' };
    expect((await postTag(app, '{"name":"é"}', type)).body.name).toBe('é');
    const form = { 'content-type': 'application/x-www-form-urlencoded;charset=UTF-8' };
    expect((await postTag(app, 'name=%C3%A9+x', form)).body.name).toBe('é x');
  }));

test('§4: every path is the same with and without a trailing slash', () =>
  serve(async (app) => {
    for (const { method, path } of ROUTES) {
      const line = `${method} ${path.replace(':id', '99')}`;
      const [slash, bare] = [line.replace(/\/?$/, '/'), line.replace(/\/$/, '')];
      const [one, other] = [await call(app, slash), await call(app, bare)];
      expect([line, one.status]).toEqual([line, other.status]);
      expect([301, 308]).not.toContain(one.status);
    }
  }));

test.each([
  ['/media/', 'POST, OPTIONS', ['GET', 'PUT', 'PATCH', 'DELETE']],
  ['/media/1/', 'GET, PUT, PATCH, DELETE, HEAD, OPTIONS', ['POST']],
  ['/media/1/click/', 'POST, OPTIONS', ['GET', 'DELETE']],
  ['/media/upload/chunk/', 'POST, OPTIONS', ['GET', 'PUT']],
  ['/media/upload/complete/', 'POST, OPTIONS', ['GET', 'PUT']],
  ['/tag/', 'GET, POST, HEAD, OPTIONS', ['PUT', 'PATCH', 'DELETE']],
  ['/tag/1/', 'GET, PUT, PATCH, DELETE, HEAD, OPTIONS', ['POST']],
  ['/tag/search/', 'GET, HEAD, OPTIONS', ['POST', 'DELETE']],
  ['/tag/user/search/', 'GET, HEAD, OPTIONS', ['POST']],
])('§4: %s answers other methods with 405 and Allow: %s', (path, allow, methods) =>
  serve(async (app) => {
    for (const method of methods) {
      const answer = await call(app, `${method} ${path}`);
      const message = `Method "${method}" not allowed.`;
      expect(answer).toMatchObject(refusal(405, message, 'method_not_allowed'));
      expect(answer.headers.get('allow')).toBe(allow);
    }
  }),
);

test.each(['/', '/nope/', '/media/1/nope/', '/tag/1/unassign/', '/media/upload/'])(
  '§4: a missing path is 404 in JSON: %s',
  (path) =>
    serve(async (app) => {
      const answer = await call(app, `GET ${path}`, { headers: { accept: 'text/html' } });
      expect(answer).toMatchObject(NOT_FOUND);
    }),
);

test('§4: an invalid token is 401 on every route, even if no token is required', () =>
  serve(async (app) => {
    const headers = { authorization: 'Bearer not.a.token' };
    const message = 'Given token not valid for any token type';
    for (const { method, path } of ROUTES) {
      const answer = await call(app, `${method} ${path.replace(':id', '1')}`, { headers });
      expect(answer).toMatchObject(refusal(401, message, 'authentication_failed'));
      expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="api"');
    }
  }));

test('§4: a missing token is 401 and names a way to authenticate', () =>
  serve(
    async (app) => {
      const answer = await call(app, 'POST /media/', { fields: {} });
      const message = 'Authentication credentials were not provided.';
      expect(answer).toMatchObject(refusal(401, message, 'not_authenticated'));
      expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="api"');
    },
    { TRIVIUM_AUTH: 'required' },
  ));
