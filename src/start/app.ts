import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import packageInfo from '../../package.json' with { type: 'json' };
import type { Log, Services } from '../domain/context.ts';
import { createEvents } from '../domain/event/event.ts';
import { createEventRelay } from '../domain/event/relay.ts';
import { beginAdminSession, findViewerByCredential } from '../domain/viewer/session.ts';
import { resolveStartNodes } from '../domain/viewer/start-node.ts';
import type { Manifest } from '../graphql/persisted/manifest.ts';
import { registerGraphql } from '../graphql/pipeline/handler.ts';
import { createClientOf } from '../http/client.ts';
import { createRateExchange, type RateExchange } from '../http/rate-exchange.ts';
import { createRateLimit } from '../http/rate-limit.ts';
import { isHealthCheck } from '../http/readiness.ts';
import { createServer } from '../http/server.ts';
import type { BodyPace } from '../http/slow-body.ts';
import { type Authenticate, createAuthenticate } from '../http/viewer/auth.ts';
import { createSignInLink, type SignInLink } from '../http/viewer/sign-in.ts';
import { createPace } from '../job/pace.ts';
import { resetFuture, scheduleNext } from '../job/schedule.ts';
import { TASKS } from '../job/task/index.ts';
import { createWorker } from '../job/worker.ts';
import { createStopwatch, type Stopwatch } from '../lib/stopwatch.ts';
import { registerFiles } from '../rest/file/route.ts';
import { registerHeartcore } from '../rest/heartcore/route.ts';
import { registerToken } from '../rest/heartcore/viewer/token.ts';
import { registerImporter } from '../rest/importer/route.ts';
import { registerRoot } from '../rest/root/route.ts';
import { registerSignIn } from '../rest/root/sign-in.ts';
import { registerSelfCommunity } from '../rest/selfcommunity/route.ts';
import { servesOneProcess } from '../store/dialect.ts';
import { listenForNotices, type Notices } from '../store/event/notice.ts';
import { createPing } from '../store/ping.ts';
import type { Config } from './config.ts';
import { createHealth } from './health.ts';
import { listen } from './listen.ts';
import { createLog } from './log.ts';
import { readManifest } from './manifest.ts';
import { restrictBlobs } from './restrict.ts';
import { createServices, type OnQuery, ownKey } from './services.ts';
import { drain, stopWithin } from './stop.ts';
import { sweepAtStart } from './sweep.ts';
import { warnOfRisks } from './warning.ts';

/** The whole server, composed but not yet listening. */
export interface App {
  server: FastifyInstance;
  services: Services;
  log: Logger;
  /** Starts to listen and to run jobs; returns the URL. */
  start: () => Promise<string>;
  /** Path of the link that signs in its first visitor; null unless the server is open. */
  signInPath: string | null;
  /** Refuses new requests, finishes those in progress, and closes everything. */
  stop: () => Promise<void>;
}

/** Options for tests. */
export interface AppOptions {
  onQuery?: OnQuery;
  /** Shorter limits for the arrival of bodies, for tests. */
  bodyPace?: Partial<BodyPace>;
  /** A shorter interval between the checks of the credentials of idle streams, for tests. */
  viewerCheckMs?: number;
}

/** Logged because the operator would otherwise learn it only from refused clients. */
const UNTRUSTED =
  'X-Forwarded-For is ignored: if a reverse proxy sends it, name the proxy in TRIVIUM_TRUSTED_PROXIES';

/** Opens and migrates the database, opens the blob store, and creates the admin key if there is none. */
export async function createApp(config: Config, options: AppOptions = {}): Promise<App> {
  const log = createLog(config.logLevel);
  const manifest = await readManifest(config.manifestFile);
  warnOfRisks(log, config);
  const exchange = createExchange(config.databaseUrl);
  const opened = await createServices(config, log, exchange.events, options.onQuery);
  const { users, isMoved, closeBlobs, ...services } = opened;
  const jwtSecret =
    config.jwtSecret ??
    (await ownKey(join(config.dataDir, 'token.key'), log, 'created a token key'));
  const ping = createPing(services.db, config.databaseUrl);
  const server = await createServer({
    log,
    authenticate: createAuth(config, services, jwtSecret),
    ...createClientLimits(config, { log, secret: jwtSecret, exchange: exchange.rates }),
    ...createHealth(services, ping),
    origins: config,
    bodyPace: { bytesPerSecondMin: config.bodyBytesPerSecondMin, ...options.bodyPace },
  });
  const serving = measureServing(server);
  if (!servesOneProcess(config.databaseUrl)) refreshPending(server, services);
  await registerDialects(server, services, config, { ...options, manifest });
  const link = await createLink(server, services, config);
  const jobs = createJobs({ ...services, log }, config, serving.totalMs);
  const stopping = new AbortController();
  let sweeping = Promise.resolve();
  return {
    server,
    services,
    log,
    signInPath: link?.path ?? null,
    start: async () => {
      const restriction = restrictBlobs(config, stopping.signal);
      await restriction.soon;
      const startedAt = services.clock();
      if (!isMoved) await users.start();
      const url = await listen(server, config);
      exchange.start(jobs.wake);
      // The rows of a library that has been moved say nothing of the bytes that it shares with its copy.
      if (isMoved) return url;
      sweeping = restriction.done.then(() =>
        sweepAtStart({ ...services, log }, config, startedAt, stopping.signal),
      );
      await jobs.start();
      return url;
    },
    stop: () =>
      stopWithin(log, async () => {
        stopping.abort();
        // Both at once: a running job must not keep the server open.
        await Promise.all([jobs.stop(), sweeping, drain(server)]);
        await Promise.all([exchange.stop(), ping.stop(), users.stop(), stopDecoders(services)]);
        services.staging.close();
        await closeBlobs();
        await services.db.destroy();
      }),
  };
}

