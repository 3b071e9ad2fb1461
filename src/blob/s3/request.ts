import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { AwsV4Signer } from 'aws4fetch';
import { Agent, type Dispatcher } from 'undici';
import type { S3Body } from './body.ts';
import type { S3CredentialSource, S3Credentials } from './credential.ts';
import { S3Error } from './error.ts';
import { type S3Location, type S3Query, s3Url } from './location.ts';
import { parseXml, textIn, type XmlElement } from './xml.ts';

/** How long requests wait, and how often they are repeated. Tests shorten it. */
export interface S3Timing {
  /** Tries of one request. (Default: 6) */
  attemptsMax?: number;
  /** Longest wait before the second try; it doubles with each further one. (Default: 100) */
  backoffMs?: number;
  /** No try begins later than this after the first. (Default: 20,000) */
  retryForMs?: number;
  /** Longest wait for a connection. (Default: 5,000) */
  connectTimeoutMs?: number;
  /** Longest wait without a byte sent or received. (Default: 30,000) */
  idleTimeoutMs?: number;
}

/** One request. */
export interface S3Request {
  method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE';
  /** Name of the object, relative to the prefix; null: the bucket. */
  name: string | null;
  query?: S3Query;
  headers?: Readonly<Record<string, string>>;
  body?: S3Body;
  signal?: AbortSignal | undefined;
}

/** A response with a status from 200 to 299. */
export interface S3Response {
  status: number;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Must be consumed or destroyed. */
  body: Readable;
}

/** Sends signed requests, again and again where that may help. */
export interface S3Sender {
  /**
   * Sends a request and returns what `read` makes of its response. A failure that may pass, also one of `read`, is
   * followed by another try. Throws S3Error for the last failure, and the reason of `signal` once it is aborted.
   */
  send<T>(request: S3Request, read: (response: S3Response) => Promise<T>): Promise<T>;
  /** Closes all connections. Requests that are running fail. */
  close(): Promise<void>;
}

const EMPTY_SHA256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

/** Longest text of a response: a page of a thousand names of 1,024 bytes has room. */
const TEXT_BYTES_MAX = 8 * 2 ** 20;

/** Creates a sender for one bucket. */
export function createS3Sender(
  location: S3Location,
  credentials: S3CredentialSource,
  timing: S3Timing = {},
): S3Sender {
  const { attemptsMax = 6, backoffMs = 100, retryForMs = 20_000 } = timing;
  const { connectTimeoutMs = 5000, idleTimeoutMs = 30_000 } = timing;
  const agent = new Agent({
    connect: { timeout: connectTimeoutMs },
    headersTimeout: idleTimeoutMs,
    bodyTimeout: idleTimeoutMs,
  });
  const signingKeys = new Map<string, ArrayBuffer>();

  async function attempt<T>(
    request: S3Request,
    used: S3Credentials,
    read: (response: S3Response) => Promise<T>,
  ): Promise<T> {
    const { method, body, signal } = request;
    const { url, headers } = await sign(location, request, used, signingKeys);
    const response = await agent.request({
      origin: url.origin,
      path: url.pathname + url.search,
      method,
      headers: { ...headers, ...(body && { 'content-length': String(body.sizeBytes) }) },
      body: body?.open() ?? null,
      ...(signal && { signal }),
    });
    const { statusCode: status } = response;
    if (status < 200 || status > 299) throw await toS3Error(request, response);
    return read({ status, headers: response.headers, body: response.body });
  }

  return {
    async send(request, read) {
      const startMs = performance.now();
      let used = await credentials.current();
      for (let count = 1; ; count++) {
        try {
          return await attempt(request, used, read);
        } catch (cause) {
          request.signal?.throwIfAborted();
          const error = cause instanceof S3Error ? cause : unreachable(request, cause);
          const waitMs = waitBeforeNext(count, backoffMs);
          const isLate = performance.now() + waitMs - startMs > retryForMs;
          if (count >= attemptsMax || isLate) throw error;
          if (error.isPassing) {
            await pause(waitMs, request.signal);
          } else {
            const fresh = error.isRefused ? await credentials.reload() : used;
            if (isSame(fresh, used)) throw error;
            used = fresh;
          }
        }
      }
    },
    close: () => agent.destroy(),
  };
}

