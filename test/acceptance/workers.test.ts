import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { describeEachBackend } from '../support/backend.ts';
import { fixtureBytes } from '../support/bytes.ts';
import { runTrivium, withDataDir, withServerProcess } from '../support/process.ts';
import { md5Of, upload } from '../support/selfcommunity.ts';
import { withStream } from '../support/sse.ts';
import {
  askNext,
  hasEnded,
  runNext,
  WORKERS_ADMIN_KEY,
  type WorkerServer,
  withWorkers,
} from '../support/worker-server.ts';

/** Number of times that a worker is killed under load. */
const KILLS = Number(process.env.TRIVIUM_TEST_KILLS || 2);

const SLOW = { timeout: 60_000, interval: 20 };
const LONG = { timeout: 180_000 };
const PDF = fixtureBytes('document.pdf');
const MEDIA_CHANGED = 'subscription { mediaChanged { media { name } } }';

describeEachBackend('three workers', (backend) => {
  test('share events, revoked keys, the sign-in link and limits', LONG, () =>
    withWorkers(
      backend,
      async (server) => {
        await expectEvents(server);
        await expectRevocation(server);
        await expectOneSignIn(server);
        await expectRateLimit(server);
        await expectConnectionLimit(server);
      },
      {
        TRIVIUM_RATE_REQUESTS: '100',
        TRIVIUM_CONNECTIONS_PER_ADDRESS_MAX: '30',
        TRIVIUM_QUOTA_ADDRESS_FACTOR: '1',
      },
    ),
  );

  test(`lose nothing acknowledged when one is killed under load, ${KILLS} times`, LONG, () =>
    withWorkers(backend, async (server) => {
      const load = startLoad(server);
      for (let kill = 0; kill < KILLS; kill++) {
        const before = server.workers();
        await sleep(300);
        process.kill(before.at(kill % 3)!, 'SIGKILL');
        await expect.poll(() => newIn(server, before), SLOW).toBe(1);
        const { length } = load.acknowledged;
        await expect.poll(() => load.acknowledged.length, SLOW).toBeGreaterThan(length + 5);
      }
      await load.stop();
      for (const { path, md5 } of load.acknowledged) {
        const response = await fetch(server.url + path, { headers: ADMIN });
        expect([response.status, md5Of(await response.bytes())]).toEqual([200, md5]);
      }
      expect(server.log.filter(({ level }) => Number(level) >= 50)).toHaveLength(KILLS);
      await expect.poll(() => server.workers().length, SLOW).toBe(3);
    }),
  );

  test('hand the jobs of one that is killed to another, which runs each once', LONG, () =>
    withSlowSite((site) =>
      withWorkers(
        backend,
        async (server) => {
          const id = await importUrl(server, site.url);
          await expect.poll(() => site.requests, SLOW).toBe(1);
          const [{ worker: first }] = await attemptsOf(server, id);
          process.kill(Number(first.split('/')[1]), 'SIGKILL');
          await expect.poll(async () => (await jobOf(server, id)).status, SLOW).toBe('COMPLETED');
          const workers = (await attemptsOf(server, id)).map(({ worker }) => worker);
          expect([workers.length, new Set(workers).size]).toEqual([2, 2]);
          const ids = await Promise.all(
            Array.from({ length: 6 }, () => importUrl(server, site.url)),
          );
          for (const id of ids) {
            await expect.poll(async () => (await jobOf(server, id)).status, SLOW).toBe('COMPLETED');
            expect(await attemptsOf(server, id)).toEqual([{ worker: workers[1] }]);
          }
        },
        { TRIVIUM_OUTBOUND_ALLOWED_HOSTS: '127.0.0.1' },
      ),
    ),
  );

  test('end with SIGTERM, and free the port and the database', LONG, () =>
    withWorkers(backend, async (server) => {
      const workers = server.workers();
      expect(workers).toHaveLength(3);
      await withStream(
        server,
        MEDIA_CHANGED,
        async () => {
          server.child.kill('SIGTERM');
          expect(await server.exit).toBe(0);
        },
        { authorization: ADMIN.authorization },
      );
      expect(workers.filter((pid) => !hasEnded(pid))).toEqual([]);
      expect(server.log.filter(({ msg }) => msg === 'stopped')).toHaveLength(1);
      const { url, log, variables } = server;
      expect(log.filter(({ msg }) => String(msg).startsWith('listening'))).toHaveLength(1);
      const TRIVIUM_PORT = new URL(url).port;
      const next = { ...variables, TRIVIUM_PORT, TRIVIUM_LOCK_WAIT_SECONDS: '0' };
      await withServerProcess({ ...next, TRIVIUM_WORKERS: '1' }, async (other) => {
        expect((await fetch(`${other.url}/readyz`)).status).toBe(200);
      });
    }),
  );

  test('end when the primary process is killed, and free the port and the database', LONG, () =>
    withWorkers(backend, async (server) => {
      const workers = server.workers();
      expect((await askNext(server, 'GET /readyz')).status).toBe(200);
      server.child.kill('SIGKILL');
      await server.exit;
      await vi.waitUntil(() => workers.every(hasEnded), SLOW);
      const TRIVIUM_PORT = new URL(server.url).port;
      await withServerProcess({ ...server.variables, TRIVIUM_PORT }, async (other) => {
        expect((await askNext(other, 'GET /readyz')).status).toBe(200);
      });
    }),
  );
});

