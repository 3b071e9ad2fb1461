import { sql } from 'kysely';
import { describe, expect, it, vi } from 'vitest';
import { openDb } from '../../src/store/db.ts';
import { inTransaction } from '../../src/store/transaction.ts';
import { type TestApp, withApp } from '../support/app.ts';
import { BACKENDS } from '../support/backend.ts';
import { openStream } from '../support/sse.ts';

const POSTGRES = BACKENDS.find(({ name }) => name === 'postgres');
const MESSAGE = 'The server is too busy for this operation. Try again later.';

describe.skipIf(POSTGRES === undefined)('while statements time out', () => {
  it('every dialect answers 503 with `Retry-After`, in its own envelope', () =>
    withLocks(['media', 'file', 'tag'], async (app) => {
      const error = { message: MESSAGE, code: 'error' };
      const expected: [path: string, body: object][] = [
        ['/api/v2/tag/', { detail: MESSAGE, errors: [error] }],
        ['/media', { error: { code: 'ServiceUnavailable', message: MESSAGE } }],
        ['/medias', { errors: [expect.objectContaining({ status: '503', code: 'server_busy' })] }],
        ['/media/abcdefgh/a.png', { error: { code: 'SERVER_BUSY', message: MESSAGE } }],
      ];
      for (const [path, body] of expected) {
        const response = await app.fetch(path, { asAdmin: true });
        expect([path, response.status, response.headers.get('retry-after')]).toEqual([
          path,
          503,
          '5',
        ]);
        expect(await response.json()).toEqual(body);
      }
    }));

  it.each(['application/json', 'application/graphql-response+json'])(
    'GraphQL answers 503 as %s if no field has a value',
    (accept) =>
      withLocks(['tag'], async (app) => {
        const response = await graphql(app, '{ tags { nodes { name } } }', accept);
        expect([response.status, response.headers.get('retry-after')]).toEqual([503, '5']);
        const { errors, extensions } = (await response.json()) as Record<string, object>;
        expect(errors).toEqual([
          expect.objectContaining({
            message: MESSAGE,
            extensions: { code: 'SERVER_BUSY', retryAfterSeconds: 5 },
          }),
        ]);
        expect(extensions).toEqual({ cost: expect.anything() });
      }),
  );

  it('GraphQL answers 200 with what it has', () =>
    withLocks(['tag'], async (app) => {
      const query = '{ __typename tag(by: { databaseId: 1 }) { name } }';
      const response = await graphql(app, query, 'application/json');
      expect([response.status, response.headers.get('retry-after')]).toEqual([200, null]);
      expect(await response.json()).toMatchObject({
        data: { __typename: 'Query', tag: null },
        errors: [{ path: ['tag'], extensions: { code: 'SERVER_BUSY' } }],
      });
    }));

  it('a stream that cannot read its events ends without `complete`', () =>
    withLocks(['media'], async (app) => {
      const stream = await openStream(app, 'subscription { mediaChanged { media { name } } }');
      await vi.waitFor(() => expect(app.services.events.subscriberCount()).toBe(1));
      const before = { id: 1, parent_id: null, path: '', owner: null, is_public: 0 };
      app.services.events.publish({ type: 'media', kind: 'updated', id: 1, before, folderIds: [] });
      expect(await stream.rest()).toEqual([]);
    }));
});

/** Runs `work` with a server none of whose statements on these tables end in time. */
async function withLocks(tables: string[], work: (app: TestApp) => Promise<void>): Promise<void> {
  await POSTGRES?.withUrl((url) => {
    const backend = { ...POSTGRES, withUrl: <T>(use: (url: string) => Promise<T>) => use(url) };
    return withApp(
      backend,
      async (app) => {
        const db = openDb({ url });
        const locked = inTransaction(db, async (db) => {
          const list = sql.join(tables.map((table) => sql.table(table)));
          await sql`lock table ${list} in access exclusive mode`.execute(db);
          await work(app);
        });
        await locked.finally(() => db.destroy());
      },
      { TRIVIUM_STATEMENT_TIMEOUT_MS: '1000' },
    );
  });
}

function graphql(app: TestApp, query: string, accept: string): Promise<Response> {
  const headers = { accept, 'content-type': 'application/json' };
  const body = JSON.stringify({ query });
  return app.fetch('/graphql', { method: 'POST', headers, body, asAdmin: true });
}
