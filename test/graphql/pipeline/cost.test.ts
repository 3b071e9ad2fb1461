import { getIntrospectionQuery } from 'graphql';
import { describe, expect, it } from 'vitest';
import { EXAMPLES } from '../../../src/graphql/example.ts';
import { LIMITS } from '../../../src/graphql/pipeline/limit.ts';
import { COUNT_PAGES, COUNT_WORK, LIST_WORK } from '../../../src/graphql/price.ts';
import type { TestApp } from '../../support/app.ts';
import { graphql } from '../../support/graphql.ts';
import {
  aliases,
  costOf,
  expectAllowed,
  expectRefused,
  fields,
  nested,
  post,
  run,
  type Variables,
} from './operation.ts';

describe('cost', () => {
  const PAGE = 'medias(first: $n) { nodes { id } }';

  it('depends on the variables, also for a cached document', () =>
    run(async (app) => {
      const query = `query ($n: Int) { ${nested('$n', '$n', '$n')} }`;
      const size = (n: number) => 12 + n * (12 + n * (12 + n));
      expect(await costOf(app, query, { n: 5 })).toBe(size(5));
      await expectRefused(app, 'OPERATION_TOO_COSTLY', query, { n: 200 });
      expect(await costOf(app, query, { n: 20 })).toBe(size(20));
      expect(await costOf(app, query)).toBe(size(50));
    }));

  it.each<[title: string, query: string, variables: Variables, cost: number]>([
    ['a literal', '{ medias(first: 7) { nodes { id } } }', {}, 19],
    ['a page from the end', '{ medias(last: 7) { nodes { id } } }', {}, 19],
    ['no size: 50', '{ medias { nodes { id } } }', {}, 62],
    ['a variable', `query ($n: Int) { ${PAGE} }`, { n: 7 }, 19],
    ['a missing variable', `query ($n: Int) { ${PAGE} }`, {}, 62],
    ['a variable that is null', `query ($n: Int = 7) { ${PAGE} }`, { n: null }, 62],
    ['a variable’s default', `query ($n: Int = 7) { ${PAGE} }`, {}, 19],
    ['a variable that replaces its default', `query ($n: Int = 7) { ${PAGE} }`, { n: 8 }, 20],
    ['edges', '{ medias(first: 7) { edges { cursor node { id } } } }', {}, 33],
    [
      'fields that a page has once',
      '{ medias(first: 7) { totalCount pageInfo { hasNextPage } } }',
      {},
      4 + LIST_WORK + COUNT_WORK + COUNT_PAGES * LIST_WORK,
    ],
    ['one node for each id', '{ nodes(ids: ["eA", "eA"]) { id } }', {}, 3],
    ['ids in a variable', 'query ($ids: [ID!]!) { nodes(ids: $ids) { id } }', { ids: ['eA'] }, 2],
    ['a list without a size', '{ medias(first: 2) { nodes { tags { name } } } }', {}, 34],
    ['a size out of range: the nearest', '{ medias(first: 999999) { nodes { id } } }', {}, 212],
    ['a size below zero', '{ medias(first: -1) { nodes { id } } }', {}, 12],
    ['a skipped field', '{ medias(first: 7) @skip(if: true) { nodes { id } } }', {}, 19],
    [
      'fragments',
      '{ ...Q } fragment Q on Query { medias(first: 7) { ...C } } fragment C on MediaConnection { nodes { ... on Media { id } } }',
      {},
      19,
    ],
  ])('counts %s', (_title, query, variables, cost) =>
    run(async (app) => expect(await costOf(app, query, variables)).toBe(cost)),
  );

  it('is the cost of the operation that runs', () =>
    run(async (app) => {
      const query = `query A { viewer { id } } query B { ${nested(200, 200, 200)} }`;
      expect(await post(app, { query, operationName: 'A' })).toMatchObject({ status: 200 });
      const code = 'OPERATION_TOO_COSTLY';
      expect(await post(app, { query, operationName: 'B' })).toMatchObject({ status: 400, code });
    }));

  it.each([-1, 'x', 1.5, 1e300, [], {}])('a variable `first: %j` is an error of the client', (n) =>
    run(async (app) => {
      const { errors, status } = await graphql(app, `query ($n: Int) { ${PAGE} }`, { n });
      expect(status).toBeLessThan(500);
      expect(errors).toHaveLength(1);
      expect(app.statements).toEqual([]);
    }),
  );

  it('is in every response: GET, mutations, uploads, and failed resolvers', () =>
    run(async (app) => {
      const cost = { requested: 2, limit: LIMITS.cost };
      const get = await app.fetch('/graphql?query={viewer{kind}}');
      expect(await get.json()).toMatchObject({ data: {}, extensions: { cost } });
      const tag = 'mutation { createTag(input: { name: "a" }) { __typename } }';
      expect(await post(app, { query: tag })).toMatchObject({ extensions: { cost } });
      const failure = '{ node(id: "nonsense") { id } }';
      expect(await post(app, { query: failure })).toMatchObject({ extensions: { cost } });
      const upload =
        'mutation ($file: Upload!) { uploadFile(input: { file: $file }) { __typename } }';
      const file = new File(['some text'], 'a.txt');
      expect(await graphql(app, upload, { file: null }, { files: { file } })).toMatchObject({
        data: { uploadFile: { __typename: 'UploadFileSuccess' } },
        extensions: { cost },
      });
    }));

  it('leaves room for ordinary pages, for GraphiQL and for its examples', () =>
    run(async (app) => {
      const rich = `medias(first: 50) { totalCount nodes { id name url type folder { id name } tags { id name color }
        file { filename mimeType sizeBytes md5 url } ancestors { id name } image { url width height } } }`;
      const tree = `rootFolders(first: 20) { nodes { id name folders(first: 20) { nodes { id name
        medias(first: 5) { nodes { id name url file { url mimeType } tags { name } image { url } } } } } } }`;
      expect(await costOf(app, `{ ${rich} }`)).toBeLessThan(LIMITS.cost / 4);
      expect(await costOf(app, `{ ${tree} }`)).toBeLessThan(LIMITS.cost / 4);
      const options = { specifiedByUrl: true, inputValueDeprecation: true, oneOf: true };
      await expectAllowed(app, getIntrospectionQuery(options));
      // The answer to a subscription would not end.
      for (const { query } of EXAMPLES.filter(({ query }) => !query.includes('subscription'))) {
        const { errors } = await graphql(app, query);
        const codes = errors?.map(({ extensions }) => extensions?.code).join() ?? '';
        expect(codes).not.toMatch(/TOO_/);
      }
    }));
});