test('a worker that cannot start ends the server with its message and code', LONG, () =>
  withDataDir(async (TRIVIUM_DATA_DIR) => {
    const TRIVIUM_DATABASE_URL = 'postgres://127.0.0.1:1/none';
    const variables = { TRIVIUM_DATA_DIR, TRIVIUM_DATABASE_URL, TRIVIUM_PORT: '0' };
    const { code, errors } = await runTrivium(['serve', '--workers', '3'], variables);
    expect(code).toBe(1);
    expect(errors).toMatch(/^trivium: .*127\.0\.0\.1:1.*\n$/);
  }),
);

const ADMIN = { authorization: `Bearer ${WORKERS_ADMIN_KEY}` };

/** A subscriber of one worker sees the changes that are made by way of all three. */
async function expectEvents(server: WorkerServer): Promise<void> {
  await withStream(
    server,
    MEDIA_CHANGED,
    async (stream) => {
      const names = ['a', 'b', 'c', 'd', 'e', 'f'];
      const seen: string[] = [];
      for (const name of names) {
        await create(server, name);
        seen.push((await stream.next())?.data.mediaChanged.media.name);
      }
      expect(seen).toEqual(names);
    },
    { authorization: ADMIN.authorization },
  );
}

async function expectRevocation(server: WorkerServer): Promise<void> {
  const create = `mutation { createApiKey(input: { name: "x" }) {
    ... on CreateApiKeySuccess { key apiKey { id } } } }`;
  const { key, apiKey } = (await runNext(server, create)).createApiKey;
  const ask = () => askNext(server, 'GET /api/v2/tag/', { key });
  const statuses = async () => (await Promise.all([1, 2, 3].map(ask))).map(({ status }) => status);
  expect(await statuses()).toEqual([200, 200, 200]);
  await runNext(
    server,
    'mutation($id: ID!) { revokeApiKey(input: { id: $id }) { __typename } }',
    apiKey,
  );
  expect(await statuses()).toEqual([401, 401, 401]);
}

async function expectOneSignIn(server: WorkerServer): Promise<void> {
  const { signInUrl } = server.log.find((line) => line.signInUrl !== undefined) ?? {};
  const { pathname, search } = new URL(String(signInUrl));
  const open = () => askNext(server, `GET ${pathname}${search}`, { key: '' });
  const statuses = (await Promise.all([1, 2, 3, 4].map(open))).map(({ status }) => status);
  expect(statuses.toSorted()).toEqual([303, 410, 410, 410]);
}

