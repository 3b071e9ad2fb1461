import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createPostgresPing, type Ping } from '../../../src/store/postgres/ping.ts';
import { BACKENDS } from '../../support/backend.ts';
import { type TcpProxy, withTcpProxy } from '../../support/tcp-proxy.ts';

const POSTGRES = BACKENDS.find(({ name }) => name === 'postgres');

/** Long enough for a statement on a busy machine. */
const TIMEOUT_MS = 250;

/** Longer than a test may take. */
const NEVER_MS = 600_000;

describe.skipIf(POSTGRES === undefined)('the ping of PostgreSQL', () => {
  it('finds a database that takes longer to open a connection than to run a statement', () =>
    withPing(async (ping, proxy) => {
      proxy.delayOpening(3 * TIMEOUT_MS);
      await expect(ping.check()).rejects.toMatchObject({ reason: 'connection' });
      await expect.poll(() => isUp(ping)).toBe(true);
      // The connection stays open, so the next check is fast.
      await ping.check();
    }));

  it('fails while the database hangs, and works when it is back, whenever the hang begins and ends', () =>
    withPing(async (ping, proxy) => {
      for (let round = 0; round < 20; round++) {
        // During a statement, and while a connection is being opened.
        if (round % 2 === 1) proxy.cutAll();
        const checking = isUp(ping);
        await sleep(round / 2);
        proxy.hang(true);
        await checking;
        const failing = isUp(ping);
        if (round % 3 === 0) expect(await failing).toBe(false);
        proxy.hang(false);
        await failing;
        await expect.poll(() => isUp(ping)).toBe(true);
      }
    }));

  it('stops at once while the database hangs', () =>
    withPing(async (ping, proxy) => {
      await ping.check();
      proxy.hang(true);
      const checking = isUp(ping);
      await ping.stop();
      expect(await checking).toBe(false);
    }, NEVER_MS));
});

async function withPing(
  work: (ping: Ping, proxy: TcpProxy) => Promise<void>,
  timeoutMs = TIMEOUT_MS,
): Promise<void> {
  await POSTGRES?.withUrl((url) =>
    withTcpProxy(url, async (proxy) => {
      const ping = createPostgresPing(proxy.through(url), { timeoutMs });
      await work(ping, proxy).finally(() => ping.stop());
    }),
  );
}

const isUp = (ping: Ping) =>
  ping.check().then(
    () => true,
    () => false,
  );
