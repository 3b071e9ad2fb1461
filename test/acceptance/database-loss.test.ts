import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { describe, expect, test, vi } from 'vitest';
import { BACKENDS } from '../support/backend.ts';
import { type ServerProcess, withDataDir, withServerProcess } from '../support/process.ts';
import { type TcpProxy, withTcpProxy } from '../support/tcp-proxy.ts';

const POSTGRES = BACKENDS.find(({ name }) => name === 'postgres');

/** Number of times that connections are broken. */
const CUTS = Number(process.env.TRIVIUM_TEST_CUTS || 20);

/** Number of times that the database hangs. */
const HANGS = Number(process.env.TRIVIUM_TEST_HANGS || 1);

const KEY = 'tvm_the-admin-key-of-the-tests';
const authorization = `Bearer ${KEY}`;

/** Spellings of one path. */
const READY_PATHS = ['/readyz', '/readyz/', '/readyz?a'];

/** What happens to the database while requests are being served. */
const FAULTS: readonly [string, (proxy: TcpProxy, admin: pg.Client) => unknown][] = [
  ['a query is not sent', (proxy) => proxy.cutAt(/select/, 'unsent')],
  ['a query is not answered', (proxy) => proxy.cutAt(/select/, 'unanswered')],
  ['a transaction is cut', (proxy) => proxy.cutAt(/insert into "media"/, 'unsent')],
  ['a transaction is cut after a change', (proxy) => proxy.cutAt(/insert into/, 'unanswered')],
  ['a commit is not sent', (proxy) => proxy.cutAt(/commit/, 'unsent')],
  ['a commit is not answered', (proxy) => proxy.cutAt(/commit/, 'unanswered')],
  ['all connections break', (proxy) => sleep(Math.random() * 60).then(proxy.cutAll)],
  ['an administrator ends all connections', (_proxy, admin) => admin.query(TERMINATE)],
];

const TERMINATE = `select pg_terminate_backend(pid) from pg_stat_activity
  where datname = current_database() and application_name like 'trivium%'`;

// They wait for time limits most of the time.
describe
  .skipIf(POSTGRES === undefined)
  .concurrent('a server whose database connections break', () => {
    test(
      `survives ${CUTS} cuts, answers 503 or right, and loses nothing acknowledged`,
      {
        timeout: 60_000 + CUTS * 3000,
      },
      () =>
        withServer({ TRIVIUM_JOB_CONCURRENCY: '2' }, async (server, proxy, admin) => {
          const created: string[] = [];
          let refused = 0;
          for (let round = 0; round < CUTS; round++) {
            const [, fault] = FAULTS[round % FAULTS.length] as (typeof FAULTS)[0];
            const answers = sendAll(server, round);
            await fault(proxy, admin);
            for (const { status, name } of await answers) {
              if (name !== null) created.push(name);
              else if (status === 503) refused++;
            }
          }
          console.info(`${proxy.cuts()} connections cut, ${refused} answers with 503`);
          expect(server.child.exitCode).toBeNull();
          expect(proxy.cuts()).toBeGreaterThan(CUTS / 2);
          // Afterwards everything works, at once: what the last cut has broken is found by then.
          const last = await sendAll(server, CUTS);
          expect(last.map(({ status }) => status).filter((status) => status >= 300)).toEqual([]);
          const { rows } = await admin.query('select name from media union select name from tag');
          const names = new Set(rows.map(({ name }) => name));
          expect(created.filter((name) => !names.has(name))).toEqual([]);
          expect(created.length).toBeGreaterThan(CUTS);
          expect(server.log.filter(({ level }) => Number(level) >= 60)).toEqual([]);
        }),
    );

    test(
      `answers 503 while the database hangs, \`/readyz\` too, and works when it is back, ${HANGS} times`,
      {
        timeout: 60_000 + HANGS * 20_000,
      },
      () =>
        withServer({ TRIVIUM_STATEMENT_TIMEOUT_MS: '2000' }, async (server, proxy) => {
          for (let hang = 0; hang < HANGS; hang++) {
            proxy.hang(true);
            let isAnswered = false;
            const answers = sendAll(server, 2 * hang).finally(() => {
              isAnswered = true;
            });
            const paths = Array.from(
              { length: 50 },
              (_, at) => READY_PATHS[at % READY_PATHS.length],
            );
            const ready = await Promise.all(paths.map((path) => fetch(server.url + path)));
            expect(ready.map(({ status }) => status)).toEqual(Array(50).fill(503));
            for (const path of ['/healthz', '/healthz/', '/healthz?a']) {
              const headers = { authorization: 'Bearer tvm_of-nobody' };
              expect((await fetch(server.url + path)).status).toBe(200);
              expect((await fetch(server.url + path, { headers })).status).toBe(200);
            }
            // They have not waited for a statement.
            expect(isAnswered).toBe(false);
            expect(new Set((await answers).map(({ status }) => status))).toEqual(new Set([503]));
            const [first] = ready;
            expect(await first?.json()).toEqual({ status: 'unavailable' });
            proxy.hang(false);
            await expectReady(server);
            const lines = server.log.length;
            const last = await sendAll(server, 2 * hang + 1);
            const failed = last.map(({ status }) => status).filter((status) => status >= 300);
            expect([failed, failed.length === 0 ? [] : server.log.slice(lines)]).toEqual([[], []]);
          }
          expect(server.child.exitCode).toBeNull();
        }),
    );
  });

