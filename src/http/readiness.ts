/** Maximum wait for the checks: `/readyz` answers within a second, whatever the database or the storage do. */
const LIMIT_MS = 500;

/**
 * Returns a function that runs the check and rejects if it fails or takes longer than `limitMs`. Only one check runs at
 * a time: calls that come meanwhile wait for its result, so that checks do not pile up on something that hangs.
 */
export function createReadiness(
  check: () => Promise<void>,
  limitMs = LIMIT_MS,
): () => Promise<void> {
  let running: Promise<void> | undefined;
  return async () => {
    running ??= check().finally(() => {
      running = undefined;
    });
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => reject(new Error('The check took too long.')), limitMs);
    await Promise.race([running, late]).finally(() => clearTimeout(timer));
  };
}
