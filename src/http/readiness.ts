import type { FastifyRequest } from 'fastify';

/** Maximum wait for the checks: `/readyz` answers within a second, whatever the database or the storage do. */
const LIMIT_MS = 500;

/**
 * Tells whether a request asks for the health of the server. It must not wait for the database, neither for a credential
 * nor for anything else that every other request reads.
 */
export function isHealthCheck({ routeOptions }: FastifyRequest): boolean {
  return HEALTH_PATHS.has(routeOptions.url);
}

// The path of the route, not of the request, which may have a query or a slash at the end.
const HEALTH_PATHS: ReadonlySet<string | undefined> = new Set(['/healthz', '/readyz']);

/**
 * Returns a function that runs the check and rejects if it fails or takes longer than `limitMs`. Only one check runs at
 * a time: calls that come meanwhile wait for its result, so that checks do not pile up on something that hangs. `subject`
 * is what the error of a slow check names.
 */
export function createReadiness(
  check: () => Promise<void>,
  limitMs = LIMIT_MS,
  subject = 'server',
): () => Promise<void> {
  const message = `The check of the ${subject} took longer than ${limitMs} ms.`;
  let running: Promise<void> | undefined;
  return async () => {
    running ??= check().finally(() => {
      running = undefined;
    });
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => reject(new Error(message)), limitMs);
    await Promise.race([running, late]).finally(() => clearTimeout(timer));
  };
}

/**
 * Returns a function that runs all checks at once and rejects if one fails or takes too long; the error names its
 * subject. A check that hangs is not started again, even if another one fails at once.
 */
export function createReadinessOf(
  checks: Readonly<Record<string, () => Promise<void>>>,
  limitMs = LIMIT_MS,
): () => Promise<void> {
  const parts = Object.entries(checks).map(([subject, check]) =>
    createReadiness(check, limitMs, subject),
  );
  return async () => {
    await Promise.all(parts.map((isReady) => isReady()));
  };
}
