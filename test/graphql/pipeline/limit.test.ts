import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../../src/graphql/pipeline/limit.ts';
import { cpuMsOf } from '../../support/cpu-time.ts';
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
  times,
} from './operation.ts';

const folder = (selection: string) => `folder(by: { databaseId: 9 }) { ${selection} }`;

/** Two ways to the same depth: fragments of one field each, by name and inline. */
const byName = (depth: number) =>
  `{ ${folder('...F2')} } ${times(depth - 2, (n) => `fragment F${n + 2} on Folder { parent { ...F${n + 3} } }`)}
   fragment F${depth} on Folder { id }`;
const inline = (depth: number): string =>
  depth === 1 ? 'id' : `... on Folder { parent { ${inline(depth - 1)} } }`;

/** 12 + 200 × (12 + 21 × (12 + 35)) = 199,812. */
const NEARLY = nested(200, 21, 35);
const FILL = LIMITS.cost - 199_812;

describe('an operation just within a limit runs, one beyond it is refused', () => {
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
      'TOO_MANY_COUNTS',
      `{ ${times(LIMITS.counts, (n) => `a${n}: medias { totalCount }`)} }`,
      `{ ${times(LIMITS.counts + 1, (n) => `a${n}: medias { totalCount }`)} }`,
    ],
    [
      'TOO_MANY_COUNTS',
      `{ ${times(LIMITS.counts / 2, () => 'rootFolders { ...F }')} } fragment F on FolderConnection { a: totalCount b: totalCount }`,
      `{ ${times(LIMITS.counts / 2 + 1, () => 'rootFolders { ...F }')} } fragment F on FolderConnection { a: totalCount b: totalCount }`,
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

  it('the error tells the limit, a remedy, and the cost', () =>
    run(async (app) => {
      const { errors } = await graphql(app, `{ ${nested(200, 200, 200)} }`);
      expect(errors).toEqual([
        {
          message:
            'The limit is 200,000 for the cost: the fields of the response if every page is full, plus the work of its lists. The operation costs 8,482,412. Its most expensive part is `rootFolders.nodes.folders.nodes.medias.nodes`. Request smaller pages with `first`, fewer fields or counts, or a filter with fewer words and criteria.',
          extensions: {
            code: 'OPERATION_TOO_COSTLY',
            cost: 8_482_412,
            dearest: 'rootFolders.nodes.folders.nodes.medias.nodes',
            limit: 200_000,
          },
        },
      ]);
    }));
});

describe('a hostile operation is refused', () => {
  // Each of these kept a server busy for seconds when only the size of the result was priced.
  it.each<[title: string, query: string, dearest: string]>([
    [
      '30 searches for several words',
      `{ ${times(30, (n) => `a${n}: medias(first: 1, filter: { search: "a b c d" }) { nodes { id } }`)} }`,
      'a0',
    ],
    [
      '20 lists by criteria that no index serves together',
      `{ ${times(20, (n) => `a${n}: medias(first: 1, filter: { tagIds: ["VGFnOjE="], types: [IMAGE], mimeTypes: ["image/png"], search: "a" }) { nodes { id } }`)} }`,
      'a0',
    ],
    [
      'counts of searches',
      `{ medias { nodes { id } } ${times(12, (n) => `a${n}: medias(first: 1, filter: { search: "a b" }) { totalCount }`)} }`,
      'a0.totalCount',
    ],
    [
      'a search in each of many folders',
      '{ rootFolders(first: 200) { nodes { medias(first: 1, filter: { search: "a" }) { nodes { id } } } } }',
      'rootFolders.nodes.medias',
    ],
  ])('%s', (_title, query, dearest) =>
    run(async (app) => {
      await expectRefused(app, 'OPERATION_TOO_COSTLY', query);
      const { errors } = await graphql(app, query);
      expect(errors?.[0]).toMatchObject({
        message: expect.stringContaining(`\`${dearest}\``),
        extensions: { dearest },
      });
    }),
  );

  it('a filter costs the same as a literal and as a variable', () =>
    run(async (app) => {
      const list = (filter: string) => `medias(filter: ${filter}) { totalCount nodes { id } }`;
      const filter = '{ search: "a b", types: [IMAGE] }';
      const literal = await costOf(app, `{ ${list(filter)} }`);
      const variables = { f: { search: 'a b', types: ['IMAGE'] } };
      expect(await costOf(app, `query ($f: MediaFilter) { ${list('$f')} }`, variables)).toBe(
        literal,
      );
      expect(literal).toBeGreaterThan(
        Number(await costOf(app, `{ ${list('{ search: "a b" }')} }`)),
      );
    }));

  it.each<[title: string, code: string, query: string]>([
    ['1,000 aliases', 'TOO_MANY_TOKENS', `{ ${aliases(1000)} }`],
    ['300 aliases', 'TOO_MANY_ALIASES', `{ ${aliases(300)} }`],
    [
      '1,000 aliases through a fragment',
      'TOO_MANY_ALIASES',
      `{ ${'...F '.repeat(50)} } fragment F on Query { ${aliases(20)} }`,
    ],
    ['a depth of 70 through fragments', 'OPERATION_TOO_DEEP', byName(70)],
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
      expect(await cpuMsOf(() => expectRefused(app, code, query))).toBeLessThan(5000);
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

  it('a multipart request beyond a limit is refused, and its file is discarded', () =>
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
