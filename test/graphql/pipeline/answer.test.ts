import { beforeAll, describe, expect, test } from 'vitest';
import { negotiate } from '../../../src/graphql/pipeline/answer.ts';
import { HttpError } from '../../../src/http/http-error.ts';
import type { TestApp } from '../../support/app.ts';
import { describeEachBackend } from '../../support/backend.ts';
import { makeFileRow, makeMediaRow } from '../../support/make.ts';
import { shareApp } from '../../support/shared-app.ts';

const MEDIAS = `query ($first: Int, $by: MediaBy = {databaseId: 1}) {
  medias(first: $first) { nodes { id name file { url } tags { name } } totalCount pageInfo { endCursor } }
  media(by: $by) { ... on TreeNode { name } }
}`;

interface Case {
  body: Record<string, unknown>;
  /** Status as `application/json`. */
  json?: number;
  /** Status as `application/graphql-response+json`. */
  response?: number;
  /** Code of the first error. */
  code?: string;
}

const CASES: [string, Case][] = [
  ['a page', { body: { query: MEDIAS, variables: { first: 2 } } }],
  ['no variables', { body: { query: MEDIAS } }],
  ['variables that are null', { body: { query: MEDIAS, variables: null } }],
  ['a variable that is not declared', { body: { query: MEDIAS, variables: { other: 1 } } }],
  [
    'a variable of the wrong type',
    {
      body: { query: MEDIAS, variables: { first: 'two' } },
      response: 400,
      code: 'BAD_USER_INPUT',
    },
  ],
  [
    'two keys of a oneOf input',
    {
      body: { query: MEDIAS, variables: { by: { databaseId: 1, uuid: 'x' } } },
      response: 400,
      code: 'BAD_USER_INPUT',
    },
  ],
  [
    'a size out of range',
    { body: { query: MEDIAS, variables: { first: 201 } }, code: 'INVALID_INPUT' },
  ],
  [
    'a cost beyond the limit, by a variable',
    {
      body: {
        query: `query ($n: Int) { rootFolders(first: $n) { nodes { children(first: $n) { nodes {
          ... on Folder { medias(first: $n) { nodes { name } } } } } } } }`,
        variables: { n: 200 },
      },
      json: 400,
      response: 400,
      code: 'OPERATION_TOO_COSTLY',
    },
  ],
  [
    'an operation by its name',
    {
      body: {
        query: 'query A { viewer { kind } } query B { tags { totalCount } }',
        operationName: 'B',
      },
    },
  ],
  [
    'an unknown operation',
    {
      body: { query: 'query A { viewer { kind } }', operationName: 'B' },
      json: 400,
      response: 400,
      code: 'OPERATION_RESOLUTION_FAILURE',
    },
  ],
  [
    'two operations and no name',
    {
      body: { query: 'query A { viewer { kind } } query B { viewer { kind } }' },
      json: 400,
      response: 400,
      code: 'OPERATION_RESOLUTION_FAILURE',
    },
  ],
  [
    'a document that is malformed',
    { body: { query: '{ a' }, response: 400, code: 'GRAPHQL_PARSE_FAILED' },
  ],
  [
    'an unknown field',
    { body: { query: '{ nothing }' }, response: 400, code: 'GRAPHQL_VALIDATION_FAILED' },
  ],
  ['a malformed id', { body: { query: '{ node(id: "nothing") { id } }' }, code: 'INVALID_INPUT' }],
  [
    'an error as data',
    {
      body: {
        query:
          'mutation { deleteTag(input: {id: "x"}) { __typename ... on InvalidInputError { issues { path code } } } }',
      },
    },
  ],
  ['introspection', { body: { query: '{ __type(name: "Media") { fields { name } } }' } }],
  [
    'an unknown parameter',
    {
      body: { query: '{ viewer { kind } }', unknown: 1 },
      json: 400,
      response: 400,
      code: 'BAD_REQUEST',
    },
  ],
  [
    'a query that is not a string',
    { body: { query: 1 }, json: 400, response: 400, code: 'BAD_REQUEST' },
  ],
  [
    'variables that are a list',
    {
      body: { query: '{ viewer { kind } }', variables: [] },
      json: 400,
      response: 400,
      code: 'BAD_REQUEST',
    },
  ],
];

function post(app: TestApp, body: unknown, accept: string): Promise<Response> {
  return app.fetch('/graphql', {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(60_000),
    asAdmin: true,
  });
}

/** By GET, a parameter is a string or JSON. */
function get(app: TestApp, body: Record<string, unknown>, accept: string): Promise<Response> {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(body)) {
    search.set(name, typeof value === 'string' ? value : JSON.stringify(value));
  }
  return app.fetch(`/graphql?${search}`, { headers: { accept }, asAdmin: true });
}

