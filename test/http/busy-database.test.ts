import { once } from 'node:events';
import SqliteDatabase from 'better-sqlite3';
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { registerRoutes } from '../../src/http/dialect.ts';
import { createApp } from '../../src/start/app.ts';
import { parseConfig } from '../../src/start/config.ts';
import { storeFixture } from '../rest/file/stored-file.ts';
import { type TestApp, withApp } from '../support/app.ts';
import { BACKENDS } from '../support/backend.ts';
import { makeKey } from '../support/make.ts';
import { withDataDir } from '../support/process.ts';
import { openSocket } from '../support/raw-request.ts';

const sqlite = BACKENDS.find(({ name }) => name === 'sqlite')!;

describe('while another program holds the lock of the database', () => {
  it('reads and downloads are answered at once, and every change with 503 in the end', () =>
    withApp(sqlite, async (app) => {
      const { urlPath: picture } = await storeFixture(app, 'picture.png');
      const rendition = `${picture}?width=8`;
      expect((await app.fetch(rendition)).status).toBe(200);
      // Now a download would note that the rendition and the key have been used.
      await app.services.db.updateTable('rendition').set({ used_at: 0 }).execute();
      const key = await makeKey(app.services, { name: 'a', role: 'editor' });
      const headers = { authorization: `Bearer ${key}` };
      const release = await holdLock(app);
      let isAnswered = false;
      const changes = Object.fromEntries(
        Object.entries(CHANGES).map(([name, change]) => {
          const answer = change(app).finally(() => {
            isAnswered = true;
          });
          return [name, answer];
        }),
      );
      for (const path of [
        '/healthz',
        '/readyz',
        picture,
        rendition,
        '/graphql?query={medias{nodes{id}}}',
      ]) {
        const { status } = await app.fetch(path, { headers });
        expect([path, status]).toEqual([path, 200]);
      }
      expect(isAnswered).toBe(false);
      for (const [name, answer] of Object.entries(changes)) {
        const response = await answer;
        const body = await response.json();
        const retryAfter = Number(response.headers.get('retry-after'));
        expect([name, response.status, retryAfter]).toEqual([name, 503, 5]);
        expect(body).toMatchObject(BODIES[name as keyof typeof BODIES]);
      }
      release();
      for (const [name, change] of Object.entries(CHANGES)) {
        const { ok } = await change(app);
        expect([name, ok]).toEqual([name, true]);
      }
    }));
});

const MESSAGE = 'The server is too busy for this operation. Try again later.';

/** A change in each dialect. */
const CHANGES = {
  graphql: (app: TestApp) => {
    const query = 'mutation { createTag(input: {name: "a"}) { __typename } }';
    return post(app, '/graphql', { query });
  },
  selfcommunity: (app: TestApp) => post(app, '/api/v2/tag/', { name: 'a' }),
  heartcore: (app: TestApp) => post(app, '/media', { mediaTypeAlias: 'Folder', name: 'a' }),
  importer: (app: TestApp) => {
    const attributes = { job_class: 'import-url', arguments: { url: 'https://a.example/a.png' } };
    const data = { type: 'media:jobs', attributes };
    return post(app, '/jobs', { data }, 'application/vnd.api+json');
  },
};

const BODIES = {
  graphql: { data: null, errors: [{ message: MESSAGE, extensions: { code: 'SERVER_BUSY' } }] },
  selfcommunity: { detail: MESSAGE, errors: [{ message: MESSAGE }] },
  heartcore: { error: { code: 'ServiceUnavailable', message: MESSAGE } },
  importer: { errors: [{ status: '503', code: 'server_busy', detail: MESSAGE }] },
};

function post(app: TestApp, path: string, body: object, type = 'application/json') {
  const headers = { 'content-type': type };
  return app.fetch(path, { method: 'POST', asAdmin: true, headers, body: JSON.stringify(body) });
}

/** Takes the lock as another program does; returns the function that gives it back. */
async function holdLock({ services }: TestApp): Promise<() => void> {
  const { rows } = await sql<{ file: string }>`select file from pragma_database_list`.execute(
    services.db,
  );
  const other = new SqliteDatabase(rows[0]!.file);
  other.exec('begin immediate');
  return () => other.close();
}

/** A read that never ends. */
const ENDLESS = sql`with recursive n(x) as (select 1 union all select x from n) select x from n where x = 2`;

/** Runs `work` with a server whose path `/slow` reads until something stops it, and the reasons that stopped it. */
function withSlowRoute(
  work: (server: { url: string }, ends: unknown[]) => Promise<void>,
  variables: Readonly<Record<string, string>> = {},
): Promise<void> {
  return withDataDir(async (TRIVIUM_DATA_DIR) => {
    const base = { TRIVIUM_PORT: '0', TRIVIUM_LOG_LEVEL: 'silent', TRIVIUM_JOB_CONCURRENCY: '0' };
    const app = await createApp(parseConfig({ ...base, TRIVIUM_DATA_DIR, ...variables }));
    const ends: unknown[] = [];
    registerRoutes(app.server, [{ method: 'GET', path: '/slow' }], {
      services: app.services,
      publicUrl: null,
      refuseMethod: () => new Error('There is only GET.'),
      serve: async (_route, { ctx, reply }) => {
        const end = await ENDLESS.execute(ctx.db).catch((error) => error);
        ends.push(end);
        if (end instanceof Error) throw end;
        return reply;
      },
    });
    try {
      await work({ url: await app.start() }, ends);
    } finally {
      await app.stop();
    }
  });
}

describe('a statement that does not end', () => {
  it('is stopped at the time limit, and the answer is 503 with Retry-After', () =>
    withSlowRoute(
      async ({ url }) => {
        const response = await fetch(`${url}/slow`);
        expect(response.status).toBe(503);
        expect(response.headers.get('retry-after')).toBe('5');
        expect(await response.json()).toEqual({
          error: { code: 'SERVER_BUSY', message: MESSAGE },
        });
      },
      // Longer than a statement of the start takes on a busy machine.
      { TRIVIUM_STATEMENT_TIMEOUT_MS: '2000' },
    ));

  it('is stopped when its client disconnects, and so are those that wait', () =>
    withSlowRoute(async (server, ends) => {
      const sockets = await Promise.all([1, 2, 3].map(() => openSocket(server)));
      for (const socket of sockets) socket.write('GET /slow HTTP/1.1\r\nhost: localhost\r\n\r\n');
      expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
      expect(ends).toEqual([]);
      for (const socket of sockets) {
        socket.destroy();
        await once(socket, 'close');
      }
      const cancelled = expect.objectContaining({ reason: 'cancelled' });
      await expect.poll(() => ends).toEqual([cancelled, cancelled, cancelled]);
    }));
});
