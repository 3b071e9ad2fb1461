import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import packageInfo from '../../package.json' with { type: 'json' };
import type { Log, Services } from '../domain/context.ts';
import { beginAdminSession, findViewerByCredential } from '../domain/viewer/session.ts';
import { resolveStartNodes } from '../domain/viewer/start-node.ts';
import { createClientOf } from '../http/client.ts';
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
import { registerSignIn } from '../rest/root/sign-in.ts';
import { expireLeases } from '../store/job/run.ts';
import { createPing } from '../store/ping.ts';
import { toPrometheus } from '../telemetry/process-metrics.ts';
import { type Collect, startTelemetry, type Telemetry } from '../telemetry/telemetry.ts';
import { createExchange, type Exchange } from './cluster/exchange.ts';
import type { Member } from './cluster/member.ts';
import type { Config } from './config.ts';
import { registerDialects } from './dialect.ts';
import { createHealth } from './health.ts';
import { listen } from './listen.ts';
import { createLog } from './log.ts';
import { readManifest } from './manifest.ts';
import { NO_RESTRICTION, restrictBlobs } from './restrict.ts';
import { createServices, type OnQuery, type OpenedServices, ownKey } from './services.ts';
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
  /** The part of the process in a server of several. (Default: it is the whole server) */
  member?: Member | undefined;
}

/** Logged because the operator would otherwise learn it only from refused clients. */
const UNTRUSTED =
  'X-Forwarded-For is ignored: if a reverse proxy sends it, name the proxy in TRIVIUM_TRUSTED_PROXIES';

/** Opens and migrates the database, opens the blob store, and creates the admin key if there is none. */
export async function createApp(config: Config, options: AppOptions = {}): Promise<App> {
  const { log, telemetry } = await startLog(config, options);
  const manifest = await readManifest(config.manifestFile);
  const { member } = options;
  if (member?.isFirst !== false) warnOfRisks(log, config);
  const exchange = createExchange(config, member);
  const opened = await createServices(config, log, exchange, telemetry);
  const { users, isMoved, closeBlobs: _, ...services } = opened;
  const jwtSecret = await tokenSecret(config, log);
  const ping = createPing(services.db, config.databaseUrl);
  const server = await createServer({
    log,
    authenticate: createAuth(config, services, jwtSecret),
    ...createClientLimits(config, { log, telemetry, secret: jwtSecret, exchange }),
    ...createHealth(services, ping),
    origins: config,
    observeRequests: telemetry.observeRequests,
    bodyPace: { bytesPerSecondMin: config.bodyBytesPerSecondMin, ...options.bodyPace },
  });
  if (config.isShared) refreshPending(server, services);
  const readMetrics = createMetricsReader(telemetry.createCollect(services), member);
  await registerDialects(server, services, config, { ...options, manifest, readMetrics });
  const link = await createLink(server, services, config, member);
  const jobs = createJobs({ ...services, log }, config, { servingMs: telemetry.servingMs, member });
  const stopping = new AbortController();
  let sweeping = Promise.resolve();
  return {
    server,
    services,
    log,
    signInPath: link?.path ?? null,
    start: async () => {
      const isAlone = member?.isFirst !== false;
      const restriction = isAlone ? restrictBlobs(config, stopping.signal) : NO_RESTRICTION;
      await restriction.soon;
      const startedAt = services.clock();
      if (!isMoved) await users.start();
      const url = await listen(server, config);
      exchange.start(jobs.wake);
      // The rows of a library that has been moved say nothing of the bytes that it shares with its copy.
      if (isMoved) return url;
      await whenChosen(member, stopping.signal, (lost) => {
        sweeping = restriction.done.then(() =>
          sweepAtStart({ ...services, log }, config, startedAt, stopping.signal),
        );
        return jobs.start(lost);
      });
      return url;
    },
    stop: () =>
      stopWithin(log, async () => {
        stopping.abort();
        // Both at once: a running job must not keep the server open.
        await Promise.all([jobs.stop(), sweeping, drain(server)]);
        await Promise.all([exchange.stop(), ping.stop(), users.stop()]);
        await closeServices(opened);
        await telemetry.stop();
      }),
  };
}

