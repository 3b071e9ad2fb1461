import type { TestApp } from './app.ts';
import { makeJwt } from './make.ts';

/** The secret of the tokens that tests sign. */
export const JWT_SECRET = 'the-secret-of-the-tests';

/** Variables of a server that knows users by the tokens of `request`. */
export const WITH_USERS = { TRIVIUM_JWT_SECRET: JWT_SECRET };

export interface RequestOptions {
  /** `admin`, the name of a user, or null for no credential. (Default: admin) */
  as?: string | null;
  /** Claims of the user's token beside its name. (Default: the role `editor`) */
  claims?: Record<string, unknown> | undefined;
  headers?: Record<string, string> | undefined;
  body?: RequestInit['body'] | undefined;
}

export interface Answer {
  status: number;
  headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: a test says by its assertions what it expects
  body: any;
}

/** Sends a request, `GET /jobs`. The body of the response is parsed if it is JSON, and else text. */
export async function request(
  app: TestApp,
  line: string,
  options: RequestOptions = {},
): Promise<Answer> {
  const [method = '', ...path] = line.split(' ');
  const { body } = options;
  const response = await app.fetch(path.join(' '), {
    method,
    headers: await headersOf(app, options),
    ...(body !== undefined && { body }),
  });
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json') ?? false;
  return {
    status: response.status,
    headers: response.headers,
    body: isJson && text !== '' ? JSON.parse(text) : text,
  };
}

/** Returns the bytes behind a path, or the status if there are none. */
export async function download(
  app: TestApp,
  path: string,
  options: RequestOptions = { as: null },
): Promise<Buffer | number> {
  const response = await app.fetch(path, { headers: await headersOf(app, options) });
  const bytes = Buffer.from(await response.arrayBuffer());
  return response.ok ? bytes : response.status;
}

/** Returns a file for a form. */
export function file(name: string, bytes: Uint8Array | string, type = ''): File {
  return new File([typeof bytes === 'string' ? bytes : Buffer.from(bytes)], name, { type });
}

async function headersOf(app: TestApp, { as = 'admin', claims, headers }: RequestOptions) {
  const sent = new Headers(headers);
  if (as === 'admin') sent.set('authorization', `Bearer ${app.adminKey}`);
  else if (as !== null) {
    const token = await makeJwt({ sub: as, role: 'editor', ...claims }, { secret: JWT_SECRET });
    sent.set('authorization', `Bearer ${token}`);
  }
  return sent;
}
