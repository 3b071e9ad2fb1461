import ipaddr from 'ipaddr.js';

/** Hosts and networks that are fetched from although they are not public. */
export interface AllowedHosts {
  /** Whether the name itself is allowed, whatever it resolves to. */
  hasName(hostname: string, port: number): boolean;
  hasAddress(address: string): boolean;
}

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/**
 * Whether an IP address is one of the public Internet. Judged as what it stands for: an IPv4 address mapped into
 * IPv6 is the IPv4 address. Not what leads on to another one: NAT64, 6to4, Teredo. False for what is no address.
 */
export function isPublicAddress(address: string): boolean {
  const parsed = parseAddress(address);
  return parsed !== null && parsed.range() === 'unicast' && isGlobal(parsed);
}

/** IPv6 gives out 2000::/3 only; the library knows what is special, `::127.0.0.1` not among it. */
function isGlobal(address: Address): boolean {
  return address.kind() === 'ipv4' || address.match(GLOBAL_UNICAST);
}

const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR('2000::/3');

/** An address with a zone, `fe80::1%eth0`, is one of a link. */
function parseAddress(address: string): Address | null {
  if (!ipaddr.IPv4.isValidFourPartDecimal(address) && !ipaddr.IPv6.isValid(address)) return null;
  return ipaddr.process(address);
}

/**
 * Reads a list of `host`, `host:port`, addresses and networks, `10.1.0.0/16`. Throws TypeError that names the
 * first entry that is none.
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
  // Through the parser that URLs go through, so that both spell a name alike.
  const isName = /^(\[[\da-f:.]+\]|[^\s/?#@:[\]]+)(:\d+)?$/i.test(entry);
  const url = isName ? URL.parse(`http://${entry}/`) : null;
  if (url === null) throw new TypeError(`No host, host:port or network: ${entry}`);
  const port = /:(\d+)$/.exec(entry.replace(/^\[.*\]/, ''))?.[1];
  return normalName(url.hostname) + (port === undefined ? '' : `:${Number(port)}`);
}

/** `example.org.` is `example.org`. */
function normalName(hostname: string): string {
  return hostname.toLowerCase().replace(/\.$/, '');
}
