import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../src/graphql/pipeline/limit.ts';
import type { TestApp } from '../../support/app.ts';
import { nested, post, run } from './operation.ts';

/** Posts a batch; returns its status and its results. */
async function postBatch(app: TestApp, batch: unknown, headers = {}) {
  const response = await app.fetch('/graphql', {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(batch),
    asAdmin: true,
  });
  // biome-ignore lint/suspicious/noExplicitAny: the assertions of a test state the shape
  return { status: response.status, results: (await response.json()) as any };
}

const createTag = (name: string) => ({
  query: `mutation { createTag(input: { name: "${name}" }) { ... on CreateTagSuccess { tag { databaseId name } } } }`,
});
const VIEWER = { query: '{ viewer { kind } }' };

describe('a batch', () => {
  it('is answered with the results of its operations, in their order', () =>
    run(async (app) => {
      const { status, results } = await postBatch(app, [
        {
          query: 'query A { viewer { kind } } query B { tags { totalCount } }',
          operationName: 'B',
        },
        VIEWER,
        { query: 'query ($id: ID!) { node(id: $id) { id } }', variables: { id: 'TWVkaWE6MQ' } },
      ]);
      expect(status).toBe(200);
      expect(results.map(({ data }: { data: unknown }) => data)).toEqual([
        { tags: { totalCount: 0 } },
        { viewer: { kind: 'KEY' } },
        { node: null },
      ]);
    }));

  it('of one operation is answered with a list of one result', () =>
    run(async (app) => {
      const { status, results } = await postBatch(app, [VIEWER]);
      expect({ status, results }).toMatchObject({ status: 200, results: [{ data: {} }] });
    }));

  it('changes things in its order', () =>
    run(async (app) => {
      const names = ['e', 'd', 'c', 'b', 'a'];
      const { results } = await postBatch(app, names.map(createTag));
      type Created = { data: { createTag: { tag: { databaseId: number; name: string } } } };
      const tags = (results as Created[]).map(({ data }) => data.createTag.tag);
      expect(tags.map(({ name }) => name)).toEqual(names);
      const ids = tags.map(({ databaseId }) => databaseId);
      expect(ids).toEqual(ids.toSorted((one, other) => one - other));
    }));

  it('runs the operations beside one that fails, whose error is its result', () =>
    run(async (app) => {
      const { status, results } = await postBatch(app, [
        createTag('a'),
        { query: '{ nothing }' },
        { query: '{' },
        {},
        [VIEWER],
        'text',
        { query: 'subscription { mediaChanged { kind } }' },
        { query: '{ node(id: "nothing") { id } }' },
        createTag('b'),
      ]);
      expect(status).toBe(200);
      const codes = results.map(
        ({ errors }: { errors?: { extensions: { code: string } }[] }) =>
          errors?.[0]?.extensions.code,
      );
      expect(codes).toEqual([
        undefined,
        'GRAPHQL_VALIDATION_FAILED',
        'GRAPHQL_PARSE_FAILED',
        'BAD_REQUEST',
        'BAD_REQUEST',
        'BAD_REQUEST',
        'BAD_REQUEST',
        'INVALID_INPUT',
        undefined,
      ]);
      expect(JSON.stringify(results)).not.toContain('"http"');
      expect(results[6].errors[0].message).toMatch(/subscription cannot be part of a batch/);
      expect(results[8].data.createTag.tag.name).toBe('b');
      expect(app.services.events.subscriberCount()).toBe(0);
    }));

  it('costs at most as much as one operation', () =>
    run(async (app) => {
      const dear = { query: `{ ${nested(20, 20, 100)} }` };
      const { results } = await postBatch(app, [dear, VIEWER, ...Array(8).fill(dear)]);
      const first = results[0].extensions.cost.requested;
      const refused = results.filter(({ errors }: { errors?: object[] }) => errors);
      const ran = Math.floor((LIMITS.cost - 2) / first);
      expect(ran).toBeGreaterThan(0);
      expect(refused).toHaveLength(9 - ran);
      expect(refused[0].errors[0]).toMatchObject({
        message: expect.stringContaining('With those before it in the batch, the operation costs'),
        extensions: { code: 'OPERATION_TOO_COSTLY' },
      });
      // What costs little still runs.
      expect(results[1].data).toEqual({ viewer: { kind: 'KEY' } });
    }));

  it('names the sum if its operations together count too many lists', () =>
    run(async (app) => {
      const counting = '{ a: tags { totalCount } b: tags { totalCount } c: tags { totalCount } }';
      const { results } = await postBatch(app, Array(10).fill({ query: counting }));
      const messages = results.map(
        ({ errors }: { errors?: { message: string }[] }) => errors?.[0]?.message,
      );
      expect(messages.slice(0, 4)).toEqual(Array(4).fill(undefined));
      expect(messages[4]).toContain(
        'With those before it in the batch, the operation has 15, such as',
      );
    }));

  it('counts each of its operations as a request', () =>
    run(
      async (app) => {
        const refused = await postBatch(app, Array(6).fill(VIEWER));
        expect(refused).toMatchObject({
          status: 429,
          results: { errors: [{ extensions: { code: 'TOO_MANY_REQUESTS' } }] },
        });
      },
      { TRIVIUM_RATE_REQUESTS: '5' },
    ));

  it.each([0, 11, 1000])('of %s operations is refused, and none of them runs', (count) =>
    run(async (app) => {
      const { status, results } = await postBatch(app, Array(count).fill(createTag('a')));
      expect({ status, results }).toMatchObject({
        status: 400,
        results: { errors: [{ message: expect.stringContaining('1 to 10 operations') }] },
      });
      expect((await post(app, { query: '{ tags { totalCount } }' })).data.tags.totalCount).toBe(0);
    }),
  );

  it('with files is refused', () =>
    run(async (app) => {
      const form = new FormData();
      const query =
        'mutation ($file: Upload!) { uploadFile(input: { file: $file }) { __typename } }';
      form.set('operations', JSON.stringify([{ query, variables: { file: null } }]));
      form.set('map', '{"0":["0.variables.file"]}');
      form.set('0', new File(['a'], 'a.txt'));
      const headers = { 'x-graphql-yoga-csrf': '1' };
      const response = await app.fetch('/graphql', { method: 'POST', headers, body: form });
      expect(response.status).toBe(400);
      expect(await response.text()).toContain('A request with files holds one operation.');
      expect(app.statements).toEqual([]);
    }));

  it('is only sent as JSON', () =>
    run(async (app) => {
      const { status } = await postBatch(app, [VIEWER], { accept: 'text/event-stream' });
      expect(status).toBe(406);
    }));
});
