import { connect, type Socket } from 'node:net';
import type { Places } from './million-lists.ts';

/** Where attacks are sent. */
export interface Victim {
  url: string;
  /** Credential of an admin. */
  authorization: string;
  places: Places;
  /** Path of a stored file. */
  filePath: string;
}

/** Returns the bytes of a request with the credential of the victim. */
export function toRequest(
  { url, authorization }: Victim,
  method: string,
  path: string,
  headers: readonly string[],
  body = Buffer.alloc(0),
): Buffer {
  const all = [
    `host: ${new URL(url).host}`,
    `authorization: ${authorization}`,
    `content-length: ${body.length}`,
    ...headers,
  ];
  return Buffer.concat([
    Buffer.from(`${[`${method} ${path} HTTP/1.1`, ...all].join('\r\n')}\r\n\r\n`),
    body,
  ]);
}

/** Opens a connection. */
export async function open({ url }: Victim): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const socket = connect(Number(port), hostname, () => resolve(socket));
  socket.on('error', reject);
  return promise;
}

/** Sends bytes, and reads until as many answers have begun and nothing follows for a moment. Returns their statuses. */
export async function exchange(victim: Victim, bytes: Buffer, count = 1): Promise<string> {
  const socket = await open(victim);
  const statuses: string[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const limit = setTimeout(resolve, 30_000);
  let rest = '';
  socket.on('data', (piece) => {
    const text = rest + piece.toString('latin1');
    const found = [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)];
    statuses.push(...found.map(([, status = '']) => status));
    rest = found.length > 0 ? '' : text.slice(-15);
    if (statuses.length >= count) setTimeout(resolve, 50);
  });
  socket.on('close', () => resolve());
  socket.write(bytes);
  await promise;
  clearTimeout(limit);
  socket.destroy();
  return summary(statuses);
}

/** Returns statuses with their counts. */
export function summary(statuses: readonly string[]): string {
  const counts = Object.entries(Object.groupBy(statuses, (status) => status));
  return (
    counts
      .map(([status, all]) => ((all?.length ?? 0) > 1 ? `${status} × ${all?.length}` : status))
      .join(', ') || 'closed'
  );
}
