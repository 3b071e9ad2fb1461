import { expect, test } from 'vitest';
import { type TestApp, withApp } from '../../support/app.ts';
import { describeEachBackend } from '../../support/backend.ts';
import { sendRaw, toRequest } from '../../support/raw-request.ts';
import { WITH_USERS } from '../../support/request.ts';
import { linkEmbed, newTag } from '../../support/selfcommunity.ts';
import { tokenOf } from './call.ts';
import { goldenMedia } from './tree/golden-media.ts';

/** `METHOD path`, and a body: an object is JSON, as the SDK sends it. */
type Request = readonly [line: string, body?: object];
type Golden = readonly [status: number, body: object | ''];

/** Sends a request of the SDK: contract §7.1. */
async function check(app: TestApp, [line, body]: Request, golden: Golden): Promise<void> {
  // §2.6: the form that axios gives a body that is null.
  const isBare = body === undefined && /^(PUT|PATCH)/.test(line);
  const headers = [
    'Accept: application/json, text/plain, */*',
    'User-Agent: axios/1.21.1',
    `Authorization: Bearer ${await tokenOf(7)}`,
    ...(body === undefined ? [] : ['Content-Type: application/json']),
    ...(isBare ? ['Content-Type: application/x-www-form-urlencoded'] : []),
  ];
  const bytes = Buffer.from(body === undefined ? '' : JSON.stringify(body));
  const answer = await sendRaw(app, toRequest(line, headers, bytes));
  const [status, expected] = golden;
  const text = expected === '' ? '' : JSON.stringify(expected);
  expect([line, answer?.status, settle(answer?.body ?? '')]).toEqual([line, status, text]);
  const type = expected === '' ? undefined : 'application/json; charset=utf-8';
  expect(answer?.headers['content-type']).toBe(type);
  const length = status === 204 ? undefined : String(Buffer.byteLength(answer?.body ?? ''));
  expect(answer?.headers['content-length']).toBe(length);
}

/** Replaces the values that differ from run to run. */
function settle(body: string): string {
  return body
    .replace(/"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"/g, '"UUID"')
    .replace(/"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"/g, '"TIME"');
}

/** Contract §2.6: every key. */
function tag(given: Record<string, unknown> = {}): object {
  return { ...newTag(1, 'TIME'), ...given };
}

function link(images: string[] = []): object {
  const url = 'https://www.google.it/';
  const embed = linkEmbed(2, url, images);
  const image = images[0] ?? null;
  return goldenMedia({ title: url, url, image, embed_type: 'sc_link', embed_id: '2', embed });
}

function embedded(id: number, type: string, embed: Record<string, unknown>): object {
  const { embed_type, embed_id, url } = embed;
  return goldenMedia({ id, type, url, embed_type, embed_id, embed: { id, ...embed } });
}

const EMBED = {
  embed_type: 'my_type',
  embed_id: '42',
  url: 'https://example.com/x',
  metadata: { title: 't' },
};
const SHARE = { embed_type: 'sc_shared_object', embed_id: '5', url: null, metadata: { id: 5 } };
const NAME_REQUIRED = {
  name: ['This field is required.'],
  errors: [{ field: 'name', messages: [{ message: 'This field is required.', code: 'required' }] }],
};
const NOT_FOUND = { detail: 'Not found.', errors: [{ message: 'Not found.', code: 'not_found' }] };
const NO_TAGS = { count: 0, next: null, previous: null, results: [] };
const ONE_TAG = { count: 1, next: null, previous: null, results: [tag()] };
const IMAGE = 'https://example.com/i.png';
const QUERY = 'active=true&limit=10&offset=10&search=a+b&visible=false';

/** Contract §7.1, #8 to #25 in its order; the ids are those that an empty database gives. */
const CAPTURED: readonly (readonly [Request, Golden])[] = [
  [
    ['POST /api/v2/media/', { type: 'url', url: 'https://www.google.it/' }],
    [201, link()],
  ],
  [
    ['POST /api/v2/media/', { type: 'embed', embed: EMBED }],
    [201, embedded(3, 'embed', EMBED)],
  ],
  [
    ['POST /api/v2/media/', { type: 'share', shared_object: 5 }],
    [201, embedded(4, 'share', SHARE)],
  ],
  [['GET /api/v2/media/2/'], [200, link()]],
  [
    ['PUT /api/v2/media/2/', { image: IMAGE }],
    [200, link([IMAGE])],
  ],
  [
    ['POST /api/v2/media/2/click/', {}],
    [204, ''],
  ],
  [['DELETE /api/v2/media/2/'], [204, '']],
  [['GET /api/v2/media/2/'], [404, NOT_FOUND]],
  [['GET /api/v2/tag/'], [200, NO_TAGS]],
  [['GET /api/v2/tag/?'], [200, NO_TAGS]],
  [
    ['GET /api/v2/tag/?limit=10&offset=20&search=a+b&active=true&visible=false'],
    [200, { ...NO_TAGS, previous: `http://127.0.0.1/api/v2/tag/?${QUERY}` }],
  ],
  [
    ['POST /api/v2/tag/', { name: 'abc', description: 'd' }],
    [201, tag()],
  ],
  [['GET /api/v2/tag/user/search/'], [200, ONE_TAG]],
  [['GET /api/v2/tag/user/search/?search='], [200, ONE_TAG]],
  [['GET /api/v2/tag/1/'], [200, tag()]],
  [
    ['PUT /api/v2/tag/1/', { name: 'abc', visible: false }],
    [200, tag({ visible: false })],
  ],
  [['PUT /api/v2/tag/1/'], [400, NAME_REQUIRED]],
  [
    ['PATCH /api/v2/tag/1/', { active: false }],
    [200, tag({ visible: false, active: false })],
  ],
  [['PATCH /api/v2/tag/1/'], [200, tag({ visible: false, active: false })]],
  [
    ['POST /api/v2/tag/1/assign/', { user: 7 }],
    [204, ''],
  ],
  [['DELETE /api/v2/tag/1/'], [204, '']],
  [['GET /api/v2/tag/1/'], [404, NOT_FOUND]],
];

describeEachBackend('§7.1: the bytes that the SDK sends', (backend) => {
  test('get the responses of the contract, byte for byte', () =>
    withApp(
      backend,
      async (app) => {
        for (const [request, golden] of CAPTURED) await check(app, request, golden);
      },
      WITH_USERS,
    ));

  test.each([
    ['/api/v2/media/upload/chunk/', 'authorization,content-range'],
    ['/api/v2/media/upload/complete/', 'authorization'],
    ['/api/v2/tag/1/', 'authorization,content-type'],
  ])('a browser’s preflight of %s is answered without a credential', (path, asked) =>
    withApp(
      backend,
      async (app) => {
        const headers = [
          'Origin: https://community.example',
          'Access-Control-Request-Method: POST',
          `Access-Control-Request-Headers: ${asked}`,
        ];
        const answer = await sendRaw(app, toRequest(`OPTIONS ${path}`, headers));
        expect([answer?.status, answer?.body]).toEqual([204, '']);
        expect(answer?.headers).toMatchObject({
          'access-control-allow-origin': '*',
          'access-control-allow-headers': asked,
          'access-control-allow-methods': 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS',
        });
      },
      { TRIVIUM_AUTH: 'required' },
    ),
  );
});
