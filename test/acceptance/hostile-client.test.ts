import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { type Backend, describeEachBackend } from '../support/backend.ts';
import { type ServerProcess, withDataDir, withServerProcess } from '../support/process.ts';
import { peakRssOf, usageOf } from '../support/process-usage.ts';
import { dripUntilAnswered, openSocket, sendRaw, toRequest } from '../support/raw-request.ts';

/**
 * What one anonymous client does so many times: aborts an upload, sends a body slowly; twice as often it promises an
 * upload, or subscribes. 1,000 meets the default limits.
 */
const COUNT = Number(process.env.TRIVIUM_TEST_HOSTILE || 50);

const RSS_GROWTH_BYTES_MAX = 64 * 2 ** 20;
/** Connections to the database, and what Node opens when it first needs it. */
const DESCRIPTORS_MAX = 12;
/** Requests that are open at a time, unless they stay open. */
const CONCURRENCY = 50;
const UPLOAD_BYTES = 50 * 2 ** 20;
const MEDIA = '{medias(first:1){nodes{id url}}}';

const KEY = 'tvm_the-admin-key-of-the-tests';
const authorization = `Bearer ${KEY}`;

/** The real server waits half a minute for slow bodies. */
const ENTRY = COUNT < 1000 ? 'test/support/impatient-process.ts' : 'src/main.js';

/** Few attacks at once do not disturb each other. */
const concurrent = COUNT <= 100;

interface Attack {
  name: string;
  /** Does it `count` times, and checks the answers. */
  run: (server: ServerProcess, count: number) => Promise<void>;
  times: number;
  /** Pause of the other client after each round of requests. */
  restMs: number;
}

const ATTACKS: readonly Attack[] = [
  // First, as it takes the longest with the limits of the real server.
  { name: 'sends bodies slowly', run: dripBodies, times: COUNT, restMs: COUNT < 1000 ? 20 : 500 },
  { name: 'promises uploads', run: promiseUploads, times: 2 * COUNT, restMs: 20 },
  { name: 'aborts uploads', run: abortUploads, times: COUNT, restMs: 20 },
  { name: 'subscribes', run: subscribe, times: 2 * COUNT, restMs: 20 },
];

function suite(backend: Backend): void {
  test.each(ATTACKS)(
    'that $name $times times is bounded, and others are served',
    { timeout: 120_000 + COUNT * 500 },
    ({ run, times, name, restMs }) =>
      backend.withUrl((url) =>
        withServer(url, async (server) => {
          const { pid } = server.child as { pid: number };
          // Memory and descriptors that the first requests need are not growth.
          await run(server, Math.ceil(COUNT / 4));
          const neighbour = await startNeighbour(server, restMs);
          await sleep(500);
          const before = await usageOf(pid);
          const { peakBytes } = await peakRssOf(pid, () => run(server, times));
          const served = await neighbour.stop();
          const growth = peakBytes - before.rssBytes;
          console.info(
            `${name}: RSS ${mib(before.rssBytes)} + ${mib(growth)} MiB, ${served} requests of another client`,
          );
          expect(served).toBeGreaterThan(10);
          // Not `expect.poll`, which tests that run at once cannot use.
          await vi.waitFor(async () => {
            const { descriptors } = await usageOf(pid);
            expect(descriptors - before.descriptors).toBeLessThanOrEqual(DESCRIPTORS_MAX);
          }, SLOW);
          expect(growth).toBeLessThanOrEqual(RSS_GROWTH_BYTES_MAX);
          expect(server.child.exitCode).toBeNull();
          expect(server.log.filter(({ level }) => Number(level) >= 50)).toEqual([]);
        }),
      ),
  );
}

describeEachBackend('one anonymous client', suite, { concurrent });

const SLOW = { timeout: 60_000, interval: 100 };
const mib = (bytes: number) => Math.round(bytes / 2 ** 20);

