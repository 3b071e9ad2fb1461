import { expect } from 'vitest';
import { type TestApp, withApp } from '../../support/app.ts';
import { BACKENDS } from '../../support/backend.ts';
import { graphql } from '../../support/graphql.ts';

// SQLite alone: a refused operation reaches no database, whichever that is.
const SQLITE = BACKENDS[0]!;

/** Runs `work` with an app that has these settings. */
export const run = (work: (app: TestApp) => Promise<void>, settings = {}) =>
  withApp(SQLITE, work, settings);

/** Variables of an operation. */
export type Variables = Record<string, unknown>;

/** Sends an operation twice, as the second answer comes out of the caches; expects an error and no SQL. */
export async function expectRefused(
  app: TestApp,
  code: string,
  query: string,
  variables?: Variables,
): Promise<void> {
  for (const round of [1, 2]) {
    app.statements.length = 0;
    const { errors, ...answer } = await graphql(app, query, variables);
    const codes = errors?.map(({ extensions }) => extensions?.code);
    expect({ round, codes, ...answer }).toEqual({ round, codes: [code], status: 400 });
    expect(app.statements).toEqual([]);
  }
}

/** Sends an operation twice; expects no error. */
export async function expectAllowed(
  app: TestApp,
  query: string,
  variables?: Variables,
): Promise<void> {
  for (const round of [1, 2]) {
    const { errors, status } = await graphql(app, query, variables);
    expect({ round, errors, status }).toEqual({ round, errors: undefined, status: 200 });
  }
}

/** Returns the cost that the answer to an operation tells. */
export async function costOf(app: TestApp, query: string, variables?: Variables): Promise<unknown> {
  const { extensions } = await post(app, { query, variables });
  return extensions?.cost?.requested;
}

/** Posts a body; returns its answer with the HTTP status and the code of the first error. */
export async function post(app: TestApp, body: unknown, headers: Record<string, string> = {}) {
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

/** Joins `count` pieces of a document. */
export const times = (count: number, one: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => one(index)).join(' ');

/** So many aliases of one field. */
export const aliases = (count: number, prefix = 'a') =>
  times(count, (n) => `${prefix}${n}: __typename`);

/** A path of so many fields. */
export const fields = (depth: number, last = 'id'): string =>
  depth === 1 ? last : `parent { ${fields(depth - 1, last)} }`;

const LISTS = 'rootFolders folders medias'.split(' ');

/** Three lists of these sizes, each inside the one before. */
export const nested = (...sizes: (number | string)[]) =>
  LISTS.reduceRight((inner, list, n) => `${list}(first: ${sizes[n]}) { nodes { ${inner} } }`, 'id');
