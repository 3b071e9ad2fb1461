import { readFileSync } from 'node:fs';
import { getIntrospectionQuery, isObjectType, parse } from 'graphql';
import { describe, expect, test } from 'vitest';
import { EXAMPLES } from '../../src/graphql/example.ts';
import { createCostMeter } from '../../src/graphql/pipeline/cost.ts';
import { schema } from '../../src/graphql/schema.ts';

type Variables = Record<string, unknown>;

const meter = createCostMeter();

/** The cost of each operation in a document, by its name. */
function costsOf(text: string, variableValues: Variables = {}): Variables {
  const document = parse(text);
  const names = document.definitions.flatMap((definition) =>
    definition.kind === 'OperationDefinition' ? (definition.name?.value ?? []) : [],
  );
  const costs = names.map((operationName) => [
    operationName,
    meter({ schema, document, variableValues, operationName }).cost,
  ]);
  return Object.fromEntries(costs);
}

// Limits depend on these numbers: a change here makes an operation of a client cheaper or dearer.
describe('the cost of', () => {
  test('each example of GraphiQL is as before', () => {
    const costs = EXAMPLES.map(({ query, variables }) =>
      costsOf(query, variables ? JSON.parse(variables) : {}),
    );
    expect(Object.assign({}, ...costs)).toEqual({
      NewestMedia: 886,
      OneMedia: 57,
      Tree: 11_932,
      Search: 22_183,
      CreateLink: 29,
      ImportUrl: 30,
      CreateFolder: 7,
      Viewer: 4,
      CreateApiKey: 10,
      CreateTag: 29,
      UploadSession: 5,
      UpdateMedia: 31,
      TagMedia: 2405,
      MoveNodes: 1005,
      DeleteMedia: 5,
      Jobs: 903,
      SignalJob: 10,
      MediaChanged: 6,
    });
  });

  test('each operation of our client is as before', () => {
    expect(costsOf(readFileSync('src/client/document.graphql', 'utf8'))).toEqual({
      UploadChunk: 42,
      CompleteUpload: 50,
      AbortUpload: 38,
      FindSession: 5,
      FindFolder: 3,
      FindTag: 14,
      CreateTag: 40,
      Check: 1,
    });
  });

  test('introspection is as before', () => {
    const options = { specifiedByUrl: true, inputValueDeprecation: true, oneOf: true };
    expect(costsOf(getIntrospectionQuery(options))).toEqual({ IntrospectionQuery: 51_852 });
  });

  test.each([
    [
      'a list that a mutation returns: 200',
      'mutation A($input: TagMediaInput!) { tagMedia(input: $input) { ... on TagMediaSuccess { medias { name tags { name } } } ... on InvalidInputError { issues { path code } } } }',
      2423,
    ],
    [
      'a list of a list that a mutation returns',
      'mutation A { moveNodes(input: { ids: ["a"] }) { ... on MoveNodesSuccess { nodes { id ancestors { id } } } } }',
      2402,
    ],
    [
      'nodes by as many ids',
      'query A($ids: [ID!]!) { nodes(ids: $ids) { id ... on Media { files { key } jobs(first: 3) { edges { cursor node { attempts { number } allowedSignals } } } } } }',
      199,
    ],
    [
      'pages in a page',
      'query A { folder(by: { path: "/a" }) { ancestors { id } children(last: 4) { totalCount nodes { id ... on Folder { medias(first: 9) { edges { node { id tags { name medias { nodes { id } } } image { crops { alias } } choiceImages } } } } } } } }',
      23_853,
    ],
    [
      'pages side by side, one of them empty',
      'query A { jobs { nodes { attempts { number error } } edges { cursor } pageInfo { endCursor } } tags(first: 0) { nodes { name } } }',
      1127,
    ],
    [
      'an event with lists',
      'subscription A { mediaChanged { media { files { url } tags { name } } } }',
      24,
    ],
  ])('%s', (_title, text, cost) => {
    expect(costsOf(text, { ids: ['a', 'b', 'c'] })).toEqual({ A: cost });
  });
});

test('renditions cost their computation: their number, which follows from widths and aliases', () => {
  const aliases = (count: number) =>
    Array.from({ length: count }, (_, at) => `s${at}: srcset(widths: $w, aspectRatio: 1.1)`);
  const text = (first: number, fields: readonly string[]) =>
    `query A($w: [Int!]) { medias(first: ${first}) { nodes { image { ${fields.join(' ')} } } } }`;
  const w = Array.from({ length: 20 }, (_, at) => 100 + at);
  const costOf = (first: number, fields: readonly string[]) =>
    costsOf(text(first, fields), { w }).A as number;
  expect(costOf(1, aliases(2)) - costOf(1, aliases(1))).toBe(1 + 20 * 20);
  expect(costOf(1, ['srcset']) - costOf(1, ['width'])).toBe(8 * 20);
  expect(costOf(1, ['url(width: 10)']) - costOf(1, ['url'])).toBe(20);
  expect(costOf(1, ['url(width: null)'])).toBe(costOf(1, ['url']));
  expect(costOf(200, aliases(29))).toBeGreaterThan(200_000);
  // A page of 50 items with three sets each is far below the limit.
  expect(costOf(50, ['srcset', ...aliases(2)])).toBeLessThan(60_000);
});

