import type { TestApp } from './app.ts';
import type { TypedDocument } from './document.ts';

/** A GraphQL response, with its HTTP status. */
// biome-ignore lint/suspicious/noExplicitAny: the assertions of a test state the shape
export interface GraphqlAnswer<Data = any> {
  status: number;
  data: Data;
  errors?: { message: string; path?: (string | number)[]; extensions?: Record<string, unknown> }[];
}

/** Options of a GraphQL request. */
export interface GraphqlOptions {
  /** `Authorization` header. */
  authorization?: string;
  /** Files by the path of their variable, such as `input.file`. The request is multipart if there are any. */
  files?: Readonly<Record<string, File>>;
}

/** Any other string. A typed document is not one, so that its variables are always checked. */
type UntypedDocument = string & { readonly ' $types'?: never };

/** Sends one operation over HTTP. A typed document gives the type of `data`, for a response without errors. */
export function graphql<Data, Variables>(
  app: Pick<TestApp, 'url'>,
  document: TypedDocument<Data, Variables>,
  variables: NoInfer<Variables>,
  options?: GraphqlOptions,
): Promise<GraphqlAnswer<Data>>;
export function graphql(
  app: Pick<TestApp, 'url'>,
  query: UntypedDocument,
  variables?: Record<string, unknown>,
  options?: GraphqlOptions,
): Promise<GraphqlAnswer>;
export async function graphql(
  app: Pick<TestApp, 'url'>,
  query: string,
  variables: unknown = {},
  { authorization, files }: GraphqlOptions = {},
): Promise<GraphqlAnswer> {
  const response = await fetch(`${app.url}/graphql`, {
    method: 'POST',
    headers: {
      ...(files ? { 'x-graphql-yoga-csrf': '1' } : { 'content-type': 'application/json' }),
      ...(authorization && { authorization }),
    },
    body: files ? toForm(query, variables, files) : JSON.stringify({ query, variables }),
  });
  return { status: response.status, ...((await response.json()) as Omit<GraphqlAnswer, 'status'>) };
}

/** Returns the result of a mutation. Throws if it is an error. */
export function succeed<Result extends object>(result: Result) {
  if ('code' in result) throw new Error(`Unexpected ${JSON.stringify(result)}`);
  return result as Exclude<Result, { code: string }>;
}

/** Returns the form of a multipart request: https://github.com/jaydenseric/graphql-multipart-request-spec */
function toForm(
  query: string,
  variables: unknown,
  files: Readonly<Record<string, File>>,
): FormData {
  const form = new FormData();
  form.set('operations', JSON.stringify({ query, variables }));
  const paths = Object.keys(files).map((path) => [`variables.${path}`]);
  form.set('map', JSON.stringify(Object.fromEntries(paths.entries())));
  for (const [index, file] of Object.values(files).entries()) form.set(String(index), file);
  return form;
}
