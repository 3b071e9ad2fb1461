import { Readable } from 'node:stream';
import { describe, expect, it, vi } from 'vitest';
import { filesByMediaIds, originalAmong } from '../../src/domain/file/file.ts';
import { createFolder } from '../../src/domain/tree/folder.ts';
import { findMedia } from '../../src/domain/tree/media.ts';
import {
  type ImportInput,
  importFile,
  importUrl,
  requestJob,
} from '../../src/domain/upload/import.ts';
import { uploadToResource } from '../../src/domain/upload/resource-upload.ts';
import { SYSTEM } from '../../src/domain/viewer/viewer.ts';
import { createImportUrl } from '../../src/job/task/import-url.ts';
import { type TestServices, user } from '../support/app.ts';
import { BACKENDS, describeEachBackend } from '../support/backend.ts';
import { fixtureBytes, leftovers, md5Of } from '../support/bytes.ts';
import { makeTag } from '../support/make.ts';
import { shareServices } from '../support/shared-app.ts';
import { type Answer, type Site, withSite } from '../support/site.ts';
import { attemptsOf, jobIn, readJob, withWorker } from '../support/worker.ts';

const PNG = fixtureBytes('picture.png');
const TEXT = Buffer.from('Some text that is long enough to be sent in parts.\n'.repeat(4000));
const importer = user('alice');
const TASKS = { 'import-url': createImportUrl({ resumeDelayMs: 1 }) };

describeEachBackend('import-url', (backend) => {
  const services = shareServices(backend);

  it('makes a media of whoever started it, where they wanted it', async () => {
    const it = services();
    const folder = await createFolder(it.as(importer), { name: 'Imported' });
    const tag = await makeTag(it.db, { name: 'from elsewhere' });
    const placement = { folderId: folder.id, tagIds: [tag.id] };
    await withSite(send(PNG, { 'content-type': 'image/png' }), async (site) => {
      const { job, media } = await importFrom(it, site, '/a/my%20photo.png?x=y', placement);
      expect(job).toMatchObject({
        progress: 1,
        error: null,
        result: { media_uuid: media.uuid, media_id: media.id },
      });
      expect(media).toMatchObject({
        name: 'my photo.png',
        type: 'image',
        owner: 'alice',
        parentId: folder.id,
      });
      const row = await it.db.selectFrom('job').where('id', '=', job.id).selectAll().execute();
      expect(row[0]?.media_id).toBe(media.id);
      const tags = await it.db
        .selectFrom('media_tag')
        .where('media_id', '=', media.id)
        .selectAll()
        .execute();
      expect(tags.map(({ tag_id }) => tag_id)).toEqual([tag.id]);
      const { bytes, file } = await readOriginal(it, media.id);
      expect(bytes.equals(PNG)).toBe(true);
      expect(file).toMatchObject({ md5: md5Of(PNG), mimeType: 'image/png' });
    });
  });

  it('a run after a crash finds what the one before it has made', async () => {
    const it = services();
    await withSite(send(TEXT), async (site) => {
      const { job, media } = await importFrom(it, site, '/note.txt');
      // As a crash leaves it that comes after the media and before the end of the job.
      const lost = { status: 'running', lease_token: 'gone', leased_until: 0, result: null };
      await it.db
        .updateTable('job')
        .set({ ...lost, finished_at: null })
        .where('id', '=', job.id)
        .execute();
      it.advance(60_000);
      await work(it, site, async () => {
        await vi.waitFor(async () => expect((await readJob(it, job.id)).status).toBe('pending'));
      });
      it.advance(60_000);
      const again = await work(it, site, () => jobIn(it, job.id, 'completed'));
      expect(again.result).toEqual({ media_uuid: media.uuid, media_id: media.id });
      expect(site.requests).toHaveLength(1);
      expect(await mediasOf(it, job.uuid)).toBe(1);
    });
  });

  it('takes nothing for its own that somebody else has uploaded under its uuid', async () => {
    const it = services();
    await withSite(send(TEXT), async (site) => {
      const job = await importUrl(it.as(importer), { url: `${site.url}/note.txt` });
      const upload = { resource: job.uuid, key: null };
      const file = { filename: 'a.png', declaredType: null, bytes: Readable.from([PNG]) };
      await uploadToResource(it.as(user('mallory')), upload, async (take) => {
        await take(file);
        return { key: null, projectId: null };
      });
      const { error } = await work(it, site, () => jobIn(it, job.id, 'errored'));
      expect(error).toBe(`PermanentError: Resource ${job.uuid} belongs to another user.`);
      expect(site.requests).toHaveLength(0);
    });
  });

  it('of two runs at the same time, which should not be, comes one media', async () => {
    const it = services();
    const gate = Promise.withResolvers<void>();
    const answer: Answer = async (_request, response) => {
      await gate.promise;
      response.end(TEXT);
    };
    await withSite(answer, async (site) => {
      const job = await importUrl(it.as(importer), { url: `${site.url}/note.txt` });
      const before = await leftovers(it);
      const runs = [runTask(it, site, job.id), runTask(it, site, job.id)];
      await vi.waitFor(() => expect(site.requests).toHaveLength(2));
      gate.resolve();
      const [one, two] = await Promise.all(runs);
      expect(one).toEqual(two);
      const { medias, staged, stored } = await leftovers(it);
      expect({ medias, staged, stored }).toEqual({
        medias: before.medias + 1,
        staged: before.staged,
        stored: before.stored + 1,
      });
      await it.db.deleteFrom('job').where('id', '=', job.id).execute();
    });
  });
});

