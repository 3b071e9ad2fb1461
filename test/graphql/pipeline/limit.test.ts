import { getIntrospectionQuery } from 'graphql';
import { describe, expect, it } from 'vitest';
import { EXAMPLES } from '../../../src/graphql/example.ts';
import { LIMITS } from '../../../src/graphql/pipeline/limit.ts';
import { type TestApp, withApp } from '../../support/app.ts';
import { BACKENDS } from '../../support/backend.ts';
import { graphql } from '../../support/graphql.ts';

// On SQLite only, because a refused operation reaches no database of either kind.
const SQLITE = BACKENDS[0]!;
const run = (work: (app: TestApp) => Promise<void>, variables = {}) =>
  withApp(SQLITE, work, variables);

type Variables = Record<string, unknown>;

/** Expects the refusal twice, because the second response comes from Yoga's caches. */
async function expectRefused(app: TestApp, code: string, query: string, variables?: Variables) {
  for (const round of [1, 2]) {
    app.statements.length = 0;
    const { errors, ...answer } = await graphql(app, query, variables);
    const codes = errors?.map(({ extensions }) => extensions?.code);
    expect({ round, codes, ...answer }).toEqual({ round, codes: [code], status: 400 });
    expect(app.statements).toEqual([]);
  }
}

async function expectAllowed(app: TestApp, query: string, variables?: Variables) {
  for (const round of [1, 2]) {
    const { errors, status } = await graphql(app, query, variables);
    expect({ round, errors, status }).toEqual({ round, errors: undefined, status: 200 });
  }
}

async function costOf(app: TestApp, query: string, variables?: Variables): Promise<unknown> {
  const { extensions } = await post(app, { query, variables });
  return extensions?.cost?.requested;
}

async function post(app: TestApp, body: unknown, headers: Record<string, string> = {}) {
  const response = await app.fetch('/graphql', {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' || body instanceof FormData ? body : JSON.stringify(body),
  });
  const text = await response.text();
  // biome-ignore lint/suspicious/noExplicitAny: a test says by its assertions what it expects
  const answer: any = text.startsWith('{') ? JSON.parse(text) : {};
  return { status: response.status, code: answer.errors?.[0]?.extensions.code, ...answer };
}

const times = (count: number, one: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => one(index)).join(' ');
const aliases = (count: number, prefix = 'a') => times(count, (n) => `${prefix}${n}: __typename`);
/** Returns a path of that many fields. */
const fields = (depth: number, last = 'id'): string =>
  depth === 1 ? last : `parent { ${fields(depth - 1, last)} }`;
const folder = (selection: string) => `folder(by: { databaseId: 9 }) { ${selection} }`;

/** Creates fragments of one field each, by name or inline: two ways to the same depth. */
const byName = (depth: number) =>
  `{ ${folder('...F2')} } ${times(depth - 2, (n) => `fragment F${n + 2} on Folder { parent { ...F${n + 3} } }`)}
   fragment F${depth} on Folder { id }`;
const inline = (depth: number): string =>
  depth === 1 ? 'id' : `... on Folder { parent { ${inline(depth - 1)} } }`;

const LISTS = 'rootFolders folders medias'.split(' ');
/** Returns nested lists of these sizes. */
const nested = (...sizes: (number | string)[]) =>
  LISTS.reduceRight((inner, list, n) => `${list}(first: ${sizes[n]}) { nodes { ${inner} } }`, 'id');
/** 1 + 1 + 200 × (1 + 1 + 12 × (1 + 1 + 81)) = 199,602. */
const NEARLY = nested(200, 12, 81);
const FILL = LIMITS.cost - 199_602;