async function read(response: Response) {
  const { data, errors, extensions } = (await response.json()) as {
    data?: unknown;
    errors?: { extensions?: { code?: string } }[];
    extensions?: unknown;
  };
  const answer = { data, errors, extensions };
  const code = errors?.[0]?.extensions?.code;
  return { status: response.status, type: response.headers.get('content-type'), code, answer };
}

describeEachBackend('the response to', (backend) => {
  const sharedApp = shareApp(backend);

  beforeAll(async () => {
    const { db } = sharedApp().services;
    const mediaId = await makeMediaRow(db);
    await makeFileRow(db, mediaId);
  });

  test.each(CASES)(
    '%s has one status for each media type, whenever and however it is sent',
    async (_name, { body, json = 200, response = 200, code }) => {
      const app = sharedApp();
      for (const [accept, status] of [
        ['application/json', json],
        ['application/graphql-response+json', response],
      ] as const) {
        const first = await read(await post(app, body, accept));
        expect(first).toMatchObject({ status, type: `${accept}; charset=utf-8`, code });
        // The second answer comes out of the caches.
        expect(await read(await post(app, body, accept))).toEqual(first);
        const isSentByGet =
          typeof body.query === 'string' &&
          !body.query.startsWith('mutation') &&
          !('unknown' in body);
        if (isSentByGet) expect(await read(await get(app, body, accept))).toEqual(first);
      }
    },
  );

  test('a subscription is an event stream, or 406 for a client that accepts none', async () => {
    const body = { query: 'subscription { mediaChanged { kind } }' };
    for (const accept of ['*/*', 'text/event-stream', 'application/json, text/event-stream']) {
      const response = await post(sharedApp(), body, accept);
      expect([response.status, response.headers.get('content-type')]).toEqual([
        200,
        'text/event-stream',
      ]);
      await response.body?.cancel();
    }
    const refused = await post(sharedApp(), body, 'application/json');
    expect([refused.status, (await read(refused)).code]).toEqual([406, 'NOT_ACCEPTABLE']);
  });

  test('an operation is not run if the client accepts no media type of the response', async () => {
    const app = sharedApp();
    app.statements.length = 0;
    for (const accept of ['text/html', 'application/json; charset=latin1']) {
      const response = await post(app, { query: MEDIAS }, accept);
      expect([response.status, (await read(response)).code]).toEqual([406, 'NOT_ACCEPTABLE']);
    }
    expect(app.statements).toEqual([]);
  });
});

describe('an Accept header', () => {
  const JSON_TYPE = 'application/json';
  const RESPONSE_TYPE = 'application/graphql-response+json';
  const EVENTS = 'text/event-stream';
  const MULTIPART = 'multipart/mixed';

  test.each<[string | undefined, result: string, stream: string | null]>([
    [undefined, JSON_TYPE, EVENTS],
    ['', JSON_TYPE, EVENTS],
    ['*/*', JSON_TYPE, EVENTS],
    ['application/*', JSON_TYPE, null],
    ['Application/JSON', JSON_TYPE, null],
    [RESPONSE_TYPE, RESPONSE_TYPE, null],
    ['application/graphql-response+json, application/json;q=0.9', RESPONSE_TYPE, null],
    ['application/json, application/graphql-response+json', JSON_TYPE, null],
    ['application/json; charset=utf-8, multipart/mixed', JSON_TYPE, null],
    ['application/json; charset=latin1, application/graphql-response+json', RESPONSE_TYPE, null],
    ['text/html, */*;q=0.1', JSON_TYPE, EVENTS],
    ['text/event-stream', EVENTS, EVENTS],
    ['multipart/mixed;boundary=graphql;subscriptionSpec=1.0', MULTIPART, MULTIPART],
    [
      'multipart/mixed; boundary="graphql"; subscriptionSpec="1.0", application/json;q=0.9',
      JSON_TYPE,
      MULTIPART,
    ],
    ['multipart/mixed;subscriptionSpec=1.0, text/event-stream', MULTIPART, MULTIPART],
    ['text/event-stream, multipart/mixed;subscriptionSpec=1.0', EVENTS, EVENTS],
    ['multipart/mixed;subscriptionSpec=2.0, application/json', JSON_TYPE, null],
    ['multipart/mixed;deferSpec=20220824, application/json', JSON_TYPE, null],
    ['text/event-stream, application/json', JSON_TYPE, EVENTS],
    [
      'application/graphql-response+json, application/graphql+json, application/json, text/event-stream, multipart/mixed',
      RESPONSE_TYPE,
      EVENTS,
    ],
  ])('of %s selects %s for one result and %s for many', (accept, result, stream) => {
    expect(negotiate(accept)).toEqual({ result, stream });
  });

  test.each([
    'text/html',
    'constructor',
    'image/*',
    'multipart/mixed',
    'application/xml',
    'application/json; charset=latin1',
  ])('of %s is refused', (accept) => {
    expect(() => negotiate(accept)).toThrow(HttpError);
  });
});
