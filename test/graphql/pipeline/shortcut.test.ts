import type { FastifyRequest } from 'fastify';
import { type ExecutionArgs, parse } from 'graphql';
import { beforeAll, describe, expect, it, test } from 'vitest';
import { createDocumentCache } from '../../../src/graphql/pipeline/document-cache.ts';
import { createMeasureCost } from '../../../src/graphql/pipeline/limit.ts';
import type { OperationContext } from '../../../src/graphql/pipeline/run.ts';
import { createShortcut } from '../../../src/graphql/pipeline/shortcut.ts';
import type { TestApp } from '../../support/app.ts';
import { describeEachBackend } from '../../support/backend.ts';
import { makeFileRow, makeMediaRow } from '../../support/make.ts';
import { shareApp } from '../../support/shared-app.ts';

const MEDIAS = `query ($first: Int, $by: MediaBy = {databaseId: 1}) {
  medias(first: $first) { nodes { id name file { url } tags { name } } totalCount pageInfo { endCursor } }
  media(by: $by) { ... on TreeNode { name } }
}`;

/** Bodies, each answered by Yoga and by the shortcut, or by Yoga both times. */
const BODIES: [string, Record<string, unknown>][] = [
  ['a page', { query: MEDIAS, variables: { first: 2 } }],
  ['no variables', { query: MEDIAS }],
  ['variables that are null', { query: MEDIAS, variables: null }],
  ['a variable that is not asked for', { query: MEDIAS, variables: { other: 1 } }],
  ['a variable of the wrong type', { query: MEDIAS, variables: { first: 'two' } }],
  ['two of what must be one', { query: MEDIAS, variables: { by: { databaseId: 1, uuid: 'x' } } }],
  ['a size out of range', { query: MEDIAS, variables: { first: 201 } }],
  [
    'too much by a variable',
    {
      query: `query ($n: Int) { rootFolders(first: $n) { nodes { children(first: $n) { nodes {
        ... on Folder { medias(first: $n) { nodes { name } } } } } } } }`,
      variables: { n: 200 },
    },
  ],
  [
    'an operation by its name',
    { query: 'query A { viewer { kind } } query B { tags { totalCount } }', operationName: 'B' },
  ],
  ['an operation that is not there', { query: 'query A { viewer { kind } }', operationName: 'B' }],
  [
    'no operation named, of two',
    { query: 'query A { viewer { kind } } query B { viewer { kind } }' },
  ],
  ['a field that is not there', { query: '{ nothing }' }],
  ['an id that is none', { query: '{ node(id: "nothing") { id } }' }],
  [
    'an error as data',
    {
      query:
        'mutation { deleteTag(input: {id: "x"}) { __typename ... on InvalidInputError { issues { path code } } } }',
    },
  ],
  ['introspection', { query: '{ __type(name: "Media") { fields { name } } }' }],
  ['a subscription', { query: 'subscription { mediaChanged { kind } }' }],
  ['a key that nothing has', { query: '{ viewer { kind } }', unknown: 1 }],
  ['a query that is no text', { query: 1 }],
];

const ACCEPT = [
  undefined,
  '*/*',
  'application/json',
  'application/graphql-response+json, application/json;q=0.9',
  'application/json; charset=utf-8, multipart/mixed',
  'text/html, application/json',
  'text/html',
  'application/json; charset=latin1',
];

interface Sent {
  status: number;
  headers: Record<string, string>;
  body: string;
}

async function send(app: TestApp, body: unknown, headers: Record<string, string>): Promise<Sent> {
  const response = await app.fetch('/graphql', {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(5000),
    asAdmin: true,
  });
  const { date, 'x-request-id': id, ...others } = Object.fromEntries(response.headers);
  // A subscription has no end; its beginning says enough.
  const isStream = others['content-type']?.startsWith('text/event-stream');
  if (isStream) await response.body?.cancel();
  return { status: response.status, headers: others, body: isStream ? '' : await response.text() };
}

describeEachBackend('what has been run before is answered alike', (backend) => {
  const sharedApp = shareApp(backend);

  beforeAll(async () => {
    const { db } = sharedApp().services;
    const mediaId = await makeMediaRow(db);
    await makeFileRow(db, mediaId);
  });

  test.each(BODIES)('%s', async (_name, body) => {
    const app = sharedApp();
    for (const accept of ACCEPT) {
      const headers = { origin: 'https://site.example', ...(accept !== undefined && { accept }) };
      // With `extensions` a request is Yoga's.
      const byYoga = await send(app, { ...body, extensions: {} }, headers);
      expect(await send(app, body, headers), accept).toEqual(byYoga);
    }
  });
});

describe('the shortcut', () => {
  const TEXT = 'query A { __typename } subscription B { mediaChanged { kind } }';

  async function answer(change: Partial<FastifyRequest>, isRunBefore = true) {
    const documents = createDocumentCache();
    const document = parse(TEXT);
    documents.set(TEXT, document);
    const { noteDocuments, answer } = createShortcut({
      documents,
      measureCost: createMeasureCost(),
    });
    if (isRunBefore) {
      const payload = { args: { document } as ExecutionArgs };
      noteDocuments.onExecute?.(
        payload as Parameters<NonNullable<typeof noteDocuments.onExecute>>[0],
      );
    }
    const request = {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: { query: TEXT, operationName: 'A' },
      ...change,
    };
    return answer(request as FastifyRequest, {} as OperationContext);
  }

  it('takes JSON with a query that was run before', async () => {
    const body =
      '{"data":{"__typename":"Query"},"extensions":{"cost":{"requested":1,"limit":200000}}}';
    expect(await answer({})).toEqual({ contentType: 'application/json; charset=utf-8', body });
    const headers = {
      'content-type': 'application/json; charset=utf-8',
      accept: 'text/html, */*;q=0.1',
    };
    expect(await answer({ headers })).toEqual({
      contentType: 'application/json; charset=utf-8',
      body,
    });
  });

  test.each([
    ['a document that was not run before', {}, false],
    ['another document', { body: { query: '{ __typename }' } }],
    ['a subscription', { body: { query: TEXT, operationName: 'B' } }],
    ['GET', { method: 'GET' }],
    ['a form', { headers: { 'content-type': 'multipart/form-data' } }],
    ['a batch', { body: [{ query: TEXT, operationName: 'A' }] }],
    ['extensions', { body: { query: TEXT, operationName: 'A', extensions: {} } }],
    [
      'an answer of another type',
      { headers: { 'content-type': 'application/json', accept: 'text/html' } },
    ],
  ])('leaves %s to Yoga', async (_name, change, isRunBefore = true) => {
    expect(await answer(change as Partial<FastifyRequest>, isRunBefore)).toBeNull();
  });
});
