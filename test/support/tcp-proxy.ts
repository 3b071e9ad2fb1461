import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A proxy in front of a database, whose connections a test breaks. */
export interface TcpProxy {
  /** Returns the URL of a database with the proxy in place of its server. */
  through(url: string): string;
  /** Resets every open connection. Returns their number. */
  cutAll(): number;
  /**
   * Resets the connection whose client next sends a text that matches. `unsent`: the text does not reach the server;
   * `unanswered`: it does, but the answer is lost. Replaces a cut that has not happened.
   */
  cutAt(text: RegExp, which: 'unsent' | 'unanswered'): void;
  /** Number of connections that `cutAt` has reset. */
  cuts(): number;
  /** Stops to pass anything on: connections stay open and are accepted, but are silent. Resume with false. */
  hang(isHanging: boolean): void;
  /** Makes each further connection silent for this time after it has been accepted, as a server that is slow to log in. */
  delayOpening(ms: number): void;
}

interface Cut {
  text: RegExp;
  which: 'unsent' | 'unanswered';
}

interface Pair {
  client: Socket;
  server: Socket;
  /** Whether the next answer of the server is lost. */
  isUnanswered: boolean;
}

/** Runs `work` with a proxy to the server of a database URL, then closes the proxy. */
export async function withTcpProxy<T>(
  target: string,
  work: (proxy: TcpProxy) => Promise<T>,
): Promise<T> {
  const { hostname, port } = new URL(target);
  const pairs = new Set<Pair>();
  let cut: Cut | null = null;
  let cuts = 0;
  let isHanging = false;
  let openingMs = 0;
  const end = (pair: Pair) => {
    pairs.delete(pair);
    pair.client.resetAndDestroy();
    pair.server.resetAndDestroy();
  };
  const pass = ({ client, server }: Pair) => {
    client.resume();
    server.resume();
  };
  const onSent = (pair: Pair, bytes: Buffer) => {
    if (!cut?.text.test(bytes.toString('latin1'))) return pair.server.write(bytes);
    cuts++;
    if (cut.which === 'unsent') end(pair);
    else pair.server.write(bytes);
    pair.isUnanswered = true;
    cut = null;
  };
  const listener = createServer((client) => {
    const server = connect(Number(port || 5432), hostname);
    const pair: Pair = { client, server, isUnanswered: false };
    pairs.add(pair);
    client.on('data', (bytes) => onSent(pair, bytes));
    server.on('data', (bytes) => (pair.isUnanswered ? end(pair) : client.write(bytes)));
    for (const socket of [pair.client, pair.server]) {
      socket.on('error', () => end(pair));
      socket.on('close', () => end(pair));
      if (isHanging || openingMs > 0) socket.pause();
    }
    if (openingMs > 0) setTimeout(() => !isHanging && pass(pair), openingMs);
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const own = listener.address() as AddressInfo;
  try {
    return await work({
      through(url) {
        const proxied = new URL(url);
        proxied.hostname = '127.0.0.1';
        proxied.port = String(own.port);
        return proxied.href;
      },
      cutAll() {
        const open = [...pairs];
        open.forEach(end);
        return open.length;
      },
      cutAt(text, which) {
        cut = { text, which };
      },
      cuts: () => cuts,
      hang(value) {
        isHanging = value;
        for (const { client, server } of pairs) {
          for (const socket of [client, server]) socket[value ? 'pause' : 'resume']();
        }
      },
      delayOpening(ms) {
        openingMs = ms;
      },
    });
  } finally {
    [...pairs].forEach(end);
    await new Promise((resolve) => listener.close(resolve));
  }
}
