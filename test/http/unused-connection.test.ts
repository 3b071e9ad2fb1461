import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { withApp } from '../support/app.ts';
import { BACKENDS } from '../support/backend.ts';

test('an unused connection does not delay a stop', () =>
  withApp(BACKENDS[0]!, async ({ app, url }) => {
    const { port, hostname } = new URL(url);
    const unused = connect(Number(port), hostname);
    await once(app.server.server, 'connection');
    const begun = performance.now();
    await app.stop();
    expect(performance.now() - begun).toBeLessThan(10_000);
    unused.destroy();
  }));
