import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { insertJob } from '../../src/store/job/job.ts';
import type { NewJobRow } from '../../src/store/table.ts';
import { type TestApp, withApp } from '../support/app.ts';
import { describeEachBackend } from '../support/backend.ts';
import { graphql } from '../support/graphql.ts';
import { makeJwt, makeMediaRow } from '../support/make.ts';

const SECRET = { TRIVIUM_JWT_SECRET: 'the-secret-of-the-tests' };
const NOW = Date.UTC(2026, 0, 1);
const FIELDS = `id uuid jobClass arguments priority status progress retryCount maxRetries error unicity
  scheduledAt createdAt updatedAt startedAt finishedAt
  attempts { number worker startedAt finishedAt error }`;

async function makeJob(app: TestApp, columns: Partial<NewJobRow> = {}): Promise<number> {
  const { id } = await insertJob(app.services.db, {
    uuid: randomUUID(),
    job_class: 'delete-blob',
    arguments: '{"blob_keys":[]}',
    priority: 0,
    status: 'pending',
    progress: 0,
    retry_count: 0,
    max_retries: 0,
    scheduled_at: NOW,
    created_at: NOW,
    updated_at: NOW,
    ...columns,
  });
  return id;
}

async function makeAttempt(app: TestApp, jobId: number, number: number, error: string | null) {
  const run = { worker: 'a', started_at: NOW, finished_at: error ? NOW + 1 : null, error };
  const attempt = { job_id: jobId, number, ...run };
  await app.services.db.insertInto('job_attempt').values(attempt).execute();
}

async function bearer(role: string): Promise<string> {
  return `Bearer ${await makeJwt({ sub: 'alice', role }, { secret: SECRET.TRIVIUM_JWT_SECRET })}`;
}

async function ask(app: TestApp, query: string, authorization = `Bearer ${app.adminKey}`) {
  const { data, errors } = await graphql(app, query, {}, { authorization });
  expect(errors).toBeUndefined();
  return data;
}

function globalId(type: string, id: number): string {
  return Buffer.from(`${type}:${id}`).toString('base64url');
}

