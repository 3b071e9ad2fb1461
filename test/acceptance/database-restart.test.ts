import { describe, expect, test } from 'vitest';
import { type OwnPostgres, POSTGRES_PROGRAMS, withOwnPostgres } from '../support/own-postgres.ts';
import { type ServerProcess, withDataDir, withServerProcess } from '../support/process.ts';
import { openStream } from '../support/sse.ts';

/** Number of times that the database crashes and starts again. */
const CRASHES = Math.ceil(Number(process.env.TRIVIUM_TEST_CUTS || 20) / 20);

const KEY = 'tvm_the-admin-key-of-the-tests';
const authorization = `Bearer ${KEY}`;
const MEDIA_CHANGED = 'subscription { mediaChanged { media { name } } }';

describe.skipIf(POSTGRES_PROGRAMS === undefined)('servers whose PostgreSQL crashes', () => {
  test(
    `survive ${CRASHES} crashes under load, and end the streams of their subscribers`,
    {
      timeout: 120_000 + CRASHES * 20_000,
    },
    () =>
      withOwnPostgres((postgres) =>
        withServer(postgres, (first) =>
          withServer(postgres, async (second) => {
            const created: string[] = [];
            for (let crash = 0; crash < CRASHES; crash++) {
              const streams = [await subscribe(first), await subscribe(second)];
              const load = startLoad([first, second], `${crash}`, created);
              await postgres.crash();
              await expect.poll(() => statusOf(first, '/readyz'), SLOW).toBe(503);
              expect(await statusOf(second, '/medias')).toBe(503);
              await postgres.start();
              for (const { rest } of streams) {
                const events = await rest();
                // Clients take a stream without `complete` for a lost connection, and subscribe again.
                expect(events.filter(({ event }) => event !== 'next')).toEqual([]);
              }
              await load.stop();
              await expect.poll(() => statusOf(first, '/readyz'), SLOW).toBe(200);
              await expectDelivery(first, second, `after ${crash}`);
            }
            expect([first.child.exitCode, second.child.exitCode]).toEqual([null, null]);
            const names = await allNames(first);
            expect(created.filter((name) => !names.has(name))).toEqual([]);
            expect(created.length).toBeGreaterThan(CRASHES);
          }),
        ),
      ),
  );
});

const SLOW = { timeout: 60_000 };

function withServer(
  { url }: OwnPostgres,
  work: (server: ServerProcess) => Promise<void>,
): Promise<void> {
  return withDataDir((dataDir) => {
    const variables = { TRIVIUM_DATA_DIR: dataDir, TRIVIUM_DATABASE_URL: url };
    return withServerProcess({ ...variables, TRIVIUM_ADMIN_KEY: KEY }, work);
  });
}

const subscribe = (server: ServerProcess) => openStream(server, MEDIA_CHANGED, { authorization });

/** Creates media on both servers until it is stopped. Adds the names that a server has acknowledged to `created`. */
function startLoad(servers: ServerProcess[], prefix: string, created: string[]) {
  let isStopped = false;
  const clients = servers.flatMap((server, at) =>
    [0, 1].map(async (client) => {
      for (let count = 0; !isStopped; count++) {
        const name = `${prefix} ${at} ${client} ${count}`;
        if (await create(server, name)) created.push(name);
      }
    }),
  );
  return {
    stop: () => {
      isStopped = true;
      return Promise.all(clients);
    },
  };
}

/** Creates a media item. Returns false if the database is away; throws for any other failure. */
async function create(server: ServerProcess, name: string): Promise<boolean> {
  const input = `{ type: URL, url: "https://x.org", name: "${name}" }`;
  const query = `mutation { createMedia(input: ${input}) { __typename } }`;
  const response = await request(server, '/graphql', { query });
  const text = await response.text();
  if (response.status === 503) return false;
  expect([response.status, text]).toEqual([200, expect.stringContaining('Success')]);
  return true;
}

/** Expects that a new subscriber of one server learns of a change by the other. */
async function expectDelivery(first: ServerProcess, second: ServerProcess, name: string) {
  await expect
    .poll(async () => {
      const stream = await subscribe(first);
      const next = stream.next(1000).catch(() => null);
      await create(second, name);
      const event = await next;
      stream.close();
      return event?.data?.mediaChanged.media.name;
    }, SLOW)
    .toBe(name);
}

async function allNames(server: ServerProcess): Promise<Set<string>> {
  const names = new Set<string>();
  for (let after: string | null = null; ; ) {
    const query = `query($after: String) { medias(first: 200, after: $after) {
      nodes { name } pageInfo { endCursor hasNextPage } } }`;
    const response = await request(server, '/graphql', { query, variables: { after } });
    const { data } = (await response.json()) as { data: { medias: Page } };
    for (const { name } of data.medias.nodes) names.add(name);
    if (!data.medias.pageInfo.hasNextPage) return names;
    after = data.medias.pageInfo.endCursor;
  }
}

interface Page {
  nodes: { name: string }[];
  pageInfo: { endCursor: string; hasNextPage: boolean };
}

async function statusOf(server: ServerProcess, path: string): Promise<number> {
  const response = await request(server, path);
  await response.arrayBuffer();
  return response.status;
}

function request({ url }: ServerProcess, path: string, body?: object): Promise<Response> {
  return fetch(url + path, {
    headers: { authorization, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { method: 'POST', body: JSON.stringify(body) }),
  });
}
