import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import { readMultipartOperation } from '../../../../src/graphql/pipeline/upload/multipart.ts';
import { FIELD_BYTES_MAX } from '../../../../src/http/body.ts';
import { httpStatus } from '../../../../src/http/status.ts';
import { type TestApp, withApp } from '../../../support/app.ts';
import { describeEachBackend } from '../../../support/backend.ts';
import { UploadFileDocument } from '../../../support/document.ts';

const TYPE = 'multipart/form-data; boundary=b';

function part(name: string, value: string, more = ''): string {
  return `--b\r\ncontent-disposition: form-data; name="${name}"${more}\r\n\r\n${value}\r\n`;
}

const OPERATIONS = part('operations', '{"query":"{ a }","variables":{"f":null}}');
const MAP = part('map', '{"0":["variables.f"]}');
const FILE = part('0', 'text', '; filename="a.txt"');
const BROKEN_HEADER = '--b\r\nno header\x01\r\n\r\n';

/** Runs a server that returns the query it has read, or the status of the error. */
async function withReader<T>(
  work: (send: (body: string, type?: string) => Promise<Response>) => Promise<T>,
) {
  const server = createServer(async (request, response) => {
    try {
      const { parameters, discardFiles } = await readMultipartOperation(request);
      discardFiles();
      response.end(JSON.stringify(parameters, ['query']));
    } catch (error) {
      response.statusCode = httpStatus(error);
      response.end();
    }
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    return await work((body, type = TYPE) =>
      fetch(url, { method: 'POST', headers: { 'content-type': type }, body }),
    );
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

describe('a multipart request', () => {
  test.each([
    ['without a body', '', TYPE],
    ['that is not multipart', 'junk', TYPE],
    ['without a boundary', OPERATIONS, 'multipart/form-data; boundary'],
    [
      'that ends in its operations',
      '--b\r\ncontent-disposition: form-data; name="operations"',
      TYPE,
    ],
    ['with a broken header first', BROKEN_HEADER, TYPE],
    ['with a broken header for its map', OPERATIONS + BROKEN_HEADER, TYPE],
    ['without a map', `${OPERATIONS}--b--\r\n`, TYPE],
    ['without operations', `${MAP}--b--\r\n`, TYPE],
    ['with its map before its operations', `${MAP}${OPERATIONS}--b--\r\n`, TYPE],
    ['with a file before its map', `${OPERATIONS}${FILE}${MAP}--b--\r\n`, TYPE],
    ['with operations that are not JSON', `${part('operations', '{')}${MAP}--b--\r\n`, TYPE],
    ['with operations that are a number', `${part('operations', '1')}${MAP}--b--\r\n`, TYPE],
  ])('%s is refused with 400, and the next is read', (_what, body, type) =>
    withReader(async (send) => {
      expect((await send(body, type)).status).toBe(400);
      expect(await (await send(`${OPERATIONS}${MAP}--b--\r\n`)).json()).toEqual({ query: '{ a }' });
    }),
  );

  test.each([
    '{',
    'null',
    '[]',
    '"0"',
    '{"0":"variables.f"}',
    '{"0":[1]}',
    '{"0":[""]}',
    '{"0":["variables.f.x"]}',
    '{"0":["variables.g.x"]}',
    '{"0":["variables"]}',
    '{"0":["query"]}',
    '{"0":["__proto__"]}',
    '{"0":["__proto__.x"]}',
    '{"0":["constructor.x"]}',
    '{"0":["variables.list.length"]}',
    '{"0":["variables.list.5"]}',
    '{"0":["variables.f"],"1":["variables.f"]}',
  ])('with a map of %s is refused with 400', (map) =>
    withReader(async (send) => {
      const operations = part(
        'operations',
        '{"query":"{ a }","variables":{"f":null,"list":[null]}}',
      );
      expect((await send(`${operations}${part('map', map)}--b--\r\n`)).status).toBe(400);
      expect(Object.keys(Object.prototype)).toEqual([]);
    }),
  );

  test('whose operations are too long is refused with 413', () =>
    withReader(async (send) => {
      const operations = part('operations', 'x'.repeat(FIELD_BYTES_MAX + 1));
      expect((await send(`${operations}--b--\r\n`)).status).toBe(413);
    }));

  test('with more than ten files is refused with 413', () =>
    withReader(async (send) => {
      const paths = Array.from({ length: 11 }, (_, index) => [index, [`variables.f${index}`]]);
      const map = part('map', JSON.stringify(Object.fromEntries(paths)));
      expect((await send(`${OPERATIONS}${map}--b--\r\n`)).status).toBe(413);
    }));

  test('with a broken header for its file is read up to that header, and the next request is read', () =>
    withReader(async (send) => {
      for (let times = 0; times < 2; times++) {
        const response = await send(OPERATIONS + MAP + BROKEN_HEADER);
        expect(await response.json()).toEqual({ query: '{ a }' });
      }
    }));

  test('is read to its end when no resolver opens its files', () =>
    withReader(async (send) => {
      const large = part('0', 'x'.repeat(500_000), '; filename="a"');
      const response = await send(`${OPERATIONS}${MAP}${large}${large}--b--\r\n`);
      expect(await response.json()).toEqual({ query: '{ a }' });
    }));
});

async function upload(app: TestApp, body: string) {
  const headers = { 'content-type': TYPE, 'apollo-require-preflight': '1' };
  const response = await fetch(`${app.url}/graphql`, { method: 'POST', headers, body });
  // biome-ignore lint/suspicious/noExplicitAny: the assertions say what is expected
  return { status: response.status, ...((await response.json()) as any) };
}

describeEachBackend('files of a multipart request', (backend) => {
  const operations = part(
    'operations',
    JSON.stringify({ query: UploadFileDocument, variables: { input: { file: null } } }),
  );
  const map = part('map', '{"0":["variables.input.file"]}');

  test.each([
    ['breaks off', '--b\r\ncontent-disposition: form-data; name="0"; filename="a.txt"\r\n\r\nabc'],
    ['is not there', '--b--\r\n'],
  ])('a file that %s is an error of the client', (_what, rest) =>
    withApp(backend, async (app) => {
      expect(await upload(app, operations + map + rest)).toMatchObject({
        status: 400,
        data: null,
        errors: [{ path: ['uploadFile'], extensions: { code: 'BAD_REQUEST' } }],
      });
    }),
  );

  test('a request that is broken before its files is an error of the client, and does not end the process', () =>
    withApp(backend, async (app) => {
      for (const body of [BROKEN_HEADER, operations + BROKEN_HEADER, '', 'junk']) {
        expect(await upload(app, body)).toMatchObject({
          status: 400,
          errors: [{ extensions: { code: 'BAD_REQUEST' } }],
        });
      }
      expect((await app.fetch('/healthz')).status).toBe(200);
    }));

  test('a file without a name is accepted', () =>
    withApp(backend, async (app) => {
      const nameless =
        '--b\r\ncontent-disposition: form-data; name="0"\r\ncontent-type: application/octet-stream\r\n\r\ntext\r\n--b--\r\n';
      const { data } = await upload(app, operations + map + nameless);
      expect(data.uploadFile).toMatchObject({ media: { file: { sizeBytes: 4 } } });
    }));

  test('a file that two fields use is read by the first', () =>
    withApp(backend, async (app) => {
      const query = `mutation ($a: Upload!, $b: Upload!) {
        first: uploadFile(input: { file: $a }) { __typename }
        second: uploadFile(input: { file: $b }) { ... on InvalidInputError { issues { path code } } }
      }`;
      const { data } = await upload(
        app,
        [
          part('operations', JSON.stringify({ query, variables: { a: null, b: null } })),
          part('map', '{"0":["variables.a","variables.b"]}'),
          part('0', 'text', '; filename="a.txt"'),
          '--b--\r\n',
        ].join(''),
      );
      expect(data).toEqual({
        first: { __typename: 'UploadFileSuccess' },
        second: { issues: [{ path: ['input', 'file'], code: 'FILE_TAKEN' }] },
      });
    }));

  const TWO_FILES = `mutation ($a: Upload!, $b: Upload!) {
    first: uploadFile(input: { file: $a }) { ... on UploadFileSuccess { media { name } } }
    second: uploadFile(input: { file: $b }) { ... on UploadFileSuccess { media { name } } }
  }`;

  test.each([
    ['in the order of their fields', 200_000, ['variables.a', 'variables.b']],
    ['in another order, when they are small', 20_000, ['variables.b', 'variables.a']],
  ])('two files are read %s', (_order, sizeBytes, paths) =>
    withApp(backend, async (app) => {
      const { data } = await upload(
        app,
        [
          part('operations', JSON.stringify({ query: TWO_FILES, variables: { a: null, b: null } })),
          part('map', JSON.stringify({ 0: [paths[0]], 1: [paths[1]] })),
          part('0', 'x'.repeat(sizeBytes), `; filename="${paths[0]}.txt"`),
          part('1', 'y'.repeat(sizeBytes), `; filename="${paths[1]}.txt"`),
          '--b--\r\n',
        ].join(''),
      );
      expect(data).toEqual({
        first: { media: { name: 'variables.a.txt' } },
        second: { media: { name: 'variables.b.txt' } },
      });
    }),
  );
});
