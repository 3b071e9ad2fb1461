import { describe, expect, it } from 'vitest';
import type { TestApp } from '../../support/app.ts';
import { BACKENDS } from '../../support/backend.ts';
import { type RawAnswer, sendRaw } from '../../support/raw-request.ts';
import { download } from '../../support/request.ts';
import { shareApp } from '../../support/shared-app.ts';
import { makeFolder, makeImage, PICTURE } from './call.ts';

const ADMIN_KEY = 'the-key-of-the-captures';

const NODE_HEADERS = [
  'Accept: application/json+hal',
  'Content-Type: application/json',
  'api-version: 2.2',
  'umb-project-alias: my-project',
  `api-key: ${ADMIN_KEY}`,
  'User-Agent: axios/0.21.4',
];
const HOST = ['Host: 127.0.0.1:34189', 'Connection: keep-alive'];

/** Bytes as they stand in the contract; strings are UTF-8. */
function wire(lines: readonly string[], ...body: (string | Uint8Array)[]): Buffer {
  return Buffer.concat([
    Buffer.from(`${lines.join('\r\n')}\r\n\r\n`),
    ...body.map((piece) => Buffer.from(piece as string)),
  ]);
}

async function send(app: TestApp, bytes: Buffer) {
  const answer = await sendRaw(app, bytes);
  return { status: answer?.status, body: parse(answer) };
}

/** Chunked answers do not occur: each has a length. */
function parse(answer: RawAnswer | null) {
  return JSON.parse(answer?.body ?? 'null');
}

/** One chunk of RFC 9112 §7.1. */
function chunk(content: string | Uint8Array): Buffer {
  const bytes = Buffer.from(content as string);
  const size = Buffer.from(`${bytes.length.toString(16)}\r\n`);
  return Buffer.concat([size, bytes, Buffer.from('\r\n')]);
}

/** Returns a multipart request with the boundary in the header, exactly as written there. */
function multipart(method: string, boundary: string, body: Buffer, headers: string[] = []) {
  const type = `Content-Type: multipart/form-data; boundary=${boundary}`;
  const length = `Content-Length: ${body.length}`;
  return wire(
    [`${method} HTTP/1.1`, type, length, `api-key: ${ADMIN_KEY}`, ...headers, ...HOST],
    body,
  );
}