describe('import-url', () => {
  const services = shareServices(BACKENDS[0]!);

  it.each<[string, string, Record<string, string>, string | undefined, string]>([
    [
      'what was asked for',
      '/x.txt',
      { 'content-disposition': 'attachment; filename=y.txt' },
      'z.txt',
      'z.txt',
    ],
    [
      'its server',
      '/x.txt',
      { 'content-disposition': 'attachment; filename="a \\"b\\".txt"' },
      undefined,
      'a "b".txt',
    ],
    [
      'its server, plainly',
      '/x.txt',
      { 'content-disposition': 'inline;filename=y.txt' },
      undefined,
      'y.txt',
    ],
    [
      'its server, in UTF-8',
      '/x.txt',
      { 'content-disposition': "attachment; filename=y.txt; filename*=UTF-8''%E2%82%AC.txt" },
      undefined,
      '€.txt',
    ],
    [
      'its server, in UTF-8 as it is',
      '/x.txt',
      { 'content-disposition': Buffer.from('inline; filename="né €.txt"').toString('latin1') },
      undefined,
      'né €.txt',
    ],
    [
      'its server, in ISO 8859-1',
      '/x.txt',
      { 'content-disposition': 'inline; filename="n\xe9.txt"' },
      undefined,
      'n\xe9.txt',
    ],
    [
      'its server, without a path',
      '/x.txt',
      { 'content-disposition': 'attachment; filename="../../etc/passwd"' },
      undefined,
      'passwd',
    ],
    [
      'a charset that is not known',
      '/x.txt',
      { 'content-disposition': "attachment; filename*=martian''y; filename=z.txt" },
      undefined,
      'z.txt',
    ],
    ['its URL', '/a/caf%C3%A9.txt', {}, undefined, 'café.txt'],
    ['a URL that is damaged', '/a/%zz.txt', {}, undefined, '%zz.txt'],
    ['its content', '/', {}, undefined, 'document.txt'],
  ])('is named by %s', async (_who, path, headers, filename, name) => {
    await withSite(send(TEXT, headers), async (site) => {
      expect((await importFrom(services(), site, path, { filename })).media.name).toBe(name);
    });
  });

  it('the last of its redirects names it, and a type that says nothing is no mistake', async () => {
    const answer: Answer = ({ url }, response) => {
      if (url === '/go') response.writeHead(302, { location: '/picture.png' }).end();
      else response.writeHead(200, { 'content-type': 'application/octet-stream' }).end(PNG);
    };
    await withSite(answer, async (site) => {
      const { media } = await importFrom(services(), site, '/go');
      expect(media).toMatchObject({ name: 'picture.png', type: 'image' });
    });
  });

  it.each([
    ['', 70_000, 3],
    [', as often as that brings anything', 30_000, 7],
  ])('goes on where it was when the connection breaks%s', async (_how, atOnce, connections) => {
    const sent: (string | undefined)[] = [];
    const answer: Answer = ({ headers }, response) => {
      sent.push(headers.range);
      const start = Number(/\d+/.exec(headers.range ?? '0')?.[0]);
      const isRest = start > 0 && headers['if-range'] === '"v1"';
      response.writeHead(isRest ? 206 : 200, {
        etag: '"v1"',
        'content-length': TEXT.length - start,
        ...(isRest && { 'content-range': `bytes ${start}-${TEXT.length - 1}/${TEXT.length}` }),
      });
      response.write(TEXT.subarray(start, start + atOnce), () => {
        if (start + atOnce >= TEXT.length) response.end();
        // What is reset at once takes with it what was on its way.
        else setTimeout(() => response.destroy(), 30);
      });
    };
    await withSite(answer, async (site) => {
      const { media } = await importFrom(services(), site, '/note.txt');
      const { bytes } = await readOriginal(services(), media.id);
      expect(bytes.equals(TEXT)).toBe(true);
      expect(sent[0]).toBeUndefined();
      const ranges = Array.from({ length: connections - 1 }, () => /^bytes=\d+-$/);
      expect(sent.slice(1)).toEqual(ranges.map((range) => expect.stringMatching(range)));
    });
  });

  it.each<[string, Answer, number]>([
    [
      'has changed',
      breakingOff({ etag: '"v1"' }, send(Buffer.from('another'), { etag: '"v2"' })),
      2,
    ],
    ['has no version', breakingOff({}, send(TEXT)), 1],
    ['has a weak version', breakingOff({ etag: 'W/"v1"' }, send(TEXT)), 1],
    [
      'breaks again and again',
      breakingOff({ etag: '"v1"' }, (_request, response) => void response.destroy()),
      4,
    ],
    [
      'continues elsewhere',
      breakingOff(
        { etag: '"v1"' },
        (_request, response) =>
          void response
            .writeHead(206, { etag: '"v1"', 'content-range': 'bytes 5-9/10' })
            .end('other'),
      ),
      2,
    ],
  ])(
    'does not mix two files: one that %s is fetched anew, later',
    async (_what, answer, requests) => {
      const it = services();
      await withSite(answer, async (site) => {
        const before = await leftovers(it);
        const job = await importUrl(it.as(importer), { url: `${site.url}/note.txt` });
        const failed = await work(it, site, () =>
          vi.waitFor(async () => {
            const job1 = await readJob(it, job.id);
            expect(job1.retryCount).toBe(1);
            return job1;
          }),
        );
        expect(failed).toMatchObject({
          status: 'pending',
          error: expect.stringMatching(/^OutboundError: /),
        });
        expect(site.requests).toHaveLength(requests);
        expect(await leftovers(it)).toEqual(before);
        await it.db
          .updateTable('job')
          .set({ status: 'cancelled' })
          .where('id', '=', job.id)
          .execute();
      });
    },
  );

  it.each<[string, Answer, RegExp]>([
    [
      'is not there',
      (_request, response) => void response.writeHead(404).end(),
      /^PermanentError: The server answered 404\.$/,
    ],
    ['is empty', send(Buffer.alloc(0)), /^PermanentError: /],
    [
      'is not what it says it is',
      send(PNG, { 'content-type': 'video/mp4' }),
      /^PermanentError: The content is image\/png/,
    ],
    [
      'says that it is too large',
      send(PNG, { 'content-length': String(2 ** 40) }),
      /^PermanentError: .* limit of 300000 bytes\.$/,
    ],
    [
      'is too large and does not say so',
      (_request, response) => endless(response, 'text/plain'),
      /^PermanentError: .* limit of 300000 bytes\.$/,
    ],
    [
      'is a picture that is too large',
      (_request, response) => endless(response, 'image/png'),
      /^PermanentError: .* limit of 200000 bytes\.$/,
    ],
    [
      'is within the server’s network',
      (_request, response) =>
        void response.writeHead(302, { location: 'http://169.254.169.254/' }).end(),
      /^PermanentError: The URL leads to an address/,
    ],
  ])('what %s is given up at once, and nothing is left', async (_what, answer, error) => {
    const it = services();
    const settings = { fileBytesMax: 300_000, imageBytesMax: 200_000 };
    await withSite(answer, async (site) => {
      const before = await leftovers(it);
      const job = await importUrl(it.as(importer), { url: `${site.url}/file` });
      const failed = await work(it, site, () => jobIn(it, job.id, 'errored'), settings);
      expect(failed.error).toMatch(error);
      expect(failed.retryCount).toBe(0);
      expect(await leftovers(it)).toEqual(before);
    });
  });

  it('tells how far it has come, and ends when it is cancelled', async () => {
    const it = services();
    const answer: Answer = (_request, response) => {
      response.writeHead(200, { 'content-length': TEXT.length * 2 });
      response.write(TEXT);
    };
    await withSite(answer, async (site) => {
      const before = await leftovers(it);
      const { id } = await importUrl(it.as(importer), { url: `${site.url}/note.txt` });
      const cancelled = await work(it, site, async () => {
        await vi.waitFor(async () => expect((await readJob(it, id)).progress).toBeCloseTo(0.5));
        await it.db
          .updateTable('job')
          .set({ cancel_requested_at: 1 })
          .where('id', '=', id)
          .execute();
        it.events.publish({ type: 'job', id });
        return jobIn(it, id, 'cancelled');
      });
      expect(cancelled.result).toBeNull();
      expect((await attemptsOf(it, id)).map(({ error }) => error)).toEqual(['Cancelled.']);
      expect(await leftovers(it)).toEqual(before);
    });
  });

  it('what is cancelled with its last byte is no media, and leaves no bytes', async () => {
    const it = services();
    const { id, uuid } = await importUrl(it.as(importer), { url: 'https://example.org/a.txt' });
    const before = await leftovers(it);
    const abort = new AbortController();
    const reason = new Error('enough');
    const last = async function* () {
      yield TEXT;
      abort.abort(reason);
    };
    const file = { bytes: last(), filename: 'a.txt', declaredType: null, sizeBytes: null };
    const imported = importFile(it.as(importer), { id, uuid, arguments: {} }, file, abort.signal);
    await expect(imported).rejects.toBe(reason);
    expect(await leftovers(it)).toEqual(before);
    await it.db.deleteFrom('job').where('id', '=', id).execute();
  });

  it('a folder that is gone by then is a failure before anything is fetched', async () => {
    const it = services();
    const folder = await createFolder(it.as(importer), { name: 'Gone soon' });
    await withSite(send(TEXT), async (site) => {
      const job = await importUrl(it.as(importer), {
        url: `${site.url}/a.txt`,
        folderId: folder.id,
      });
      await it.db.deleteFrom('media').where('id', '=', folder.id).execute();
      const failed = await work(it, site, () => jobIn(it, job.id, 'errored'));
      expect(failed.error).toContain('folder');
      expect(site.requests).toHaveLength(0);
    });
  });
});

