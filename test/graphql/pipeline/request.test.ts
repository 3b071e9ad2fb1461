import { describe, expect, it } from 'vitest';
import { post, run } from './operation.ts';

describe('a request that another site could make a browser send is refused', () => {
  const query = 'mutation { createTag(input: { name: "a" }) { __typename } }';
  const json = JSON.stringify({ query });
  const form = new URLSearchParams({ query }).toString();

  it.each<[type: string, body: string]>([
    ['text/plain', json],
    ['text/plain; x=application/json', json],
    ['text/plain;application/graphql', query],
    ['application/x-www-form-urlencoded', form],
    ['application/x-www-form-urlencoded; charset=application/json', form],
    [
      'multipart/form-data; boundary=b',
      `--b\r\ncontent-disposition: form-data; name="operations"\r\n\r\n${json}\r\n--b--`,
    ],
    [
      'Multipart/Form-Data; boundary=b',
      `--b\r\ncontent-disposition: form-data; name="operations"\r\n\r\n${json}\r\n--b--`,
    ],
    ['', json],
  ])('%s', (type, body) =>
    run(async (app) => {
      const { status, data } = await post(app, body, { 'content-type': type });
      expect([400, 403, 415]).toContain(status);
      expect(data).toBeUndefined();
      expect(app.statements).toEqual([]);
    }),
  );

  it('a body without a type', () =>
    run(async (app) => {
      const body = new Blob([json]);
      const { status } = await app.fetch('/graphql', { method: 'POST', body });
      expect(status).toBe(415);
      expect(app.statements).toEqual([]);
    }));

  it.each(['{}', '[]', 'null', '1', '""', '{', '{"extensions":{}}'])(
    'a body without a query: %s',
    (body) => run(async (app) => expect(await post(app, body)).toMatchObject({ status: 400 })),
  );

  it.each([
    ['nested', '['.repeat(101), ']'.repeat(101)],
    ['long', `[${'1,'.repeat(10_000)}`, '1]'],
  ])('a body that is too %s, before it is parsed', (_, start, end) =>
    run(async (app) => {
      const body = `{"query":"{ __typename }","variables":{"a":${start}${end}}}`;
      const answer = await post(app, body);
      expect(answer).toMatchObject({ status: 400, code: 'BAD_REQUEST' });
      expect(answer.errors[0].message).toMatch(/^JSON (nested deeper|with more) than/);
    }),
  );

  it.each(['variables', 'extensions'])('a parameter `%s` that is not JSON', (name) =>
    run(async (app) => {
      const response = await app.fetch(
        `/graphql?query=${encodeURIComponent('{ __typename }')}&${name}={x`,
      );
      const { errors } = (await response.json()) as { errors: unknown[] };
      expect([response.status, errors]).toMatchObject([
        400,
        [{ extensions: { code: 'BAD_REQUEST' } }],
      ]);
    }),
  );

  it.each(['PATCH'])('%s', (method) =>
    run(async (app) => {
      const response = await app.fetch('/graphql', { method });
      expect([response.status, response.headers.get('allow')]).toEqual([
        405,
        'GET, POST, PUT, DELETE, OPTIONS',
      ]);
      const code = 'METHOD_NOT_ALLOWED';
      expect(await response.json()).toMatchObject({ errors: [{ extensions: { code } }] });
    }),
  );

  it.each(['HEAD', 'PATCH'])('%s, whatever the type of its body', (method) =>
    run(async (app) => {
      const headers = { 'content-type': 'text/xyz' };
      const body = method === 'HEAD' ? null : 'a';
      const response = await app.fetch('/graphql', { method, headers, body });
      expect([response.status, response.headers.get('allow')]).toEqual([
        405,
        'GET, POST, PUT, DELETE, OPTIONS',
      ]);
      const code = 'METHOD_NOT_ALLOWED';
      if (method === 'HEAD') return;
      expect(await response.json()).toMatchObject({ errors: [{ extensions: { code } }] });
    }),
  );

  it('a mutation by GET', () =>
    run(async (app) => {
      const path = `/graphql?query=${encodeURIComponent(query)}`;
      expect((await app.fetch(path)).status).toBe(405);
      expect(app.statements).toEqual([]);
    }));
});
