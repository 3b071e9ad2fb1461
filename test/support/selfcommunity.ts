import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { fixture } from './temporary-file.ts';

/** The chunk size of the SelfCommunity clients. */
export const CHUNK_BYTES = 204_800;

export const CHUNK_PATH = '/api/v2/media/upload/chunk/';
export const COMPLETE_PATH = '/api/v2/media/upload/complete/';

/** A response. Its body must be JSON. */
export interface Answer {
  status: number;
  headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: the assertions of a test state the shape
  body: any;
}

interface Server {
  url: string;
}

/** Options of a chunk. The defaults are the values of the vendor's uploader. */
export interface ChunkOptions {
  uploadId?: string | undefined;
  /** `Content-Range`; null sends none. */
  range?: string | null;
  startBytes?: number;
  totalBytes?: number;
  /** Name of the part with the bytes. */
  part?: string;
  filename?: string;
  contentType?: string;
  /** Other fields, sent before the file as the uploader does. */
  fields?: Readonly<Record<string, string>>;
  token?: string;
}

/** Sends one chunk as the vendor's uploader does. */
export function sendChunk(
  server: Server,
  bytes: Uint8Array,
  options: ChunkOptions = {},
): Promise<Answer> {
  const { uploadId, range, startBytes = 0, part = 'image', filename = 'note.txt' } = options;
  const totalBytes = options.totalBytes ?? startBytes + bytes.length;
  const form = new FormData();
  if (uploadId !== undefined) form.set('upload_id', uploadId);
  for (const [name, value] of Object.entries(options.fields ?? {})) form.set(name, value);
  const type = options.contentType ?? 'application/octet-stream';
  form.set(part, new File([Buffer.from(bytes)], filename, { type }));
  const fromTo = `bytes ${startBytes}-${startBytes + bytes.length - 1}/${totalBytes}`;
  const headers = new Headers(range === null ? {} : { 'content-range': range ?? fromTo });
  return send(server, CHUNK_PATH, { body: form, headers, ...options });
}

/** Completes an upload with a multipart form, as the vendor's uploader does. */
export function complete(
  server: Server,
  fields: Readonly<Record<string, string>>,
  { token }: { token?: string } = {},
): Promise<Answer> {
  const body = new FormData();
  for (const [name, value] of Object.entries(fields)) body.set(name, value);
  return send(server, COMPLETE_PATH, { body, ...(token !== undefined && { token }) });
}

/** Sends a whole file chunk by chunk. Returns the id of the upload. */
export async function sendFile(
  server: Server,
  bytes: Uint8Array,
  options: ChunkOptions = {},
): Promise<string> {
  let uploadId: string | undefined = options.uploadId;
  const totalBytes = bytes.length;
  const { startBytes: from = 0 } = options;
  for (let startBytes = from; startBytes < totalBytes; startBytes += CHUNK_BYTES) {
    const chunk = bytes.subarray(startBytes, startBytes + CHUNK_BYTES);
    const answer = await sendChunk(server, chunk, { ...options, uploadId, startBytes, totalBytes });
    if (answer.status !== 201) throw new Error(JSON.stringify(answer.body));
    uploadId = answer.body.upload_id;
  }
  return uploadId ?? '';
}

/** Sends a whole file and completes the upload. Sends `type` only if it is given. */
export async function upload(
  server: Server,
  bytes: Uint8Array,
  { type, ...options }: ChunkOptions & { type?: string } = {},
): Promise<Answer> {
  const upload_id = await sendFile(server, bytes, options);
  const fields = { upload_id, md5: md5Of(bytes), ...(type !== undefined && { type }) };
  return complete(server, fields, options);
}

/** Sends any request. (Default method: `POST`) */
export async function send(
  { url }: Server,
  path: string,
  { token, ...init }: RequestInit & { token?: string } = {},
): Promise<Answer> {
  const headers = new Headers(init.headers);
  if (token !== undefined) headers.set('authorization', `Bearer ${token}`);
  const response = await fetch(url + path, { method: 'POST', ...init, headers });
  return { status: response.status, headers: response.headers, body: await response.json() };
}

/** Returns the embed of a link before anything is known of its page. */
export function linkEmbed(id: number, url: string, images: readonly string[] = []) {
  const metadata = { url, title: url, description: '', images, type: 'link' };
  return { id, embed_type: 'sc_link', embed_id: String(id), url, metadata };
}

/** Returns a new tag that is named "abc" and described as "d", with its keys in the order of the wire. */
export function newTag(id: unknown, createdAt: unknown) {
  return {
    id,
    type: 'user',
    name: 'abc',
    description: 'd',
    color: '#ffffff',
    visible: true,
    visibility_boost: false,
    created_at: createdAt,
    active: true,
    deleted: false,
  };
}

/** Returns a general error as it is on the wire, for `toMatchObject`. */
export function refusal(status: number, detail: unknown, code: unknown = 'invalid') {
  return { status, body: { detail, errors: [{ message: detail, code }] } };
}

/** Returns an error of one field as it is on the wire. */
export function fieldRefusal(field: string, message: unknown, code: string) {
  const errors = [{ field, messages: [{ message, code }] }];
  return { status: 400, body: { [field]: [message], errors } };
}

/** Returns the MD5 of the bytes in lower-case hex. */
export function md5Of(bytes: Uint8Array): string {
  return createHash('md5').update(bytes).digest('hex');
}

/** Reads a file in `fixture/`. */
export function readFixture(name: string): Promise<Buffer> {
  return readFile(fixture(name));
}
