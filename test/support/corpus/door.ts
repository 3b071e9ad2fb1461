import { vi } from 'vitest';
import type { TestApp } from '../app.ts';
import { graphql } from '../graphql.ts';
import { request, file as toFile } from '../request.ts';
import { md5Of, upload } from '../selfcommunity.ts';
import type { Site } from '../site.ts';
import type { CorpusFile } from './file.ts';

/** The media item that a door has created, by its column; or the sentence with which the door refused the file. */
export type Outcome =
  | { id: number }
  | { uuid: string }
  | { resource: string }
  | { refusal: string; status: number };

/** Sends a file through a door, as a client of its dialect does. */
export type Door = (server: Server, file: CorpusFile) => Promise<Outcome>;

/** A server, and a web site that it may import from. */
export interface Server {
  app: TestApp;
  site: Site;
  /** The files of the site, by path. */
  pages: Map<string, CorpusFile>;
}

const FAILURE = '... on Error { code message ... on InvalidInputError { issues { message } } }';
const MEDIA = 'media { databaseId }';

function toPart({ filename, declared, bytes }: CorpusFile): File {
  return toFile(filename, bytes, declared);
}

interface Result {
  message?: string;
  issues?: { message: string }[];
  media?: { databaseId: number };
  session?: { uploadId: string };
  job?: { id: string };
}

async function mutate(
  app: TestApp,
  name: string,
  input: object,
  fields: string,
  files?: Record<string, File>,
): Promise<Result> {
  const type = `${name[0]?.toUpperCase()}${name.slice(1)}`;
  const query = `mutation ($input: ${type}Input!) { result: ${name}(input: $input) { ... on ${type}Success { ${fields} } ${FAILURE} } }`;
  const options = { authorization: `Bearer ${app.adminKey}`, ...(files && { files }) };
  const { data, errors } = await graphql(app, query, { input }, options);
  if (errors !== undefined) throw new Error(JSON.stringify(errors));
  return data.result;
}

function toOutcome({ message, issues, media }: Result): Outcome {
  if (media !== undefined) return { id: media.databaseId };
  return { status: 400, refusal: issues?.[0]?.message ?? message ?? '' };
}

const uploadFile: Door = async ({ app }, file) =>
  toOutcome(await mutate(app, 'uploadFile', { file: null }, MEDIA, { 'input.file': toPart(file) }));

/** Two chunks, so that neither holds the whole file. */
const uploadChunks: Door = async ({ app }, file) => {
  const { bytes } = file;
  const middle = Math.max(1, Math.floor(bytes.length / 2));
  let uploadId: string | undefined;
  for (const [from, end] of [
    [0, middle],
    [middle, bytes.length],
  ] as const) {
    if (from >= end && from > 0) continue;
    const input = { uploadId, chunk: null, offset: from, totalBytes: bytes.length };
    const chunk = toPart({ ...file, bytes: bytes.subarray(from, end) });
    const sent = await mutate(app, 'uploadChunk', input, 'session { uploadId }', {
      'input.chunk': chunk,
    });
    if (sent.session === undefined) return toOutcome(sent);
    uploadId = sent.session.uploadId;
  }
  return toOutcome(await mutate(app, 'completeUpload', { uploadId, md5: md5Of(bytes) }, MEDIA));
};

const selfCommunity: Door = async ({ app }, { filename, declared, bytes }) => {
  const options = { filename, token: app.adminKey, ...(declared && { contentType: declared }) };
  const { status, body } = await upload(app, bytes, options);
  if (status === 201) return { id: body.id };
  return { status, refusal: body.type?.[0] ?? body.detail ?? JSON.stringify(body) };
};

const heartcore: Door = async ({ app }, file) => {
  const form = new FormData();
  form.set('content', JSON.stringify({ mediaTypeAlias: 'File', name: 'a' }));
  form.set('umbracoFile', toPart(file));
  const { status, body } = await request(app, 'POST /media', { body: form });
  if (status === 201) return { uuid: body._id };
  return { status, refusal: body.error.details?.errors.umbracoFile?.[0] ?? body.error.message };
};

async function importerOutcome(
  app: TestApp,
  body: BodyInit,
  headers: Record<string, string> = {},
): Promise<Outcome> {
  const resource = crypto.randomUUID();
  const answer = await request(app, `POST /medias/files/${resource}`, { body, headers });
  if (answer.status === 200) return { resource };
  return { status: answer.status, refusal: answer.body.errors[0].detail };
}

const importerForm: Door = ({ app }, file) => {
  const form = new FormData();
  form.set('media', toPart(file));
  return importerOutcome(app, form);
};

const importerBody: Door = ({ app }, { filename, declared, bytes }) =>
  importerOutcome(app, new Uint8Array(bytes), {
    'content-type': declared || 'application/octet-stream',
    'content-disposition': `attachment; filename*=UTF-8''${encodeURIComponent(filename)}`,
  });

const importUrl: Door = async ({ app, site, pages }, file) => {
  const path = `/${crypto.randomUUID()}/${encodeURIComponent(file.filename)}`;
  pages.set(path, file);
  const input = { url: site.url + path };
  const started = await mutate(app, 'importUrl', input, 'job { id }');
  if (started.job === undefined) return toOutcome(started);
  const [, id] = Buffer.from(started.job.id, 'base64url').toString().split(':');
  const find = app.services.db.selectFrom('job').where('id', '=', Number(id));
  const job = await vi.waitUntil(
    async () => {
      const row = await find.selectAll().executeTakeFirst();
      return row?.status === 'completed' || row?.status === 'errored' ? row : undefined;
    },
    { timeout: 60_000, interval: 10 },
  );
  if (job.status === 'completed') return { resource: job.uuid };
  return { status: 400, refusal: job.error?.replace(/^\w+: /, '') ?? '' };
};

/** Every door of every dialect. */
export const DOORS: Readonly<Record<string, Door>> = {
  'GraphQL, one request': uploadFile,
  'GraphQL, chunks': uploadChunks,
  SelfCommunity: selfCommunity,
  Heartcore: heartcore,
  'Importer, form': importerForm,
  'Importer, body': importerBody,
  importUrl,
};
