import { createHmac } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isIP, isIPv6 } from 'node:net';
import proxyAddr from '@fastify/proxy-addr';
import { LRUCache } from 'lru-cache';
import type { Client } from '../domain/context.ts';

/** The sender of a request, by its address. */
export interface HttpClient extends Client {
  /** Whether the address is one of this machine. */
  isLoopback: boolean;
}

/** Settings that determine how the address of a client is found and hashed. */
export interface ClientOptions {
  /** Proxies whose X-Forwarded-For is believed: addresses, networks, and `loopback`. */
  trustedProxies: readonly string[];
  /** The key of the hashes of addresses. */
  secret: string;
  /** Called once, for the first request with an X-Forwarded-For that is not believed. (Default: does nothing) */
  onUntrusted?: () => void;
}

/** Returns the client of a request. */
export type ClientOf = (request: IncomingMessage) => HttpClient;

/** Size of the cache of clients: hashing an address takes about 3 µs. */
const CLIENTS_MAX = 10_000;

/**
 * Creates a `ClientOf`. The address is that of the connection. If that is a trusted proxy, the address is the last one
 * in X-Forwarded-For that is not a trusted proxy. X-Forwarded-For from other senders is ignored, because any client can
 * send it. Fastify's `trustProxy` is not used, because it would also believe X-Forwarded-Host.
 */
export function createClientOf({
  trustedProxies,
  secret,
  onUntrusted = () => undefined,
}: ClientOptions): ClientOf {
  const isTrusted = trustOf(trustedProxies);
  const known = new LRUCache<string, HttpClient>({ max: CLIENTS_MAX });
  let isNoted = false;
  return (request) => {
    const peer = request.socket.remoteAddress ?? '';
    const isForwarded = request.headers['x-forwarded-for'] !== undefined;
    const hasProxy = isForwarded && isTrusted(peer, 0);
    if (isForwarded && !hasProxy && !isNoted) {
      isNoted = true;
      onUntrusted();
    }
    const address = hasProxy ? forwardedFor(request, isTrusted) : peer;
    let client = known.get(address);
    if (client === undefined) {
      client = toClient(address, secret);
      known.set(address, client);
    }
    return client;
  };
}

/** Returns a function that tells whether an address, that of the connection at distance 0, is a trusted proxy. */
export function trustOf(
  trustedProxies: readonly string[],
): (address: string, distance: number) => boolean {
  return proxyAddr.compile([...trustedProxies]);
}

/** Tells whether all entries are addresses, networks or names of networks that `createClientOf` knows. */
export function isProxyList(entries: readonly string[]): boolean {
  try {
    proxyAddr.compile([...entries]);
    return true;
  } catch {
    return false;
  }
}

/** Returns the address before the trusted proxies; the proxy's if the header has no address there. */
function forwardedFor(
  request: IncomingMessage,
  isTrusted: (address: string, index: number) => boolean,
): string {
  const address = proxyAddr(request, isTrusted);
  return isIP(address) === 0 ? (request.socket.remoteAddress ?? '') : address;
}

function toClient(address: string, secret: string): HttpClient {
  const network = networkOf(address);
  const hash = createHmac('sha256', secret).update(`address:${network}`).digest('base64url');
  return { hash: hash.slice(0, 22), isLoopback: isLoopback(address) };
}

/** Tells whether an address is one of this machine. */
export function isLoopback(address: string): boolean {
  return networkOf(address).startsWith('127.') || address === '::1';
}

/**
 * Returns an IPv4 address as it is, and the first half of an IPv6 address: the other half is chosen by the client,
 * which has 2^64 of them.
 */
export function networkOf(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '');
  if (!isIPv6(plain)) return plain;
  const [head = '', tail] = new URL(`http://[${plain}]`).hostname.slice(1, -1).split('::');
  const before = head.split(':').filter((group) => group !== '');
  const after = (tail ?? '').split(':').filter((group) => group !== '');
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0');
  return [...before, ...zeros, ...after].slice(0, 4).join(':');
}
