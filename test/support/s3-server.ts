import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import type { Bucket } from './s3/bucket.ts';
import { Refusal } from './s3/error.ts';
import { createFaults, type S3Fault, type S3FaultWhat, type S3Kind } from './s3/fault.ts';
import { renderError } from './s3/listing.ts';
import { type Answer, type Call, kindOf, OPERATIONS } from './s3/operation.ts';
import { type ServerCredentials, verifySignature } from './s3/signature.ts';

/** Options of `startS3Server`. */
export interface S3ServerOptions {
  /** (Default: any free port) */
  port?: number;
  host?: string;
  /** Buckets that exist from the start; others are created by PUT. (Default: `trivium`) */
  buckets?: string[];
  region?: string;
  /** Smallest part but for the last one. (Default: 5 MiB) */
  partBytesMin?: number;
  /** Whether all parts but the last must have the same size. (Default: true) */
  areEqualParts?: boolean;
  /** Most entries of a page. (Default: 1,000) */
  pageMax?: number;
}

/** What a server holds and has done. */
export interface S3State {
  /** Requests by what they asked for; those that failed on order count, too. */
  counts: Partial<Record<S3Kind, number>>;
  receivedBytes: number;
  sentBytes: number;
  objects: { bucket: string; name: string; sizeBytes: number }[];
  /** Multipart uploads that are open. */
  uploads: { bucket: string; name: string; uploadId: string; partCount: number }[];
}

/** A server of the S3 API that refuses what real ones refuse, and fails on order. */
export interface S3Server {
  /** Address of the service, without a bucket. */
  url: string;
  /** The credentials that it accepts. Tests change the list. */
  credentials: ServerCredentials[];
  /** Tokens of temporary credentials that have expired. */
  expiredTokens: Set<string>;
  fail(fault: S3Fault): void;
  /** Number of failures that were ordered and have not happened yet. */
  pendingFaults(): number;
  state(): S3State;
  /** Sets the counters to zero. */
  resetCounts(): void;
  stop(): Promise<void>;
}

/** The credentials that every test server accepts. */
export const TEST_CREDENTIALS = {
  accessKeyId: 'trivium-test',
  secretAccessKey: 'trivium-test-secret/+key',
} as const;

/** The region of every test server that names no other. */
export const TEST_REGION = 'eu-test-1';

