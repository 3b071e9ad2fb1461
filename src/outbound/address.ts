import ipaddr from 'ipaddr.js';

/** Hosts and networks that may be fetched from although they are not public. */
export interface AllowedHosts {
  /** Tells whether the name itself is allowed, whatever it resolves to. */
  hasName(hostname: string, port: number): boolean;
  hasAddress(address: string): boolean;
}

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/**
 * Returns whether the text is an IP address of the public Internet. An IPv4 address that is mapped into IPv6 is
 * judged as the IPv4 address. Addresses that translate to another address are not public: NAT64, 6to4, Teredo.
 */
export function isPublicAddress(address: string): boolean {
  const parsed = parseAddress(address);
  return parsed !== null && parsed.range() === 'unicast' && isGlobal(parsed);
}

/**
 * Tells whether an address is IPv4, or IPv6 from 2000::/3: only that range is allocated; the library knows most special
 * ranges, but not `::127.0.0.1`.
 */
function isGlobal(address: Address): boolean {
  return address.kind() === 'ipv4' || address.match(GLOBAL_UNICAST);
}

const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR('2000::/3');

/** Returns null for an address with a zone, `fe80::1%eth0`, too: it is link-local. */
function parseAddress(address: string): Address | null {
  if (!ipaddr.IPv4.isValidFourPartDecimal(address) && !ipaddr.IPv6.isValid(address)) return null;
  return ipaddr.process(address);
}

/**
 * Parses entries of the forms `host`, `host:port`, address and network, such as `10.1.0.0/16`. Throws TypeError that
 * names the first invalid entry.
 */
export function parseAllowedHosts(entries: readonly string[]): AllowedHosts {
  const networks: [Address, number][] = [];
  const names = new Set<string>();
  for (const entry of entries) {
    const network = toNetwork(entry);
    if (network !== null) networks.push(network);
    else names.add(toName(entry));
  }
  return {
    hasName: (hostname, port) => {
      const name = normalName(hostname);
      return names.has(name) || names.has(`${name}:${port}`);
    },
    hasAddress: (address) => {
      const parsed = parseAddress(address);
      const isIn = ([network, bits]: [Address, number]) =>
        parsed?.kind() === network.kind() && parsed.match(network, bits);
      return networks.some(isIn);
    },
  };
}

function toNetwork(entry: string): [Address, number] | null {
  const bare = entry.replace(/^\[(.+)\]$/, '$1');
  const address = parseAddress(bare);
  if (address !== null) return [address, address.kind() === 'ipv4' ? 32 : 128];
  return ipaddr.isValidCIDR(bare) ? ipaddr.parseCIDR(bare) : null;
}

function toName(entry: string): string {
  // Uses the parser of URLs, so that both spell a name in the same way.
  const isName = /^(\[[\da-f:.]+\]|[^\s/?#@:[\]]+)(:\d+)?$/i.test(entry);
  const url = isName ? URL.parse(`http://${entry}/`) : null;
  if (url === null) throw new TypeError(`Expected a host, host:port or network: ${entry}`);
  const port = /:(\d+)$/.exec(entry.replace(/^\[.*\]/, ''))?.[1];
  return normalName(url.hostname) + (port === undefined ? '' : `:${Number(port)}`);
}

/** Makes `example.org.` and `Example.org` the same as `example.org`. */
function normalName(hostname: string): string {
  return hostname.toLowerCase().replace(/\.$/, '');
}
