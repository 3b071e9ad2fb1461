import type { Connection } from '../connection.ts';
import { multipart } from '../multipart.ts';
import type { Payload } from '../payload.ts';
import { check, chunksOf, type Send } from './sender.ts';

const UPLOAD_CHUNK = `mutation ($input: UploadChunkInput!) {
  uploadChunk(input: $input) {
    ... on UploadChunkSuccess { session { uploadId offset } }
    ... on Error { code message }
  }
}`;

const COMPLETE_UPLOAD = `mutation ($input: CompleteUploadInput!) {
  completeUpload(input: $input) {
    ... on CompleteUploadSuccess { media { databaseId file { md5 url } } }
    ... on Error { code message }
  }
}`;

const UPLOAD_FILE = `mutation ($input: UploadFileInput!) {
  uploadFile(input: $input) {
    ... on UploadFileSuccess { media { databaseId file { md5 url } } }
    ... on Error { code message }
  }
}`;

interface StoredMedia {
  media?: { file: { md5: string; url: string } };
}

/** `uploadChunk` for each chunk, then `completeUpload`. */
export function sendChunks(authorization: string, chunkBytes: number): Send {
  return async (connection, payload) => {
    let uploadId: string | undefined;
    const { filename, md5, bytes: whole } = payload;
    for (const { offset, end, bytes } of chunksOf(payload, chunkBytes)) {
      const input = { uploadId, chunk: null, offset, totalBytes: whole.length, filename };
      const operation = { query: UPLOAD_CHUNK, variables: { input } };
      const sent = await sendFile(connection, authorization, operation, 'chunk', payload, bytes);
      const { session } = sent.field as { session?: { uploadId: string; offset: number } };
      check(session?.offset === end, 'uploadChunk', sent.answer);
      uploadId = session?.uploadId;
    }
    const headers = { authorization, 'content-type': 'application/json' };
    const variables = { input: { uploadId, md5 } };
    const body = [Buffer.from(JSON.stringify({ query: COMPLETE_UPLOAD, variables }))];
    const answer = await connection.request({ method: 'POST', path: '/graphql', headers, body });
    return pathOf(payload, 'completeUpload', { answer, field: fieldOf(answer) });
  };
}

/** `uploadFile`: one request. */
export function sendWhole(authorization: string): Send {
  return async (connection, payload) => {
    const operation = { query: UPLOAD_FILE, variables: { input: { file: null } } };
    const { bytes } = payload;
    const sent = await sendFile(connection, authorization, operation, 'file', payload, bytes);
    return pathOf(payload, 'uploadFile', sent);
  };
}

interface Sent {
  answer: { status: number; body: string };
  /** The mutation's result. */
  field: unknown;
}

/** A request of https://github.com/jaydenseric/graphql-multipart-request-spec with one file. */
async function sendFile(
  connection: Connection,
  authorization: string,
  operation: object,
  variable: string,
  payload: Payload,
  bytes: Buffer,
): Promise<Sent> {
  const fields = {
    operations: JSON.stringify(operation),
    map: JSON.stringify({ 0: [`variables.input.${variable}`] }),
  };
  const { contentType, body } = multipart(fields, '0', payload, bytes);
  const headers = { authorization, 'content-type': contentType, 'x-graphql-yoga-csrf': '1' };
  const answer = await connection.request({ method: 'POST', path: '/graphql', headers, body });
  return { answer, field: fieldOf(answer) };
}

function fieldOf(answer: { status: number; body: string }): unknown {
  check(answer.status === 200, 'GraphQL', answer);
  const { data } = JSON.parse(answer.body) as { data?: Record<string, unknown> | null };
  return Object.values(data ?? {})[0] ?? {};
}

function pathOf({ md5 }: Payload, what: string, { answer, field }: Sent): string {
  const { media } = field as StoredMedia;
  check(media?.file.md5 === md5, what, answer);
  return new URL(media!.file.url).pathname;
}