describe('a subscription', () => {
  const subscribe = (app: TestApp, selection: string) =>
    app.fetch('/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
      body: JSON.stringify({ query: `subscription { mediaChanged { ${selection} } }` }),
    });
  const costly = `media { folder { ${nested(200, 200, 200).replace('rootFolders', 'folders')} } }`;

  it.each([
    ['OPERATION_TOO_COSTLY', costly],
    ['OPERATION_TOO_DEEP', `media { ${fields(20)} }`],
    ['TOO_MANY_ALIASES', aliases(31)],
  ])('beyond a limit is refused: %s', (code, selection) =>
    run(async (app) => {
      const response = await subscribe(app, selection);
      expect(response.status).toBe(400);
      expect(await response.text()).toContain(`"code":"${code}"`);
      expect(app.statements).toEqual([]);
    }),
  );

  it('has its cost in each event', () =>
    run(async (app) => {
      const { body } = await subscribe(app, 'kind');
      const reader = body!.pipeThrough(new TextDecoderStream()).getReader();
      const create =
        'mutation { createMedia(input: { type: URL, url: "http://a.b" }) { __typename } }';
      expect(await post(app, { query: create })).toMatchObject({ status: 200 });
      let seen = '';
      while (!seen.includes('CREATED')) seen += (await reader.read()).value;
      expect(seen).toContain('"extensions":{"cost":{"requested":2,"limit":200000}}');
      await reader.cancel();
    }));
});
