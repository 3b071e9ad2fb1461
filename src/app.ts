import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import type { FastifyInstance } from 'fastify';
import { type Logger, pino } from 'pino';
import { loadAdminKey } from './admin-key.ts';
import { createFileBlobStore } from './blob/file-blob-store.ts';
import type { Config } from './config.ts';
import type { Services } from './domain/context.ts';
import { createEvents } from './domain/event.ts';
import { findViewerByKey, keySha256 } from './domain/key.ts';
import { sweep } from './domain/sweep.ts';
import { registerGraphql } from './graphql/handler.ts';
import { createAuthenticate } from './http/auth.ts';
import { createServer } from './http/server.ts';
import { createKeyedLock } from './lib/keyed-lock.ts';
import { registerContent } from './rest/content/route.ts';
import { registerSelfCommunity } from './rest/selfcommunity/route.ts';
import { createScavenger } from './scavenge.ts';
import { openDb } from './store/db.ts';
import { migrate } from './store/migrate.ts';
import { ping } from './store/ping.ts';

/** The whole server, put together and not yet listening. */
export interface App {
  server: FastifyInstance;
  services: Services;
  log: Logger;
  /** Listens; resolves with the URL. */
  start: () => Promise<string>;
  /** Takes no more requests, answers those that are under way, closes everything. */
  stop: () => Promise<void>;
}

/** What only tests ask of an app. */
export interface AppOptions {
  /** Sees every SQL statement. */
  onQuery?: (sql: string) => void;
}

const SWEEP_INTERVAL_MS = 10 * 60_000;
/** Bytes younger than this may belong to a request that is still under way, here or in another process. */
const SWEEP_GRACE_MS = 60 * 60_000;
/** How long requests that are under way may take to end. */
const DRAIN_TIMEOUT_MS = 30_000;

/** Opens and migrates the database, opens the blob store, makes the admin key if there is none. */
export async function createApp(config: Config, options: AppOptions = {}): Promise<App> {
  const log = pino({ level: config.logLevel });
  warnOfUnknown(log, config);
  const services = await createServices(config, log, options);
  const server = await createServer({
    log,
    authenticate: createAuthenticate({
      jwtSecret: config.jwtSecret,
      jwksUrl: config.jwksUrl,
      findViewerByKey: (key) => findViewerByKey(services, key),
    }),
    checkReady: async () => {
      await ping(services.db);
      await services.blobs.check();
    },
  });
  const transport = { services, publicUrl: config.publicUrl };
  await server.register(registerContent, transport);
  await server.register(registerSelfCommunity, transport);
  await server.register(registerGraphql, {
    ...transport,
    isGraphiqlEnabled: config.isGraphiqlEnabled,
  });
  const sweeper = createSweeper({ ...services, log }, config);
  return {
    server,
    services,
    log,
    start: async () => {
      const url = await server.listen({ host: config.host, port: config.port });
      sweeper.start();
      return url;
    },
    stop: async () => {
      // At once: a sweep of many blobs must not keep the server open.
      await Promise.all([sweeper.stop(), drain(server)]);
      await services.db.destroy();
    },
  };
}

async function createServices(
  config: Config,
  log: Logger,
  { onQuery }: AppOptions,
): Promise<Services> {
  await mkdir(config.dataDir, { recursive: true, mode: 0o700 });
  const db = openDb({ url: config.databaseUrl, ...(onQuery && { onQuery }) });
  try {
    const applied = await migrate(db);
    if (applied.length > 0) log.info({ migrations: applied }, 'database migrated');
    return {
      db,
      blobs: await createFileBlobStore({ directory: config.blobDir, onWritten: createScavenger() }),
      settings: {
        auth: config.auth,
        imageBytesMax: config.imageBytesMax,
        documentBytesMax: config.documentBytesMax,
        fileBytesMax: config.fileBytesMax,
        imagePixelsMax: config.imagePixelsMax,
        uploadTtlMs: config.uploadTtlHours * 3_600_000,
        documentTypes: config.documentTypes,
      },
      events: createEvents(),
      uploadLocks: createKeyedLock(),
      clock: Date.now,
      newId: randomUUID,
      adminKeySha256: keySha256(config.adminKey ?? (await adminKey(config, log))),
    };
  } catch (error) {
    await db.destroy();
    throw error;
  }
}

async function adminKey({ dataDir }: Config, log: Logger): Promise<string> {
  const { key, writtenTo } = await loadAdminKey(dataDir);
  if (writtenTo !== null) log.info({ path: writtenTo }, 'made an admin key');
  return key;
}

function warnOfUnknown(log: Logger, { unknownVariables }: Config): void {
  if (unknownVariables.length === 0) return;
  log.warn({ variables: unknownVariables }, 'these settings are not known and have no effect');
}

/**
 * Sweeps at the start, and every now and then, what is older than any request. A SQLite database has one
 * process: at its start, what is older than itself can be of no request.
 */
function createSweeper(services: Services & { log: Logger }, { databaseUrl }: Config) {
  const isAlone = databaseUrl.startsWith('sqlite:');
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  const run = (modifiedBefore: number) => {
    running = running
      .then(() => sweep(services, { modifiedBefore }))
      .then(
        () => undefined,
        (error) => services.log.error({ err: error }, 'sweep failed'),
      );
  };
  return {
    start() {
      run(isAlone ? services.clock() : services.clock() - SWEEP_GRACE_MS);
      timer = setInterval(() => run(services.clock() - SWEEP_GRACE_MS), SWEEP_INTERVAL_MS);
      timer.unref();
    },
    async stop() {
      clearInterval(timer);
      await running;
    },
  };
}

async function drain(server: FastifyInstance): Promise<void> {
  // A connection that goes idle during the drain would otherwise hold it until it times out.
  const closeIdle = setInterval(() => server.server.closeIdleConnections(), 100);
  const cut = setTimeout(() => server.server.closeAllConnections(), DRAIN_TIMEOUT_MS);
  try {
    await server.close();
  } finally {
    clearInterval(closeIdle);
    clearTimeout(cut);
  }
}
