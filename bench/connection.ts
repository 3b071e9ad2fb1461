import { connect, type Socket } from 'node:net';

export interface ClientRequest {
  method: string;
  path: string;
  headers?: Readonly<Record<string, string>>;
  body?: readonly Buffer[];
  /** For a download: its bytes are counted and thrown away. */
  discardBody?: boolean;
}

/** An answer, read completely. */
export interface Answer {
  status: number;
  /** Status line and headers. */
  head: string;
  body: string;
}

/** All of an empty chunked body. */
const LAST_CHUNK = '0\r\n\r\n';

interface Exchange {
  resolve: (answer: Answer) => void;
  reject: (error: Error) => void;
  startedAt: number;
  discardBody: boolean;
  /** Bytes of the answer's head so far. */
  head: Buffer;
  /** The same as text, once it is complete. */
  headText: string;
  status: number;
  /** Bytes of the body that are still to come; null before the head is complete. */
  restBytes: number | null;
  pieces: Buffer[];
}

/**
 * One kept-alive HTTP/1.1 connection with one request at a time, on a bare socket: a client of `node:http` spends
 * more time on a small request than the server that is measured.
 */
export class Connection {
  /** Milliseconds from the first byte sent to the last byte received, for each request so far. */
  readonly latenciesMs: number[] = [];
  readonly #socket: Socket;
  readonly #host: string;
  #exchange: Exchange | null = null;
  #failure: Error | null = null;

  static async open(url: string): Promise<Connection> {
    const { hostname, port, host } = new URL(url);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const socket = connect({ host: hostname, port: Number(port), noDelay: true }, resolve);
    socket.once('error', reject);
    await promise;
    return new Connection(socket, host);
  }

  private constructor(socket: Socket, host: string) {
    this.#socket = socket;
    this.#host = host;
    socket.on('data', (piece) => this.#take(piece));
    socket.on('error', (error) => this.#fail(error));
    socket.on('close', () => this.#fail(new Error('The server closed the connection.')));
  }

  request(request: ClientRequest): Promise<Answer> {
    if (this.#failure !== null) return Promise.reject(this.#failure);
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const discardBody = request.discardBody ?? false;
    const progress = {
      head: Buffer.alloc(0),
      headText: '',
      status: 0,
      restBytes: null,
      pieces: [],
    };
    this.#exchange = { resolve, reject, startedAt: performance.now(), discardBody, ...progress };
    // One system call for head and body.
    this.#socket.cork();
    this.#socket.write(this.#head(request));
    for (const piece of request.body ?? []) this.#socket.write(piece);
    this.#socket.uncork();
    return promise;
  }

  close(): void {
    this.#socket.destroy();
  }

  #head({ method, path, headers = {}, body = [] }: ClientRequest): string {
    const sizeBytes = body.reduce((sum, piece) => sum + piece.length, 0);
    const all = { host: this.#host, ...headers, 'content-length': String(sizeBytes) };
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
    return `${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`;
  }

  #take(piece: Buffer): void {
    const exchange = this.#exchange;
    if (exchange === null) return;
    const body = exchange.restBytes === null ? this.#takeHead(exchange, piece) : piece;
    if (exchange.restBytes === null) return;
    exchange.restBytes -= body.length;
    if (!exchange.discardBody) exchange.pieces.push(body);
    if (exchange.restBytes > 0) return;
    this.#exchange = null;
    this.latenciesMs.push(performance.now() - exchange.startedAt);
    const { status, headText: head, pieces } = exchange;
    exchange.resolve({ status, head, body: Buffer.concat(pieces).toString() });
  }

  /** Returns the part of the piece that belongs to the body. */
  #takeHead(exchange: Exchange, piece: Buffer): Buffer {
    const seen = exchange.head.length === 0 ? piece : Buffer.concat([exchange.head, piece]);
    const end = seen.indexOf('\r\n\r\n');
    exchange.head = seen;
    if (end < 0) return seen;
    const head = seen.toString('latin1', 0, end);
    exchange.status = Number(head.slice(9, 12));
    exchange.headText = head;
    exchange.restBytes = bodyBytesOf(exchange.status, head);
    if (exchange.restBytes === null) {
      this.#fail(new Error(`An answer of unknown length:\n${head}`));
      return seen;
    }
    return seen.subarray(end + 4);
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#exchange?.reject(error);
    this.#exchange = null;
    this.#socket.destroy();
  }
}

/** Of the answers without Content-Length it knows those of `@tus/server`: 204, and an empty chunked body. */
function bodyBytesOf(status: number, head: string): number | null {
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  if (length !== undefined) return Number(length);
  if (status === 204) return 0;
  return /\r\ntransfer-encoding: *chunked/i.test(head) ? LAST_CHUNK.length : null;
}