describe('an operation just within a limit is answered, one beyond it is refused', () => {
  it.each<[code: string, within: string, beyond: string]>([
    [
      'DOCUMENT_TOO_LONG',
      `{ __typename }${' '.repeat(LIMITS.characters - 14)}`,
      `{ __typename }${' '.repeat(LIMITS.characters - 13)}`,
    ],
    [
      'TOO_MANY_TOKENS',
      `{ ${'... { __typename } '.repeat(LIMITS.tokens / 4 - 1)} __typename __typename }`,
      `{ ${'... { __typename } '.repeat(LIMITS.tokens / 4 - 1)} __typename __typename __typename }`,
    ],
    [
      'TOO_MANY_DIRECTIVES',
      `{ ${'__typename @include(if: true) '.repeat(LIMITS.directives)} }`,
      `{ ${'__typename @include(if: true) '.repeat(LIMITS.directives + 1)} }`,
    ],
    [
      'TOO_MANY_DIRECTIVES',
      `{ ...F @skip(if: false) } fragment F on Query { ${'__typename @include(if: true) '.repeat(LIMITS.directives - 1)} }`,
      `{ ...F @skip(if: false) } fragment F on Query { ${'__typename @include(if: true) '.repeat(LIMITS.directives)} }`,
    ],
    [
      'OPERATION_TOO_DEEP',
      `{ media(by: { resource: "${'{'.repeat(99)}" }) { id } } ${'#{'.repeat(99)}`,
      `{ nodes(ids: ${'['.repeat(49)}${']'.repeat(49)}) { id } }`,
    ],
    ['OPERATION_TOO_DEEP', `{ ${folder(fields(14))} }`, `{ ${folder(fields(15))} }`],
    ['OPERATION_TOO_DEEP', byName(15), byName(16)],
    ['OPERATION_TOO_DEEP', `{ ${folder(inline(14))} }`, `{ ${folder(inline(15))} }`],
    ['TOO_MANY_ALIASES', `{ ${aliases(30)} }`, `{ ${aliases(31)} }`],
    [
      'TOO_MANY_ALIASES',
      `{ ...F ...F viewer { x: __typename } ...F } fragment F on Query { ${aliases(9)} } `,
      `{ ...F ...F viewer { x: __typename } ...F } fragment F on Query { ${aliases(10)} } `,
    ],
    [
      'TOO_MANY_ALIASES',
      `{ ... { ${aliases(15)} } ... on Query { ${aliases(15, 'b')} } }`,
      `{ ... { ${aliases(15)} } ... on Query { ${aliases(16, 'b')} } }`,
    ],
    [
      'OPERATION_TOO_COSTLY',
      `{ ${'__typename '.repeat(FILL)} ${NEARLY} }`,
      `{ ${'__typename '.repeat(FILL + 1)} ${NEARLY} }`,
    ],
  ])('%s', (code, within, beyond) =>
    run(async (app) => {
      await expectAllowed(app, within);
      await expectRefused(app, code, beyond);
    }),
  );

  it('TOO_MANY_OPERATIONS', () =>
    run(async (app) => {
      const operations = (count: number) => times(count, (n) => `query Q${n} { __typename }`);
      const send = (count: number) => post(app, { query: operations(count), operationName: 'Q3' });
      expect(await send(LIMITS.operations)).toMatchObject({ status: 200 });
      expect(await send(LIMITS.operations + 1)).toMatchObject({
        status: 400,
        code: 'TOO_MANY_OPERATIONS',
      });
    }));

  it('the error names the limit and the remedy, and the cost if that is too high', () =>
    run(async (app) => {
      const { errors } = await graphql(app, `{ ${nested(200, 200, 200)} }`);
      expect(errors).toEqual([
        {
          message:
            'The limit is 200,000 fields that an answer may come to. Ask for smaller pages with `first`, or for less of each node.',
          extensions: { code: 'OPERATION_TOO_COSTLY', cost: 8_080_402, limit: 200_000 },
        },
      ]);
    }));
});

