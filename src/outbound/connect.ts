import { promises as dns, type LookupAddress } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { buildConnector } from 'undici';
import { PermanentError } from '../job/task.ts';
import { type AllowedHosts, isPublicAddress } from './address.ts';

/** All addresses of a name. */
export type Resolve = (hostname: string) => Promise<readonly LookupAddress[]>;

/** Where connections may lead to. */
export interface Guard {
  allowed: AllowedHosts;
  /** (Default: as the system resolves) */
  resolve?: Resolve;
}

/** The server's own network is none of the client's business: one sentence, whatever there is or is not. */
export function refusedAddress(): PermanentError {
  return new PermanentError('The URL leads to an address that this server does not fetch from.');
}

/**
 * Throws PermanentError for a host that is an address, and not one to connect to. Names are judged when they have
 * been resolved. `hostname`: as in a URL, so that every spelling of an address has become the one.
 */
export function checkHost({ allowed }: Guard, hostname: string, port: number): void {
  // undici takes the brackets off an IPv6 address, before it asks here.
  const host = hostname.replace(/^\[(.+)\]$/, '$1');
  const name = isIP(host) === 6 ? `[${host}]` : host;
  if (isIP(host) !== 0 && !allowed.hasName(name, port)) checkAddress(allowed, host);
}

/**
 * Opens connections for undici, only to where they may lead. A name is resolved once, all of its addresses are
 * judged, and the connection is made to one of just those: no later answer of the DNS can lead elsewhere.
 */
export function createGuardedConnect(guard: Guard, timeoutMs: number): buildConnector.connector {
  return (options, callback) => {
    const port = Number(options.port) || (options.protocol === 'https:' ? 443 : 80);
    try {
      // No lookup is asked for an address.
      checkHost(guard, options.hostname, port);
    } catch (error) {
      return callback(error as Error, null);
    }
    const lookup = createLookup(guard, port);
    const connect = { lookup, timeout: timeoutMs, allowH2: false, autoSelectFamily: true };
    buildConnector(connect as buildConnector.BuildOptions)(options, callback);
  };
}

/** In the form that Node wants of `all`, which `autoSelectFamily` asks for. */
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
  // Node takes the first one, whether or not there is one.
  if (addresses.length === 0) throw Object.assign(new Error(), { code: 'ENOTFOUND' });
  if (!allowed.hasName(hostname, port)) {
    // One of them is enough to refuse them all: which one is taken is not for whoever owns the name to say.
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