describe('what an import is refused for', () => {
  const services = shareServices(BACKENDS[0]!);
  const url = 'https://example.org/a.png';
  const none = '00000000-0000-4000-8000-000000009999';

  it.each<[string, ImportInput, object]>([
    ['no URL', { url: 'no' }, { issues: [{ path: ['url'] }] }],
    ['another scheme', { url: 'ftp://example.org/a' }, { issues: [{ path: ['url'] }] }],
    ['a password', { url: 'https://me:secret@example.org/a' }, { issues: [{ path: ['url'] }] }],
    ['a folder that is not there', { url, folderId: 9999 }, { noun: 'folder' }],
    ['a tag that is not there', { url, tagIds: [9999] }, { noun: 'tag' }],
  ])('%s', async (_what, input, error) => {
    await expect(importUrl(services().as(importer), input)).rejects.toMatchObject(error);
  });

  it.each<[string, Record<string, unknown>, (string | number)[]]>([
    ['a folder that is not there', { url, folder_uuid: none }, ['arguments', 'folder_uuid']],
    ['a tag that is not there', { url, tags: [9999] }, ['arguments', 'tags']],
    ['a password', { url: 'https://me:secret@example.org/a' }, ['arguments', 'url']],
  ])('%s, of a job', async (_what, args, path) => {
    const started = requestJob(services().as(importer), {
      jobClass: 'import-url',
      arguments: args,
    });
    await expect(started).rejects.toMatchObject({ code: 'INVALID_INPUT', issues: [{ path }] });
  });

  it('a folder out of the viewer’s sight', async () => {
    const admin = services().as(SYSTEM);
    const inside = await createFolder(admin, { name: 'Inside' });
    const outside = await createFolder(admin, { name: 'Outside' });
    const startNodes = [{ id: inside.id, below: `/1/${inside.id}/` }];
    const limited = services().as({ kind: 'user', id: 'bob', role: 'editor', startNodes });
    await expect(importUrl(limited, { url, folderId: outside.id })).rejects.toMatchObject({
      noun: 'folder',
    });
    expect((await importUrl(limited, { url, folderId: inside.id })).startedBy).toBe('bob');
  });

  it.each([
    ['a reader', user('carol', 'reader'), 'ForbiddenError'],
    ['nobody known', undefined, 'NotAuthenticatedError'],
  ])('%s', async (_who, viewer, name) => {
    await expect(importUrl(services().as(viewer), { url })).rejects.toMatchObject({ name });
  });
});

