import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import Kitsu from 'kitsu';
import { beforeAll, expect, test } from 'vitest';
import { type ServerProcess, withDataDir, withServerProcess } from '../support/process.ts';
import { share } from '../support/share.ts';
import { fixture } from '../support/temporary-file.ts';

// biome-ignore lint/suspicious/noExplicitAny: neither client has types of what a server answers
type Loose = any;

const require = createRequire(import.meta.url);
const Devour = require('devour-client') as Loose;

const ADMIN_KEY = 'the-admin-key-of-the-test';
const PICTURE = readFileSync(fixture('picture.png'));
const CLIP = readFileSync(fixture('clip.mp4'));

let url = '';
// The server runs no jobs, so that they stay as they were created.
const sharedServer = share<ServerProcess>((work) =>
  withDataDir((TRIVIUM_DATA_DIR) =>
    withServerProcess(
      { TRIVIUM_DATA_DIR, TRIVIUM_ADMIN_KEY: ADMIN_KEY, TRIVIUM_JOB_CONCURRENCY: '0' },
      work,
    ),
  ),
);

beforeAll(() => {
  ({ url } = sharedServer());
});

/** Creates a client with the settings of contract §6. */
function kitsu(options: object = {}): Loose {
  return new Kitsu({
    baseURL: url,
    camelCaseTypes: false,
    pluralize: false,
    resourceCase: 'none',
    headers: { Authorization: `Bearer ${ADMIN_KEY}` },
    ...options,
  });
}

function devour(): Loose {
  const client = new Devour({
    apiUrl: `${url}/api/v1/media`,
    bearer: ADMIN_KEY,
    pluralize: false,
    logger: false,
  });
  const job = { job_class: '', status: '', priority: 0, progress: 0, scheduled_at: '' };
  client.define('media:jobs', job, { collectionPath: 'jobs' });
  const media = { resource: '', key: '', filename: '', size: 0, mime_type: '' };
  client.define('media:medias', media, { collectionPath: 'medias' });
  return client;
}

/** Uploads with kitsu's own connection, as its users do. */
function upload(path: string, name: string, bytes: Buffer): Promise<Loose> {
  const form = new FormData();
  form.append('media', new File([new Uint8Array(bytes)], name));
  const api = kitsu();
  const headers = { ...api.headers, 'Content-Type': 'multipart/form-data' };
  return api.axios.post(`medias/files/${path}`, form, { headers });
}

function makeJob(priority: number, unicity: string): Promise<Loose> {
  return kitsu().post('jobs', {
    job_class: 'import-url',
    arguments: { url: `https://a.example/${unicity}` },
    priority,
    unicity,
  });
}

test('kitsu creates, lists with every parameter, shows, signals and deletes jobs', async () => {
  const api = kitsu();
  const made = [];
  for (const [index, priority] of [3, 5, 5, 1].entries()) {
    const answer = await makeJob(priority, `kitsu-${index}`);
    expect([answer.status, answer.data.type]).toEqual([201, 'media:jobs']);
    expect(answer.headers.location).toBe(`${url}/jobs/${answer.data.id}`);
    made.push(answer.data);
  }
  const page = await api.get('jobs', {
    params: {
      page: { number: 1, size: 2 },
      sort: '-priority,created_at',
      fields: { 'media:jobs': 'status,progress,priority' },
      filter: {
        status__in: ['pending', 'running'],
        priority__gte: 3,
        unicity__prefix: 'kitsu-',
        created_at__gte: '2020-01-01T00:00:00+01:00',
      },
      count: true,
    },
  });
  expect(page.data).toEqual(
    [made[1], made[2]].map(({ id }) => ({
      id,
      type: 'media:jobs',
      priority: 5,
      status: 'pending',
      progress: 0,
    })),
  );
  expect(page.meta).toEqual({ count: 3, more: true });
  const next = await api.axios.get(page.links.next, { headers: api.headers });
  expect(next.data.data.map(({ id }: Loose) => id)).toEqual([made[0].id]);

  const { data: shown } = await api.get(`jobs/${made[3].id}`);
  expect(shown).toEqual(made[3]);
  expect(new Date(shown.scheduled_at).toISOString()).toBe(shown.scheduled_at);
  expect(shown).toMatchObject({ error: null, arguments: { url: 'https://a.example/kitsu-3' } });

  const { data: paused } = await api.post(`jobs/${shown.id}/signal`, { signal: 'pause' });
  expect(paused).toMatchObject({ id: shown.id, status: 'paused' });

  expect((await api.delete('jobs', shown.id)).status).toBe(204);
  const gone = await api.delete('jobs', shown.id).catch((error: Loose) => error);
  expect(gone.errors).toMatchObject([{ status: '404', code: 'not_found' }]);
});

