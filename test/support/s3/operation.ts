import { createHash, randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import {
  type Bucket,
  type Declared,
  dropPieces,
  type PartRules,
  type Piece,
  partsToComplete,
  readPieces,
  receive,
  type StoredObject,
  type StoredUpload,
} from './bucket.ts';
import { Refusal } from './error.ts';
import type { S3Kind } from './fault.ts';
import {
  document,
  escapeXml,
  renderObjects,
  renderParts,
  renderUploads,
  unescapeXml,
} from './listing.ts';

/** A request to a bucket, after its signature was checked. */
export interface Call {
  request: IncomingMessage;
  bucket: Bucket;
  /** Empty: the bucket itself. */
  name: string;
  query: URLSearchParams;
  /** The digest that the signature covers; null if there is none. */
  sha256: string | null;
  /** The body of the request. */
  source: AsyncIterable<Buffer>;
  directory: string;
  rules: PartRules;
  pageMax: number;
}

/** What the server answers. */
export interface Answer {
  status: number;
  headers?: Record<string, string>;
  body?: string | AsyncIterable<Buffer>;
}

const XML = { 'content-type': 'application/xml' };
const PART_NUMBER_MAX = 10_000;
const TEXT_BYTES_MAX = 2 ** 20;

/** Tells what a request asks for. Throws Refusal for what this server does not know. */
export function kindOf(method: string, name: string, query: URLSearchParams): S3Kind {
  const kinds: Record<string, S3Kind> = name === '' ? bucketKinds(query) : objectKinds(query);
  const kind = kinds[method];
  if (kind === undefined) throw new Refusal(405, 'MethodNotAllowed');
  return kind;
}

function bucketKinds(query: URLSearchParams): Record<string, S3Kind> {
  if (query.has('uploads')) return { GET: 'list-uploads' };
  if (query.has('delete')) return { POST: 'delete-many' };
  if (query.get('list-type') === '2') return { GET: 'list' };
  return { PUT: 'bucket', HEAD: 'bucket' };
}

function objectKinds(query: URLSearchParams): Record<string, S3Kind> {
  if (query.has('uploads')) return { POST: 'create-upload' };
  if (query.has('uploadId')) {
    const put: Record<string, S3Kind> = query.has('partNumber') ? { PUT: 'upload-part' } : {};
    return { ...put, GET: 'list-parts', POST: 'complete', DELETE: 'abort' };
  }
  return { PUT: 'put', GET: 'get', HEAD: 'head', DELETE: 'delete' };
}

/** Does what each kind of request asks for. Throws Refusal. */
export const OPERATIONS: Record<S3Kind, (call: Call) => Answer | Promise<Answer>> = {
  put: putObject,
  get: getObject,
  head: (call) => ({ ...getObject(call), body: '' }),
  async delete({ bucket, name }) {
    await remove(bucket, name);
    return { status: 204 };
  },
  'delete-many': deleteMany,
  list: ({ bucket, query, pageMax }) => xml(renderObjects(bucket, query, pageMax)),
  'create-upload': createUpload,
  'upload-part': uploadPart,
  'list-parts': (call) => xml(renderParts(uploadOf(call), call.query, call.pageMax)),
  complete: completeUpload,
  async abort(call) {
    const upload = uploadOf(call);
    call.bucket.uploads.delete(upload.uploadId);
    await dropPieces(upload.parts.values());
    return { status: 204 };
  },
  'list-uploads': ({ bucket, query, pageMax }) => xml(renderUploads(bucket, query, pageMax)),
  bucket: () => ({ status: 200 }),
};

async function putObject(call: Call): Promise<Answer> {
  requireAbsent(call);
  const piece = await receiveBody(call);
  try {
    // Again: another request may have stored the object meanwhile.
    requireAbsent(call);
  } catch (error) {
    await dropPieces([piece]);
    throw error;
  }
  await store(call, [piece], piece.etag, keptHeaders(call.request));
  return { status: 200, headers: { etag: piece.etag } };
}

function getObject({ bucket, name, request, query }: Call): Answer {
  const object = bucket.objects.get(name);
  if (object === undefined) throw new Refusal(404, 'NoSuchKey');
  const { headers } = request;
  if (headers['if-match'] && headers['if-match'] !== object.etag) {
    throw new Refusal(412, 'PreconditionFailed');
  }
  if (headers['if-none-match'] === object.etag) return { status: 304 };
  const range = rangeOf(headers.range, object.sizeBytes);
  const { start, end } = range ?? { start: 0, end: object.sizeBytes - 1 };
  return {
    status: range === null ? 200 : 206,
    headers: {
      'content-type': 'binary/octet-stream',
      ...object.headers,
      ...overrides(query),
      'accept-ranges': 'bytes',
      etag: object.etag,
      'last-modified': object.modifiedAt.toUTCString(),
      'content-length': String(end - start + 1),
      ...(range && { 'content-range': `bytes ${start}-${end}/${object.sizeBytes}` }),
    },
    body: readPieces(object.pieces, start, end),
  };
}

async function deleteMany(call: Call): Promise<Answer> {
  const { headers } = call.request;
  if (!headers['content-md5'] && !headers['x-amz-checksum-sha256']) {
    throw new Refusal(400, 'InvalidRequest', 'Missing required header: Content-MD5');
  }
  const body = await receiveText(call);
  const names = [...body.matchAll(/<Key>(.*?)<\/Key>/gs)].map(([, name = '']) => unescapeXml(name));
  if (names.length === 0 || names.length > 1000) throw new Refusal(400, 'MalformedXML');
  for (const name of names) await remove(call.bucket, name);
  return xml(document('DeleteResult', []));
}

function createUpload({ bucket, name, request }: Call): Answer {
  const uploadId = `${randomBytes(12).toString('base64')}+/=`;
  const headers = keptHeaders(request);
  const upload = { name, uploadId, startedAt: new Date(), headers, parts: new Map() };
  bucket.uploads.set(uploadId, upload);
  const content = `<Key>${escapeXml(name)}</Key><UploadId>${uploadId}</UploadId>`;
  return xml(document('InitiateMultipartUploadResult', [content]));
}

async function uploadPart(call: Call): Promise<Answer> {
  const upload = uploadOf(call);
  const number = Number(call.query.get('partNumber'));
  if (!(number >= 1 && number <= PART_NUMBER_MAX)) throw new Refusal(400, 'InvalidArgument');
  const piece = await receiveBody(call);
  const replaced = upload.parts.get(number);
  upload.parts.set(number, piece);
  if (replaced) await dropPieces([replaced]);
  return { status: 200, headers: { etag: piece.etag } };
}

async function completeUpload(call: Call): Promise<Answer> {
  const body = await receiveText(call);
  const upload = uploadOf(call);
  requireAbsent(call);
  const pieces = partsToComplete(upload, body, call.rules);
  call.bucket.uploads.delete(upload.uploadId);
  const kept = new Set(pieces);
  await dropPieces([...upload.parts.values()].filter((piece) => !kept.has(piece)));
  const digest = createHash('md5').update(pieces.map(({ etag }) => etag).join());
  const etag = `"${digest.digest('hex')}-${pieces.length}"`;
  await store(call, pieces, etag, upload.headers);
  return xml(document('CompleteMultipartUploadResult', [`<ETag>${escapeXml(etag)}</ETag>`]));
}

function requireAbsent({ request, bucket, name }: Call): void {
  const condition = request.headers['if-none-match'];
  if (condition === undefined) return;
  if (condition !== '*') throw new Refusal(501, 'NotImplemented');
  if (bucket.objects.has(name)) throw new Refusal(412, 'PreconditionFailed');
}

function uploadOf({ bucket, name, query }: Call): StoredUpload {
  const upload = bucket.uploads.get(query.get('uploadId') ?? '');
  if (upload?.name !== name) throw new Refusal(404, 'NoSuchUpload');
  return upload;
}

async function store(
  { bucket, name }: Call,
  pieces: Piece[],
  etag: string,
  headers: Record<string, string>,
): Promise<void> {
  const replaced = bucket.objects.get(name);
  const sizeBytes = pieces.reduce((sum, piece) => sum + piece.sizeBytes, 0);
  const object: StoredObject = { sizeBytes, etag, modifiedAt: new Date(), headers, pieces };
  bucket.objects.set(name, object);
  if (replaced) await dropPieces(replaced.pieces);
}

async function remove({ objects }: Bucket, name: string): Promise<void> {
  const object = objects.get(name);
  objects.delete(name);
  if (object) await dropPieces(object.pieces);
}

async function receiveBody({ request, source, sha256, directory }: Call): Promise<Piece> {
  const length = request.headers['content-length'];
  if (length === undefined) throw new Refusal(411, 'MissingContentLength');
  const md5 = request.headers['content-md5']?.toString() ?? null;
  return await receive(source, Number(length), { sha256, md5 } satisfies Declared, directory);
}

async function receiveText(call: Call): Promise<string> {
  const chunks = await Array.fromAsync(readPieces([await receiveBody(call)], 0, TEXT_BYTES_MAX));
  return Buffer.concat(chunks).toString();
}

function keptHeaders({ headers }: IncomingMessage): Record<string, string> {
  const kept = /^(x-amz-meta-.*|content-type|content-disposition|cache-control)$/;
  return Object.fromEntries(
    Object.entries(headers)
      .filter(([name]) => kept.test(name))
      .map(([name, value]) => [name, String(value)]),
  );
}

function overrides(query: URLSearchParams): Record<string, string> {
  const names = [...query.keys()].filter((name) => name.startsWith('response-'));
  return Object.fromEntries(
    names.map((name) => [name.slice('response-'.length), query.get(name) ?? '']),
  );
}

/** Reads a header of one range; null: the whole object, also for a header that makes no sense, as in RFC 9110. */
function rangeOf(header: string | undefined, sizeBytes: number) {
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/.exec(header ?? '') ?? [];
  if (first === '' && last === '') return null;
  if (first !== '' && last !== '' && Number(first) > Number(last)) return null;
  const start = first === '' ? Math.max(sizeBytes - Number(last), 0) : Number(first);
  const end = first === '' || last === '' ? sizeBytes - 1 : Math.min(Number(last), sizeBytes - 1);
  if (start < sizeBytes && start <= end) return { start, end };
  throw new Refusal(416, 'InvalidRange', undefined, { 'content-range': `bytes */${sizeBytes}` });
}

function xml(body: string): Answer {
  return { status: 200, headers: XML, body };
}
