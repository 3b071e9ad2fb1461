import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, test, vi } from 'vitest';
import { withApp } from '../support/app.ts';
import { BACKENDS } from '../support/backend.ts';

test('an unused connection does not delay a stop', () =>
  withApp(BACKENDS[0]!, async ({ app, url }) => {
    const { port, hostname } = new URL(url);
    const unused = connect(Number(port), hostname);
    await once(app.server.server, 'connection');
    // Called when the time for requests in progress is over.
    const cut = vi.spyOn(app.server.server, 'closeAllConnections');
    await app.stop();
    expect(cut).not.toHaveBeenCalled();
    unused.destroy();
  }));
