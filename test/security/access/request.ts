import { fixtureBytes, md5Of } from '../../support/bytes.ts';
import type { Facts, Outcome, Rule, ViewerName } from './expectation.ts';
import type { Item, World } from './world.ts';

/** A cell of the matrix: the facts, and the things to send a request about. */
export interface Cell extends Facts {
  world: World;
  item: Item;
}

/** A request without the credential, which the matrix adds. */
export interface Sent {
  method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  url: string;
  headers?: Record<string, string>;
  payload?: string | Buffer;
}

/** An operation with its rule: one line of the table. */
export interface Operation {
  rule: Rule;
  send: (cell: Cell) => Sent | Promise<Sent>;
  /** Text of a response that shows the item. Absent: the status alone tells. */
  shows?: (cell: Cell) => string;
  /** Whether the outcome depends on the item: the operation is then tried with every visibility. (Default: false) */
  ofItem?: boolean;
  /** Whether the change can be made only once: each success has an item of its own. */
  once?: boolean;
  ignoresCredentials?: boolean;
  modes?: readonly string[];
  /** Viewers to whom a refusal tells that a hidden item exists: see SECURITY.md. */
  tells?: readonly ViewerName[];
}

export const PICTURE = fixtureBytes('picture.png');
export const PICTURE_MD5 = md5Of(PICTURE);

/** Returns a request with a JSON body. */
export function json(line: string, body: unknown = {}, type = 'application/json'): Sent {
  return { ...bare(line), headers: { 'content-type': type }, payload: JSON.stringify(body) };
}

/** Returns a request without a body. */
export function bare(line: string): Sent {
  const [method, url] = line.split(' ') as [Sent['method'], string];
  return { method, url };
}

/** Returns a request with a form. A part with bytes is a file. */
export function form(line: string, parts: Readonly<Record<string, string | Buffer>>): Sent {
  const chunks = Object.entries(parts).flatMap(([name, value]) => {
    const file = typeof value === 'string' ? '' : '; filename="picture.png"';
    const type = typeof value === 'string' ? '' : 'Content-Type: image/png\r\n';
    const head = `--x\r\nContent-Disposition: form-data; name="${name}"${file}\r\n${type}\r\n`;
    return [Buffer.from(head), Buffer.from(value), Buffer.from('\r\n')];
  });
  const headers = { 'content-type': 'multipart/form-data; boundary=x', 'x-graphql-yoga-csrf': '1' };
  return { ...bare(line), headers, payload: Buffer.concat([...chunks, Buffer.from('--x--\r\n')]) };
}

/** Returns a query whose field is called `result`. */
export function query(field: string, variables: object = {}): Sent {
  const declared = Object.keys(variables).map((name) => `$${name}: ${TYPES[name]}`);
  const head = declared.length === 0 ? '' : `(${declared.join(', ')})`;
  return json('POST /graphql', { query: `query ${head} { result: ${field} }`, variables });
}

const TYPES: Readonly<Record<string, string>> = { id: 'ID!', ids: '[ID!]!' };

/** Returns a mutation with an input, and a file in it. */
export function mutation(name: string, input: object | null, file?: string): Sent {
  const type = `${name.charAt(0).toUpperCase()}${name.slice(1)}Input`;
  const [head, argument] = input === null ? ['', ''] : [`($input: ${type}!)`, '(input: $input)'];
  const document = `mutation ${head} { result: ${name}${argument} { ... on Error { code message } } }`;
  const operations = { query: document, variables: { input } };
  if (file === undefined) return json('POST /graphql', operations);
  return form('POST /graphql', {
    operations: JSON.stringify(operations),
    map: JSON.stringify({ sent: [`variables.input.${file}`] }),
    sent: PICTURE,
  });
}

const BY_CODE: Readonly<Record<string, Outcome>> = {
  NOT_AUTHENTICATED: 'unauthenticated',
  FORBIDDEN: 'forbidden',
  NOT_FOUND: 'absent',
};
const BY_STATUS: Readonly<Record<number, Outcome>> = {
  401: 'unauthenticated',
  403: 'forbidden',
  404: 'absent',
};

/** Returns the outcome of a response. */
export function outcomeOf(
  { url }: Sent,
  { statusCode: status, body }: { statusCode: number; body: string },
  shown: string | undefined,
): Outcome {
  if (BY_STATUS[status] !== undefined) return BY_STATUS[status];
  if (status >= 400) return `status ${status}`;
  const isResult = /^\/graphql(\?|$)/.test(url) && body.startsWith('{');
  const refusal = isResult ? refusalOf(JSON.parse(body)) : null;
  if (refusal !== null) return refusal;
  return shown === undefined || body.includes(shown) ? 'ok' : 'absent';
}

// biome-ignore lint/suspicious/noExplicitAny: any response of GraphQL
function refusalOf({ data, errors }: any): Outcome | null {
  const code = errors?.[0].extensions?.code ?? data?.result?.code;
  if (code !== undefined) return BY_CODE[code] ?? `code ${code}`;
  const { result } = data;
  if (result === null || (Array.isArray(result) && result.includes(null))) return 'absent';
  return miscounts(result) ? 'counts what it hides' : null;
}

/** Tells whether any list in a result, which fits on its page, counts another number of nodes than it has. */
function miscounts(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { totalCount, nodes } = value as { totalCount?: number; nodes?: unknown[] };
  if (totalCount !== undefined && nodes !== undefined && totalCount !== nodes.length) return true;
  return Object.values(value).some(miscounts);
}
