import { randomUUID } from 'node:crypto';
import { insertJob } from '../../../src/store/job/job.ts';
import type { NewJobRow } from '../../../src/store/table.ts';
import type { TestApp } from '../../support/app.ts';
import { fixtureBytes } from '../../support/bytes.ts';
import { makeJwt } from '../../support/make.ts';

const JWT_SECRET = 'the-secret-of-the-tests';

/** A server that knows the users of `call`, and runs no job: rows stay as tests have made them. */
export const VARIABLES = { TRIVIUM_JWT_SECRET: JWT_SECRET, TRIVIUM_JOB_CONCURRENCY: '0' };

export const JSON_API = 'application/vnd.api+json';
export const PICTURE = fixtureBytes('picture.png');

export interface CallOptions {
  /** `admin`, a user by name, or nobody. (Default: admin) */
  as?: string | null;
  role?: string;
  /** Others of the user's token. */
  claims?: Record<string, unknown>;
  headers?: Record<string, string>;
  body?: RequestInit['body'];
  /** A document of JSON:API. */
  document?: unknown;
}

export interface Answer {
  status: number;
  headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: a test says by its assertions what it expects
  body: any;
}

/** One call of the road, `GET /jobs`; an answer that is no JSON is text. */
export async function call(app: TestApp, line: string, options: CallOptions = {}): Promise<Answer> {
  const [method = '', ...rest] = line.split(' ');
  const response = await app.fetch(rest.join(' '), {
    method,
    headers: await headersOf(app, options),
    ...bodyOf(options),
  });
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json') ?? false;
  const body = isJson && text !== '' ? JSON.parse(text) : text;
  return { status: response.status, headers: response.headers, body };
}

/** Bytes of a download, or the status of what is none. */
export async function download(app: TestApp, path: string, options: CallOptions = {}) {
  const response = await app.fetch(path, { headers: await headersOf(app, options) });
  const bytes = Buffer.from(await response.arrayBuffer());
  return response.ok ? bytes : response.status;
}

async function headersOf(app: TestApp, options: CallOptions) {
  const { as = 'admin', role = 'editor', claims, headers, document } = options;
  const sent = new Headers(headers);
  if (document !== undefined && !sent.has('content-type')) sent.set('content-type', JSON_API);
  if (as === 'admin') sent.set('authorization', `Bearer ${app.adminKey}`);
  else if (as !== null) {
    const token = await makeJwt({ sub: as, role, ...claims }, { secret: JWT_SECRET });
    sent.set('authorization', `Bearer ${token}`);
  }
  return sent;
}

function bodyOf({ body, document }: CallOptions) {
  if (document !== undefined) return { body: JSON.stringify(document) };
  return body === undefined ? {} : { body };
}

/** Uploads a file as a browser's form does. */
export function upload(
  app: TestApp,
  path: string,
  {
    part = 'media',
    name = 'picture.png',
    bytes = PICTURE,
    fields = {},
    ...options
  }: CallOptions & {
    part?: string;
    name?: string;
    bytes?: Uint8Array | string;
    fields?: Record<string, string>;
  } = {},
): Promise<Answer> {
  const form = new FormData();
  form.append(part, file(name, bytes));
  for (const [field, value] of Object.entries(fields)) form.set(field, value);
  return call(app, `POST /medias/files/${path}`, { ...options, body: form });
}

export function file(name: string, bytes: Uint8Array | string = PICTURE, type = ''): File {
  return new File([typeof bytes === 'string' ? bytes : Buffer.from(bytes)], name, { type });
}

/** A job that nobody runs. Answers its uuid. */
export async function makeJob(
  { services }: TestApp,
  columns: Partial<NewJobRow> = {},
): Promise<string> {
  const now = Date.UTC(2026, 0, 1, 10);
  const uuid = columns.uuid ?? randomUUID();
  await insertJob(services.db, {
    job_class: 'sweep',
    arguments: '{}',
    media_id: null,
    status: 'pending',
    priority: 0,
    progress: 0,
    retry_count: 0,
    max_retries: 0,
    scheduled_at: now,
    created_at: now,
    updated_at: now,
    ...columns,
    uuid,
  });
  return uuid;
}

/** One problem of an answer, for `toMatchObject`. */
export function problem(status: number, code: string, source?: object) {
  const error = { status: String(status), code, ...(source && { source }) };
  return { status, body: { errors: [error] } };
}

/** What is wrong with a parameter of the query. */
export function badParameter(parameter: string, status: 400 | 422 = 422) {
  return problem(status, 'invalid_parameter', { parameter });
}
