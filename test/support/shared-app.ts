import { afterAll, beforeAll } from 'vitest';
import { type TestApp, type TestServices, withApp, withServices } from './app.ts';
import type { Backend } from './backend.ts';

/**
 * One server for all tests of the suite that calls this: starting one takes longer than most of them. Each
 * keeps to things of its own.
 */
export function shareApp(
  backend: Backend,
  variables: Readonly<Record<string, string>> = {},
): () => TestApp {
  return share((work) => withApp(backend, work, variables));
}

/** The same of services without a server, on one database. */
export function shareServices(backend: Backend): () => TestServices {
  return share((work) => withServices(backend, work));
}

function share<T>(withIt: (work: (it: T) => Promise<void>) => Promise<void>): () => T {
  let shared: { it: T } | undefined;
  let running: Promise<void>;
  const over = Promise.withResolvers<void>();
  beforeAll(async () => {
    const started = Promise.withResolvers<void>();
    running = withIt(async (it) => {
      shared = { it };
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
    if (shared === undefined) throw new Error('It has not started.');
    return shared.it;
  };
}