/** Has a file of the site imported by a worker. */
async function importFrom(
  services: TestServices,
  site: Site,
  path: string,
  input: Partial<ImportInput> = {},
) {
  const { id } = await importUrl(services.as(importer), { url: site.url + path, ...input });
  const job = await work(services, site, () => jobIn(services, id, 'completed'));
  const media = await findMedia(services.as(importer), { resource: job.uuid });
  if (media === null) throw new Error('It has not been imported.');
  return { job, media };
}

function work<T>(
  services: TestServices,
  site: Site,
  wait: () => Promise<T>,
  settings: Partial<TestServices['settings']> = {},
): Promise<T> {
  return withWorker(allowing(services, site, settings), TASKS, wait);
}

function runTask(services: TestServices, site: Site, jobId: number) {
  const ctx = { ...allowing(services, site), viewer: SYSTEM };
  const startedBy = { id: 'alice', role: 'editor' };
  const { signal } = new AbortController();
  const args = { url: `${site.url}/note.txt` };
  return TASKS['import-url'](ctx, args, { jobId, startedBy, signal, progress: () => undefined });
}

function allowing(
  services: TestServices,
  { port }: Site,
  settings: Partial<TestServices['settings']> = {},
): TestServices {
  const outboundAllowedHosts = [`127.0.0.1:${port}`];
  return { ...services, settings: { ...services.settings, ...settings, outboundAllowedHosts } };
}