/** Runs `work` with a server whose limits have the same relation to the counts as the defaults have to 1,000. */
function withServer(
  databaseUrl: string,
  work: (server: ServerProcess) => Promise<void>,
): Promise<void> {
  return withDataDir((dataDir) =>
    withServerProcess(
      {
        TRIVIUM_DATA_DIR: dataDir,
        TRIVIUM_DATABASE_URL: databaseUrl,
        TRIVIUM_ADMIN_KEY: KEY,
        TRIVIUM_QUOTA_UPLOADS: `${COUNT}`,
        TRIVIUM_QUOTA_SUBSCRIPTIONS: `${Math.ceil(COUNT / 5)}`,
      },
      work,
      ENTRY,
    ),
  );
}

/** Promises documents of the largest size. Those within the limit are accepted; the others get a 429 of the dialect. */
async function promiseUploads(server: ServerProcess, count: number): Promise<void> {
  const { path, type, start } = UPLOAD_CHUNK;
  const headers = [`Content-Type: ${type}`, `Content-Range: bytes 0-0/${UPLOAD_BYTES}`];
  const request = toRequest(`POST ${path}`, headers, Buffer.from(`${start}\r\n--b--\r\n`));
  const answers = await inTurns(count, () => sendRaw(server, request));
  const refused = answers.filter((answer) => answer?.status !== 201);
  expect(refused.length).toBeGreaterThanOrEqual(count - COUNT);
  if (count <= COUNT) expect(refused).toEqual([]);
  for (const answer of refused) {
    expect(answer?.status).toBe(429);
    expect(answer?.headers['retry-after']).toBe('60');
    expect(JSON.parse(answer?.body ?? '').errors[0].code).toBe('throttled');
  }
}

/** Begins uploads of every kind, and closes each connection in the middle of the body. */
async function abortUploads(server: ServerProcess, count: number): Promise<void> {
  await inTurns(count, async (index) => {
    const socket = await openSocket(server);
    const form = index % 2 === 0 ? UPLOAD_FILE : UPLOAD_CHUNK;
    socket.write(head(form, 1_000_000));
    socket.write(form.start);
    socket.write(Buffer.alloc(100_000, 'a'));
    await sleep(index % 20);
    socket.destroy();
  });
  expect(await usageOfAll(server)).toEqual({ uploadSessions: 0, promisedBytes: 0 });
}

/** Opens subscriptions. Those beyond the limit get a 429 of GraphQL; the others stay open until all are. */
async function subscribe(server: ServerProcess, count: number): Promise<void> {
  const body = JSON.stringify({ query: 'subscription { mediaChanged { media { name } } }' });
  const form = { path: '/graphql', type: 'application/json', start: body };
  const request = head(form, body.length, 'Accept: text/event-stream');
  const sockets: Socket[] = [];
  const answers = await inTurns(count, async () => {
    const socket = await openSocket(server);
    socket.write(request + body);
    const [first] = await once(socket, 'data');
    sockets.push(socket);
    return String(first);
  });
  for (const socket of sockets) socket.destroy();
  const refused = answers.filter((answer) => !answer.startsWith('HTTP/1.1 200 '));
  expect(refused.length).toBe(Math.max(0, count - Math.ceil(COUNT / 5)));
  for (const answer of refused) {
    expect(answer).toMatch(/^HTTP\/1.1 429 /);
    expect(answer.toLowerCase()).toContain('\r\nretry-after: 30\r\n');
    expect(answer).toContain('"TOO_MANY_REQUESTS"');
  }
}

/** Begins requests of every kind that have a body, and sends a byte now and then until each is refused. */
async function dripBodies(server: ServerProcess, count: number): Promise<void> {
  // A warm-up would take as long as the rest.
  if (count < COUNT) return;
  const answers = await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const form = FORMS[index % FORMS.length] as Form;
      const socket = await openSocket(server);
      socket.write(head(form, 1_000_000) + form.start);
      return dripUntilAnswered(socket, 'a', COUNT < 1000 ? 200 : 2000);
    }),
  );
  for (const answer of answers) {
    expect(answer).toMatch(/^HTTP\/1.1 408 /);
    expect(answer).toMatch(/\{"(detail|errors?)":/);
  }
}