/** Returns the secret of tokens. Creates it at the first start, unless the settings give one. */
async function tokenSecret({ jwtSecret, dataDir }: Config, log: Logger): Promise<string> {
  return jwtSecret ?? (await ownKey(join(dataDir, 'token.key'), log, 'created a token key'));
}

async function closeServices(opened: OpenedServices): Promise<void> {
  const { renderer, detailsReader, previewer, staging, closeBlobs, db } = opened;
  await Promise.all([renderer.stop(), detailsReader.stop(), previewer.stop()]);
  staging.close();
  await closeBlobs();
  await db.destroy();
}

/** Starts the log, the metrics, and the traces, to which the lines of the log refer. */
function startLog({ tracing, logLevel }: Config, { onQuery }: AppOptions) {
  return startTelemetry({
    tracing,
    version: packageInfo.version,
    createLog: (fields) => createLog(logLevel, fields),
    onQuery,
  });
}

/** Returns the function that reads the metrics of the server: of this process, or of all its workers. */
function createMetricsReader(collect: Collect, member: Member | undefined): () => Promise<string> {
  if (member === undefined) return async () => toPrometheus([await collect({ hasQueue: true })]);
  member.onMetrics(collect);
  return member.readMetrics;
}

/** Runs the work that one process of a server does: at once if it is alone, otherwise when it is chosen. */
async function whenChosen(
  member: Member | undefined,
  stopping: AbortSignal,
  work: (lost: readonly string[]) => Promise<void>,
): Promise<void> {
  if (member === undefined) return work([]);
  member.onJobs((lost) =>
    work(lost).catch((error: unknown) => {
      // Ends this worker. Another one is chosen.
      if (!stopping.aborted) throw error;
    }),
  );
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

/** Creates the parts that identify clients and limit their requests. */
function createClientLimits(
  { trustedProxies, rate, quotas, connectionsPerAddressMax: max }: Config,
  { log, telemetry, secret, exchange: { rates, tallyOf } }: ClientLimitParts,
) {
  const onUntrusted = () => log.warn(UNTRUSTED);
  return {
    clientOf: createClientOf({ trustedProxies, secret, onUntrusted }),
    connectionBound: { max, trustedProxies, open: tallyOf('connections') },
    rateLimit: createRateLimit({
      ...rate,
      addressFactor: quotas.addressFactor,
      exchange: rates,
      onRefused: () => telemetry.observer.refused('requests'),
    }),
  };
}

interface ClientLimitParts {
  log: Logger;
  telemetry: Telemetry;
  secret: string;
  exchange: Pick<Exchange, 'rates' | 'tallyOf'>;
}

/** Creates the sign-in link of an open server: whoever can read its log may read the admin key, too. */
async function createLink(
  server: FastifyInstance,
  services: Services,
  { auth, publicUrl, isGraphiqlEnabled }: Config,
  member: Member | undefined,
): Promise<SignInLink | null> {
  if (auth !== 'open') return null;
  const { clock } = services;
  const link = createSignInLink({
    clock,
    beginSession: () => beginAdminSession(services),
    link: member?.link,
    use: member?.linkUse,
  });
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

/** Time that a running job has to finish when the server stops, and again after it has been aborted. */
const JOB_GRACE_MS = 2500;

/** Creates the part of the server that runs jobs. */
function createJobs(
  services: Services & { log: Log },
  config: Config,
  { servingMs, member }: { servingMs: () => number; member: Member | undefined },
) {
  const concurrency = config.jobConcurrency;
  const schedule = () => scheduleNext(services);
  const worker = createWorker({
    services,
    tasks: TASKS,
    ...(member && { name: member.name }),
    concurrency,
    schedule,
    graceMs: JOB_GRACE_MS,
    pace: createPace({ servingMs }),
  });
  return {
    /** `lost`: the names of workers that have ended, whose jobs are free. */
    start: async (lost: readonly string[]) => {
      if (concurrency === 0) return;
      await expireLeases(services.db, lost, services.clock());
      await resetFuture(services);
      worker.start();
    },
    wake: () => worker.wake(),
    stop: () => worker.stop(),
  };
}
