import { describe, expect, it } from 'vitest';
import { isPublicAddress, parseAllowedHosts } from '../../src/outbound/address.ts';

describe('isPublicAddress', () => {
  it.each([
    '8.8.8.8',
    '93.184.215.14',
    '172.15.255.255',
    '172.32.0.1',
    '100.63.255.255',
    '2606:4700:4700::1111',
    '2a00:1450:4001:82f::200e',
    '::ffff:8.8.8.8',
  ])('%s is', (address) => {
    expect(isPublicAddress(address)).toBe(true);
  });

  const NOT_PUBLIC = {
    unspecified: ['0.0.0.0', '::'],
    'this network': ['0.1.2.3'],
    loopback: ['127.0.0.1', '127.255.255.254', '::1'],
    private: ['10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1'],
    'link-local, where clouds tell their secrets': ['169.254.169.254'],
    'carrier-grade NAT': ['100.64.0.1'],
    multicast: ['224.0.0.1', 'ff02::1'],
    broadcast: ['255.255.255.255'],
    reserved: ['240.0.0.1'],
    documentation: ['192.0.2.1', '198.51.100.1', '203.0.113.1', '2001:db8::1', '3fff::1'],
    benchmarks: ['198.18.0.1'],
    'protocol assignments': ['192.0.0.8'],
    '6to4 relays': ['192.88.99.1'],
    'unique local': ['fd00:ec2::254'],
    'link-local': ['fe80::1'],
    'link-local with its zone': ['fe80::1%eth0'],
    'site-local': ['fec0::1'],
    discard: ['100::1'],
    'IPv4-mapped': ['::ffff:127.0.0.1', '::ffff:a00:1'],
    'IPv4-compatible': ['::127.0.0.1'],
    'IPv4-translated': ['::ffff:0:127.0.0.1'],
    NAT64: ['64:ff9b::7f00:1'],
    'NAT64, of a public address as well': ['64:ff9b::808:808'],
    'local NAT64': ['64:ff9b:1::7f00:1'],
    '6to4': ['2002:7f00:1::1'],
    Teredo: ['2001:0:7f00:1::1'],
    'no address': ['localhost', ''],
    'an ambiguous octal spelling': ['0177.0.0.1'],
  };

  it.each(
    Object.entries(NOT_PUBLIC).flatMap(([why, addresses]) =>
      addresses.map((address) => ({ address, why })),
    ),
  )('$address is not: $why', ({ address }) => {
    expect(isPublicAddress(address)).toBe(false);
  });
});

describe('parseAllowedHosts', () => {
  const hosts = parseAllowedHosts([
    'wiki.example',
    'Files.Example:8080',
    'bücher.example',
    '10.1.0.0/16',
    '127.0.0.1',
    'fd00::/8',
    '[::1]:9000',
  ]);

  it.each([
    ['wiki.example', 1, true],
    ['wiki.example.', 443, true],
    ['files.example', 8080, true],
    ['files.example', 80, false],
    ['xn--bcher-kva.example', 80, true],
    ['sub.wiki.example', 80, false],
    ['[::1]', 9000, true],
    ['[::1]', 9001, false],
  ])('the name %s at port %i: %s', (name, port, isAllowed) => {
    expect(hosts.hasName(name, port)).toBe(isAllowed);
  });

  it.each([
    ['10.1.255.1', true],
    ['10.2.0.1', false],
    ['::ffff:10.1.0.1', true],
    ['127.0.0.1', true],
    ['127.0.0.2', false],
    ['fd12::1', true],
    ['fe80::1', false],
  ])('the address %s: %s', (address, isAllowed) => {
    expect(hosts.hasAddress(address)).toBe(isAllowed);
  });

  it.each(['http://x.example', 'x/y', 'user@x', '', '10.0.0.0/40', 'x.example:99999', 'a b'])(
    'throws a TypeError for the malformed entry "%s"',
    (entry) => expect(() => parseAllowedHosts([entry])).toThrow(TypeError),
  );
});
