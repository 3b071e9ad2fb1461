import { expect } from 'vitest';
import type { TestApp } from '../../support/app.ts';
import { fixtureBytes } from '../../support/bytes.ts';
import { makeJwt } from '../../support/make.ts';

const JWT_SECRET = 'the-secret-of-the-tests';

/** Variables of a server that knows the users of `call`. */
export const WITH_USERS = { TRIVIUM_JWT_SECRET: JWT_SECRET };

export const PICTURE = fixtureBytes('picture.png');

export interface CallOptions {
  json?: unknown;
  /** Parts in their order; JSON where it is no file. */
  parts?: Readonly<Record<string, unknown>>;
  /** `admin`, a user by name, or nobody. (Default: admin) */
  as?: string | null;
  /** Claims of the user's token beside its name. */
  claims?: Record<string, unknown>;
  headers?: Record<string, string>;
  body?: RequestInit['body'];
}

export interface Answer {
  status: number;
  headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: a test says by its assertions what it expects
  body: any;
}

/** One call of the road: `POST /media`. */
export async function call(app: TestApp, line: string, options: CallOptions = {}): Promise<Answer> {
  const [method = '', path = ''] = line.split(' ');
  const { json, parts, as = 'admin', claims, headers } = options;
  const sent = new Headers(headers);
  if (as === 'admin') sent.set('api-key', app.adminKey);
  else if (as !== null) {
    const token = await makeJwt({ sub: as, role: 'editor', ...claims }, { secret: JWT_SECRET });
    sent.set('authorization', `Bearer ${token}`);
  }
  if (json !== undefined) sent.set('content-type', 'application/json');
  const body = json !== undefined ? JSON.stringify(json) : parts ? toForm(parts) : options.body;
  const response = await app.fetch(path, {
    method,
    headers: sent,
    ...(body !== undefined && { body }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text && JSON.parse(text) };
}

function toForm(parts: Readonly<Record<string, unknown>>): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(parts)) {
    form.set(name, value instanceof Blob ? value : JSON.stringify(value));
  }
  return form;
}

export function file(name: string, bytes: Uint8Array | string = PICTURE, type = ''): File {
  return new File([typeof bytes === 'string' ? bytes : Buffer.from(bytes)], name, { type });
}

/** A new folder. */
export async function makeFolder(app: TestApp, content: object = {}, options: CallOptions = {}) {
  const json = { mediaTypeAlias: 'Folder', name: 'Design', ...content };
  return expectStatus(201, await call(app, 'POST /media', { ...options, json }));
}

/** A new picture. */
export async function makeImage(app: TestApp, content: object = {}, options: CallOptions = {}) {
  const item = { mediaTypeAlias: 'Image', name: 'Han Solo', ...content };
  const parts = { content: item, umbracoFile: file('han-solo.png') };
  return expectStatus(201, await call(app, 'POST /media', { ...options, parts }));
}

function expectStatus(status: number, answer: Answer) {
  if (answer.status !== status) throw new Error(JSON.stringify(answer.body));
  return answer.body;
}

/** The envelope of contract §4.7, for `toMatchObject`. */
export function refusal(status: number, code: string, message?: unknown) {
  return { status, body: { error: { code, ...(message !== undefined && { message }) } } };
}

/** 422 about these properties. */
export function invalid(...aliases: string[]) {
  const errors = Object.fromEntries(aliases.map((alias) => [alias, [expect.any(String)]]));
  const message = 'Validation error occured when trying to save or update the media item.';
  return {
    status: 422,
    body: { error: { code: 'ValidationFailed', message, details: { errors } } },
  };
}

/** The bytes behind an address of this server, or the status that says that there are none. */
export async function download(app: TestApp, path: string): Promise<Buffer | number> {
  const response = await app.fetch(path);
  const bytes = Buffer.from(await response.arrayBuffer());
  return response.status === 200 ? bytes : response.status;
}