/** Starts a server whose objects live in a temporary directory, until `stop`. */
export async function startS3Server(options: S3ServerOptions = {}): Promise<S3Server> {
  const { port = 0, host = '127.0.0.1', buckets = ['trivium'], region = TEST_REGION } = options;
  const { partBytesMin = 5 * 2 ** 20, areEqualParts = true, pageMax = 1000 } = options;
  const directory = await mkdtemp(join(tmpdir(), 'trivium-s3-'));
  const held = new Map<string, Bucket>();
  for (const name of buckets) held.set(name, { objects: new Map(), uploads: new Map() });
  const faults = createFaults();
  const credentials: ServerCredentials[] = [TEST_CREDENTIALS];
  const expiredTokens = new Set<string>();
  const counts: S3State['counts'] = {};
  const bytes = { received: 0, sent: 0 };

  async function* received(request: IncomingMessage, stopAfter: number): AsyncGenerator<Buffer> {
    let rest = stopAfter;
    for await (const chunk of request) {
      bytes.received += chunk.length;
      rest -= chunk.length;
      if (rest < 0) request.socket.resetAndDestroy();
      yield chunk;
    }
  }

  async function* sent(body: AsyncIterable<Buffer>, stopAfter: number, response: ServerResponse) {
    let rest = stopAfter;
    for await (const chunk of body) {
      bytes.sent += chunk.length;
      rest -= chunk.length;
      if (rest < 0) {
        yield chunk.subarray(0, chunk.length / 2);
        await new Promise((resolve) => setTimeout(resolve, 20));
        response.socket?.resetAndDestroy();
        return;
      }
      yield chunk;
    }
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', `http://${request.headers.host}`);
    if (url.pathname.startsWith('/-/')) return await handleOrder(request, response, url.pathname);
    const sha256 = verifySignature(request, url, credentials, region);
    const token = request.headers['x-amz-security-token']?.toString();
    if (token !== undefined && expiredTokens.has(token)) throw new Refusal(400, 'ExpiredToken');
    const { bucketName, name } = addressOf(url, held);
    const kind = kindOf(request.method ?? '', name, url.searchParams);
    if (kind === 'bucket' && request.method === 'PUT' && !held.has(bucketName)) {
      held.set(bucketName, { objects: new Map(), uploads: new Map() });
    }
    const bucket = held.get(bucketName);
    if (bucket === undefined) throw new Refusal(404, 'NoSuchBucket');
    counts[kind] = (counts[kind] ?? 0) + 1;
    const fault = faults.take(kind, name);
    if (await failBefore(fault, request, response)) return;
    const lengthBytes = Number(request.headers['content-length'] ?? 0);
    const isCutIn = fault === 'cut-within' && lengthBytes > 0;
    const call: Call = {
      request,
      bucket,
      name,
      query: url.searchParams,
      sha256,
      source: received(request, isCutIn ? lengthBytes / 2 : Number.POSITIVE_INFINITY),
      directory,
      rules: { partBytesMin, isEqual: areEqualParts },
      pageMax,
    };
    const answer = await OPERATIONS[kind](call);
    if (fault === 'cut-after') return void response.socket?.resetAndDestroy();
    const stopAfter =
      fault === 'cut-within'
        ? Number(answer.headers?.['content-length'] ?? 0) / 2
        : Number.POSITIVE_INFINITY;
    await send(request, response, answer, (body) => sent(body, stopAfter, response));
  }

  async function handleOrder(request: IncomingMessage, response: ServerResponse, path: string) {
    if (path === '/-/fail') faults.fail(JSON.parse(await textOf(request)));
    response.end(JSON.stringify(path === '/-/state' ? state() : {}));
  }

  function state(): S3State {
    return {
      counts: { ...counts },
      receivedBytes: bytes.received,
      sentBytes: bytes.sent,
      objects: [...held].flatMap(([bucket, { objects }]) =>
        [...objects].map(([name, { sizeBytes }]) => ({ bucket, name, sizeBytes })),
      ),
      uploads: [...held].flatMap(([bucket, { uploads }]) =>
        [...uploads.values()].map(({ name, uploadId, parts }) => ({
          bucket,
          name,
          uploadId,
          partCount: parts.size,
        })),
      ),
    };
  }

  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => refuse(request, response, error));
  });
  server.listen(port, host);
  await once(server, 'listening');
  return {
    url: `http://${host}:${(server.address() as AddressInfo).port}`,
    credentials,
    expiredTokens,
    fail: faults.fail,
    pendingFaults: faults.pending,
    state,
    resetCounts() {
      for (const kind of Object.keys(counts)) delete counts[kind as S3Kind];
      bytes.received = 0;
      bytes.sent = 0;
    },
    async stop() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Runs `work` with a server, then stops it. */
export async function withS3Server<T>(
  work: (server: S3Server) => Promise<T>,
  options: S3ServerOptions = {},
): Promise<T> {
  const server = await startS3Server(options);
  try {
    return await work(server);
  } finally {
    await server.stop();
  }
}

/** Returns the bucket and the name of a request: `bucket` is the first part of the path, or of the host. */
function addressOf(url: URL, held: ReadonlyMap<string, unknown>) {
  const path = decodeURIComponent(url.pathname.slice(1));
  const [label = ''] = url.hostname.split('.');
  if (held.has(label)) return { bucketName: label, name: path };
  const [bucketName = ''] = path.split('/');
  return { bucketName, name: path.slice(bucketName.length + 1) };
}

/** Fails before the request has any effect. Tells whether it did. */
async function failBefore(
  fault: S3FaultWhat | null,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<boolean> {
  if (fault === 'cut-before') request.socket.resetAndDestroy();
  else if (fault === 'error-in-200') {
    request.resume();
    response.writeHead(200, { 'content-type': 'application/xml' });
    response.end(renderError('InternalError', 'on order'));
  } else if (fault !== null && typeof fault === 'object' && 'status' in fault) {
    throw new Refusal(fault.status, fault.code, 'on order');
  } else {
    if (fault !== null && typeof fault === 'object') {
      await new Promise((resolve) => setTimeout(resolve, fault.delayMs));
    }
    return false;
  }
  return true;
}

async function send(
  request: IncomingMessage,
  response: ServerResponse,
  { status, headers, body = '' }: Answer,
  count: (body: AsyncIterable<Buffer>) => AsyncIterable<Buffer>,
): Promise<void> {
  request.resume();
  response.writeHead(status, { 'x-amz-request-id': 'test', ...headers });
  if (typeof body === 'string') response.end(body);
  else await pipeline(Readable.from(count(body), { objectMode: false }), response);
}

function refuse(request: IncomingMessage, response: ServerResponse, error: unknown): void {
  if (response.headersSent || response.destroyed || request.socket?.destroyed !== false) {
    request.destroy();
    return;
  }
  const refusal =
    error instanceof Refusal ? error : new Refusal(500, 'InternalError', String(error));
  const { status, code, message, headers } = refusal;
  request.resume();
  response.writeHead(status, { 'content-type': 'application/xml', ...headers });
  response.end(request.method === 'HEAD' ? '' : renderError(code, message));
}

async function textOf(request: IncomingMessage): Promise<string> {
  return Buffer.concat(await Array.fromAsync(request as AsyncIterable<Buffer>)).toString();
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '0' },
      host: { type: 'string', default: '127.0.0.1' },
      bucket: { type: 'string', default: 'trivium' },
      region: { type: 'string', default: TEST_REGION },
    },
  });
  const { host, region, bucket } = values;
  const server = await startS3Server({
    port: Number(values.port),
    host,
    region,
    buckets: [bucket],
  });
  console.log(`S3 at ${server.url}, bucket ${bucket}, region ${region}`);
  console.log(`AWS_ACCESS_KEY_ID=${TEST_CREDENTIALS.accessKeyId}`);
  console.log(`AWS_SECRET_ACCESS_KEY=${TEST_CREDENTIALS.secretAccessKey}`);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void server.stop().then(() => process.exit()));
  }
}
