/** A refusal by HTTP itself and not by an operation, because of a method, a condition or a range. */
export class HttpError extends Error {
  override readonly name = 'HttpError';
  readonly statusCode: number;
  /** Stable, `UPPER_SNAKE`. */
  readonly code: string;

  constructor(statusCode: number, code: string, message: string) {
    super(message);
    this.statusCode = statusCode;
    this.code = code;
  }
}

/**
 * Returns the bytes of a refusal for a connection that has no request: its head cannot be parsed, or is not awaited. The
 * connection ends after it.
 */
export function rawRefusal(
  statusLine: string,
  { body, headers }: { body: object; headers: object },
): string {
  const json = JSON.stringify(body);
  const lines = Object.entries({
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(json),
    'cache-control': 'private, no-store',
    connection: 'close',
    ...headers,
  }).map(([name, value]) => `${name}: ${value}`);
  return [`HTTP/1.1 ${statusLine}`, ...lines, '', json].join('\r\n');
}
