import { setTimeout } from 'node:timers/promises';
import type { ServerProcess } from '../../support/process.ts';
import type { GalleryFile } from './content.ts';

type Server = Pick<ServerProcess, 'url'>;

/** Setting of the server: the operations are an administrator's, who also sees the jobs. */
export const TRIVIUM_ADMIN_KEY = 'tvm_the-admin-key-of-the-gallery';

const authorization = `Bearer ${TRIVIUM_ADMIN_KEY}`;
const JSON_HEADERS = { authorization, 'content-type': 'application/json' };

/** Sends an operation; returns its data. Throws for an error. */
export async function send({ url }: Server, query: string, variables: object = {}) {
  const body = JSON.stringify({ query, variables });
  const response = await fetch(`${url}/graphql`, { method: 'POST', headers: JSON_HEADERS, body });
  return dataOf(await response.json());
}

// biome-ignore lint/suspicious/noExplicitAny: the shape is that of the operation.
function dataOf({ data, errors }: any): any {
  if (errors) throw new Error(JSON.stringify(errors));
  return data;
}

/** Uploads the files, the last one first, so that a list of the newest has them in their order. Returns their ids. */
export async function uploadAll(server: Server, files: readonly GalleryFile[]): Promise<string[]> {
  const ids: string[] = [];
  for (const file of files.toReversed()) ids.unshift(await upload(server, file));
  return ids;
}

const UPLOAD = `mutation ($file: Upload!, $altText: String) {
  uploadFile(input: { file: $file, altText: $altText }) {
    ... on UploadFileSuccess { media { id } }
    ... on Error { code message }
  }
}`;

async function upload({ url }: Server, { name, bytes, altText }: GalleryFile): Promise<string> {
  const body = new FormData();
  const variables = { file: null, altText };
  body.append('operations', JSON.stringify({ query: UPLOAD, variables }));
  body.append('map', JSON.stringify({ 0: ['variables.file'] }));
  body.append('0', new File([new Uint8Array(bytes)], name));
  const headers = { authorization, 'x-graphql-yoga-csrf': '1' };
  const response = await fetch(`${url}/graphql`, { method: 'POST', headers, body });
  const { uploadFile } = dataOf(await response.json());
  if (!uploadFile.media) throw new Error(`${name}: ${JSON.stringify(uploadFile)}`);
  return uploadFile.media.id;
}

// Those that run at set times are always open.
const OPEN_JOBS = `{
  jobs(first: 1, filter: {
    statuses: [PENDING, RUNNING]
    jobClasses: ["draw-preview", "make-rendition", "create-avif", "read-details"]
  }) { totalCount }
}`;
const FAILED_JOBS = `{ jobs(filter: { statuses: [ERRORED] }) { nodes { jobClass error arguments } } }`;

/** Waits until all jobs of media have run. Returns those that have failed. */
export async function runJobs(server: Server): Promise<unknown[]> {
  // A job can enqueue another one, in the transaction in which it completes.
  while ((await send(server, OPEN_JOBS)).jobs.totalCount > 0) await setTimeout(50);
  return (await send(server, FAILED_JOBS)).jobs.nodes;
}
