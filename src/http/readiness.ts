import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

/** Time in which `/readyz` answers, from the arrival of the request. Below a second, for the way to the client. */
const ANSWER_MS = 900;

/** Delay of a timer that shows that the event loop stood still. */
const LATE_MS = 20;

/** Time after a standstill of the event loop, for results that arrived meanwhile. */
const GRACE_MS = 50;

/**
 * Tells whether a request asks for the health of the server. It must not wait for the database, neither for a credential
 * nor for anything else that every other request reads.
 */
export function isHealthCheck({ routeOptions }: FastifyRequest): boolean {
  return HEALTH_PATHS.has(routeOptions.url);
}

// The path of the route, not of the request, which may have a query or a slash at the end.
const HEALTH_PATHS: ReadonlySet<string | undefined> = new Set(['/healthz', '/readyz']);

/** What the health checks of a server ask. */
export interface HealthOptions {
  /** Throws unless the server can serve requests. */
  checkReady: Readiness;
  /** Returns what an operator should look at although the server can serve requests; empty: nothing. */
  listWarnings: () => Promise<string[]>;
  /** Returns the state of each decoder of previews. */
  listDecoders: () => Promise<DecoderHealth[]>;
}

/** Whether a decoder of previews can be used. The server is ready without it. */
export interface DecoderHealth {
  name: string;
  isAvailable: boolean;
  /** Why it cannot be used; null if it can. */
  reason: string | null;
}

/** Registers the health checks: `/healthz` for the process, `/readyz` for what it depends on. */
export function registerHealth(
  server: FastifyInstance,
  { checkReady, listWarnings, listDecoders }: HealthOptions,
): void {
  server.get('/healthz', () => ({ status: 'ok' }));
  server.get('/readyz', async (request, reply) => {
    try {
      await checkReady(remainingMs(reply));
      const [warnings, decoders] = await Promise.all([
        within(remainingMs(reply), listWarnings(), []),
        within(remainingMs(reply), listDecoders(), []),
      ]);
      return {
        status: 'ready',
        ...(warnings.length > 0 && { warnings }),
        previewDecoders: decoders.map(toDecoderBody),
      };
    } catch (error) {
      request.log.error({ err: error }, 'not ready');
      return reply.code(503).header('retry-after', '5').send({ status: 'unavailable' });
    }
  });
}

function toDecoderBody({ name, isAvailable, reason }: DecoderHealth) {
  return {
    name,
    status: isAvailable ? 'available' : 'unavailable',
    ...(reason !== null && { reason }),
  };
}

/** Returns the time that a health check still has for its answer. */
function remainingMs({ elapsedTime }: FastifyReply): number {
  return ANSWER_MS - elapsedTime;
}

/** Returns the result of `work`; `otherwise` if it fails or takes longer than `limitMs`. */
function within<T>(limitMs: number, work: Promise<T>, otherwise: T): Promise<T> {
  const { promise: late, resolve } = Promise.withResolvers<T>();
  const timer = setTimeout(() => resolve(otherwise), Math.max(0, limitMs));
  return Promise.race([work.catch(() => otherwise), late]).finally(() => clearTimeout(timer));
}

/** Checks that something works. Rejects if it does not, or if the check takes longer than `limitMs`. */
export type Readiness = (limitMs?: number) => Promise<void>;

/**
 * Creates a Readiness. Only one check runs at a time: calls that come meanwhile wait for its result, so that checks do
 * not pile up on something that hangs. `subject` is what the error of a slow check names.
 */
export function createReadiness(check: () => Promise<void>, subject: string): Readiness {
  let running: Promise<void> | undefined;
  return async (limitMs = ANSWER_MS) => {
    running ??= check().finally(() => {
      running = undefined;
    });
    const { promise: late, reject } = Promise.withResolvers<never>();
    const message = `The check of the ${subject} took longer than ${Math.round(limitMs)} ms.`;
    const cancel = startLimit(limitMs, () => reject(new Error(message)));
    await Promise.race([running, late]).finally(cancel);
  };
}

/**
 * Creates a Readiness that runs all checks at once; the error names the subject of the check. A check that hangs is not
 * started again, even if another one fails at once.
 */
export function createReadinessOf(
  checks: Readonly<Record<string, () => Promise<void>>>,
): Readiness {
  const parts = Object.entries(checks).map(([subject, check]) => createReadiness(check, subject));
  return async (limitMs) => {
    await Promise.all(parts.map((isReady) => isReady(limitMs)));
  };
}

/**
 * Calls `onEnd` after `limitMs`, and returns the function that prevents it. If the event loop stood still then, results
 * are waiting, and Node would call `onEnd` before it reads them: they get a little more time.
 */
function startLimit(limitMs: number, onEnd: () => void): () => void {
  const dueAt = performance.now() + limitMs;
  let timer = setTimeout(() => {
    if (performance.now() - dueAt < LATE_MS) onEnd();
    else timer = setTimeout(onEnd, GRACE_MS);
  }, limitMs);
  return () => clearTimeout(timer);
}
