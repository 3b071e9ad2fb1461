import { execute as executeByGraphqlJs, parse } from 'graphql';
import { expect, it } from 'vitest';
import { createExecute, createExecuteToJson } from '../../src/graphql/execution/execute.ts';
import type { OperationContext } from '../../src/graphql/pipeline/mask.ts';
import { schema } from '../../src/graphql/schema.ts';
import { SHORTCUTS } from '../../src/graphql/shortcuts.ts';
import { type TestServices, user, withApp, withServices } from '../support/app.ts';
import { describeEachBackend } from '../support/backend.ts';
import { expectSameResult, parsed } from '../support/execution.ts';
import { OperationGenerator } from '../support/operation-generator.ts';

/** Number of operations per test; `FUZZ_OPERATIONS=50000` finds more, and another `FUZZ_SEED` generates others. */
const OPERATIONS = Number(process.env.FUZZ_OPERATIONS ?? 150);
/** Time limit per test. Without FUZZ_OPERATIONS, it is close to the default of 30 s. */
const TIMEOUT_MS = 30_000 + 20 * OPERATIONS;
const SEED = Number(process.env.FUZZ_SEED ?? 1);

/** Creates a chain of folders, tags, and media items in the folders and with the tags. */
const TREE = {
  query: `mutation {
    tag: createTag(input: { name: "a tag" }) { ... on CreateTagSuccess { tag { id } } }
    other: createTag(input: { name: "another" }) { ... on CreateTagSuccess { tag { id } } }
    ${[1, 2, 3].map(createFolder).join('')}
    ${[2, 3, 4, 4, 4, 4].map(createMedia).join('')}
  }`,
  variables: {},
};

/** As without `TRIVIUM_FAST_PATH`, and as with it. */
const EXECUTORS = [createExecute(schema), parsed(createExecuteToJson(schema, SHORTCUTS))];

describeEachBackend('generated operations', (backend) => {
  it(
    'succeed, or fail with an error that is not internal',
    () =>
      withApp(backend, async (app) => {
        const generator = new OperationGenerator(schema, SEED, { argument: 2, objectField: 5 });
        let answered = 0;
        for (let count = 0; count < OPERATIONS; count++) {
          const body = JSON.stringify(generator.operation());
          const headers = { 'content-type': 'application/json' };
          const init = { method: 'POST', headers, body, asAdmin: true };
          const response = await app.fetch('/graphql', init);
          const text = await response.text();
          expect(response.status, `${body}\n${text}`).toBeLessThan(500);
          expect(text, body).not.toMatch(/INTERNAL|GRAPHQL_VALIDATION_FAILED/);
          for (const [, id = ''] of text.matchAll(/"id":"([\w-]+)"/g)) generator.ids.push(id);
          if (text.includes('"data":{')) answered++;
        }
        expect(answered).toBeGreaterThan(OPERATIONS / 4);
      }),
    TIMEOUT_MS,
  );

  it(
    'have the data and the errors of graphql-js',
    () =>
      // Mutations run on two databases with the same history, queries in the same one.
      withServices(backend, (services) =>
        withServices(backend, async (twin) => {
          twin.advance(services.clock() - twin.clock());
          const generator = new OperationGenerator(schema, SEED, {
            argument: 4,
            objectField: 2,
            literal: 2,
          });
          let withData = 0;
          for (let count = 0; count <= OPERATIONS; count++) {
            const { query, variables } = count === 0 ? TREE : generator.operation();
            // The key that it returns is random.
            if (query.includes('createApiKey')) continue;
            const args = { schema, document: parse(query), variableValues: variables };
            const isMutation = query.startsWith('mutation');
            const other = isMutation ? twin : services;
            const expected = await executeByGraphqlJs({ ...args, contextValue: contextOf(other) });
            // The second execution of a query finds its plan.
            const executors = isMutation ? [EXECUTORS[count % 2]!] : [...EXECUTORS, EXECUTORS[1]!];
            for (const execute of executors) {
              const actual = await execute({ ...args, contextValue: contextOf(services) });
              expectSameResult(actual, expected, JSON.stringify({ query, variables }));
            }
            const data = JSON.stringify(expected.data ?? null);
            for (const [, id = ''] of data.matchAll(/"id":"([\w-]+)"/g)) generator.ids.push(id);
            if (expected.data) withData++;
          }
          expect(withData).toBeGreaterThan(OPERATIONS / 4);
        }),
      ),
    TIMEOUT_MS,
  );
});

function contextOf(services: TestServices): OperationContext {
  return {
    domain: services.as(user('alice', 'admin')),
    toUrl: (path) => `http://test.example${path}`,
    signal: () => new AbortController().signal,
    made: new Map(),
    takeStreamSlot: () => undefined,
    onRefused: () => undefined,
    setHeader: () => undefined,
    checkViewer: async () => undefined,
    watchViewer: () => () => undefined,
    requestId: 'request',
  };
}

function createFolder(parentId: number): string {
  return `f${parentId}: createFolder(
    input: { name: "folder ${parentId}", parentId: "${globalId('Folder', parentId)}" }
  ) { ... on CreateFolderSuccess { folder { id ancestors { id name } } } ... on Error { message } }`;
}

function createMedia(folderId: number, index: number): string {
  const tags = [1, 2].slice(index % 3).map((id) => `"${globalId('Tag', id)}"`);
  const places = `folderId: "${globalId('Folder', folderId)}", tagIds: [${tags}]`;
  return `m${index}: createMedia(
    input: { type: URL, url: "https://example.com/${index}", ${places} }
  ) { ... on CreateMediaSuccess { media { id tags { name } } } ... on Error { message } }`;
}

function globalId(type: string, id: number): string {
  return Buffer.from(`${type}:${id}`).toString('base64url');
}
