import { randomUUID } from 'node:crypto';
import { hashPassword } from '../../../src/domain/viewer/password.ts';
import { encodeGlobalId } from '../../../src/graphql/id.ts';
import { insertUser } from '../../../src/store/viewer/user.ts';
import type { TestApp } from '../../support/app.ts';
import { type GraphqlOptions, graphql } from '../../support/graphql.ts';

/** The common part of every error of a mutation. */
const ERROR = '__typename ... on Error { code message }';

/** Returns the options of a request with a key or a token; of one with the admin key by default. */
export function as(app: TestApp, credential = app.adminKey): GraphqlOptions {
  return { authorization: `Bearer ${credential}` };
}

/** Runs a mutation with its input, and returns its result: the success type with `fields`, or an error. */
export async function call(
  app: TestApp,
  name: string,
  input: Record<string, unknown>,
  fields: string,
  options: GraphqlOptions = as(app),
  // biome-ignore lint/suspicious/noExplicitAny: the assertions of a test state the shape
): Promise<any> {
  const type = name.charAt(0).toUpperCase() + name.slice(1);
  const query = `mutation ($input: ${type}Input!) { result: ${name}(input: $input) {
    ${ERROR} ... on ${type}Success { ${fields} }
    ... on InvalidInputError { issues { path code } } } }`;
  const { data, errors } = await graphql(app, query, { input }, options);
  if (errors) throw new Error(JSON.stringify(errors));
  return data.result;
}

/** Returns the status with which a credential is answered, in each dialect. */
export function statuses(app: TestApp, credential: string): Promise<number[]> {
  const headers = { authorization: `Bearer ${credential}` };
  const paths = ['/graphql?query={viewer{id}}', '/media', '/jobs', '/api/v2/tag/'];
  return Promise.all(paths.map(async (path) => (await app.fetch(path, { headers })).status));
}

/** Returns the viewer of a credential, or null if it is refused. */
export async function viewerOf(app: TestApp, credential: string) {
  const { status, data } = await graphql(
    app,
    '{ viewer { kind id role } }',
    {},
    as(app, credential),
  );
  return status === 401 ? null : data.viewer;
}

/** Creates a folder at the top level and returns its global id. */
export async function folder(app: TestApp, name: string, parentId?: string): Promise<string> {
  return (await call(app, 'createFolder', { name, parentId }, 'folder { id uuid }')).folder.id;
}

/** Creates a user whose password takes no time to check. Returns its global id and its name. */
export async function makeUser(
  { services: { db } }: TestApp,
  password: string,
): Promise<{ id: string; name: string }> {
  const hash = await hashPassword(password, { N: 2, r: 1, p: 1 });
  const times = { created_at: 0, updated_at: 0 };
  const columns = { role: 'editor', start_nodes: null, password: hash, created_by: null, ...times };
  const { id, name } = await insertUser(db, { ...columns, name: randomUUID() });
  return { id: encodeGlobalId('User', id), name };
}
