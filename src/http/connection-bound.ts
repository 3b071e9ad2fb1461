import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { isLoopback, networkOf, trustOf } from './client.ts';
import { SECURITY_HEADERS } from './content-policy.ts';
import { rawRefusal } from './http-error.ts';

/** Far more than the six that a browser opens. */
const DEFAULT_MAX = 512;

const REFUSAL = rawRefusal('429 Too Many Requests', {
  body: {
    error: {
      code: 'TOO_MANY_CONNECTIONS',
      message: 'This address has too many open connections. Close some, or try again later.',
    },
  },
  headers: { 'Retry-After': 5, ...SECURITY_HEADERS },
});

/** Options of `boundConnections`. */
export interface BoundOptions {
  /** Maximum number; 0: no limit; null: the default, without a limit for loopback addresses. */
  max: number | null;
  /** Trusted proxies. They have no limit, because they pass on the requests of many clients. */
  trustedProxies: readonly string[];
}

/** Limits the open connections of each address. Closes further ones at once with a 429. */
export function boundConnections(server: Server, { max, trustedProxies }: BoundOptions): void {
  if (max === 0) return;
  const isTrusted = trustOf(trustedProxies);
  const counts = new Map<string, number>();
  server.on('connection', (socket: Socket) => {
    const { remoteAddress = '' } = socket;
    if (isTrusted(remoteAddress, 0) || (max === null && isLoopback(remoteAddress))) return;
    const network = networkOf(remoteAddress);
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