interface Form {
  path: string;
  type: string;
  /** The beginning of the body. */
  start: string;
}

const MULTIPART = 'multipart/form-data; boundary=b';
const part = (name: string, content: string) =>
  `--b\r\nContent-Disposition: form-data; ${name}\r\n\r\n${content}`;
const OPERATIONS = JSON.stringify({
  query: 'mutation ($f: Upload!) { uploadFile(input: { file: $f }) { __typename } }',
  variables: { f: null },
});
const UPLOAD_FILE: Form = {
  path: '/graphql',
  type: MULTIPART,
  start: [
    part('name="operations"', OPERATIONS),
    part('name="map"', '{"0":["variables.f"]}'),
    part('name="0"; filename="a.txt"', 'a'),
  ].join('\r\n'),
};
const UPLOAD_CHUNK: Form = {
  path: '/api/v2/media/upload/chunk/',
  type: MULTIPART,
  start: part('name="image"; filename="a.txt"', 'a'),
};
const FORMS: readonly Form[] = [
  UPLOAD_FILE,
  UPLOAD_CHUNK,
  { path: '/graphql', type: 'application/json', start: '{"query":"' },
  { path: '/api/v2/tag/', type: 'application/json', start: '{"name":"' },
  { path: '/oauth/token', type: 'application/x-www-form-urlencoded', start: 'username=' },
];

function head({ path, type }: Form, sizeBytes: number, ...more: string[]): string {
  const headers = [
    `Content-Type: ${type}`,
    `Content-Length: ${sizeBytes}`,
    'apollo-require-preflight: 1',
    ...more,
  ];
  return `${[`POST ${path} HTTP/1.1`, 'Host: localhost', ...headers].join('\r\n')}\r\n\r\n`;
}

async function usageOfAll(server: ServerProcess) {
  const response = await fetch(`${server.url}/graphql`, {
    method: 'POST',
    headers: { authorization, 'content-type': 'application/json' },
    body: JSON.stringify({ query: '{ storageUsage { uploadSessions promisedBytes } }' }),
  });
  const { data } = (await response.json()) as { data: { storageUsage: object } };
  return data.storageUsage;
}

/** Calls `work` so many times, some at a time. */
async function inTurns<T>(count: number, work: (index: number) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  const client = async () => {
    while (next < count) {
      const index = next++;
      results[index] = await work(index);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, client));
  return results;
}

/** Another client, with a credential: it checks the health, and reads a media item and its file, one after the other. */
async function startNeighbour(server: ServerProcess, restMs: number) {
  let isStopped = false;
  let served = 0;
  const request = async (path: string, init: RequestInit = {}) => {
    const response = await fetch(server.url + path, {
      ...init,
      headers: { authorization, ...init.headers },
    });
    const body = await response.text();
    expect([path, response.status, body]).toEqual([path, 200, body]);
    served += 1;
    return body;
  };
  const headers = { 'content-type': 'text/plain' };
  await request('/medias/files/a', { method: 'POST', headers, body: 'a file' });
  const { data } = JSON.parse(await request(`/graphql?query=${MEDIA}`));
  const { id, url } = data.medias.nodes[0];
  const round = async () => {
    await request('/healthz');
    await request(`/graphql?query={node(id:"${id}"){...on Media{name}}}`);
    expect(await request(new URL(url).pathname)).toBe('a file');
  };
  // Memory that the first requests need is not growth.
  await inTurns(2 * COUNT, round);
  const work = (async () => {
    while (!isStopped) {
      await round();
      await sleep(restMs);
    }
  })();
  // Its failure is reported by `stop`.
  work.catch(() => undefined);
  served = 0;
  return {
    stop: async () => {
      isStopped = true;
      await work;
      return served;
    },
  };
}
