import { createServer, connect as open, type Socket } from 'node:net';

/** A way in which a request fails. */
export type Fault =
  /** The request never arrives. */
  | 'refuse'
  /** The server executes the request, but its response never arrives. */
  | 'lose answer'
  /** One bit of the file in the request is flipped. */
  | 'damage'
  /** A proxy in front of the server sends this response. */
  | Response;

export interface Call {
  /** Name of the field in the schema, such as `uploadChunk`. */
  operation: string;
  /** 1 for the first request of this operation. */
  count: number;
}

export interface FaultyFetch {
  fetch: typeof fetch;
  /** Names of all attempted operations, in order. */
  operations: string[];
}

/** Creates a `fetch` whose requests fail as `chooseFault` decides. */
export function createFaultyFetch(
  chooseFault: (call: Call) => Fault | undefined | Promise<Fault | undefined>,
): FaultyFetch {
  const operations: string[] = [];
  const faulty: typeof fetch = async (url, init) => {
    const operation = await operationOf(init);
    operations.push(operation);
    const count = operations.filter((name) => name === operation).length;
    const fault = await chooseFault({ operation, count });
    if (fault instanceof Response) return fault;
    if (fault === 'refuse') throw new TypeError('refused on purpose');
    const sent = fault === 'damage' ? await damage(init) : init;
    const response = await fetch(url, sent);
    if (fault !== 'lose answer') return response;
    await response.arrayBuffer();
    throw new TypeError('the response was lost on purpose');
  };
  return { fetch: faulty, operations };
}

async function operationOf(init: RequestInit | undefined): Promise<string> {
  const { body } = init ?? {};
  const text = typeof body === 'string' ? body : (await parseForm(init)).get('operations');
  return /\{\s*(?:\w+: ?)?(\w+)/.exec(JSON.parse(String(text)).query)?.[1] ?? '';
}

/** Returns the same request with one bit of its file flipped. */
async function damage(init: RequestInit | undefined): Promise<RequestInit> {
  const form = await parseForm(init);
  const bytes = new Uint8Array(await (form.get('0') as File).arrayBuffer());
  bytes[0]! ^= 1;
  form.set('0', new Blob([bytes]), 'chunk');
  const headers = new Headers(init?.headers);
  headers.delete('content-type');
  return { ...init, headers, body: form };
}

function parseForm({ body, headers }: RequestInit = {}): Promise<FormData> {
  return new Response(body ?? null, { headers: new Headers(headers) }).formData();
}

/** Runs `work` with the URL of a proxy that calls `onConnection` for each new connection. */
export async function withProxy<T>(
  target: string,
  onConnection: (sockets: { client: Socket; server: Socket; count: number }) => void,
  work: (url: string) => Promise<T>,
): Promise<T> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  let count = 0;
  const proxy = createServer((client) => {
    const server = open(Number(port), hostname);
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      sockets.add(one);
      one.on('error', () => {}).on('close', () => other.destroy());
    }
    client.pipe(server);
    server.pipe(client);
    onConnection({ client, server, count: ++count });
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const address = proxy.address();
  try {
    return await work(`http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`);
  } finally {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => proxy.close(resolve));
  }
}
