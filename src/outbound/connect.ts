import { promises as dns, type LookupAddress } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import type { buildConnector } from 'undici';
import { type AllowedHosts, isPublicAddress } from './address.ts';
import { type OutboundError, permanentFailure } from './error.ts';

/** Resolves a host name to all of its addresses. */
export type Resolve = (hostname: string) => Promise<readonly LookupAddress[]>;

/** The rules for the hosts that we may connect to. */
export interface Guard {
  allowed: AllowedHosts;
  /** (Default: the system's resolver) */
  resolve?: Resolve;
}

/**
 * Returns the error for a forbidden address. The message is always the same, so that clients cannot learn from it
 * which hosts exist in the server's own network.
 */
export function refusedAddress(): OutboundError {
  return permanentFailure('The URL leads to an address that this server does not fetch from.');
}

/**
 * Throws a permanent OutboundError if the host is a forbidden address. Names are checked after they have been
 * resolved. `hostname`: as in a parsed URL, where every spelling of an address has become the same one.
 */
export function checkHost({ allowed }: Guard, hostname: string, port: number): void {
  // undici removes the brackets of an IPv6 address before it calls this.
  const host = hostname.replace(/^\[(.+)\]$/, '$1');
  const name = isIP(host) === 6 ? `[${host}]` : host;
  if (isIP(host) !== 0 && !allowed.hasName(name, port)) checkAddress(allowed, host);
}

/**
 * Returns the function with which undici opens connections, to allowed addresses only. It resolves a name once,
 * checks all of its addresses, and connects to one of these: a later DNS response cannot redirect the connection.
 */
export function createGuardedConnect(
  guard: Guard,
  timeoutMs: number,
  createConnector: typeof buildConnector,
): buildConnector.connector {
  return (options, callback) => {
    const port = Number(options.port) || (options.protocol === 'https:' ? 443 : 80);
    try {
      // Node calls no lookup for a host that is an address.
      checkHost(guard, options.hostname, port);
    } catch (error) {
      return callback(error as Error, null);
    }
    const lookup = createLookup(guard, port);
    const connect = { lookup, timeout: timeoutMs, allowH2: false, autoSelectFamily: true };
    createConnector(connect as buildConnector.BuildOptions)(options, callback);
  };
}

/** Returns a lookup in the form of Node's `all` option, which `autoSelectFamily` sets. */
function createLookup(guard: Guard, port: number): LookupFunction {
  return (hostname, _options, callback) => {
    resolveChecked(guard, hostname, port).then(
      (addresses) => callback(null, addresses),
      (error) => callback(error, []),
    );
  };
}

async function resolveChecked(
  { allowed, resolve = resolveAll }: Guard,
  hostname: string,
  port: number,
): Promise<LookupAddress[]> {
  const addresses = await resolve(hostname);
  // Node uses the first address without checking that there is one.
  if (addresses.length === 0) throw Object.assign(new Error(), { code: 'ENOTFOUND' });
  if (!allowed.hasName(hostname, port)) {
    // One forbidden address refuses the name: its owner must not be able to steer which address is used.
    for (const { address } of addresses) checkAddress(allowed, address);
  }
  return [...addresses];
}

function checkAddress(allowed: AllowedHosts, address: string): void {
  if (!isPublicAddress(address) && !allowed.hasAddress(address)) throw refusedAddress();
}

function resolveAll(hostname: string): Promise<LookupAddress[]> {
  return dns.lookup(hostname, { all: true });
}
