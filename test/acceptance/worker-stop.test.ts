import { once } from 'node:events';
import { createServer } from 'node:net';
import { sql } from 'kysely';
import { expect, test, vi } from 'vitest';
import { openDb } from '../../src/store/db.ts';
import { BACKENDS } from '../support/backend.ts';
import { parseMetrics } from '../support/metrics.ts';
import { runTrivium, withDataDir } from '../support/process.ts';
import { openSocket } from '../support/raw-request.ts';
import { connectWebSocket } from '../support/web-socket.ts';
import {
  askNext,
  hasEnded,
  runNext,
  WORKERS_ADMIN_KEY,
  type WorkerServer,
  withWorkers,
} from '../support/worker-server.ts';

const SLOW = { timeout: 30_000, interval: 20 };
const LONG = { timeout: 120_000 };
const SQLITE = BACKENDS[0]!;
const ADMIN = { authorization: `Bearer ${WORKERS_ADMIN_KEY}` };

test('SIGTERM ends workers whose clients send without end', LONG, () =>
  withWorkers(SQLITE, async (server) => {
    const workers = server.workers();
    const stopDrips = await dripToEach(server);
    server.child.kill('SIGTERM');
    expect(await server.exit).toBe(0);
    expect(workers.filter((pid) => !hasEnded(pid))).toEqual([]);
    stopDrips();
  }),
);

test('a second SIGTERM ends all at once, with code 1', LONG, () =>
  withWorkers(SQLITE, async (server) => {
    const workers = server.workers();
    const stopDrips = await dripToEach(server);
    server.child.kill('SIGTERM');
    await server.logged('stopping');
    server.child.kill('SIGTERM');
    expect(await server.exit).toBe(1);
    await vi.waitUntil(() => workers.every(hasEnded), SLOW);
    stopDrips();
  }),
);

test(
  'a WebSocket gets what happens in each worker; the single connection mode is refused',
  LONG,
  () =>
    withWorkers(SQLITE, async (server) => {
      const socket = await connectWebSocket(server, {}, { headers: ADMIN });
      socket.subscribe('1', 'subscription { mediaChanged { media { name } } }');
      // The subscription begins after the message has arrived.
      await expect.poll(() => readMetric(server, 'trivium_subscriptions_open'), SLOW).toBe(1);
      const seen: string[] = [];
      for (const name of ['a', 'b', 'c']) {
        const input = `{ type: URL, url: "https://x.org", name: "${name}" }`;
        await runNext(server, `mutation { createMedia(input: ${input}) { __typename } }`);
        seen.push((await socket.next()).payload.data.mediaChanged.media.name);
      }
      expect(seen).toEqual(['a', 'b', 'c']);
      const { status, body } = await askNext(server, 'PUT /graphql');
      expect([status, JSON.parse(body).errors[0].extensions.code]).toEqual([
        501,
        'NOT_IMPLEMENTED',
      ]);
    }),
);

test.for(['1', '3'])('with %s workers, what stops a start is said once', LONG, (workers) =>
  withDataDir(async (TRIVIUM_DATA_DIR) => {
    const serve = async (settings: Record<string, string>) => {
      const variables = { TRIVIUM_DATA_DIR, TRIVIUM_PORT: '0', TRIVIUM_LOG_LEVEL: 'fatal' };
      return runTrivium(['serve', '--workers', workers], { ...variables, ...settings });
    };
    const refused = (errors: RegExp) => ({
      code: 1,
      output: '',
      errors: expect.stringMatching(errors),
    });
    expect(await serve({ TRIVIUM_TRASH_DAYS: 'x' })).toEqual(
      refused(/^trivium: [^\n]+\n {2}TRIVIUM_TRASH_DAYS: [^\n]+\n$/),
    );
    await withUsedPort(async (TRIVIUM_PORT) => {
      const inUse = refused(/^trivium: Cannot listen at [^\n]+\n$/);
      expect(await serve({ TRIVIUM_PORT })).toEqual(inUse);
    });
    await SQLITE.withUrl(async (TRIVIUM_DATABASE_URL) => {
      await withUsedPort(async (TRIVIUM_PORT) => {
        const inUse = refused(/^trivium: Cannot listen at [^\n]+\n$/);
        expect(await serve({ TRIVIUM_PORT, TRIVIUM_DATABASE_URL })).toEqual(inUse);
      });
      const db = openDb({ url: TRIVIUM_DATABASE_URL });
      await sql`insert into migration (name, applied_at) values ('9999-future', '')`.execute(db);
      await db.destroy();
      const newer = refused(/^trivium: [^\n]+ newer version [^\n]+9999-future[^\n]+\n$/);
      expect(await serve({ TRIVIUM_DATABASE_URL })).toEqual(newer);
    });
  }),
);

/** Sends a body without end to each worker. Returns the function that stops that. */
async function dripToEach(server: WorkerServer): Promise<() => void> {
  const sockets = await Promise.all([1, 2, 3].map(() => openSocket(server)));
  for (const socket of sockets) {
    socket.write('POST /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n');
    socket.write(`Authorization: ${ADMIN.authorization}\r\nContent-Length: 100000\r\n\r\n{`);
  }
  const timer = setInterval(() => {
    for (const socket of sockets) socket.write(' ');
  }, 20);
  await expect
    .poll(async () => readMetric(server, 'trivium_http_requests_in_flight'), SLOW)
    .toBe(4);
  return () => {
    clearInterval(timer);
    for (const socket of sockets) socket.destroy();
  };
}

/** Returns the value of a metric of all workers; that of the scrape itself is part of it. */
async function readMetric(server: WorkerServer, series: string): Promise<number> {
  return parseMetrics((await askNext(server, 'GET /metrics')).body).value(series);
}

async function withUsedPort(work: (port: string) => Promise<void>): Promise<void> {
  const other = createServer();
  await once(other.listen(0, '127.0.0.1'), 'listening');
  const address = other.address();
  const port = typeof address === 'object' ? address?.port : 0;
  await work(String(port)).finally(() => other.close());
}