describe('operations that must never run', () => {
  it.each<[title: string, code: string, query: string]>([
    ['1,000 aliases', 'TOO_MANY_TOKENS', `{ ${aliases(1000)} }`],
    ['600 aliases', 'TOO_MANY_ALIASES', `{ ${aliases(600)} }`],
    [
      '1,000 aliases through a fragment',
      'TOO_MANY_ALIASES',
      `{ ${'...F '.repeat(50)} } fragment F on Query { ${aliases(20)} }`,
    ],
    ['a depth of 100 through fragments', 'OPERATION_TOO_DEEP', byName(100)],
    [
      'first: 200 four levels deep',
      'OPERATION_TOO_COSTLY',
      `{ rootFolders(first: 200) { edges { node { folders(first: 200) { edges { node { folders(first: 200) {
           edges { node { medias(first: 200) { edges { node { id } } } } } } } } } } } } }`,
    ],
    [
      'the same through fragments',
      'OPERATION_TOO_COSTLY',
      `{ rootFolders(first: 200) { ...C0 } }
       fragment C0 on FolderConnection { nodes { ...F1 } }
       fragment F1 on Folder { folders(first: 200) { nodes { ...F2 } } }
       fragment F2 on Folder { folders(last: 200) { nodes { ... { medias(first: 200) { nodes { id } } } } } }`,
    ],
    ['a nesting of 10,000', 'OPERATION_TOO_DEEP', `${'{a'.repeat(10_000)}${'}'.repeat(10_000)}`],
    [
      'lists of lists',
      'OPERATION_TOO_DEEP',
      `{ nodes(ids: ${'['.repeat(5000)}${']'.repeat(5000)}) { id } }`,
    ],
    ['a nesting of 600', 'OPERATION_TOO_DEEP', `${'{a'.repeat(600)}${'}'.repeat(600)}`],
    ['1 MB of fields', 'DOCUMENT_TOO_LONG', `{ ${'__typename '.repeat(90_000)} }`],
    [
      '1 MB of a string',
      'DOCUMENT_TOO_LONG',
      `{ media(by: { resource: "${'x'.repeat(1_000_000)}" }) { id } }`,
    ],
    [
      'a bomb of 30 fragments',
      'OPERATION_TOO_COSTLY',
      `{ rootFolders { nodes { ...F0 } } } ${times(30, (n) => `fragment F${n} on Folder { ...F${n + 1} ...F${n + 1} }`)}
       fragment F30 on Folder { id }`,
    ],
    [
      'a bomb of fields',
      'TOO_MANY_ALIASES',
      `{ rootFolders { nodes { ...F0 } } } ${times(12, (n) => `fragment F${n} on Folder { a: parent { ...F${n + 1} } b: parent { ...F${n + 1} } }`)}
       fragment F12 on Folder { id }`,
    ],
  ])('%s', (_title, code, query) =>
    run(async (app) => {
      const start = performance.now();
      await expectRefused(app, code, query);
      expect(performance.now() - start).toBeLessThan(5000);
    }),
  );

  // GraphQL over HTTP, §6.4.1: with `application/json` as the type of the answer these are 200.
  it.each([
    ['an unknown fragment', '{ ...Nowhere }'],
    ['a fragment in itself', '{ ...A } fragment A on Query { ...A }'],
    [
      'fragments in a circle',
      `{ ${folder('...A')} } fragment A on Folder { parent { ...B } } fragment B on Folder { parent { ...A } }`,
    ],
    ['first: "x"', '{ medias(first: "x") { totalCount } }'],
  ])('%s', (_title, query) =>
    run(async (app) => {
      const { data, errors } = await graphql(app, query);
      expect(data).toBeUndefined();
      expect(errors?.[0]?.extensions).toMatchObject({ code: 'GRAPHQL_VALIDATION_FAILED' });
      expect(app.statements).toEqual([]);
    }),
  );

  it('a multipart request beyond a limit, whose file is not read', () =>
    run(async (app) => {
      const file = new File([Buffer.alloc(300_000)], 'a.bin');
      const query = `mutation ($file: Upload!) { uploadFile(input: { file: $file }) { ${aliases(31)} } }`;
      const answer = await graphql(app, query, { file: null }, { files: { file } });
      expect(answer).toMatchObject({
        status: 400,
        errors: [{ extensions: { code: 'TOO_MANY_ALIASES' } }],
      });
      expect(app.statements).toEqual([]);
      await expectAllowed(app, '{ __typename }');
    }));
});

