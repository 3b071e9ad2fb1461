import { needsCredential, type Operation } from '../../domain/viewer/access.ts';
import type { Answer, Call } from '../../http/dialect.ts';
import type { Schema } from './json-schema.ts';
import { SCHEMAS, type SchemaName } from './schema.ts';

/** One method of one path: how it is served, and its entry in the OpenAPI document. */
export interface Route {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  path: string;
  /** The operation that the viewer must be allowed to call; null: the handler decides, or every viewer may. */
  operation: Operation | null;
  handle: (call: Call) => Promise<Answer>;
  summary: string;
  /** Parameters of the query. */
  query?: readonly QueryName[];
  /** Absent: the body is not read. */
  body?: SchemaName;
  /** The status of success, and its body. */
  answer: readonly [status: 200 | 201, body: SchemaName] | readonly [status: 204];
  /** Statuses of refusals that do not follow from the rest. */
  refusals?: readonly number[];
}

/** Parameters of lists of tags: contract §2.6. */
export const QUERY_NAMES = [
  'limit',
  'offset',
  'search',
  'type',
  'active',
  'visible',
  'visibility_boost',
  'deleted',
  'ordering',
] as const;
type QueryName = (typeof QUERY_NAMES)[number];

/**
 * Returns the OpenAPI 3.1 document of the routes. The settings of this server decide which of them
 * need a credential.
 */
export function toDocument(routes: readonly Route[], call: Pick<Call, 'ctx' | 'toUrl'>): object {
  const paths = [...Map.groupBy(routes, ({ path }) => path)].map(([path, routes]) => [
    path.replaceAll(':id', '{id}'),
    toPathItem(routes, call),
  ]);
  return {
    openapi: '3.1.0',
    info: {
      title: 'Trivium: the SelfCommunity dialect',
      version: '2',
      description: 'Media and tags, as the clients of SelfCommunity expect them.',
    },
    servers: [{ url: call.toUrl('/api/v2') }],
    paths: Object.fromEntries(paths),
    components: { schemas: SCHEMAS, securitySchemes: SECURITY_SCHEMES },
  };
}

const SECURITY_SCHEMES = {
  token: { type: 'http', scheme: 'bearer', description: 'A JWT, or an API key.' },
  basic: {
    type: 'http',
    scheme: 'basic',
    description: 'An API key as the user name, and an empty password.',
  },
  key: { type: 'apiKey', in: 'header', name: 'Api-Key' },
  cookie: { type: 'apiKey', in: 'cookie', name: 'auth-token' },
};

function toPathItem(routes: readonly Route[], { ctx }: Pick<Call, 'ctx'>): object {
  const operations = routes.map((route) => {
    const isOptional = route.operation === null || !needsCredential(ctx, route.operation);
    const credentials = Object.keys(SECURITY_SCHEMES).map((name) => ({ [name]: [] }));
    const operation = {
      operationId: operationId(route),
      summary: route.summary,
      security: isOptional ? [{}, ...credentials] : credentials,
      parameters: toParameters(route),
      ...(route.body && { requestBody: toRequestBody(route.body) }),
      responses: toResponses(route),
    };
    return [route.method.toLowerCase(), operation];
  });
  return Object.fromEntries(operations);
}

/** Returns `postTagIdAssign` for `POST /tag/:id/assign/`. */
function operationId({ method, path }: Route): string {
  const words = path.split(/\W+/).filter(Boolean);
  const capital = (word: string) => word.charAt(0).toUpperCase() + word.slice(1);
  return method.toLowerCase() + words.map(capital).join('');
}

const QUERY_SCHEMAS: Readonly<Record<QueryName, Schema>> = {
  limit: { type: 'integer', minimum: 1, maximum: 1000, default: 10 },
  offset: { type: 'integer', minimum: 0, default: 0 },
  search: {
    type: 'string',
    description: 'Words, each of which must be in the name or the description.',
  },
  type: { enum: ['user', 'category', 'contribution'] },
  active: { type: 'boolean' },
  visible: { type: 'boolean' },
  visibility_boost: { type: 'boolean' },
  deleted: { type: 'boolean' },
  ordering: {
    type: 'string',
    default: '-created_at',
    description:
      'A comma-separated list of `name` and `created_at`, each with `-` before it for descending order.',
  },
};

function toParameters({ path, query = [] }: Route): object[] {
  const id = { name: 'id', in: 'path', required: true, schema: { type: 'integer', minimum: 1 } };
  const parameters = query.map((name) => ({ name, in: 'query', schema: QUERY_SCHEMAS[name] }));
  return path.includes(':id') ? [id, ...parameters] : parameters;
}

/**
 * Returns the body of a request. Contract §2: three encodings everywhere, but only multipart can carry the bytes of a
 * file.
 */
function toRequestBody(name: SchemaName): object {
  const types = ['application/json', 'application/x-www-form-urlencoded', 'multipart/form-data'];
  return { content: toContent(name === 'Chunk' ? types.slice(2) : types, [name]) };
}

const REASONS: Readonly<Record<number, string>> = {
  200: 'Success.',
  201: 'Created.',
  204: 'Success, without a body.',
  400: 'The request is invalid.',
  401: 'The credential is missing or invalid.',
  403: 'The credential does not permit this.',
  404: 'Not found.',
  410: 'The upload has expired.',
  413: 'The fields are too large.',
  415: 'The content type of the body is not supported.',
  429: 'The client sent too many requests or has too many open upload sessions. `Retry-After` says when to try again.',
  507: 'The quota is used up, or the disk is full.',
};

/**
 * Returns the responses. Most refusals follow from the request: an id can be unknown, a body invalid, a credential
 * insufficient.
 */
function toResponses({ method, path, query = [], body, answer, refusals = [] }: Route): object {
  const [status, name] = answer;
  const errors = new Set([401, 429, ...refusals]);
  if (method === 'POST' && path.startsWith('/media/') && !path.includes(':id')) errors.add(507);
  if (body) for (const status of [400, 413, 415]) errors.add(status);
  // Too many words.
  if (query.includes('search')) errors.add(400);
  if (method !== 'GET') errors.add(403);
  if (path.includes(':id')) errors.add(404);
  const responses = [...errors].sort().map((status): [number, object] => {
    const names: SchemaName[] = status === 400 ? ['Error', 'FieldError'] : ['Error'];
    return [status, toResponse(status, names)];
  });
  return Object.fromEntries([[status, toResponse(status, name ? [name] : [])], ...responses]);
}

function toResponse(status: number, names: readonly SchemaName[]): object {
  const content = names.length > 0 && { content: toContent(['application/json'], names) };
  return { description: REASONS[status], ...content };
}

function toContent(types: readonly string[], names: readonly SchemaName[]): object {
  const refs = names.map((name) => ({ $ref: `#/components/schemas/${name}` }));
  const schema = refs.length === 1 ? refs[0] : { anyOf: refs };
  return Object.fromEntries(types.map((type) => [type, { schema }]));
}
