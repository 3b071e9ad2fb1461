import { Agent, type Dispatcher } from 'undici';
import { PermanentError } from '../job/task.ts';
import { headerText } from '../lib/header-value.ts';
import { checkHost, createGuardedConnect, type Guard } from './connect.ts';
import { readOutbound, statusFailure, toOutboundError } from './error.ts';

/** Fetches what people name, from the public Internet and from nowhere else. */
export interface Outbound {
  /**
   * The answer to a GET, redirects followed; only a 2xx is one. Sends no credentials. Throws OutboundError for
   * what may go better another time, PermanentError for what will not, and the reason of `signal`.
   */
  get(url: string, options: GetOptions): Promise<OutboundResponse>;
  /** Ends all its connections. */
  close(): Promise<void>;
}

/** What one request may take, and what it says. */
export interface GetOptions {
  /** From the beginning to the last byte. */
  timeoutMs: number;
  signal: AbortSignal;
  headers?: Readonly<Record<string, string>>;
}

/** An answer whose bytes are still to come: they are read to the end, or `cancel` is called. */
export interface OutboundResponse {
  /** Where the redirects led to. */
  url: URL;
  status: number;
  /** By its name in lower case; null: not sent. */
  header(name: string): string | null;
  /** Throws as `get`. */
  body: AsyncIterable<Uint8Array>;
  cancel(): void;
}

/** How it connects, and how long it waits. */
export interface OutboundOptions extends Guard {
  /** (Default: 10 s) */
  connectTimeoutMs?: number;
  /** Without a byte of the answer. (Default: 20 s) */
  idleTimeoutMs?: number;
}

const REDIRECTS_MAX = 5;
const REDIRECT_STATUSES = [301, 302, 303, 307, 308];
const HEADER_BYTES_MAX = 16 * 1024;
const HEADERS = { 'user-agent': 'Trivium', 'accept-encoding': 'identity' };

/** A client with no connection yet. */
export function createOutbound(options: OutboundOptions): Outbound {
  const { connectTimeoutMs = 10_000, idleTimeoutMs = 20_000, ...guard } = options;
  const agent = new Agent({
    connect: createGuardedConnect(guard, connectTimeoutMs),
    headersTimeout: idleTimeoutMs,
    bodyTimeout: idleTimeoutMs,
    maxHeaderSize: HEADER_BYTES_MAX,
    pipelining: 0,
  });
  return {
    get: async (url, { timeoutMs, signal, headers }) => {
      const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
      const send = (url: URL) => request(agent, url, { ...headers, ...HEADERS }, limit);
      try {
        return await follow(guard, url, send, signal);
      } catch (error) {
        throw toOutboundError(error, signal);
      }
    },
    close: () => agent.destroy(),
  };
}

async function follow(
  guard: Guard,
  from: string,
  send: (url: URL) => Promise<Dispatcher.ResponseData>,
  signal: AbortSignal,
): Promise<OutboundResponse> {
  let url = parseTarget(guard, from);
  for (let redirects = 0; redirects <= REDIRECTS_MAX; redirects += 1) {
    const response = await send(url);
    const location = headerOf(response, 'location');
    const isRedirect = REDIRECT_STATUSES.includes(response.statusCode) && location !== null;
    if (!isRedirect) return toResponse(url, response, signal);
    discard(response);
    url = parseTarget(guard, headerText(location), url);
  }
  throw new PermanentError(`The URL is redirected more than ${REDIRECTS_MAX} times.`);
}

/** Throws PermanentError for what is not to be fetched. */
function parseTarget(guard: Guard, text: string, base?: URL): URL {
  const url = URL.parse(text, base);
  if (url === null || !/^https?:$/.test(url.protocol) || url.hostname === '') {
    throw new PermanentError('Only http and https URLs are fetched.');
  }
  if (url.username !== '' || url.password !== '') {
    throw new PermanentError('A URL with a user name or a password is not fetched.');
  }
  checkHost(guard, url.hostname, Number(url.port) || (url.protocol === 'https:' ? 443 : 80));
  return url;
}

function request(
  agent: Agent,
  { origin, pathname, search }: URL,
  headers: Record<string, string>,
  signal: AbortSignal,
): Promise<Dispatcher.ResponseData> {
  return agent.request({ origin, path: pathname + search, method: 'GET', headers, signal });
}

function toResponse(
  url: URL,
  response: Dispatcher.ResponseData,
  signal: AbortSignal,
): OutboundResponse {
  const header = (name: string) => headerOf(response, name);
  const cancel = () => discard(response);
  const { statusCode: status, body } = response;
  if (status < 200 || status > 299) {
    cancel();
    throw statusFailure(status, header('retry-after'));
  }
  if (!/^(identity)?$/i.test(header('content-encoding') ?? '')) {
    cancel();
    throw new PermanentError('The server sent it compressed, which it was asked not to do.');
  }
  return { url, status, header, body: readOutbound(body, signal), cancel };
}

/** Node joins what may be sent twice, of the others the first counts. */
function headerOf({ headers }: Dispatcher.ResponseData, name: string): string | null {
  const value = headers[name];
  return (Array.isArray(value) ? value[0] : value) ?? null;
}

/** The connection with it: what is still to come may be without end. */
function discard({ body }: Dispatcher.ResponseData): void {
  body.on('error', () => undefined).destroy();
}