const libraryPage = (order: string) => `query A($filter: MediaFilter) {
  viewer { id name role }
  folder(by: { path: "/a/b" }) { name ancestors { id name } }
  medias(first: 50, filter: $filter${order}) {
    totalCount
    facets { types { type count } tags { count tag { id name } } months { month count } totalSizeBytes }
    nodes { id name type altText thumbnail { url } tags { id name } file { sizeBytes mimeType } }
    pageInfo { endCursor hasNextPage } } }`;
const IN_ORDER = ', orderBy: { field: NAME }';
const costOfPage = (filter: object, order = IN_ORDER) =>
  costsOf(libraryPage(order), { filter }).A as number;

const PANEL = {
  ...{ underFolderId: 'x', mimeTypes: ['image/*'], search: 'beach', tagIds: ['a', 'b'] },
  ...{ sizeBytes: { min: 1 }, types: ['IMAGE'], createdAt: { from: '2020-01-01T00:00:00Z' } },
};
const words = (count: number) => ({ search: Array(count).fill('word').join(' ') });

describe('a library page with facets may be sent with', () => {
  test.each<[name: string, filter: object]>([
    ['media without tags', { tagged: false }],
    ['media without an alternative text', { hasAltText: false }],
    ['media that are not public', { isPublic: false }],
    ['a part of a name', { nameContains: 'x' }],
    ['media without a custom field', { metadata: { key: 'a', exists: false } }],
    ['a shape', { orientations: ['LANDSCAPE'] }],
    ['a filled filter panel', { ...PANEL, tagged: true }],
    ['a filled filter panel of what media lack', { ...PANEL, tagged: false, hasAltText: false }],
    ['a panel and a part of a name', { ...PANEL, nameContains: 'x' }],
    [
      'words, a type, a size and a tag',
      { ...words(2), types: ['IMAGE'], sizeBytes: {}, tagIds: ['a'] },
    ],
    ['as many words as a search may have', words(10)],
    ['a panel and as many words', { ...PANEL, ...words(10), tagged: false }],
    ['20 conditions in another filter', { and: Array(20).fill({ hasAltText: false }) }],
  ])('%s', (_name, filter) => {
    expect(costOfPage(filter)).toBeLessThan(200_000);
    expect(costOfPage(filter, ', orderBy: { field: RELEVANCE }')).toBeLessThan(200_000);
  });
});

test.each([
  [{ tagged: false }, { not: { tagged: true } }],
  [{ tagged: false }, { and: [{ not: { tagged: true } }] }],
  [{ hasAltText: false }, { not: { hasAltText: true } }],
  [{ isPublic: false }, { not: { isPublic: true } }],
  [
    { ...PANEL, tagged: false },
    { ...PANEL, not: { tagged: true } },
  ],
  [{ metadata: { key: 'a', exists: false } }, { not: { metadata: { key: 'a' } } }],
])('%j costs as much as %j', (plain, negated) => {
  expect(costOfPage(plain)).toBe(costOfPage(negated));
});

test('no order makes the counts of a list dearer', () => {
  expect(costOfPage({ types: ['IMAGE'] })).toBe(costOfPage({ types: ['IMAGE'] }, '') + 3000);
});

test('words of filters in a filter, which no index serves, have no upper limit', () => {
  const nested = { and: Array(10).fill(words(10)) };
  expect(costOfPage(nested)).toBeGreaterThan(1_000_000);
});

test('the lists of every connection, and no others, have the size of a page', () => {
  const types = Object.values(schema.getTypeMap()).filter(isObjectType);
  const paged = types.flatMap((type) =>
    Object.values(type.getFields())
      .filter(({ extensions }) => extensions.listSize === 'page')
      .map(({ name }) => `${type.name}.${name}`),
  );
  const connections = types.map(({ name }) => name).filter((name) => name.endsWith('Connection'));
  expect(paged.sort()).toEqual(
    connections.flatMap((name) => [`${name}.edges`, `${name}.nodes`]).sort(),
  );
});

test('a change of what a filter selects includes the count of its list', () => {
  const text = `
    mutation A($input: DeleteWhereInput!) { deleteWhere(input: $input) { __typename } }
    mutation B { deleteWhere(input: { filter: { search: "a b c" } }) { __typename } }
    query C { medias(filter: { search: "a" }) { totalCount } }`;
  const { A, B, C } = costsOf(text, { input: { filter: { search: 'a' }, dryRun: true } });
  expect(A).toBeGreaterThan(6000);
  expect(A).toBeLessThanOrEqual(C as number);
  expect(B).toBeGreaterThan(2 * (A as number));
});
