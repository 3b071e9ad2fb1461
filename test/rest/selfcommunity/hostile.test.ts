import { expect, test } from 'vitest';
import type { Route } from '../../../src/rest/selfcommunity/openapi.ts';
import { ROUTES } from '../../../src/rest/selfcommunity/route-table.ts';
import { SCHEMAS } from '../../../src/rest/selfcommunity/schema.ts';
import { type TestApp, withApp } from '../../support/app.ts';
import { describeEachBackend } from '../../support/backend.ts';
import { sendRaw, toRequest } from '../../support/raw-request.ts';
import { WITH_USERS } from '../../support/request.ts';
import { call } from './call.ts';

const deep = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`;

/** JSON of values that no field expects, or that a database cannot hold. */
const VALUES = [
  'null',
  'true',
  '0',
  '-1',
  '1e400',
  '1e-7',
  '99999999999999999999999999',
  '""',
  '" "',
  '"\\u0000"',
  '"a\\u0000b"',
  '"\\ud800"',
  '"\\udc00\\ud800x"',
  '"\u202e\ufeff"',
  '"%00%s\'; drop table tag; --"',
  '[]',
  '[[]]',
  '{}',
  '{"toString":1,"valueOf":1,"length":-1}',
  '{"__proto__":{"x":1},"constructor":{"prototype":1}}',
  '{"embed_type":"a\\u0000","embed_id":"\\ud800","metadata":{"\\u0000":"\\u0000\\ud800"}}',
  '{"embed_type":"a","embed_id":1e999,"metadata":{"__proto__":1,"a":[null,true,1e999]}}',
  deep(60),
  deep(5000),
  `{"embed_type":"a","embed_id":"b","metadata":{"a":${deep(5000)}}}`,
  `"${'x'.repeat(70_000)}"`,
  '"javascript:alert(1)"',
  '"http://"',
  '"http://[::1"',
  '"https://x.org/\\ud800\\u0001"',
  '"https://\\u65e5\\u672c.example/a b"',
];

/** Ids of a path. */
const IDS = [
  '1',
  '2',
  '0',
  '-1',
  '1e3',
  '0x1',
  'NaN',
  '９',
  '99999999999999999999',
  '9'.repeat(15),
];
const MORE_IDS = [
  '%00',
  '%ff',
  '%',
  '..',
  '%2e%2e',
  "1'",
  '1;',
  'x'.repeat(2000),
  '1%2F',
  '__proto__',
];

const QUERIES = [
  'limit=99999999999999999999&offset=99999999999999999999',
  'limit=9007199254740993&offset=9007199254740993',
  'limit=-1&offset=-1',
  'limit=1e9&offset=0x10',
  'limit=&offset=&search=&type=&ordering=&active=',
  'limit=1&limit=2&offset=a&offset=1',
  'search=%00&type=%00&ordering=%00&active=%00&limit=%00',
  'search=%ff%fe&type=%ed%a0%80',
  "search=%25_%5C'%22&type='",
  `search=${'a+b,'.repeat(1500)}`,
  `search=${'a'.repeat(8000)}`,
  `search=${Array.from({ length: 1500 }, (_, index) => index).join('+')}`,
  'ordering=id,name,-name,name,created_at,--name,-,',
  'ordering=constructor&__proto__=1&constructor=2&toString=3',
  'type=nope&deleted=maybe&visible=2',
  '%',
  '&&&=&=',
  '?a?b',
];

const BODIES: readonly (readonly [type: string, body: string])[] = [
  ['application/json', '{'],
  ['application/json', '\u0000'],
  ['application/json', deep(200_000)],
  ['application/json', '{"a":'.repeat(50_000)],
  ['application/json', `{"name":${deep(5000)}}`],
  ['application/json; charset=utf-7', '{}'],
  ['application/json', '"{}"'],
  ['application/json', 'null'],
  ['application/x-www-form-urlencoded', '%'],
  ['application/x-www-form-urlencoded', 'name=%00&name=%ff&type=%ed%a0%80&&&=&='],
  ['application/x-www-form-urlencoded', `{"name":${deep(5000)}}`],
  ['application/x-www-form-urlencoded', '{"name":"x"'],
  ['application/x-www-form-urlencoded', `type=embed&embed=${deep(5000)}`],
  ['application/x-www-form-urlencoded', '__proto__=1&constructor=2&hasOwnProperty=3'],
  ['multipart/form-data', 'x'],
  ['multipart/form-data; boundary=x', ''],
  ['multipart/form-data; boundary=x', '--x\r\n\r\n\r\n--x--'],
  ['multipart/form-data; boundary=x', '--x\r\nContent-Disposition: form-data\r\n\r\n1\r\n--x--'],
  [
    'multipart/form-data; boundary=x',
    '--x\r\nContent-Disposition: form-data; name="__proto__"\r\n\r\n1\r\n--x--',
  ],
  [
    'multipart/form-data; boundary=x',
    '--x\r\nContent-Disposition: form-data; name="name"; filename="a"\r\n\r\n1\r\n--x--',
  ],
  ['', 'x'],
  ['text/plain', 'x'],
  ['application/xml', '<a/>'],
  ['nonsense', 'x'],
];

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND', 'TRACE'];

const WRITES = ROUTES.filter(({ method }) => method === 'POST' || method.startsWith('P'));

/** Fields without any other fault, so that the tested field is reached. */
const BASES = [
  { type: 'url', url: 'https://x.org/' },
  { type: 'embed', embed_type: 'a', embed_id: 'b' },
  { type: 'share' },
  { type: 'user', name: 'n' },
];

/** Whether each value of a field is tried with every base; otherwise with one of them in turn. */
const ALL_BASES = Number(process.env.TRIVIUM_TEST_HOSTILE) >= 1000;

function basesOf(turn: number): readonly object[] {
  return ALL_BASES ? BASES : [BASES[turn % BASES.length]!];
}

function fieldsOf({ body }: Route): string[] {
  const schema = body ? SCHEMAS[body] : {};
  return 'properties' in schema ? Object.keys(schema.properties as object) : [];
}

/** Returns the JSON of the fields, with this JSON text as the value of one of them. */
function withField(fields: object, name: string, value: string): string {
  const rest = Object.entries(fields).filter(([key]) => key !== name);
  const pairs = rest.map(([key, text]) => `"${key}":${JSON.stringify(text)}`);
  return `{${[...pairs, `"${name}":${value}`].join(',')}}`;
}

/** Creates a link and a tag, and lists the requests to each. */
async function withTargets(app: TestApp): Promise<{ media: number; tag: number }> {
  const url = { type: 'url', url: 'https://x.org/' };
  const media = await call(app, 'POST /media/', { fields: url, as: 1 });
  const tag = await call(app, 'POST /tag/', { fields: { name: 'a' }, as: 1 });
  return { media: media.body.id, tag: tag.body.id };
}

function fill(path: string, { media, tag }: { media: number; tag: number }): string {
  return path.replace(':id', String(path.startsWith('/media/') ? media : tag));
}

describeEachBackend('hostile and broken requests over SelfCommunity', (backend) => {
  const serve = (work: (app: TestApp) => Promise<void>) => withApp(backend, work, WITH_USERS);

  test.each(WRITES)('$method $path: no value of any field causes a server error', (route) =>
    serve(async (app) => {
      const line = `${route.method} ${fill(route.path, await withTargets(app))}`;
      for (const [turn, name] of [...fieldsOf(route), '__proto__', 'constructor'].entries()) {
        const bodies = VALUES.flatMap((value, index) =>
          basesOf(turn + index).map((base) => withField(base, name, value)),
        );
        const headers = { 'content-type': 'application/json' };
        const answers = await Promise.all(
          bodies.map((body) => call(app, line, { body, headers, as: 1 })),
        );
        const failed = bodies.filter((_, index) => answers[index]!.status >= 500);
        expect(failed.map((body) => body.slice(0, 200))).toEqual([]);
      }
    }),
  );

  test.each(WRITES)('$method $path: no body causes a server error', (route) =>
    serve(async (app) => {
      const line = `${route.method} ${fill(route.path, await withTargets(app))}`;
      for (const [type, body] of BODIES) {
        const headers = { 'content-type': type };
        const answer = await call(app, line, { body: Buffer.from(body), headers, as: 1 });
        expect([type, body.slice(0, 80), answer.status < 500]).toContain(true);
      }
    }),
  );

  test('no id causes a server error, and an id that is not a number is not found', () =>
    serve(async (app) => {
      await withTargets(app);
      for (const { method, path } of ROUTES.filter(({ path }) => path.includes(':id'))) {
        for (const id of [...IDS, ...MORE_IDS].slice(2)) {
          const line = `${method} /api/v2${path.replace(':id', encode(id))}`;
          const headers = [`Authorization: Bearer ${app.adminKey}`];
          const answer = await sendRaw(app, toRequest(line, headers));
          expect([line, answer!.status >= 400 && answer!.status < 500]).toEqual([line, true]);
          expect(JSON.parse(answer!.body)).toBeTypeOf('object');
        }
      }
    }));

  test('no query causes a server error', () =>
    serve(async (app) => {
      const { tag } = await withTargets(app);
      for (const path of ['/tag/', '/tag/search/', '/tag/user/search/', `/tag/${tag}/`]) {
        for (const query of QUERIES) {
          const answer = await call(app, `GET ${path}?${query}`);
          expect([query, [200, 400, 404].includes(answer.status)]).toEqual([query, true]);
        }
      }
    }));

  test('no method causes a server error', () =>
    serve(async (app) => {
      const paths = ROUTES.map(({ path }) => fill(path, { media: 999, tag: 999 }));
      for (const path of [...new Set(paths), '/', '/nope/', '/tag/1/nope/', '/media/upload/']) {
        for (const method of METHODS) {
          const answer = await sendRaw(app, toRequest(`${method} /api/v2${path}`, []));
          expect([method, path, answer!.status < 500]).toEqual([method, path, true]);
        }
      }
    }));

  test('fields that are too large are refused, and the connection stays usable', () =>
    serve(async (app) => {
      for (const encoding of ['json', 'form', 'multipart'] as const) {
        const fields = { name: 'x'.repeat(2 ** 20 + 1) };
        expect((await call(app, 'POST /tag/', { fields, encoding })).status).toBe(413);
      }
    }));
});

/** Encodes an id as a careless client would; only characters that a request line cannot contain are escaped. */
function encode(id: string): string {
  return /^[\x21-\x7e]*$/.test(id) ? id : encodeURIComponent(id);
}
