import type { Server } from 'node:http';
import { isIPv6, type Socket } from 'node:net';

/** Far more than a browser opens, which is six. */
const DEFAULT_MAX = 512;

const REFUSAL_BODY = JSON.stringify({
  error: {
    code: 'TOO_MANY_CONNECTIONS',
    message: 'There are too many connections from this address. Close some, or try again later.',
  },
});
const REFUSAL = [
  'HTTP/1.1 429 Too Many Requests',
  'Content-Type: application/json; charset=utf-8',
  `Content-Length: ${Buffer.byteLength(REFUSAL_BODY)}`,
  'Retry-After: 5',
  'Connection: close',
  '',
  REFUSAL_BODY,
].join('\r\n');

/**
 * Bounds the open connections of one address. Closes further ones at once, with a 429. `max`: 0 sets no bound; null sets
 * the default, and none for loopback addresses, where a reverse proxy passes on the connections of many clients.
 */
export function boundConnections(server: Server, max: number | null): void {
  if (max === 0) return;
  const counts = new Map<string, number>();
  server.on('connection', (socket: Socket) => {
    const network = networkOf(socket.remoteAddress ?? '');
    if (max === null && isLoopback(network)) return;
    const count = (counts.get(network) ?? 0) + 1;
    counts.set(network, count);
    socket.once('close', () => {
      const left = (counts.get(network) ?? 1) - 1;
      if (left === 0) counts.delete(network);
      else counts.set(network, left);
    });
    if (count > (max ?? DEFAULT_MAX)) socket.end(REFUSAL, () => socket.destroy());
  });
}

function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1';
}

/** Returns an IPv4 address as it is, and the first 64 bits of an IPv6 address, whose other bits its client chooses. */
function networkOf(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '');
  if (!isIPv6(plain) || plain === '::1') return plain;
  const [head = '', tail = ''] = plain.split('::');
  const before = head.split(':').filter((group) => group !== '');
  const after = tail.split(':').filter((group) => group !== '');
  const zeros = plain.includes('::') ? 8 - before.length - after.length : 0;
  return [...before, ...Array.from({ length: zeros }, () => '0'), ...after].slice(0, 4).join(':');
}
