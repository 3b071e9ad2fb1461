import { expect } from 'vitest';
import type { TestApp } from '../../support/app.ts';
import { fixtureBytes } from '../../support/bytes.ts';
import {
  type Answer,
  type RequestOptions,
  request,
  file as toFile,
} from '../../support/request.ts';

export const PICTURE = fixtureBytes('picture.png');

export interface CallOptions extends RequestOptions {
  json?: unknown;
  /** Parts in their order; a part that is not a file is JSON. */
  parts?: Readonly<Record<string, unknown>>;
}

/** One call of the dialect: `POST /media`. The admin sends the header that Heartcore's clients have. */
export function call(app: TestApp, line: string, options: CallOptions = {}): Promise<Answer> {
  const { json, parts, as = 'admin', headers, ...rest } = options;
  const isAdmin = as === 'admin';
  return request(app, line, {
    ...rest,
    as: isAdmin ? null : as,
    headers: {
      ...headers,
      ...(isAdmin && { 'api-key': app.adminKey }),
      ...(json !== undefined && { 'content-type': 'application/json' }),
    },
    ...(json !== undefined && { body: JSON.stringify(json) }),
    ...(parts && { body: toForm(parts) }),
  });
}

/** Returns a form; a part that is not a file is JSON. */
export function toForm(parts: Readonly<Record<string, unknown>>): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(parts)) {
    form.set(name, value instanceof Blob ? value : JSON.stringify(value));
  }
  return form;
}

export function file(name: string, bytes: Uint8Array | string = PICTURE, type = ''): File {
  return toFile(name, bytes, type);
}

/** Creates a folder. */
export async function makeFolder(app: TestApp, content: object = {}, options: CallOptions = {}) {
  const json = { mediaTypeAlias: 'Folder', name: 'Design', ...content };
  return expectStatus(201, await call(app, 'POST /media', { ...options, json }));
}

/** Creates an image. */
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
