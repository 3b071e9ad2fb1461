import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { insertJob } from '../../src/store/job/job.ts';
import type { NewJobRow } from '../../src/store/table.ts';
import type { TestApp } from '../support/app.ts';
import { describeEachBackend } from '../support/backend.ts';
import { type GraphqlOptions, graphql } from '../support/graphql.ts';
import { toJobRow } from '../support/job-row.ts';
import { makeFolder, makeMediaRow } from '../support/make.ts';
import { asAdmin, bearer } from '../support/private-media.ts';
import { WITH_USERS } from '../support/request.ts';
import { shareApp } from '../support/shared-app.ts';
import { openStream } from '../support/sse.ts';

const SECRET = 'X-Amz-Signature=abc';
const URL_ARGUMENT = `https://user:word@x.org/a.png?${SECRET}#${SECRET}`;

interface TestJob {
  id: number;
  uuid: string;
  globalId: string;
}

/** The jobs of one test, by name, with what tells them from those of other tests. */
async function makeJobs(app: TestApp) {
  const { db } = app.services;
  const name = randomUUID();
  const starter = `starter ${name}`;
  const start = await makeFolder(db, { name });
  const { uuid } = await db
    .selectFrom('media')
    .where('id', '=', start)
    .select('uuid')
    .executeTakeFirstOrThrow();
  const inside = { parent_id: start, level: 2, path: `/1/${start}/` };
  const media = {
    unlisted: await makeMediaRow(db, { owner: 'someone' }),
    private: await makeMediaRow(db, { owner: 'someone', is_public: -1 }),
    inFolder: await makeMediaRow(db, { ...inside, owner: 'someone' }),
    privateInFolder: await makeMediaRow(db, { ...inside, owner: 'someone', is_public: -1 }),
  };
  const make = async (columns: Partial<NewJobRow>): Promise<TestJob> => {
    const row = toJobRow(Date.now(), { job_class: name, status: 'paused', ...columns });
    const { id } = await insertJob(db, row);
    return { id, uuid: row.uuid, globalId: Buffer.from(`Job:${id}`).toString('base64url') };
  };
  const args = JSON.stringify({ url: URL_ARGUMENT, filename: 'secret.png', folder_uuid: uuid });
  const jobs: Record<string, TestJob> = {
    ofServer: await make({ arguments: '{"blob_keys":["a"]}' }),
    started: await make({ created_by: starter, arguments: args, unicity: `u1 ${name}` }),
    ofUnlisted: await make({ media_id: media.unlisted, created_by: 'x', unicity: `u2 ${name}` }),
    ofPrivate: await make({ media_id: media.private, unicity: `u3 ${name}` }),
    inFolder: await make({ media_id: media.inFolder, created_by: 'x', arguments: args }),
    ofPrivateInFolder: await make({ media_id: media.privateInFolder }),
  };
  const viewers = {
    starter: await bearer(starter),
    reader: await bearer('reader', { role: 'reader' }),
    owner: await bearer('someone'),
    limited: await bearer('limited', { start_nodes: [uuid] }),
    'limited admin': await bearer('limited', { role: 'admin', start_nodes: [uuid] }),
    admin: asAdmin(app),
  };
  return { jobs, viewers, jobClass: name, media };
}

type Viewer = keyof Awaited<ReturnType<typeof makeJobs>>['viewers'];

const OF_ALL = ['ofUnlisted', 'inFolder'];
const IN_FOLDER = ['inFolder', 'ofPrivateInFolder'];
const EVERY = ['ofServer', 'started', 'ofUnlisted', 'ofPrivate', 'inFolder', 'ofPrivateInFolder'];

const SEEN: Record<Viewer, string[]> = {
  starter: ['started', ...OF_ALL],
  reader: OF_ALL,
  owner: ['ofUnlisted', 'ofPrivate', ...IN_FOLDER],
  limited: IN_FOLDER,
  'limited admin': IN_FOLDER,
  admin: EVERY,
};

async function ask(app: TestApp, sender: GraphqlOptions, query: string, variables = {}) {
  const { data, errors } = await graphql(app, query, variables, sender);
  expect(errors).toBeUndefined();
  return data;
}

async function importer(app: TestApp, { authorization }: GraphqlOptions, path: string, init = {}) {
  const headers = { authorization: authorization ?? '' };
  const response = await app.fetch(path, { headers, ...init });
  return { status: response.status, body: JSON.parse((await response.text()) || 'null') };
}

const namesOf = (jobs: Record<string, TestJob>, uuids: string[]) =>
  uuids.map((uuid) => Object.keys(jobs).find((name) => jobs[name]!.uuid === uuid)).sort();

