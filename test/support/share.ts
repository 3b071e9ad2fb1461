import { afterAll, beforeAll } from 'vitest';

/**
 * Shares one resource between all tests of the calling suite or file: starts it before the first test and
 * stops it after the last. `withResource` lends the resource to its argument. Returns a function that
 * returns the resource.
 */
export function share<T>(
  withResource: (work: (resource: T) => Promise<void>) => Promise<void>,
): () => T {
  let shared: { resource: T } | undefined;
  let running: Promise<void>;
  const over = Promise.withResolvers<void>();
  beforeAll(async () => {
    const started = Promise.withResolvers<void>();
    running = withResource(async (resource) => {
      shared = { resource };
      started.resolve();
      await over.promise;
    });
    await Promise.race([started.promise, running]);
  });
  afterAll(async () => {
    over.resolve();
    await running;
  });
  return () => {
    if (shared === undefined) throw new Error('The shared resource has not started.');
    return shared.resource;
  };
}