function send(bytes: Buffer, headers: Record<string, string> = {}): Answer {
  return (_request, response) => void response.writeHead(200, headers).end(bytes);
}

/** First a part, and then what comes next. */
function breakingOff(headers: Record<string, string>, next: Answer): Answer {
  let count = 0;
  return (request, response) => {
    if (count++ > 0) return next(request, response);
    response.writeHead(200, { ...headers, 'content-length': TEXT.length });
    response.write(TEXT.subarray(0, 1000), () => response.destroy());
  };
}

function endless(response: Parameters<Answer>[1], type: string): void {
  response.writeHead(200, { 'content-type': type });
  const more = () => {
    if (!response.destroyed) response.write(TEXT.subarray(0, 50_000), () => setImmediate(more));
  };
  more();
}

async function readOriginal(services: TestServices, mediaId: number) {
  const ctx = services.as(SYSTEM);
  const file = originalAmong((await filesByMediaIds(ctx, [mediaId])).get(mediaId));
  const row = await services.db.selectFrom('file').where('id', '=', file!.id).selectAll().execute();
  const bytes = Buffer.concat(await Array.fromAsync(await services.blobs.read(row[0]!.blob_key)));
  return { file, bytes };
}

async function mediasOf({ db }: TestServices, resource: string): Promise<number> {
  return (await db.selectFrom('media').where('resource', '=', resource).select('id').execute())
    .length;
}
