import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { expect, it, vi } from 'vitest';
import { withApp } from '../support/app.ts';
import { BACKENDS } from '../support/backend.ts';
import { openSocket } from '../support/raw-request.ts';

const SQLITE = BACKENDS[0]!;
const PING = 'GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n';

it('one address has at most so many connections; a closed one makes room', () =>
  withApp(
    SQLITE,
    async (app) => {
      const open = [await openSocket(app), await openSocket(app)];
      for (const socket of open) {
        socket.write(PING);
        expect(String(await once(socket, 'data'))).toMatch(/^HTTP\/1.1 200 /);
      }
      const refused = await text(await openSocket(app));
      expect(refused).toMatch(
        /^HTTP\/1.1 429 [\s\S]*\r\nRetry-After: 5\r\n[\s\S]*TOO_MANY_CONNECTIONS/,
      );
      open[0]!.destroy();
      await vi.waitFor(async () => {
        const socket = await openSocket(app);
        socket.write(PING);
        expect(String(await once(socket, 'data'))).toMatch(/^HTTP\/1.1 200 /);
        socket.destroy();
      });
      open[1]!.destroy();
    },
    { TRIVIUM_CONNECTIONS_PER_ADDRESS_MAX: '2' },
  ));

it('a reverse proxy on this machine may open any number by default', () =>
  withApp(SQLITE, async (app) => {
    const sockets = await Promise.all(Array.from({ length: 600 }, () => openSocket(app)));
    const last = sockets.at(-1)!;
    last.write(PING);
    expect(String(await once(last, 'data'))).toMatch(/^HTTP\/1.1 200 /);
    for (const socket of sockets) socket.destroy();
  }));
