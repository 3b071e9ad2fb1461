import type { Agent, Dispatcher } from 'undici';
import { headerText } from '../lib/header-value.ts';
import { checkHost, createGuardedConnect, type Guard } from './connect.ts';
import { permanentFailure, readOutbound, statusFailure, toOutboundError } from './error.ts';

/** An HTTP client for URLs from users: it connects to the public Internet and to allowed hosts only. */
export interface Outbound {
  /**
   * Sends a GET without credentials, follows redirects, and returns the 2xx response. Throws OutboundError,
   * `isPermanent` if another try cannot help, and the reason of `signal`.
   */
  get(url: string, options: GetOptions): Promise<OutboundResponse>;
  /** Closes all connections. */
  close(): Promise<void>;
}

/** Limits and headers of one request. */
export interface GetOptions {
  /** Time limit for the whole request, from its start to the last byte of the response. */
  timeoutMs: number;
  signal: AbortSignal;
  headers?: Readonly<Record<string, string>>;
}

/** A response whose body has not been read: read it to the end, or call `cancel`. */
export interface OutboundResponse {
  /** The URL after all redirects. */
  url: URL;
  status: number;
  /** Returns the header of that name, in lower case; null if it was not sent. */
  header(name: string): string | null;
  /** Throws like `get`. */
  body: AsyncIterable<Uint8Array>;
  cancel(): void;
}

/** The hosts that a client may connect to, and its timeouts. */
export interface OutboundOptions extends Guard {
  /** (Default: 10 s) */
  connectTimeoutMs?: number;
  /** The longest pause in which no byte of the response arrives. (Default: 20 s) */
  idleTimeoutMs?: number;
}

const REDIRECTS_MAX = 5;
const REDIRECT_STATUSES = [301, 302, 303, 307, 308];
const HEADER_BYTES_MAX = 16 * 1024;
const HEADERS = { 'user-agent': 'Trivium', 'accept-encoding': 'identity' };

/** Creates a client; it loads undici and opens connections when they are needed. */
export function createOutbound(options: OutboundOptions): Outbound {
  let loading: Promise<Agent> | undefined;
  return {
    get: async (url, { timeoutMs, signal, headers }) => {
      const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
      try {
        loading ??= createAgent(options);
        const agent = await loading;
        const send = (url: URL) => request(agent, url, { ...headers, ...HEADERS }, limit);
        return await follow(options, url, send, signal);
      } catch (error) {
        throw toOutboundError(error, signal);
      }
    },
    close: async () => (await loading)?.destroy(),
  };
}

async function createAgent(options: OutboundOptions): Promise<Agent> {
  const { connectTimeoutMs = 10_000, idleTimeoutMs = 20_000, ...guard } = options;
  const { Agent, buildConnector } = await import('undici');
  return new Agent({
    connect: createGuardedConnect(guard, connectTimeoutMs, buildConnector),
    headersTimeout: idleTimeoutMs,
    bodyTimeout: idleTimeoutMs,
    maxHeaderSize: HEADER_BYTES_MAX,
    pipelining: 0,
  });
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
  throw permanentFailure(`The URL is redirected more than ${REDIRECTS_MAX} times.`);
}

/** Parses a URL. Throws a permanent OutboundError if it must not be fetched. */
function parseTarget(guard: Guard, text: string, base?: URL): URL {
  const url = URL.parse(text, base);
  if (url === null || !/^https?:$/.test(url.protocol) || url.hostname === '') {
    throw permanentFailure('Only http and https URLs are fetched.');
  }
  if (url.username !== '' || url.password !== '') {
    throw permanentFailure('A URL with a user name or a password is not fetched.');
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
    throw permanentFailure('The server sent a compressed response, although we asked for none.');
  }
  return { url, status, header, body: readOutbound(body, signal), cancel };
}

/** Returns a header. Node joins headers that may be repeated; of any other repeated header, the first counts. */
function headerOf({ headers }: Dispatcher.ResponseData, name: string): string | null {
  const value = headers[name];
  return (Array.isArray(value) ? value[0] : value) ?? null;
}

/** Closes the connection too, because the rest of the body may be endless. */
function discard({ body }: Dispatcher.ResponseData): void {
  body.on('error', () => undefined).destroy();
}
