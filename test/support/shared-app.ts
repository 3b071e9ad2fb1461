import { afterAll, beforeAll } from 'vitest';
import { type TestApp, withApp } from './app.ts';
import type { Backend } from './backend.ts';

/**
 * One server for all tests of the suite that calls this: starting one takes longer than most of them. Each
 * keeps to things of its own.
 */
export function shareApp(
  backend: Backend,
  variables: Readonly<Record<string, string>> = {},
): () => TestApp {
  let shared: TestApp | undefined;
  let running: Promise<void>;
  const over = Promise.withResolvers<void>();
  beforeAll(async () => {
    const started = Promise.withResolvers<void>();
    running = withApp(
      backend,
      async (app) => {
        shared = app;
        started.resolve();
        await over.promise;
      },
      variables,
    );
    await Promise.race([started.promise, running]);
  });
  afterAll(async () => {
    over.resolve();
    await running;
  });
  return () => {
    if (shared === undefined) throw new Error('The server has not started.');
    return shared;
  };
}