describeEachBackend('a viewer', (backend) => {
  const shared = shareApp(backend, WITH_USERS);

  test('sees the jobs that it started and those of media in its sight, in every list, count and read', async () => {
    const app = shared();
    const { jobs, viewers, jobClass } = await makeJobs(app);
    for (const [name, sender] of Object.entries(viewers)) {
      const expected = [...SEEN[name as Viewer]].sort();
      const filter = `filter: { jobClasses: ["${jobClass}"] }`;
      const lists = await ask(
        app,
        sender,
        `{ jobs(${filter}) { totalCount nodes { uuid } }
           byPriority: jobs(${filter}, orderBy: { field: PRIORITY }) { nodes { uuid } } }`,
      );
      const found = (list: { nodes: TestJob[] }) =>
        namesOf(
          jobs,
          list.nodes.map(({ uuid }) => uuid),
        );
      expect([name, found(lists.jobs), lists.jobs.totalCount]).toEqual([
        name,
        expected,
        expected.length,
      ]);
      expect([name, found(lists.byPriority)]).toEqual([name, expected]);
      for (const [job, { globalId, uuid }] of Object.entries(jobs)) {
        const reads = `{ a: job(by: { id: "${globalId}" }) { uuid } b: job(by: { uuid: "${uuid}" }) { uuid }
          c: node(id: "${globalId}") { ... on Job { uuid } } d: nodes(ids: ["${globalId}"]) { ... on Job { uuid } } }`;
        const one = expected.includes(job) ? { uuid } : null;
        expect([name, job, await ask(app, sender, reads)]).toEqual([
          name,
          job,
          { a: one, b: one, c: one, d: [one] },
        ]);
        const { status } = await importer(app, sender, `/jobs/${uuid}`);
        expect([name, job, status]).toEqual([name, job, one ? 200 : 404]);
      }
      for (const more of [
        '',
        '&sort=-priority',
        '&sort=unicity',
        '&filter[status]=paused',
        '&sort=created_at',
      ]) {
        const path = `/jobs?filter[job_class]=${jobClass}&count=true${more}`;
        const { body } = await importer(app, sender, path);
        const uuids = body.data.map(({ id }: { id: string }) => id);
        expect([name, more, namesOf(jobs, uuids), body.meta.count]).toEqual([
          name,
          more,
          expected,
          expected.length,
        ]);
      }
    }
  });

  test('reads the arguments of a job only if it started the job or is an admin, and no secret part of a URL', async () => {
    const app = shared();
    const { jobs, viewers, jobClass } = await makeJobs(app);
    const shown = {
      url: 'https://x.org/a.png',
      filename: 'secret.png',
      folder_uuid: expect.any(String),
    };
    const query = `{ jobs(filter: { jobClasses: ["${jobClass}"] }) { nodes { uuid arguments unicity } } }`;
    for (const [name, sender] of Object.entries(viewers)) {
      const { jobs: list } = await ask(app, sender, query);
      const path = `/jobs?filter[job_class]=${jobClass}`;
      const { body } = await importer(app, sender, path);
      expect(JSON.stringify([list, body])).not.toContain(SECRET);
      expect(JSON.stringify([list, body])).not.toContain('word@');
      for (const { uuid, arguments: args, unicity } of list.nodes) {
        const [job] = namesOf(jobs, [uuid]);
        const reads = name.endsWith('admin') || (name === 'starter' && job === 'started');
        const hasUrl = job === 'started' || job === 'inFolder';
        expect([name, job, args]).toEqual([
          name,
          job,
          reads && hasUrl ? shown : reads && job === 'ofServer' ? { blob_keys: ['a'] } : {},
        ]);
        if (!reads) expect(unicity).toBeNull();
        const { attributes } = body.data.find(({ id }: { id: string }) => id === uuid);
        expect(attributes).toMatchObject({ arguments: args, unicity });
      }
    }
  });

  test('finds jobs by what it may read only', async () => {
    const app = shared();
    const { jobs, viewers, jobClass, media } = await makeJobs(app);
    const byUnicity = async (name: Viewer, unicity: string) => {
      const query = `{ jobs(filter: { unicity: "${unicity} ${jobClass}" }) { totalCount nodes { uuid } } }`;
      const { jobs: list } = await ask(app, viewers[name], query);
      const filters = ['', '__prefix', '__contains', '__lte'].map((operator) =>
        importer(
          app,
          viewers[name],
          `/jobs?filter[job_class]=${jobClass}&filter[unicity${operator}]=${unicity}%20${jobClass}&count=true`,
        ),
      );
      const counts = (await Promise.all(filters)).map(({ body }) => body.meta.count);
      return [list.totalCount, ...counts];
    };
    expect(await byUnicity('starter', 'u1')).toEqual([1, 1, 1, 1, 1]);
    // In sight, but started by another viewer.
    expect(await byUnicity('starter', 'u2')).toEqual([0, 0, 0, 0, 1]);
    expect(await byUnicity('reader', 'u2')).toEqual([0, 0, 0, 0, 0]);
    expect(await byUnicity('admin', 'u2')).toEqual([1, 1, 1, 1, 2]);
    const ofMedia = async (name: Viewer, id: number) => {
      const globalId = Buffer.from(`Media:${id}`).toString('base64url');
      const query = `{ jobs(filter: { mediaId: "${globalId}" }) { totalCount nodes { uuid } } }`;
      const { jobs: list } = await ask(app, viewers[name], query);
      expect(list.nodes).toHaveLength(list.totalCount);
      return list.totalCount;
    };
    expect(await ofMedia('reader', media.unlisted)).toBe(1);
    expect(await ofMedia('reader', media.private)).toBe(0);
    expect(await ofMedia('limited', media.unlisted)).toBe(0);
    expect(await ofMedia('owner', media.private)).toBe(1);
    // An order by what is hidden is that of nulls.
    const sorted = async (name: Viewer, sort: string) => {
      const path = `/jobs?filter[job_class]=${jobClass}&sort=${sort}`;
      const { body } = await importer(app, viewers[name], path);
      return body.data.map(({ id }: { id: string }) => id);
    };
    const uuids = (names: string[]) => names.map((name) => jobs[name]!.uuid).sort();
    expect(await sorted('reader', 'unicity')).toEqual(uuids(SEEN.reader));
    expect(await sorted('starter', 'unicity')).toEqual([jobs.started!.uuid, ...uuids(OF_ALL)]);
  });

  test('gets the same error for a job outside of its sight and for a missing one', async () => {
    const app = shared();
    const { jobs, viewers } = await makeJobs(app);
    const signal = async (name: Viewer, { globalId, uuid }: TestJob) => {
      const query = `mutation { signalJob(input: { id: "${globalId}", signal: PAUSE }) { __typename ... on Error { code } } }`;
      const { signalJob } = await ask(app, viewers[name], query);
      const init = {
        method: 'POST',
        headers: { ...viewers[name], 'content-type': 'application/json' },
        body: '{"signal":"pause"}',
      };
      const { status } = await importer(app, viewers[name], `/jobs/${uuid}/signal`, init);
      return [signalJob.code, status];
    };
    expect(await signal('starter', jobs.ofPrivate!)).toEqual(['NOT_FOUND', 404]);
    expect(await signal('starter', jobs.ofUnlisted!)).toEqual(['FORBIDDEN', 403]);
    expect(await signal('starter', jobs.started!)).toEqual([undefined, 200]);
    expect(await signal('limited admin', jobs.started!)).toEqual(['NOT_FOUND', 404]);
    const remove = async (name: Viewer, { globalId }: TestJob) => {
      const query = `mutation { deleteJob(input: { id: "${globalId}" }) { __typename ... on Error { code } } }`;
      return (await ask(app, viewers[name], query)).deleteJob.code;
    };
    expect(await remove('limited admin', jobs.started!)).toBe('NOT_FOUND');
    expect(await remove('limited admin', jobs.inFolder!)).toBeUndefined();
    expect(await remove('admin', jobs.started!)).toBeUndefined();
  });

  test('learns of changes of the jobs in its sight only', async () => {
    const app = shared();
    const { jobs, viewers, jobClass } = await makeJobs(app);
    const subscription = `subscription { jobChanged(filter: { jobClasses: ["${jobClass}"] }) { uuid arguments } }`;
    for (const name of ['reader', 'limited', 'limited admin', 'admin', 'starter'] as const) {
      const authorization = viewers[name].authorization;
      const stream = await openStream(app, subscription, { authorization });
      const expected = [...SEEN[name]];
      for (const { id } of Object.values(jobs)) app.services.events.publish({ type: 'job', id });
      const found = [];
      while (found.length < expected.length) {
        const { jobChanged } = (await stream.next())!.data;
        found.push(jobChanged.uuid);
        expect(JSON.stringify(jobChanged)).not.toContain(SECRET);
      }
      expect([name, namesOf(jobs, found)]).toEqual([name, expected.sort()]);
      // Nothing follows but the next change in its sight.
      const last = expected.at(-1)!;
      for (const job of ['ofPrivate', last]) {
        if (job === last || !expected.includes(job))
          app.services.events.publish({ type: 'job', id: jobs[job]!.id });
      }
      expect([name, (await stream.next())?.data.jobChanged.uuid]).toEqual([name, jobs[last]!.uuid]);
      stream.close();
    }
  });

  test('is not told which job of others holds a unicity', async () => {
    const app = shared();
    const { jobs, viewers } = await makeJobs(app);
    const unicity = `held ${randomUUID()}`;
    const url = `https://x.org/a.png?${SECRET}`;
    const start = async (name: Viewer) => {
      const attributes = { job_class: 'import-url', arguments: { url }, unicity };
      const init = {
        method: 'POST',
        headers: { ...viewers[name], 'content-type': 'application/vnd.api+json' },
        body: JSON.stringify({ data: { type: 'media:jobs', attributes } }),
      };
      return importer(app, viewers[name], '/jobs', init);
    };
    const first = await start('owner');
    expect(first.status).toBe(201);
    expect(first.body.data.attributes.arguments).toEqual({ url: 'https://x.org/a.png' });
    const [again, other] = [await start('owner'), await start('starter')];
    expect(again.body.errors[0]).toMatchObject({
      code: 'already_exists',
      meta: { id: first.body.data.id },
    });
    expect(other.body.errors[0].code).toBe('already_exists');
    expect(JSON.stringify(other.body)).not.toContain(first.body.data.id);
    expect(Object.keys(jobs)).toHaveLength(6);
  });
});
