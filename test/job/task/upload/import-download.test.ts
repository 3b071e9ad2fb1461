import { describe, expect, it, vi } from 'vitest';
import { importUrl } from '../../../../src/domain/upload/import.ts';
import { BACKENDS } from '../../../support/backend.ts';
import { leftovers, PNG } from '../../../support/bytes.ts';
import { shareServices } from '../../../support/shared-app.ts';
import { type Answer, withSite } from '../../../support/site.ts';
import { jobIn, readJob } from '../../../support/worker.ts';
import { importer, importFrom, readOriginal, send, TEXT, work } from './import.ts';

describe('the download of an import', () => {
  const services = shareServices(BACKENDS[0]!);

  it.each<[string, string, Record<string, string>, string | undefined, string]>([
    [
      'the input',
      '/x.txt',
      { 'content-disposition': 'attachment; filename=y.txt' },
      'z.txt',
      'z.txt',
    ],
    [
      'a quoted filename of the response',
      '/x.txt',
      { 'content-disposition': 'attachment; filename="a \\"b\\".txt"' },
      undefined,
      'a "b".txt',
    ],
    [
      'a filename of the response',
      '/x.txt',
      { 'content-disposition': 'inline;filename=y.txt' },
      undefined,
      'y.txt',
    ],
    [
      'filename* in UTF-8',
      '/x.txt',
      { 'content-disposition': "attachment; filename=y.txt; filename*=UTF-8''%E2%82%AC.txt" },
      undefined,
      '€.txt',
    ],
    [
      'a filename in raw UTF-8',
      '/x.txt',
      { 'content-disposition': Buffer.from('inline; filename="né €.txt"').toString('latin1') },
      undefined,
      'né €.txt',
    ],
    [
      'a filename in ISO 8859-1',
      '/x.txt',
      { 'content-disposition': 'inline; filename="n\xe9.txt"' },
      undefined,
      'n\xe9.txt',
    ],
    [
      'a filename without its path',
      '/x.txt',
      { 'content-disposition': 'attachment; filename="../../etc/passwd"' },
      undefined,
      'passwd',
    ],
    [
      'filename, if the charset of filename* is unknown',
      '/x.txt',
      { 'content-disposition': "attachment; filename*=martian''y; filename=z.txt" },
      undefined,
      'z.txt',
    ],
    ['the URL', '/a/caf%C3%A9.txt', {}, undefined, 'café.txt'],
    ['a URL with an invalid escape', '/a/%zz.txt', {}, undefined, '%zz.txt'],
    ['its type, if the URL has no name', '/', {}, undefined, 'document.txt'],
  ])('names the file by %s', async (_who, path, headers, filename, name) => {
    await withSite(send(TEXT, headers), async (site) => {
      expect((await importFrom(services(), site, path, { filename })).media.name).toBe(name);
    });
  });

  it('uses the name of the last redirect, and accepts an unspecific type', async () => {
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
    [', as often as that brings more bytes', 30_000, 7],
  ])('resumes at the same byte when the connection breaks%s', async (_how, atOnce, connections) => {
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
        // Resetting the connection at once would discard the bytes in flight.
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
    ['has no validator', breakingOff({}, send(TEXT)), 1],
    ['has a weak validator', breakingOff({ etag: 'W/"v1"' }, send(TEXT)), 1],
    [
      'breaks again and again',
      breakingOff({ etag: '"v1"' }, (_request, response) => void response.destroy()),
      4,
    ],
    [
      'continues at another offset',
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
    'never mixes two files: one that %s is downloaded again, later',
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
      'does not exist',
      (_request, response) => void response.writeHead(404).end(),
      /^PermanentError: The server answered 404\.$/,
    ],
    ['is empty', send(Buffer.alloc(0)), /^PermanentError: /],
    [
      'contradicts its declared type',
      send(PNG, { 'content-type': 'text/html' }),
      /^PermanentError: The content is image\/png/,
    ],
    [
      'declares too large a size',
      send(PNG, { 'content-length': String(2 ** 40) }),
      /^PermanentError: .* limit of 293 KiB \(TRIVIUM_FILE_BYTES_MAX\)\.$/,
    ],
    [
      'is too large without declaring a size',
      (_request, response) => endless(response, 'text/plain'),
      /^PermanentError: .* limit of 293 KiB \(TRIVIUM_FILE_BYTES_MAX\)\.$/,
    ],
    [
      'is too large an image',
      (_request, response) => endless(response, 'image/png'),
      /^PermanentError: .* limit of 195 KiB \(TRIVIUM_IMAGE_BYTES_MAX\)\.$/,
    ],
    [
      'is in the server’s own network',
      (_request, response) =>
        void response.writeHead(302, { location: 'http://169.254.169.254/' }).end(),
      /^PermanentError: The URL leads to an address/,
    ],
  ])('a file that %s fails without a retry, and leaves nothing', async (_what, answer, error) => {
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
});

/** Creates a site that breaks the first response off, and responds to later requests with `next`. */
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