describe('cost', () => {
  const PAGE = 'medias(first: $n) { nodes { id } }';

  it('depends on the variables, also for a cached document', () =>
    run(async (app) => {
      const query = `query ($n: Int) { ${nested('$n', '$n', '$n')} }`;
      const size = (n: number) => 2 + n * (2 + n * (2 + n));
      expect(await costOf(app, query, { n: 5 })).toBe(size(5));
      await expectRefused(app, 'OPERATION_TOO_COSTLY', query, { n: 200 });
      expect(await costOf(app, query, { n: 20 })).toBe(size(20));
      expect(await costOf(app, query)).toBe(size(50));
    }));

  it.each<[title: string, query: string, variables: Variables, cost: number]>([
    ['a literal', '{ medias(first: 7) { nodes { id } } }', {}, 9],
    ['a page from the end', '{ medias(last: 7) { nodes { id } } }', {}, 9],
    ['no size: 50', '{ medias { nodes { id } } }', {}, 52],
    ['a variable', `query ($n: Int) { ${PAGE} }`, { n: 7 }, 9],
    ['a variable that is not given', `query ($n: Int) { ${PAGE} }`, {}, 52],
    ['a variable that is null', `query ($n: Int = 7) { ${PAGE} }`, { n: null }, 52],
    ['a variable’s default', `query ($n: Int = 7) { ${PAGE} }`, {}, 9],
    ['what replaces the default', `query ($n: Int = 7) { ${PAGE} }`, { n: 8 }, 10],
    ['edges', '{ medias(first: 7) { edges { cursor node { id } } } }', {}, 23],
    ['what a page has once', '{ medias(first: 7) { totalCount pageInfo { hasNextPage } } }', {}, 4],
    ['as many as there are ids', '{ nodes(ids: ["eA", "eA"]) { id } }', {}, 3],
    ['ids in a variable', 'query ($ids: [ID!]!) { nodes(ids: $ids) { id } }', { ids: ['eA'] }, 2],
    ['a list without a size', '{ medias(first: 2) { nodes { tags { name } } } }', {}, 24],
    ['a size out of range: the nearest', '{ medias(first: 999999) { nodes { id } } }', {}, 202],
    ['a size below zero', '{ medias(first: -1) { nodes { id } } }', {}, 2],
    ['what is skipped', '{ medias(first: 7) @skip(if: true) { nodes { id } } }', {}, 9],
    [
      'fragments',
      '{ ...Q } fragment Q on Query { medias(first: 7) { ...C } } fragment C on MediaConnection { nodes { ... on Media { id } } }',
      {},
      9,
    ],
  ])('counts %s', (_title, query, variables, cost) =>
    run(async (app) => expect(await costOf(app, query, variables)).toBe(cost)),
  );

  it('is that of the operation that runs', () =>
    run(async (app) => {
      const query = `query A { viewer { id } } query B { ${nested(200, 200, 200)} }`;
      expect(await post(app, { query, operationName: 'A' })).toMatchObject({ status: 200 });
      const code = 'OPERATION_TOO_COSTLY';
      expect(await post(app, { query, operationName: 'B' })).toMatchObject({ status: 400, code });
    }));

  it.each([-1, 'x', 1.5, 1e300, [], {}])(
    'a variable `first: %j` is reported as an error of the client',
    (n) =>
      run(async (app) => {
        const { errors, status } = await graphql(app, `query ($n: Int) { ${PAGE} }`, { n });
        expect(status).toBeLessThan(500);
        expect(errors).toHaveLength(1);
        expect(app.statements).toEqual([]);
      }),
  );

  it('is in every response: to GET, to mutations, to uploads, and if a resolver fails', () =>
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

  it('leaves room for ordinary pages, for GraphiQL and for all its examples', () =>
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

  it('reports its cost with each event', () =>
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

describe('introspection', () => {
  const OFF = { TRIVIUM_GRAPHIQL: 'off' };

  it.each([
    '{ __schema { queryType { name } } }',
    '{ __type(name: "Media") { name } }',
    '{ ... on Query { ...F } } fragment F on Query { x: __schema { queryType { name } } }',
    getIntrospectionQuery(),
  ])('is refused with GraphiQL off: %s', (query) =>
    run((app) => expectRefused(app, 'INTROSPECTION_DISABLED', query), OFF),
  );

  it('of `__typename` is always allowed', () =>
    run((app) => expectAllowed(app, '{ __typename viewer { __typename } }'), OFF));

  it('may be as deep as nested type references', () =>
    run((app) =>
      expectAllowed(
        app,
        `{ __schema { types { name ${'ofType { '.repeat(20)} name ${'}'.repeat(20)} } } }`,
      ),
    ));

  it('is on in open mode', () =>
    run((app) => expectAllowed(app, '{ __schema { queryType { name } } }')));
});

describe('a request that another site could send through a browser is refused', () => {
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

  it.each(['PUT', 'PATCH', 'DELETE'])('%s', (method) =>
    run(async (app) => {
      const response = await app.fetch('/graphql', { method });
      expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, POST, OPTIONS']);
      const code = 'METHOD_NOT_ALLOWED';
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

describe('a batch is refused', () => {
  it('of JSON', () =>
    run(async (app) => {
      for (const count of [1, 2]) {
        const batch = Array.from({ length: count }, () => ({ query: '{ viewer { id } }' }));
        const answer = await post(app, batch);
        expect(answer).toMatchObject({ status: 400, code: 'BAD_REQUEST' });
        expect(answer.errors[0].message).toMatch(/Batching is not supported/);
      }
      expect(app.statements).toEqual([]);
    }));

  it('of a multipart request', () =>
    run(async (app) => {
      const form = new FormData();
      form.set('operations', JSON.stringify([{ query: '{ medias { totalCount } }' }]));
      form.set('map', '{}');
      const headers = { 'x-graphql-yoga-csrf': '1' };
      const response = await app.fetch('/graphql', { method: 'POST', headers, body: form });
      expect(response.status).toBe(400);
      expect(app.statements).toEqual([]);
    }));
});
