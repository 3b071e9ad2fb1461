import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { createClientOf, isProxyList } from '../../src/http/client.ts';

const SECRET = 'the-secret-of-the-tests';

/** Returns the client of a request from `peer`, for a server that trusts these proxies. */
function clientOf(peer: string, forwardedFor?: string, trustedProxies: readonly string[] = []) {
  const headers = forwardedFor === undefined ? {} : { 'x-forwarded-for': forwardedFor };
  const request = { socket: { remoteAddress: peer }, headers } as unknown as IncomingMessage;
  return createClientOf({ trustedProxies, secret: SECRET })(request);
}

const hashOf = (...args: Parameters<typeof clientOf>) => clientOf(...args).hash;

describe('the address of a client', () => {
  it('is that of the connection, whatever X-Forwarded-For says', () => {
    expect(hashOf('127.0.0.1', '192.0.2.1')).toBe(hashOf('127.0.0.1'));
    expect(hashOf('198.51.100.7', '192.0.2.1', ['loopback'])).toBe(hashOf('198.51.100.7'));
  });

  it('is the one that a trusted proxy has appended, not one that the client has sent', () => {
    const hash = hashOf('192.0.2.1');
    expect(hashOf('127.0.0.1', '192.0.2.1', ['loopback'])).toBe(hash);
    expect(hashOf('::ffff:127.0.0.1', '10.9.9.9, 192.0.2.1', ['loopback'])).toBe(hash);
    expect(hashOf('10.1.0.4', '10.9.9.9, 192.0.2.1, 10.1.0.3', ['10.1.0.0/16'])).toBe(hash);
  });

  it.each(['', 'unknown', 'x'.repeat(5000), '192.0.2.1:80', "' or 1=1"])(
    'is the proxy’s if X-Forwarded-For holds %s',
    (text) => expect(hashOf('127.0.0.1', text, ['loopback'])).toBe(hashOf('127.0.0.1')),
  );

  it('is the network of 64 bits for IPv6, of which a client has all addresses', () => {
    expect(hashOf('2001:db8:1:2::1')).toBe(hashOf('2001:db8:1:2:ffff:ffff:ffff:ffff'));
    expect(hashOf('2001:db8:1:2::1')).not.toBe(hashOf('2001:db8:1:3::1'));
    expect(hashOf('fe80::1%eth0')).toBe(hashOf('fe80::2'));
    expect(hashOf('::ffff:192.0.2.1')).toBe(hashOf('192.0.2.1'));
  });

  it('is a hash that does not contain it, and depends on the secret', () => {
    expect(hashOf('192.0.2.1')).toMatch(/^[\w-]{22}$/);
    const other = createClientOf({ trustedProxies: [], secret: 'another' });
    const request = { socket: { remoteAddress: '192.0.2.1' }, headers: {} };
    expect(other(request as unknown as IncomingMessage).hash).not.toBe(hashOf('192.0.2.1'));
  });

  it.each([
    ['127.0.0.1', true],
    ['::1', true],
    ['::ffff:127.0.0.1', true],
    ['192.0.2.1', false],
    ['2001:db8::1', false],
  ])('%s is of this machine: %s', (address, expected) => {
    expect(clientOf(address).isLoopback).toBe(expected);
  });
});

it.each([
  [['loopback', '10.0.0.0/8', '2001:db8::/32'], true],
  [['everything'], false],
  [['10.0.0.0/33'], false],
  [['proxy.example.org'], false],
])('%j is a list of proxies: %s', (entries, expected) => {
  expect(isProxyList(entries)).toBe(expected);
});
