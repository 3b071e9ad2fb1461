import { type FilePart, toMultipart } from './multipart.ts';
import { UploadError } from './upload/upload-error.ts';

/** The endpoint of requests and how they are sent. */
export interface Endpoint {
  /** URL of the GraphQL endpoint. */
  url: string;
  headers: Headers;
  fetch: typeof globalThis.fetch;
  /** Timeout of one request. */
  requestTimeoutMs: number;
  /** Whether `fetch` accepts a stream as its body. */
  canStream: boolean;
}

/** One GraphQL operation. */
export interface Operation {
  query: string;
  variables: unknown;
  /** Replaces the variable `input.chunk`, which is null. */
  chunk?: FilePart;
}

interface Answer {
  data?: unknown;
  errors?: { message: string; extensions?: { code?: unknown } }[];
}

/**
 * Sends an operation and returns its data. Throws UploadError for every failure, and the signal's reason once it is
 * aborted.
 */
export async function request<T>(
  endpoint: Endpoint,
  operation: Operation,
  signal?: AbortSignal,
): Promise<T> {
  const { response, text } = await exchange(endpoint, operation, signal);
  const isBusy = response.status === 429 || response.status === 408 || response.status >= 500;
  if (isBusy) throw toBusyError(endpoint, response);
  const answer = parseAnswer(text);
  if (answer === null) throw notGraphql(endpoint, response);
  if (answer.errors?.length) throw toUploadError(answer.errors, response.status);
  return answer.data as T;
}

async function exchange(endpoint: Endpoint, operation: Operation, signal?: AbortSignal) {
  // A browser's `fetch` throws when it is called as a method of another object.
  const { fetch, url, requestTimeoutMs } = endpoint;
  const timeout = AbortSignal.timeout(requestTimeoutMs);
  try {
    const response = await fetch(url, {
      method: 'POST',
      // A stream cannot be sent twice, and the credential must not go to another host.
      redirect: 'manual',
      ...toBody(endpoint, operation),
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
    });
    return { response, text: await response.text() };
  } catch (error) {
    signal?.throwIfAborted();
    throw new UploadError('UNREACHABLE', `Cannot reach ${url}.`, {}, { cause: error });
  }
}

function toBody(endpoint: Endpoint, { query, variables, chunk }: Operation) {
  const headers = new Headers(endpoint.headers);
  const operations = JSON.stringify({ query, variables });
  if (chunk === undefined) {
    headers.set('content-type', 'application/json');
    return { headers, body: operations };
  }
  // A form of another site cannot send this header; the server requires it for files.
  headers.set('x-graphql-yoga-csrf', '1');
  const { parts, type } = toMultipart(operations, 'input.chunk', chunk);
  headers.set('content-type', type);
  if (!endpoint.canStream) return { headers, body: new Blob(parts) };
  const sizeBytes = parts.reduce((sum, { length }) => sum + length, 0);
  headers.set('content-length', String(sizeBytes));
  // `fetch` requires it, but its types lack it.
  return { headers, body: toStream(parts), ...{ duplex: 'half' } };
}

function toStream(parts: readonly Uint8Array[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (const part of parts) controller.enqueue(part);
      controller.close();
    },
  });
}

/** Returns the error for a status after which it is unknown whether the server executed the request. */
function toBusyError({ url }: Endpoint, { status, headers }: Response): UploadError {
  const details = { status, retryAfterMs: parseRetryAfter(headers.get('retry-after')) };
  return status === 429
    ? new UploadError('TOO_MANY_REQUESTS', 'The server is asked too often.', details)
    : new UploadError('UNAVAILABLE', `${url} answered ${status}.`, details);
}

function parseAnswer(text: string): Answer | null {
  try {
    const answer: unknown = JSON.parse(text);
    const isGraphql =
      typeof answer === 'object' && answer !== null && ('data' in answer || 'errors' in answer);
    return isGraphql ? (answer as Answer) : null;
  } catch {
    return null;
  }
}

function toUploadError(errors: NonNullable<Answer['errors']>, status: number): UploadError {
  const code = errors[0]?.extensions?.code;
  const message = errors.map((error) => error.message).join(' ');
  if (code === 'INTERNAL' || code === 'INTERNAL_SERVER_ERROR')
    return new UploadError('UNAVAILABLE', message, { status });
  return new UploadError(typeof code === 'string' ? code : 'BAD_RESPONSE', message, { status });
}

function notGraphql({ url }: Endpoint, { status, headers }: Response): UploadError {
  if (status === 413) {
    const message = 'A proxy before the server takes no request of this size.';
    return new UploadError('REQUEST_TOO_LARGE', message, { status });
  }
  const location = headers.get('location');
  const message = location
    ? `${url} redirects to ${location}: use that URL.`
    : `${url} answered ${status} and not in GraphQL: is this the URL of a Trivium server?`;
  return new UploadError('BAD_RESPONSE', message, { status });
}

/** Returns the delay of Retry-After, which is in seconds or a date (RFC 9110 §10.2.3). */
function parseRetryAfter(header: string | null): number | undefined {
  if (header === null) return undefined;
  if (/^\d+$/.test(header)) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
}
