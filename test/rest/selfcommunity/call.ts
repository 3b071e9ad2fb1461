import { expect } from 'vitest';
import type { TestApp } from '../../support/app.ts';
import { makeJwt } from '../../support/make.ts';
import { type AnswerCheck, createAnswerCheck, loadDocument } from '../../support/openapi.ts';
import { type Answer, JWT_SECRET, request } from '../../support/request.ts';
import { refusal } from '../../support/selfcommunity.ts';

/** The encodings of a write's fields: contract §2. */
export const ENCODINGS = ['json', 'form', 'multipart', 'json as form'] as const;
export type Encoding = (typeof ENCODINGS)[number];

export interface CallOptions {
  fields?: unknown;
  encoding?: Encoding;
  /** A user of the community by number, or the admin; anonymous without it. */
  as?: number | 'admin';
  headers?: Record<string, string>;
  /** The body of the request, sent unchanged instead of fields. */
  body?: RequestInit['body'];
}

/** One call below `/api/v2`, `POST /tag/`. Its response must conform to the dialect's document. */
export async function call(app: TestApp, line: string, options: CallOptions = {}): Promise<Answer> {
  const [method = '', path = ''] = line.split(' ');
  const { fields, encoding = 'json', as, headers = {} } = options;
  const { body, type } = fields === undefined ? { body: options.body } : encode(fields, encoding);
  const url = `/api/v2${path}`;
  const answer = await request(app, `${method} ${url}`, {
    as: as === 'admin' ? as : null,
    headers: {
      ...(type && { 'content-type': type }),
      ...(typeof as === 'number' && { authorization: `Bearer ${await tokenOf(as)}` }),
      ...headers,
    },
    body,
  });
  const check = await checkOf(app);
  const contentType = answer.headers.get('content-type');
  const { status, body: parsed } = answer;
  expect(check.problemsOf({ method, url, status, contentType, body: parsed })).toEqual([]);
  return answer;
}

export const NOT_FOUND = refusal(404, 'Not found.', 'not_found');
export const FORBIDDEN = refusal(
  403,
  'You do not have permission to perform this action.',
  'permission_denied',
);
export const NO_CREDENTIAL = refusal(
  401,
  'Authentication credentials were not provided.',
  'not_authenticated',
);

/** Returns the token of a user as §6 specifies it. */
export function tokenOf(userId: number): Promise<string> {
  return makeJwt({ user_id: userId, token_type: 'access', jti: '1' }, { secret: JWT_SECRET });
}

function encode(fields: unknown, encoding: Encoding) {
  const pairs = Object.entries(fields ?? {}).map(([name, value]): [string, string] => [
    name,
    typeof value === 'object' ? JSON.stringify(value) : String(value),
  ]);
  if (encoding === 'form') return { body: new URLSearchParams(pairs), type: null };
  if (encoding === 'multipart') {
    const form = new FormData();
    for (const [name, value] of pairs) form.set(name, value);
    return { body: form, type: null };
  }
  const type = encoding === 'json' ? 'application/json' : 'application/x-www-form-urlencoded';
  return { body: JSON.stringify(fields), type };
}

/** The document, the same for every server except for its address, which does not matter. */
let cached: Promise<AnswerCheck> | undefined;

function checkOf({ url }: TestApp): Promise<AnswerCheck> {
  cached ??= loadDocument(`${url}/api/v2/openapi.json`).then(createAnswerCheck);
  return cached;
}
