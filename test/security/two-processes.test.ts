import { describe, expect, it } from 'vitest';
import { type TestApp, withApp } from '../support/app.ts';
import { BACKENDS } from '../support/backend.ts';

const POSTGRES = BACKENDS.find(({ name }) => name === 'postgres');

/** Runs `work` with two servers on one database. */
function withTwo(
  work: (first: TestApp, second: TestApp) => Promise<void>,
  variables: Readonly<Record<string, string>> = {},
): Promise<void> {
  return POSTGRES!.withUrl((url) => {
    const backend = { ...POSTGRES!, withUrl: <T>(run: (url: string) => Promise<T>) => run(url) };
    // The keys that hash names and addresses are the same on all servers of a database.
    const shared = { TRIVIUM_JWT_SECRET: 'a-secret-of-all-processes-of-the-tests', ...variables };
    return withApp(
      backend,
      (first) => withApp(backend, (second) => work(first, second), shared),
      shared,
    );
  });
}

/** Runs an operation. Returns its data; throws its errors. */
async function run(app: TestApp, query: string, token = app.adminKey) {
  const response = await fetch(`${app.url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(token !== '' && { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify({ query }),
  });
  // biome-ignore lint/suspicious/noExplicitAny: the assertions of a test state the shape
  const { data, errors } = (await response.json()) as any;
  if (errors !== undefined) throw new Error(JSON.stringify(errors));
  return data;
}

const statusOf = async (app: TestApp, token: string) =>
  (await fetch(`${app.url}/api/v2/tag/`, { headers: { authorization: `Bearer ${token}` } })).status;

const signIn = (app: TestApp, password: string) =>
  run(
    app,
    `mutation { signIn(input: { name: "ann", password: "${password}" }) {
      __typename ... on SignInSuccess { token } } }`,
    '',
  );

const CREATE_USER = `mutation { createUser(input: { name: "ann", password: "correct horse battery" }) {
  __typename } }`;

describe.skipIf(POSTGRES === undefined)('two servers of one PostgreSQL database', () => {
  it('refuse a key at once that one of them has revoked', () =>
    withTwo(async (first, second) => {
      const created = await run(
        first,
        `mutation { createApiKey(input: { name: "x" }) {
          ... on CreateApiKeySuccess { key apiKey { id } } } }`,
      );
      const { key, apiKey } = created.createApiKey;
      expect([await statusOf(first, key), await statusOf(second, key)]).toEqual([200, 200]);
      await run(first, `mutation { revokeApiKey(input: { id: "${apiKey.id}" }) { __typename } }`);
      expect(await statusOf(second, key)).toBe(401);
    }));

  it('end a session at once that one of them has ended', () =>
    withTwo(async (first, second) => {
      await run(first, CREATE_USER);
      const { token } = (await signIn(first, 'correct horse battery')).signIn;
      expect([await statusOf(first, token), await statusOf(second, token)]).toEqual([200, 200]);
      await run(second, 'mutation { signOut { __typename } }', token);
      expect(await statusOf(first, token)).toBe(401);
    }));

  it('count wrong passwords together', () =>
    withTwo(async (first, second) => {
      await run(first, CREATE_USER);
      const types: string[] = [];
      for (let count = 0; count < 22; count++) {
        const app = count % 2 === 0 ? first : second;
        types.push((await signIn(app, 'wrong')).signIn.__typename);
      }
      expect(types.slice(0, 20)).toEqual(Array(20).fill('NotAuthenticatedError'));
      expect(types.slice(20)).toEqual(Array(2).fill('TooManyRequestsError'));
    }));

  it('show nothing of a folder that one of them is deleting', () =>
    withTwo(
      async (first, second) => {
        const created = await run(
          first,
          'mutation { createFolder(input: { name: "a" }) { ... on CreateFolderSuccess { folder { id } } } }',
        );
        const { id } = created.createFolder.folder;
        const find = (app: TestApp) => run(app, `{ node(id: "${id}") { id } }`);
        expect(await find(second)).toEqual({ node: { id } });
        await run(first, `mutation { deleteFolder(input: { id: "${id}" }) { __typename } }`);
        expect(await find(second)).toEqual({ node: null });
      },
      { TRIVIUM_TRASH_DAYS: '0' },
    ));
});