describeEachBackend('jobs in GraphQL', (backend) => {
  test('a job has all its fields, and its runs in order', () =>
    withApp(backend, async (app) => {
      const uuid = randomUUID();
      const id = await makeJob(app, {
        uuid,
        arguments: '{"blob_keys":["a"]}',
        priority: -1,
        status: 'errored',
        progress: 0.25,
        retry_count: 1,
        max_retries: 2,
        error: 'no',
        unicity: 'u',
        started_at: NOW,
        finished_at: NOW + 1,
      });
      await makeAttempt(app, id, 2, null);
      await makeAttempt(app, id, 1, 'no');
      const job = {
        id: globalId('Job', id),
        uuid,
        jobClass: 'delete-blob',
        arguments: { blob_keys: ['a'] },
        priority: -1,
        status: 'ERRORED',
        progress: 0.25,
        retryCount: 1,
        maxRetries: 2,
        error: 'no',
        unicity: 'u',
        scheduledAt: '2026-01-01T00:00:00.000Z',
        createdAt: '2026-01-01T00:00:00.000Z',
        updatedAt: '2026-01-01T00:00:00.000Z',
        startedAt: '2026-01-01T00:00:00.000Z',
        finishedAt: '2026-01-01T00:00:00.001Z',
        attempts: [
          {
            number: 1,
            worker: 'a',
            startedAt: '2026-01-01T00:00:00.000Z',
            finishedAt: '2026-01-01T00:00:00.001Z',
            error: 'no',
          },
          {
            number: 2,
            worker: 'a',
            startedAt: '2026-01-01T00:00:00.000Z',
            finishedAt: null,
            error: null,
          },
        ],
      };
      const data = await ask(
        app,
        `{ byId: job(by: { id: "${job.id}" }) { ${FIELDS} }
           byUuid: job(by: { uuid: "${uuid.toUpperCase()}" }) { ${FIELDS} }
           node(id: "${job.id}") { ... on Job { ${FIELDS} } }
           none: job(by: { uuid: "${randomUUID()}" }) { id } }`,
      );
      expect(data).toEqual({ byId: job, byUuid: job, node: job, none: null });
    }));

  test('deleting a media item creates a job that deletes its content', () =>
    withApp(
      backend,
      async (app) => {
        const file = new File(['A note.'], 'note.txt');
        const upload = `mutation ($input: UploadFileInput!) {
        uploadFile(input: $input) { ... on UploadFileSuccess { media { id } } } }`;
        const authorization = `Bearer ${app.adminKey}`;
        const files = { 'input.file': file };
        const { data } = await graphql(app, upload, { input: {} }, { authorization, files });
        const { id } = data.uploadFile.media;
        await ask(app, `mutation { deleteMedia(input: { id: "${id}" }) { __typename } }`);
        const { jobs } = await ask(
          app,
          '{ jobs { totalCount nodes { jobClass status arguments } } }',
        );
        const blob_keys = [expect.stringMatching(/^[0-9a-f]{32}$/)];
        const job = { jobClass: 'delete-blob', status: 'PENDING', arguments: { blob_keys } };
        expect(jobs).toEqual({ totalCount: 1, nodes: [job] });
      },
      { TRIVIUM_TRASH_DAYS: '0' },
    ));

  test('lists are filtered, ordered and paged', () =>
    withApp(backend, async (app) => {
      const mediaId = await makeMediaRow(app.services.db);
      const ids = [
        await makeJob(app, { priority: 5, media_id: mediaId, unicity: 'a' }),
        await makeJob(app, { status: 'completed', job_class: 'hash-file', created_at: NOW + 1 }),
        await makeJob(app, { status: 'errored', priority: 9, scheduled_at: NOW + 5 }),
      ];
      const places = async (args: string) => {
        const { jobs } = await ask(
          app,
          `{ jobs${args && `(${args})`} { totalCount nodes { id } } }`,
        );
        const found = jobs.nodes.map(({ id }: { id: string }) =>
          ids.findIndex((one) => globalId('Job', one) === id),
        );
        return [jobs.totalCount, ...found];
      };
      expect(await places('')).toEqual([3, 2, 1, 0]);
      expect(await places('filter: { statuses: [PENDING, ERRORED] }')).toEqual([2, 2, 0]);
      expect(await places('filter: { jobClasses: ["hash-file"] }')).toEqual([1, 1]);
      const media = globalId('Media', mediaId);
      expect(await places(`filter: { mediaId: "${media}" }`)).toEqual([1, 0]);
      expect(await places('filter: { unicity: "a" }')).toEqual([1, 0]);
      const from = 'from: "2026-01-01T00:00:00.001Z"';
      expect(await places(`filter: { createdAt: { ${from} } }`)).toEqual([1, 1]);
      const byPriority = 'orderBy: { field: PRIORITY, direction: DESC }';
      expect(await places(byPriority)).toEqual([3, 2, 0, 1]);
      expect(await places('orderBy: { field: SCHEDULED_AT }, first: 2')).toEqual([3, 0, 1]);
      const { jobs } = await ask(
        app,
        `{ jobs(first: 1, ${byPriority}) { pageInfo { endCursor } } }`,
      );
      const after = `after: "${jobs.pageInfo.endCursor}"`;
      expect(await places(`${byPriority}, ${after}`)).toEqual([3, 0, 1]);
    }));

  test('the jobs of many media, and the runs of many jobs, take a fixed number of statements', () =>
    withApp(backend, async (app) => {
      const add = async () => {
        const mediaId = await makeMediaRow(app.services.db);
        for (let index = 0; index < 3; index += 1) {
          const id = await makeJob(app, { media_id: mediaId });
          await makeAttempt(app, id, 1, null);
        }
      };
      const query = `{ medias { nodes {
        jobs(first: 2) { totalCount nodes { id attempts { number } } pageInfo { hasNextPage } } } } }`;
      const count = async () => {
        app.statements.length = 0;
        const { medias } = await ask(app, query);
        for (const { jobs } of medias.nodes) {
          expect(jobs).toMatchObject({ totalCount: 3, pageInfo: { hasNextPage: true } });
          expect(jobs.nodes.map((job: { attempts: unknown[] }) => job.attempts)).toEqual([
            [{ number: 1 }],
            [{ number: 1 }],
          ]);
          expect(jobs.nodes[0].id > jobs.nodes[1].id).toBe(true);
        }
        return [medias.nodes.length, app.statements.length];
      };
      await add();
      expect(await count()).toEqual([1, 4]);
      for (let index = 0; index < 5; index += 1) await add();
      expect(await count()).toEqual([6, 4]);
    }));

  test('reading jobs requires a credential in every mode, and no particular role', () =>
    withApp(
      backend,
      async (app) => {
        const job = globalId('Job', await makeJob(app));
        const media = await makeMediaRow(app.services.db);
        const queries = [
          '{ jobs { nodes { id } } }',
          '{ jobs { totalCount } }',
          `{ job(by: { id: "${job}" }) { id } }`,
          `{ node(id: "${job}") { id } }`,
          `{ media(by: { databaseId: ${media} }) { jobs { totalCount } } }`,
        ];
        for (const query of queries) {
          const { errors, data } = await graphql(app, query);
          expect(errors?.[0]?.extensions?.code).toBe('NOT_AUTHENTICATED');
          expect(JSON.stringify(data ?? null)).not.toContain(job);
          await ask(app, query, await bearer('reader'));
        }
      },
      SECRET,
    ));

  test('an admin deletes a job in any state, with its runs', () =>
    withApp(
      backend,
      async (app) => {
        const id = await makeJob(app, { status: 'running' });
        await makeAttempt(app, id, 1, null);
        const remove = async (authorization?: string) => {
          const field = `deleteJob(input: { id: "${globalId('Job', id)}" })`;
          const query = `mutation { ${field} {
            ... on DeleteJobSuccess { deletedId } ... on Error { code } } }`;
          const options = authorization ? { authorization } : {};
          return (await graphql(app, query, {}, options)).data.deleteJob;
        };
        expect(await remove()).toEqual({ code: 'NOT_AUTHENTICATED' });
        expect(await remove(await bearer('editor'))).toEqual({ code: 'FORBIDDEN' });
        const admin = await bearer('admin');
        expect(await remove(admin)).toEqual({ deletedId: globalId('Job', id) });
        expect(await remove(admin)).toEqual({ code: 'NOT_FOUND' });
        const { db } = app.services;
        expect(await db.selectFrom('job_attempt').selectAll().execute()).toEqual([]);
      },
      SECRET,
    ));
});
