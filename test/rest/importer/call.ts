import { insertJob } from '../../../src/store/job/job.ts';
import type { NewJobRow } from '../../../src/store/table.ts';
import type { TestApp } from '../../support/app.ts';
import { fixtureBytes } from '../../support/bytes.ts';
import { toJobRow } from '../../support/job-row.ts';
import {
  type Answer,
  type RequestOptions,
  request,
  download as requestBytes,
  file as toFile,
  WITH_USERS,
} from '../../support/request.ts';

/** A server that knows the users of `call`, and runs no job: rows stay as tests have made them. */
export const VARIABLES = { ...WITH_USERS, TRIVIUM_JOB_CONCURRENCY: '0' };

export const JSON_API = 'application/vnd.api+json';
export const PICTURE = fixtureBytes('picture.png');

export interface CallOptions extends RequestOptions {
  role?: string;
  /** A document of JSON:API. */
  document?: unknown;
}

/** One call of the dialect: `GET /jobs`. */
export function call(app: TestApp, line: string, options: CallOptions = {}): Promise<Answer> {
  const { document, headers, ...rest } = options;
  const hasType = Object.keys(headers ?? {}).some((name) => name.toLowerCase() === 'content-type');
  return request(app, line, {
    ...toSender(rest),
    headers: {
      ...(document !== undefined && !hasType && { 'content-type': JSON_API }),
      ...headers,
    },
    ...(document !== undefined && { body: JSON.stringify(document) }),
  });
}

/** The bytes of a download, or the status if there are none. */
export function download(
  app: TestApp,
  path: string,
  options: CallOptions = {},
): Promise<Buffer | number> {
  return requestBytes(app, path, toSender(options));
}

function toSender({ role = 'editor', claims, ...rest }: CallOptions): RequestOptions {
  return { ...rest, claims: { role, ...claims } };
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
  return toFile(name, bytes, type);
}

/** Creates a job that no worker runs. Returns its uuid. */
export async function makeJob(
  { services }: TestApp,
  columns: Partial<NewJobRow> = {},
): Promise<string> {
  const row = toJobRow(Date.UTC(2026, 0, 1, 10), columns);
  await insertJob(services.db, row);
  return row.uuid;
}

/** Returns one problem of a response, for `toMatchObject`. */
export function problem(status: number, code: string, source?: object) {
  const error = { status: String(status), code, ...(source && { source }) };
  return { status, body: { errors: [error] } };
}

/** Returns the problem of a parameter of the query. */
export function badParameter(parameter: string, status: 400 | 422 = 422) {
  return problem(status, 'invalid_parameter', { parameter });
}