/** Each worker alone would allow 100 requests a second. */
async function expectRateLimit(server: WorkerServer): Promise<void> {
  await expect
    .poll(async () => {
      const since = performance.now();
      const asked = Array.from({ length: 20 }, () => askNext(server, 'GET /api/v2/tag/'));
      const answers = [...(await Promise.all(asked))];
      for (let round = 0; round < 8; round++) {
        const more = Array.from({ length: 20 }, () => askNext(server, 'GET /api/v2/tag/'));
        answers.push(...(await Promise.all(more)));
      }
      const seconds = Math.ceil((performance.now() - since) / 1000);
      const allowed = answers.filter(({ status }) => status === 200).length;
      expect(allowed).toBeLessThan(seconds * 220);
      return answers.some(({ status }) => status === 429);
    }, SLOW)
    .toBe(true);
}

/** The workers together accept 30 connections of one address; each alone would accept as many. */
async function expectConnectionLimit(server: WorkerServer): Promise<void> {
  const { hostname, port } = new URL(server.url);
  const sockets = [];
  const refused = new Set<unknown>();
  try {
    for (let count = 0; count < 60; count++) {
      const socket = connect(Number(port), hostname);
      socket.on('error', () => refused.add(socket));
      socket.on('data', () => refused.add(socket));
      sockets.push(socket);
      await once(socket, 'connect');
      // Workers tell each other at intervals.
      if (count % 5 === 4) await sleep(30);
    }
    await expect.poll(() => refused.size, SLOW).toBeGreaterThanOrEqual(15);
    expect(refused.size).toBeLessThan(45);
  } finally {
    for (const socket of sockets) socket.destroy();
  }
  await expect.poll(async () => (await askNext(server, 'GET /healthz')).status, SLOW).toBe(200);
}

/** Uploads files over many connections until it is stopped. Failures are expected: a worker is killed. */
function startLoad(server: WorkerServer) {
  const acknowledged: { path: string; md5: string }[] = [];
  let isStopped = false;
  const clients = Array.from({ length: 4 }, async (_, client) => {
    for (let count = 0; !isStopped; count++) {
      const bytes = Buffer.concat([PDF, Buffer.from(`\n% ${client} ${count}`)]);
      const options = { contentType: 'application/pdf', type: 'doc', token: WORKERS_ADMIN_KEY };
      const done = await upload(server, bytes, options).catch(() => null);
      if (done?.status !== 201) continue;
      acknowledged.push({ path: new URL(done.body.url).pathname, md5: md5Of(bytes) });
    }
  });
  return {
    acknowledged,
    async stop() {
      isStopped = true;
      await Promise.all(clients);
    },
  };
}

/** Returns how many workers are new. */
function newIn(server: WorkerServer, before: readonly number[]): number {
  return server.workers().filter((pid) => !before.includes(pid)).length;
}

async function create(server: WorkerServer, name: string): Promise<void> {
  const input = `{ type: URL, url: "https://x.org", name: "${name}" }`;
  const { createMedia } = await runNext(
    server,
    `mutation { createMedia(input: ${input}) { __typename } }`,
  );
  expect(createMedia.__typename).toBe('CreateMediaSuccess');
}

async function importUrl(server: WorkerServer, url: string): Promise<string> {
  const query = `mutation($url: URL!) { importUrl(input: { url: $url }) {
    ... on ImportUrlSuccess { job { id } } } }`;
  return (await runNext(server, query, { url })).importUrl.job.id;
}

async function jobOf(server: WorkerServer, id: string) {
  const query = 'query($id: ID!) { job(by: { id: $id }) { status attempts { worker } } }';
  return (await runNext(server, query, { id })).job;
}

async function attemptsOf(server: WorkerServer, id: string): Promise<[{ worker: string }]> {
  return (await jobOf(server, id)).attempts;
}

/** Runs `work` with a web site whose first answer never comes. */
async function withSlowSite(
  work: (site: { url: string; readonly requests: number }) => Promise<void>,
): Promise<void> {
  let requests = 0;
  const site = createServer((_request, response) => {
    requests += 1;
    if (requests > 1) response.setHeader('content-type', 'application/pdf').end(PDF);
  });
  await once(site.listen(0, '127.0.0.1'), 'listening');
  const address = site.address();
  const port = typeof address === 'object' ? address?.port : 0;
  try {
    await work({
      url: `http://127.0.0.1:${port}/a.pdf`,
      get requests() {
        return requests;
      },
    });
  } finally {
    site.closeAllConnections();
    site.close();
  }
}
