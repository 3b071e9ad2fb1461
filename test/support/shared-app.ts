import { type TestApp, type TestServices, withApp, withServices } from './app.ts';
import type { Backend } from './backend.ts';
import { share } from './share.ts';

/**
 * Shares one server between all tests of the calling suite: a start takes longer than most tests. Each test
 * uses only data that it creates itself.
 */
export function shareApp(
  backend: Backend,
  variables: Readonly<Record<string, string>> = {},
): () => TestApp {
  return share((work) => withApp(backend, work, variables));
}

/** Shares services without a server, on one database, between all tests of the calling suite. */
export function shareServices(backend: Backend): () => TestServices {
  return share((work) => withServices(backend, work));
}