test('kitsu reads errors as a list of problems, each with its source', async () => {
  const params = { page: { size: 0 }, filter: { priority: 'abc' } };
  const error = await kitsu()
    .get('jobs', { params })
    .catch((error: Loose) => error);
  expect(error.errors.map(({ status, source }: Loose) => [status, source])).toEqual([
    ['422', { parameter: 'page[size]' }],
    ['422', { parameter: 'filter[priority]' }],
  ]);
  const stranger = kitsu({ headers: {} });
  const refused = await stranger.get('jobs').catch((error: Loose) => error);
  expect(refused.errors).toMatchObject([{ status: '401', code: 'not_authenticated' }]);
  const taken = await makeJob(0, 'taken')
    .then(() => makeJob(0, 'taken'))
    .catch((e: Loose) => e);
  expect(taken.errors).toMatchObject([{ status: '422', code: 'already_exists' }]);
});

test('kitsu uploads, lists, shows and downloads medias', async () => {
  const api = kitsu();
  const made = await upload('kitsu', 'picture.png', PICTURE);
  expect(made.status).toBe(200);
  await upload('kitsu/clip.mp4', 'clip.mp4', CLIP);
  const { data } = await api.get('medias', {
    params: { filter: { resource: 'kitsu', key: '' }, fields: { 'media:medias': ['key', 'size'] } },
  });
  expect(data).toEqual([
    { id: made.data.data.id, type: 'media:medias', key: '', size: PICTURE.length },
  ]);
  const { data: info } = await api.get('medias/info/kitsu/clip.mp4');
  expect(info).toMatchObject({ key: 'clip.mp4', mime_type: 'video/mp4', size: CLIP.length });
  const options = { responseType: 'arraybuffer', headers: { ...api.headers, Range: 'bytes=4-11' } };
  const part = await api.axios.get('medias/files/kitsu/clip.mp4', options);
  expect([part.status, part.data]).toEqual([206, CLIP.subarray(4, 12)]);
  const again = await upload('kitsu', 'picture.png', PICTURE).catch((error: Loose) => error);
  expect(again.response.data.errors).toMatchObject([{ status: '422', code: 'already_exists' }]);
});

test('kitsu’s modern query syntax is understood as well', async () => {
  await makeJob(0, 'modern');
  const params = {
    filter: { unicity__in: ['modern', 'none'] },
    fields: { 'media:jobs': 'unicity' },
  };
  const { data } = await kitsu({ query: 'modern' }).get('jobs', { params });
  expect(data).toMatchObject([{ unicity: 'modern' }]);
});

test('devour-client lists, shows and deletes below the gateway’s path', async () => {
  const client = devour();
  const ids = [await makeJob(2, 'devour-a'), await makeJob(1, 'devour-b')].map(
    ({ data }) => data.id,
  );
  const { data, meta, document } = await client.findAll('media:jobs', {
    filter: { unicity__in: ['devour-a', 'devour-b'], priority__gte: 1 },
    fields: { 'media:jobs': ['status', 'priority'] },
    page: { number: 1, size: 1 },
    sort: '-priority',
    count: true,
  });
  expect(data).toMatchObject([{ id: ids[0], type: 'media:jobs', status: 'pending', priority: 2 }]);
  expect(meta).toEqual({ count: 2, more: true });
  expect(document.links.next).toMatch(`${url}/api/v1/media/jobs?`);
  expect((await client.find('media:jobs', ids[1])).data).toMatchObject({ priority: 1 });
  await client.destroy('media:jobs', ids[1]);
  const gone = await client.destroy('media:jobs', ids[1]).catch((error: Loose) => error);
  expect(gone[0]).toMatchObject({ title: 'Not found' });
  const wrong = await client.findAll('media:jobs', { sort: 'nope' }).catch((error: Loose) => error);
  expect(wrong[0].detail).toContain('nope');
  await upload('devour', 'picture.png', PICTURE);
  const medias = await client.findAll('media:medias', { filter: { resource: ['devour'] } });
  expect(medias.data).toMatchObject([{ resource: 'devour', filename: 'picture.png' }]);
});
