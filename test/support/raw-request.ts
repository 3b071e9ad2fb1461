import { once } from 'node:events';
import { type IncomingHttpHeaders, request } from 'node:http';
import { connect, type Socket } from 'node:net';

/** A response as it is on the wire. */
export interface RawAnswer {
  status: number;
  /** Headers by lower-case name. */
  headers: Readonly<Record<string, string>>;
  body: string;
}

/** Sends a request with any headers, which `fetch` would set itself: `Host`, `Origin`, `Sec-Fetch-Site`. */
export async function sendWith(
  { url }: { url: string },
  line: string,
  headers: Readonly<Record<string, string>> = {},
  body = '',
): Promise<{ status: number; headers: IncomingHttpHeaders; body: string }> {
  const [method = 'GET', path = '/'] = line.split(' ');
  const { hostname, port } = new URL(url);
  const sent = request({ hostname, port, method, path, headers: { ...headers } });
  sent.end(body);
  const [response] = await once(sent, 'response');
  const bytes = Buffer.concat(await response.toArray());
  return { status: response.statusCode, headers: response.headers, body: bytes.toString() };
}

/** Opens a connection to a server. A reset of the connection does not fail the test. */
export async function openSocket({ url }: { url: string }): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

/**
 * Writes `text` at intervals until the server answers, and returns the answer once the connection is closed. The server may
 * close it while a byte is on its way: that is no error.
 */
export async function dripUntilAnswered(
  socket: Socket,
  text: string,
  everyMs: number,
): Promise<string> {
  const drip = setInterval(() => socket.write(text), everyMs);
  let answer = '';
  socket.on('data', (bytes) => {
    answer += bytes;
    clearInterval(drip);
  });
  // `once` of Node would reject after an error.
  await new Promise((resolve) => socket.once('close', resolve));
  clearInterval(drip);
  return answer;
}

/** Sends bytes on a new connection. Returns the response, or null if the server closes the connection. */
export async function sendRaw(
  server: { url: string },
  bytes: Uint8Array,
): Promise<RawAnswer | null> {
  const socket = await openSocket(server);
  socket.write(bytes);
  let received = Buffer.alloc(0);
  try {
    for await (const piece of socket.iterator({ destroyOnReturn: false })) {
      received = Buffer.concat([received, piece]);
      const answer = parseAnswer(received);
      if (answer !== null) return answer;
    }
    return null;
  } catch {
    return null;
  } finally {
    socket.destroy();
  }
}

/** Returns the bytes of a request, with the headers in this order and the length of the body. */
export function toRequest(
  line: string,
  headers: readonly string[],
  body: Uint8Array = Buffer.alloc(0),
): Buffer {
  const head = [`${line} HTTP/1.1`, 'Host: 127.0.0.1', `Content-Length: ${body.length}`];
  return Buffer.concat([Buffer.from(`${[...head, ...headers].join('\r\n')}\r\n\r\n`), body]);
}

/** Parses a response; returns null if it is incomplete. */
function parseAnswer(bytes: Buffer): RawAnswer | null {
  const text = bytes.toString('latin1');
  const end = text.indexOf('\r\n\r\n');
  if (end === -1) return null;
  const [first = '', ...lines] = text.slice(0, end).split('\r\n');
  const headers = Object.fromEntries(
    lines.map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
  const body = bytes.subarray(end + 4);
  const status = Number(first.split(' ')[1]);
  if (status === 100) return parseAnswer(body);
  const isWhole = body.length >= Number(headers['content-length'] ?? 0);
  return isWhole ? { status, headers, body: body.toString() } : null;
}
