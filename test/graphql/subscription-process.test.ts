import { sql } from 'kysely';
import { describe, expect, test, vi } from 'vitest';
import { insertJob } from '../../src/store/job/job.ts';
import { type TestApp, withApp } from '../support/app.ts';
import { BACKENDS } from '../support/backend.ts';
import { graphql } from '../support/graphql.ts';
import { withStream } from '../support/sse.ts';

const POSTGRES = BACKENDS.find(({ name }) => name === 'postgres');

describe.skipIf(POSTGRES === undefined)('two servers on one PostgreSQL database', () => {
  test('notify their subscribers of changes by the other server', () =>
    withTwoApps(async (first, second) => {
      await withStream(
        first,
        'subscription { mediaChanged { kind media { title } } }',
        async (stream) => {
          const input = '{ type: EMBED, embedType: "a", embedId: "b", title: "x" }';
          await mutate(second, `createMedia(input: ${input}) { __typename }`);
          expect((await stream.next())?.data).toEqual({
            mediaChanged: { kind: 'CREATED', media: { title: 'x' } },
          });
          // A server’s own changes are reported once, not again through the other server.
          await mutate(first, `createMedia(input: ${input}) { __typename }`);
          await mutate(second, `createMedia(input: ${input.replace('"x"', '"y"')}) { __typename }`);
          const titles = [await stream.next(), await stream.next()].map(
            (event) => event?.data.mediaChanged.media.title,
          );
          expect(titles).toEqual(['x', 'y']);
        },
      );
    }));

  test('notify their subscribers of jobs that the other server runs', () =>
    withTwoApps(async (web) => {
      const authorization = `Bearer ${web.adminKey}`;
      const query =
        'subscription { jobChanged(filter: { jobClasses: ["delete-blob"] }) { status } }';
      await withStream(
        web,
        query,
        async (stream) => {
          await insertJob(web.services.db, aJob());
          let status: string;
          do status = (await stream.next())?.data.jobChanged.status;
          while (status !== 'COMPLETED');
        },
        { authorization },
      );
    }));
});

/** Starts two servers, of which the second runs the jobs. */
async function withTwoApps(work: (first: TestApp, second: TestApp) => Promise<void>) {
  await POSTGRES?.withUrl(async (url) => {
    const backend = { ...POSTGRES, withUrl: <T>(use: (url: string) => Promise<T>) => use(url) };
    await withApp(backend, (first) =>
      withApp(backend, (second) => allListening(first, 2).then(() => work(first, second)), {
        TRIVIUM_JOB_CONCURRENCY: '1',
      }),
    );
  });
}

/** Waits until the servers have connected and are about to listen. */
async function allListening({ services }: TestApp, count: number): Promise<void> {
  await vi.waitFor(async () => {
    const { rows } = await sql`select 1 from pg_stat_activity
      where datname = current_database() and application_name = 'trivium notices'
      and query <> ''`.execute(services.db);
    expect(rows).toHaveLength(count);
  });
}

async function mutate(app: TestApp, field: string): Promise<void> {
  const { errors } = await graphql(
    app,
    `mutation { ${field} }`,
    {},
    {
      authorization: `Bearer ${app.adminKey}`,
    },
  );
  expect(errors).toBeUndefined();
}

function aJob() {
  const now = Date.now();
  return {
    uuid: crypto.randomUUID(),
    job_class: 'delete-blob',
    arguments: '{"blob_keys":[]}',
    status: 'pending',
    ...{ priority: 0, progress: 0, retry_count: 0, max_retries: 0 },
    ...{ scheduled_at: now, created_at: now, updated_at: now },
  };
}