describe('captured requests', () => {
  const shared = shareApp(BACKENDS[0]!, { TRIVIUM_ADMIN_KEY: ADMIN_KEY });

  it('§10.1: the JSON calls of the Node client', async () => {
    const app = shared();
    const json = '{"mediaTypeAlias":"Folder","name":"Design"}';
    const post = ['POST /media HTTP/1.1', ...NODE_HEADERS, 'Content-Length: 43', ...HOST];
    const created = await send(app, wire(post, json));
    expect(created).toMatchObject({ status: 201, body: { name: 'Design' } });
    const id = created.body._id;
    for (const target of ['', `/${id}`, `/${id}/children`, `/${id}/children?pageSize=3&page=2`]) {
      const get = wire([`GET /media${target} HTTP/1.1`, ...NODE_HEADERS, ...HOST]);
      expect((await send(app, get)).status, target).toBe(200);
    }
    const gone = await send(app, wire([`DELETE /media/${id} HTTP/1.1`, ...NODE_HEADERS, ...HOST]));
    expect(gone).toMatchObject({ status: 200, body: { _id: id } });
  });

  it('§10.1: a POST of nothing', async () => {
    const lines = ['POST /media HTTP/1.1', ...NODE_HEADERS, 'Content-Length: 0', ...HOST];
    expect(await send(shared(), wire(lines))).toEqual({
      status: 400,
      body: { error: { code: 'BadRequest', message: 'Body cannot be empty.' } },
    });
  });

  it('§10.2, §14.4: the official example, with its original chunks', async () => {
    const app = shared();
    const { _id } = await makeFolder(app);
    const boundary = '--------------------------a9b9c54bd95d49a6a682c12e';
    const json = `{"mediaTypeAlias":"Image","parentId":"${_id}","name":"Han Solo","umbracoFile":{"src":"han-solo.png"}}`;
    const lines = [
      'POST /media HTTP/1.1',
      'Accept: application/json+hal',
      `Content-Type: multipart/form-data; boundary=${boundary}`,
      ...NODE_HEADERS.slice(2),
      ...HOST,
      'Transfer-Encoding: chunked',
    ];
    const pieces = [
      `--${boundary}\r\nContent-Disposition: form-data; name="content"\r\n\r\n`,
      json,
      '\r\n',
      `--${boundary}\r\nContent-Disposition: form-data; name="umbracoFile"; filename="han-solo.png"\r\nContent-Type: image/png\r\n\r\n`,
      PICTURE,
      `\r\n--${boundary}--\r\n`,
      '',
    ];
    expect(Buffer.byteLength(json)).toBe(0x83);
    const { status, body } = await send(app, wire(lines, ...pieces.map(chunk)));
    expect({ status, parentId: body.parentId }).toEqual({ status: 201, parentId: _id });
    expect(body.umbracoFile.src).toMatch(/^\/media\/[a-z0-5]{8}\/han-solo\.png$/);
    expect(await download(app, body.umbracoFile.src)).toEqual(PICTURE);
  });

  it.each([
    ['a Buffer without a name', 'name="umbracoFile"', 'application/octet-stream', 'upload.png'],
    ['raw UTF-8', 'name="umbracoFile"; filename="Blåbær ø.png"', 'image/png', 'blaabaer-oe.png'],
  ])('§10.2: a file part with %s', async (_what, parameters, type, name) => {
    const app = shared();
    const src = name === 'upload.png' ? ',"umbracoFile":{"src":"upload.png"}' : '';
    const body = Buffer.concat([
      Buffer.from(
        `--b\r\nContent-Disposition: form-data; name="content"\r\n\r\n{"mediaTypeAlias":"Image","name":"x"${src}}\r\n`,
      ),
      Buffer.from(
        `--b\r\nContent-Disposition: form-data; ${parameters}\r\nContent-Type: ${type}\r\n\r\n`,
      ),
      PICTURE,
      Buffer.from('\r\n--b--\r\n'),
    ]);
    const answer = await send(app, multipart('POST /media', 'b', body));
    expect(answer.status).toBe(201);
    expect(answer.body.umbracoFile.src.split('/').at(-1)).toBe(name);
    expect(await download(app, answer.body.umbracoFile.src)).toEqual(PICTURE);
  });

  it('§10.3, §14.6: the .NET client, with an unreadable image of two bytes', async () => {
    const app = shared();
    const { _id } = await makeFolder(app);
    const boundary = 'f2f3c952-6378-47a9-9b72-7756413e26ab';
    const body = Buffer.concat([
      Buffer.from(
        [
          `--${boundary}`,
          'Content-Type: application/json; charset=utf-8',
          'Content-Disposition: form-data; name=content',
          '',
          `{"mediaTypeAlias":"Image","name":"Han Solo","parentId":"${_id}","umbracoFile":{"src":"han-solo.png"}}`,
          `--${boundary}`,
          'Content-Type: image/png',
          "Content-Disposition: form-data; name=umbracoFile; filename=han-solo.png; filename*=utf-8''han-solo.png",
          '',
          '',
        ].join('\r\n'),
      ),
      Buffer.from([0x89, 0x50]),
      Buffer.from(`\r\n--${boundary}--\r\n`),
    ]);
    expect(body).toHaveLength(485);
    const headers = ['User-Agent: UmbracoHeartcoreNetClient/1.0', 'umb-project-alias: my-project'];
    const answer = await send(app, multipart('POST /media', `"${boundary}"`, body, headers));
    expect(answer).toMatchObject({
      status: 201,
      body: {
        mediaTypeAlias: 'Image',
        parentId: _id,
        umbracoWidth: '',
        umbracoHeight: '',
        umbracoBytes: '2',
        umbracoExtension: 'png',
      },
    });
    expect(await download(app, answer.body.umbracoFile.src)).toEqual(Buffer.from([0x89, 0x50]));
  });

  it.each([
    `filename="=?utf-8?B?QmzDpSBiw6ZyLnBuZw==?="; filename*=utf-8''Bl%C3%A5%20b%C3%A6r.png`,
    `filename="=?utf-8?B?QmzDpSBiw6ZyLnBuZw==?="`,
  ])('§10.3: a name of .NET that is not ASCII, %s', async (parameters) => {
    const app = shared();
    const body = Buffer.concat([
      Buffer.from(
        `--b\r\nContent-Disposition: form-data; name=umbracoFile; ${parameters}\r\nContent-Type: image/png\r\n\r\n`,
      ),
      PICTURE,
      Buffer.from(
        '\r\n--b\r\nContent-Disposition: form-data; name=content\r\n\r\n{"mediaTypeAlias":"Image","name":"x"}\r\n--b--\r\n',
      ),
    ]);
    const { status, body: item } = await send(app, multipart('POST /media', '"b"', body));
    expect(status).toBe(201);
    expect(item.umbracoFile.src).toMatch(/\/blaa-baer\.png$/);
  });

  it.each([
    ['§14.5: the text of seeds/002', '', 'BINARY DATA', ''],
    ['§14.5: the text of seeds/002 with a real image', '', PICTURE, '20'],
    ['§6: the newer sample, with fileName', '; fileName="han-solo.png"', PICTURE, '20'],
  ])('%s', async (_what, parameters, bytes, width) => {
    const app = shared();
    const { _id } = await makeFolder(app);
    const body = sample(_id, parameters, bytes);
    const created = await send(app, multipart('POST /media', 'MultipartBoundry', body));
    expect(created).toMatchObject({
      status: 201,
      body: { name: 'Han Solo', parentId: _id, umbracoWidth: width, umbracoExtension: 'png' },
    });
    expect(created.body.umbracoFile.src).toMatch(/\/han-solo\.png$/);
    expect(await download(app, created.body.umbracoFile.src)).toEqual(Buffer.from(bytes as string));
    // seeds/002, "Update media": the same with a place.
    const image = await makeImage(app, { parentId: _id });
    const update = sample(_id, parameters, bytes, '    "sortOrder": 7,\r\n');
    const target = `PUT /media/${image._id}`;
    const updated = await send(app, multipart(target, 'MultipartBoundry', update));
    expect(updated).toMatchObject({ status: 200, body: { _id: image._id, sortOrder: 7 } });
    expect(await download(app, updated.body.umbracoFile.src)).toEqual(Buffer.from(bytes as string));
  });
});

/** seeds/002, "Create media", to the letter. */
function sample(parentId: string, parameters: string, bytes: string | Uint8Array, more = '') {
  const head = [
    '--MultipartBoundry',
    'Content-Disposition: form-data; name="content"',
    'Content-Type: application/json',
    '',
    '{',
    '    "mediaTypeAlias": "Image",',
    '    "name": "Han Solo",',
    `    "parentId": "${parentId}",`,
    `${more}    "umbracoFile": { "src": "han-solo.png" }`,
    '}',
    '--MultipartBoundry',
    `Content-Disposition: form-data; name="umbracoFile"${parameters}`,
    'Content-Type: image/png',
    '',
    '',
  ].join('\r\n');
  return Buffer.concat([
    Buffer.from(head),
    Buffer.from(bytes as string),
    Buffer.from('\r\n--MultipartBoundry--'),
  ]);
}