/** Waits until the server is ready. If it is not, the failure shows the end of its log. */
async function expectReady({ url, log }: ServerProcess): Promise<void> {
  await vi.waitFor(
    async () => {
      const { status } = await fetch(`${url}/readyz`);
      expect([status, status === 200 ? [] : log.slice(-3)]).toEqual([200, []]);
    },
    { timeout: 60_000, interval: 50 },
  );
}

type Work = (server: ServerProcess, proxy: TcpProxy, admin: pg.Client) => Promise<void>;

/** Runs `work` with a server that reaches its database through a proxy; `admin` reaches it directly. */
async function withServer(variables: Record<string, string>, work: Work): Promise<void> {
  await POSTGRES?.withUrl((url) =>
    withTcpProxy(url, (proxy) =>
      withDataDir(async (dataDir) => {
        const admin = new pg.Client({ connectionString: url });
        await admin.connect();
        const own = { TRIVIUM_DATA_DIR: dataDir, TRIVIUM_DATABASE_URL: proxy.through(url) };
        const all = { TRIVIUM_ADMIN_KEY: KEY, ...own, ...variables };
        await withServerProcess(all, (server) => work(server, proxy, admin)).finally(() =>
          admin.end(),
        );
      }),
    ),
  );
}

interface Answer {
  status: number;
  /** The name of the thing that the server says it has created. */
  name: string | null;
}

/** Sends a read and a write of each dialect. */
function sendAll(server: ServerProcess, round: number): Promise<Answer[]> {
  const input = (name: string) => `{ type: URL, url: "https://x.org", name: "${name}" }`;
  const create = (name: string) =>
    graphql(`mutation { createMedia(input: ${input(name)}) { __typename } }`);
  const folder = { name: `folder ${round}`, mediaTypeAlias: 'Folder', parentId: null };
  const answers = Promise.all([
    send(server, '/graphql', graphql('{ medias(first: 5) { nodes { name tags { name } } } }')),
    send(server, '/api/v2/tag/'),
    send(server, '/media'),
    send(server, '/medias'),
    send(server, '/jobs'),
    send(server, '/graphql', create(`a ${round}`), `a ${round}`),
    send(server, '/graphql', create(`b ${round}`), `b ${round}`),
    send(server, '/api/v2/tag/', { name: `tag ${round}` }, `tag ${round}`),
    send(server, '/media', folder, `folder ${round}`),
  ]);
  // A failure is reported where the answers are awaited.
  answers.catch(() => undefined);
  return answers;
}

const graphql = (query: string) => ({ query });

async function send(
  { url }: ServerProcess,
  path: string,
  body?: object,
  name: string | null = null,
): Promise<Answer> {
  const response = await fetch(url + path, {
    headers: { authorization, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { method: 'POST', body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const { status } = response;
  if (status === 503) {
    expect(response.headers.get('retry-after')).toMatch(/^\d+$/);
    expect(text).toMatch(/"errors?":/);
    return { status, name: null };
  }
  expect([status < 300, text]).toEqual([true, text]);
  if (path === '/graphql') expect(JSON.parse(text).errors).toBeUndefined();
  if (body && path === '/graphql' && name) expect(text).toContain('Success');
  return { status, name };
}
