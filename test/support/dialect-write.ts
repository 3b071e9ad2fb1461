import { randomUUID } from 'node:crypto';

/** A change that each dialect offers, and the form of its errors. */
export interface DialectWrite {
  dialect: string;
  /** Method and path; a new path where a change can be made only once. */
  line: string;
  headers: Readonly<Record<string, string>>;
  body: string;
  /** Returns the code of an error. */
  codeOf: (body: string) => string;
  /** The code of a refusal with status 403 that no rule of access has caused. */
  refusal: (code: string) => string;
}

const JSON_TYPE = { 'content-type': 'application/json' };
const FORM = { 'content-type': 'multipart/form-data; boundary=x' };
const PART = [
  '--x',
  'Content-Disposition: form-data; name="content"',
  '',
  '{"mediaTypeAlias":"Folder","name":"made by a form"}',
  '--x--',
  '',
].join('\r\n');
const UPLOAD = [
  '--x',
  'Content-Disposition: form-data; name="file"; filename="note.txt"',
  'Content-Type: text/plain',
  '',
  'a note',
  '--x--',
  '',
].join('\r\n');

/** One change in each dialect. An admin may make it. */
export const DIALECT_WRITES: readonly DialectWrite[] = [
  {
    dialect: 'GraphQL',
    line: 'POST /graphql',
    headers: JSON_TYPE,
    body: JSON.stringify({
      query: 'mutation { createFolder(input: { name: "f" }) { __typename } }',
    }),
    codeOf: (body) => JSON.parse(body).errors[0].extensions.code,
    refusal: (code) => code,
  },
  {
    dialect: 'SelfCommunity',
    line: 'POST /api/v2/media/',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: 'type=url&url=https%3A%2F%2Fexample.org%2F',
    codeOf: (body) => JSON.parse(body).errors[0].code,
    refusal: () => 'permission_denied',
  },
  {
    dialect: 'Heartcore',
    line: 'POST /media',
    headers: FORM,
    body: PART,
    codeOf: (body) => JSON.parse(body).error.code,
    refusal: () => 'Forbidden',
  },
  {
    dialect: 'Importer',
    get line() {
      return `POST /medias/files/${randomUUID()}`;
    },
    headers: FORM,
    body: UPLOAD,
    codeOf: (body) => JSON.parse(body).errors[0].code,
    refusal: (code) => code.toLowerCase(),
  },
  {
    dialect: 'Importer behind its gateway',
    get line() {
      return `POST /api/v1/media/medias/files/${randomUUID()}`;
    },
    headers: FORM,
    body: UPLOAD,
    codeOf: (body) => JSON.parse(body).errors[0].code,
    refusal: (code) => code.toLowerCase(),
  },
];