/**
 * Reads the XML of a response. A store may begin a response with 200 and then fail, so that the body is the error:
 * throws it as an S3Error. Throws S3Error, too, for a text that is no XML.
 */
export async function readXml(response: S3Response): Promise<XmlElement> {
  const root = parseXml(await readText(response.body));
  const { status } = response;
  if (root === null)
    throw new S3Error({ status, code: 'InternalError', message: 'S3 response: no XML' });
  if (root.name === 'Error') throw errorIn(root, status, 'S3 response');
  return root;
}

/** Reads the body to its end, so that the connection can be used again. */
export async function readNothing({ body }: S3Response): Promise<void> {
  await readText(body);
}

/** Returns the value of a header; empty if it is missing. */
export function headerOf({ headers }: S3Response, name: string): string {
  const value = headers[name];
  return typeof value === 'string' ? value : '';
}

/** Returns a signed URL of an object, which is good for one method and for a time. */
export async function presign(
  location: S3Location,
  { method, name, query }: Pick<S3Request, 'method' | 'name' | 'query'>,
  credentials: S3Credentials,
  expiresSeconds: number,
): Promise<string> {
  const signer = new AwsV4Signer({
    ...signerOptions(location, credentials),
    method,
    url: s3Url(location, name, { ...query, 'X-Amz-Expires': String(expiresSeconds) }).href,
    signQuery: true,
  });
  const { url } = await signer.sign();
  // A plus sign means a space in forms only; a store that reads it literally finds another signature.
  return url.href.replaceAll('+', '%20');
}

async function sign(
  location: S3Location,
  { method, name, query, headers, body }: S3Request,
  credentials: S3Credentials,
  cache: Map<string, ArrayBuffer>,
): Promise<{ url: URL; headers: Record<string, string> }> {
  const signer = new AwsV4Signer({
    ...signerOptions(location, credentials),
    method,
    url: s3Url(location, name, query).href,
    headers: { ...headers, 'x-amz-content-sha256': body?.sha256 ?? EMPTY_SHA256 },
    cache,
  });
  const signed = await signer.sign();
  return { url: signed.url, headers: Object.fromEntries(signed.headers) };
}

function signerOptions({ region }: S3Location, credentials: S3Credentials) {
  return { ...credentials, service: 's3', region };
}

/** Returns the error of a response. Its body is XML, or nothing after HEAD. */
async function toS3Error(
  request: S3Request,
  { statusCode, body }: Dispatcher.ResponseData,
): Promise<S3Error> {
  const root = parseXml(await readText(body));
  return errorIn(root ?? { name: '', text: '', children: [] }, statusCode, titleOf(request));
}

function errorIn(root: XmlElement, status: number, title: string): S3Error {
  const code = textIn(root, 'Code');
  const text = [String(status), code, textIn(root, 'Message')].filter((part) => part !== '');
  return new S3Error({ status, code, message: `${title}: ${text.join(' ').slice(0, 500)}` });
}

function unreachable(request: S3Request, cause: unknown): S3Error {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new S3Error({ status: null, message: `${titleOf(request)}: ${reason}`, cause });
}

function titleOf({ method, name }: S3Request): string {
  return `S3 ${method} ${name ?? 'of the bucket'}`;
}

async function readText(body: Readable): Promise<string> {
  const pieces: Buffer[] = [];
  let sizeBytes = 0;
  for await (const piece of body) {
    pieces.push(piece);
    sizeBytes += piece.length;
    if (sizeBytes > TEXT_BYTES_MAX) throw new Error('The response is too long');
  }
  return Buffer.concat(pieces).toString();
}

/** Returns a random wait of half to all of the longest one, so that requests that failed together spread. */
function waitBeforeNext(count: number, backoffMs: number): number {
  return backoffMs * 2 ** (count - 1) * (0.5 + Math.random() / 2);
}

/** Waits; throws the reason of the signal if it is aborted. */
async function pause(waitMs: number, signal: AbortSignal | undefined): Promise<void> {
  await sleep(waitMs, undefined, { ...(signal && { signal }) }).catch(() =>
    signal?.throwIfAborted(),
  );
}

function isSame(one: S3Credentials, other: S3Credentials): boolean {
  return (
    one.accessKeyId === other.accessKeyId &&
    one.secretAccessKey === other.secretAccessKey &&
    one.sessionToken === other.sessionToken
  );
}