async function stopDecoders({ renderer, detailsReader, previewer }: Services): Promise<void> {
  await Promise.all([renderer.stop(), detailsReader.stop(), previewer.stop()]);
}

/** Creates the check of credentials. */
function createAuth(config: Config, services: Services, jwtSecret: string): Authenticate {
  return createAuthenticate({
    ...config,
    jwtSecret,
    isExpiryRequired: config.isJwtExpiryRequired,
    findViewerByKey: (credential) => findViewerByCredential(services, credential),
    resolveStartNodes: (claim) => resolveStartNodes(services, claim),
  });
}

async function registerDialects(
  server: FastifyInstance,
  services: Services,
  config: Config,
  { viewerCheckMs, manifest }: AppOptions & { manifest: Manifest | null },
): Promise<void> {
  const transport = { services, publicUrl: config.publicUrl };
  await server.register(registerFiles, transport);
  const { isGraphiqlEnabled } = config;
  await server.register(registerRoot, {
    ...transport,
    isGraphiqlEnabled,
    version: packageInfo.version,
  });
  await server.register(registerHeartcore, transport);
  await server.register(registerToken, { services });
  await server.register(registerSelfCommunity, {
    ...transport,
    imageBytesMax: config.selfcommunityImageBytesMax,
  });
  await server.register(registerImporter, transport);
  await server.register(registerGraphql, {
    ...transport,
    isGraphiqlEnabled,
    manifest,
    viewerCheckMs,
  });
}

/** Creates the parts that identify clients and limit their requests. */
function createClientLimits(
  { trustedProxies, rate, quotas, connectionsPerAddressMax: max }: Config,
  { log, secret, exchange }: { log: Logger; secret: string; exchange: RateExchange | undefined },
) {
  const onUntrusted = () => log.warn(UNTRUSTED);
  return {
    clientOf: createClientOf({ trustedProxies, secret, onUntrusted }),
    connectionBound: { max, trustedProxies },
    rateLimit: createRateLimit({ ...rate, addressFactor: quotas.addressFactor, exchange }),
  };
}

/** Measures the time in which at least one request is being served. */
function measureServing(server: FastifyInstance): Stopwatch {
  const serving = createStopwatch();
  server.addHook('onRequest', (_request, { raw }, done) => {
    serving.begin();
    raw.once('close', serving.end);
    done();
  });
  return serving;
}

/** Creates the sign-in link of an open server: whoever can read its log may read the admin key, too. */
async function createLink(
  server: FastifyInstance,
  services: Services,
  { auth, publicUrl, isGraphiqlEnabled }: Config,
): Promise<SignInLink | null> {
  if (auth !== 'open') return null;
  const { clock } = services;
  const link = createSignInLink({ clock, beginSession: () => beginAdminSession(services) });
  const destination = isGraphiqlEnabled ? '/graphql' : '/';
  await server.register(registerSignIn, { link, publicUrl, destination });
  return link;
}

/** Makes each request, except health checks, know of deletions that another process has begun. */
function refreshPending(server: FastifyInstance, { pending }: Services): void {
  server.addHook('onRequest', async (request) => {
    if (!isHealthCheck(request)) await pending.refresh();
  });
}

/**
 * Creates the events and the counts of requests that the processes of one PostgreSQL database share. A SQLite database
 * has one process.
 */
function createExchange(databaseUrl: string) {
  let notices: Notices | undefined;
  if (servesOneProcess(databaseUrl)) {
    return {
      events: createEvents(),
      rates: undefined,
      start: () => undefined,
      stop: async () => undefined,
    };
  }
  const tell = async (text: string) => (await notices?.tellEvents(text)) ?? false;
  const relay = createEventRelay(tell);
  const rates = createRateExchange(tell);
  const onEvents = (text: string) => {
    if (!rates.receive(text)) relay.receive(text);
  };
  return {
    events: relay.events,
    rates,
    start(onJob: () => void) {
      notices = listenForNotices(databaseUrl, { onJob, onEvents, onGap: relay.resume });
    },
    stop: async () => notices?.stop(),
  };
}

/** Time that a running job has to finish when the server stops, and again after it has been aborted. */
const JOB_GRACE_MS = 2500;

/** Creates the part of the server that runs jobs. */
function createJobs(services: Services & { log: Log }, config: Config, servingMs: () => number) {
  const concurrency = config.jobConcurrency;
  const schedule = () => scheduleNext(services);
  const worker = createWorker({
    services,
    tasks: TASKS,
    concurrency,
    schedule,
    graceMs: JOB_GRACE_MS,
    pace: createPace({ servingMs }),
  });
  return {
    start: async () => {
      if (concurrency === 0) return;
      await resetFuture(services);
      worker.start();
    },
    wake: () => worker.wake(),
    stop: () => worker.stop(),
  };
}
