import { access } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import type { Log } from '../domain/context.ts';
import { isLoopbackHost } from '../http/viewer/origin.ts';
import type { Config } from './config.ts';
import { codeOf, StartError } from './start-error.ts';

type Address = Pick<Config, 'host' | 'port'>;

/** Makes the server listen; returns its URL. Throws StartError if the address cannot be used. */
export async function listen(server: FastifyInstance, { host, port }: Address): Promise<string> {
  await server.ready();
  const { log } = server;
  const { level } = log;
  // Fastify logs each address, and the caller logs the URL.
  if (['info', 'debug', 'trace'].includes(level)) log.level = 'warn';
  try {
    return await server.listen({ host, port });
  } catch (error) {
    throw toListenError(error, { host, port });
  } finally {
    log.level = level;
  }
}

/** Returns a free port if the configured one is 0: several processes have to listen at the same one. */
export async function choosePort({ host, port }: Address): Promise<number> {
  if (port !== 0) return port;
  const probe = createServer();
  const address = await new Promise<ReturnType<typeof probe.address>>((resolve, reject) => {
    probe.once('error', (error) => reject(toListenError(error, { host, port })));
    probe.listen({ host, port }, () => {
      const address = probe.address();
      probe.close(() => resolve(address));
    });
  });
  return typeof address === 'object' && address !== null ? address.port : port;
}

/**
 * Throws StartError if the address cannot be used and this is the first start, which then leaves nothing behind. Later
 * starts may wait for the process that serves the database, and that listens at the same address.
 */
export async function checkFirstAddress(config: Config): Promise<void> {
  const { host, port, databaseUrl, dataDir } = config;
  const isSqlite = databaseUrl.startsWith('sqlite:');
  const isFirst = await access(isSqlite ? databaseUrl.slice('sqlite:'.length) : dataDir).then(
    () => false,
    () => true,
  );
  if (!isFirst) return;
  const probe = createServer();
  await new Promise<void>((resolve, reject) => {
    probe.once('error', (error) => reject(toListenError(error, { host, port })));
    probe.listen({ host, port }, () => probe.close(() => resolve()));
  });
}

/** Where a server is reached. */
export interface Addresses {
  url: string;
  /** Path of the sign-in link; null if there is none. */
  signInPath: string | null;
}

/** Logs what the person at this machine needs to use the server. */
export function logAddresses(log: Log, config: Config, { url, signInPath }: Addresses): void {
  const base = linkBase(config, url);
  log.info({ url, auth: config.auth }, `listening on ${url}`);
  if (config.isGraphiqlEnabled) {
    const graphiqlUrl = `${base}/graphql`;
    log.info({ graphiqlUrl }, `GraphiQL: ${graphiqlUrl}`);
  }
  if (config.adminKey === null) {
    const adminKeyPath = join(config.dataDir, 'admin.key');
    log.info({ adminKeyPath }, `the admin key is in ${adminKeyPath}`);
  }
  if (signInPath === null) return;
  const signInUrl = base + signInPath;
  log.info({ signInUrl }, `to sign in as admin, once, within 10 minutes: ${signInUrl}`);
}

/** Returns the base of links for the person at this machine. */
function linkBase({ publicUrl }: Config, url: string): string {
  const isHere = publicUrl !== null && isLoopbackHost(new URL(publicUrl).host);
  return isHere ? publicUrl : url;
}

function toListenError(error: unknown, { host, port }: Address): unknown {
  const at = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  const messages: Readonly<Record<string, string>> = {
    EADDRINUSE: `port ${port} is in use: another program listens at ${at}. Choose another port with TRIVIUM_PORT or --port; 0 takes any free one.`,
    EACCES: `port ${port} is not allowed: ports below 1024 need a privilege. Choose another port with TRIVIUM_PORT or --port.`,
    EADDRNOTAVAIL: `the address ${host} does not belong to this machine. Set TRIVIUM_HOST to one that does, or to 0.0.0.0 for all.`,
    ENOTFOUND: `the host name ${host} is unknown. Set TRIVIUM_HOST to an address of this machine.`,
    EAI_AGAIN: `the host name ${host} cannot be resolved. Set TRIVIUM_HOST to an address of this machine.`,
  };
  const code = codeOf(error);
  const message = messages[code];
  return message === undefined
    ? error
    : new StartError(`Cannot listen at ${at} (${code}): ${message}`, { cause: error });
}
