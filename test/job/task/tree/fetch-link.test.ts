import { describe, expect, it } from 'vitest';
import { createMedia, type LinkInput } from '../../../../src/domain/tree/link.ts';
import { findMedia } from '../../../../src/domain/tree/media.ts';
import { updateMedia as changeMedia } from '../../../../src/domain/tree/media-change.ts';
import { SYSTEM } from '../../../../src/domain/viewer/viewer.ts';
import { createFetchLink } from '../../../../src/job/task/tree/fetch-link.ts';
import { toMediaBody } from '../../../../src/rest/selfcommunity/tree/media-shape.ts';
import { findOpenJobByUnicity } from '../../../../src/store/job/job.ts';
import { EVERYTHING } from '../../../../src/store/scope.ts';
import { updateNode } from '../../../../src/store/tree/node.ts';
import { type TestServices, user } from '../../../support/app.ts';
import { BACKENDS, describeEachBackend } from '../../../support/backend.ts';
import { shareServices } from '../../../support/shared-app.ts';
import { type Answer, type Site, withSite } from '../../../support/site.ts';

const OPEN_GRAPH = `<!doctype html><html><head>
  <title>The title of the tab</title>
  <meta property="og:title" content="Caf&eacute; &amp; bar">
  <meta property="og:description" content="  What it is about.  ">
  <meta property="og:image" content="/large.png"><meta property="og:image:width" content="1200">
  <meta property="og:image:height" content="630">
  <meta property="og:image" content="https://cdn.example/other.jpg">
  <meta name="twitter:title" content="Not this one">
  <meta property="og:image" content="javascript:alert(1)"><meta property="og:image" content="data:image/png;base64,AA">
  </head><body><img src="/small.png"></body></html>`;

describeEachBackend('fetch-link', (backend) => {
  const services = shareServices(backend);

  it('fills in the metadata of the page, and notifies subscribers', async () => {
    const { media, changes, body } = await fetchPage(services(), OPEN_GRAPH);
    expect(media).toMatchObject({
      title: 'Café & bar',
      description: 'What it is about.',
      imageWidth: 1200,
      imageHeight: 630,
      choiceImages: [
        expect.stringMatching(/^http:.+\/large\.png$/),
        'https://cdn.example/other.jpg',
      ],
      oembed: null,
    });
    expect(media.imageUrl).toBe(media.choiceImages[0]);
    expect(changes).toEqual(['updated']);
    expect(body).toMatchObject({
      title: 'Café & bar',
      image: media.imageUrl,
      choice_images: media.choiceImages,
      embed: {
        embed_type: 'sc_link',
        metadata: {
          url: media.url,
          title: 'Café & bar',
          description: 'What it is about.',
          images: media.choiceImages,
          type: 'link',
        },
      },
    });
  });

  it('stores the size only with its own image', async () => {
    const { media } = await fetchPage(services(), OPEN_GRAPH);
    const ctx = services().as(SYSTEM);
    const changed = await changeMedia(ctx, media.id, { imageUrl: 'https://example.org/mine.png' });
    expect(changed).toMatchObject({ imageWidth: null, imageHeight: null });
  });

  it('keeps the values of the owner', async () => {
    const own = {
      title: 'Mine',
      description: 'My own words',
      imageUrl: 'https://example.org/mine.png',
      embedMetadata: { images: ['https://example.org/chosen.png'] },
    };
    const { media, changes } = await fetchPage(services(), OPEN_GRAPH, own);
    expect(media).toMatchObject({
      title: 'Mine',
      description: 'My own words',
      imageUrl: 'https://example.org/mine.png',
      imageWidth: null,
      choiceImages: ['https://example.org/chosen.png'],
    });
    expect(changes).toEqual([]);
  });

  it('is enqueued once per link, and for no other media item', async () => {
    const ctx = services().as(user());
    const { uuid } = await createMedia(ctx, { type: 'vimeo', url: 'https://vimeo.com/1' });
    const job = await findOpenJobByUnicity(ctx.db, `fetch-link:${uuid}`);
    expect(job).toMatchObject({
      job_class: 'fetch-link',
      status: 'pending',
      unicity: `fetch-link:${uuid}`,
    });
    const other = await createMedia(ctx, { type: 'image', url: 'https://example.org/a.png' });
    expect(await findOpenJobByUnicity(ctx.db, `fetch-link:${other.uuid}`)).toBeUndefined();
  });
});

describe('fetch-link', () => {
  const services = shareServices(BACKENDS[0]!);

  it('keeps values that the owner sets during the fetch, and notifies once', async () => {
    const ctx = services().as(SYSTEM);
    const answer: Answer = async ({ url }, response) => {
      if (url !== '/slow') return void response.end('<title>Theirs</title>');
      const media = await findMedia(ctx, { uuid: made.uuid });
      await updateNode(ctx.db, EVERYTHING, media!.id, { title: 'Mine' });
      response.end('<title>Theirs</title>');
    };
    const made = { uuid: '' };
    await withSite(answer, async (site) => {
      const media = await createMedia(ctx, { type: 'url', url: `${site.url}/slow` });
      made.uuid = media.uuid;
      await run(services(), site, media.uuid);
      expect((await findMedia(ctx, { id: media.id }))?.title).toBe('Mine');
    });
  });

  it.each<[string, string, object]>([
    ['the tab’s title', '<title>One</title><svg><title>Two</title></svg>', { title: 'One' }],
    ['no title of a drawing', '<svg><title>Two</title></svg>', { title: null }],
    [
      'Twitter’s card',
      '<meta name="twitter:title" content="T"><meta name="twitter:image" content="/t.png">',
      { title: 'T' },
    ],
    [
      'a plain description',
      '<meta name="Description" content="D">',
      { title: null, description: 'D' },
    ],
    ['one line of a title', '<title>a\n\t b\u0000</title>', { title: 'a b' }],
    ['a short title', `<title>${'x'.repeat(300)}</title>`, { title: `${'x'.repeat(254)}…` }],
    ['nothing', '', { title: null, imageUrl: null, choiceImages: [] }],
    ['nothing of what is damaged', '<<<meta property=og:title><title', { title: null }],
    ['nothing blank', '<meta property="og:title" content=" "><title>T</title>', { title: 'T' }],
    [
      'its base',
      '<base href="https://cdn.example/x/"><meta property="og:image" content="a.png">',
      { imageUrl: 'https://cdn.example/x/a.png' },
    ],
    [
      'large images',
      '<img src="https://a.example/1" width="16"><img src="https://a.example/2">',
      { choiceImages: ['https://a.example/2'] },
    ],
    ['no script', '<script>document.write("<title>x</title>")</script>', { title: null }],
  ])('reads %s', async (_what, html, expected) => {
    expect((await fetchPage(services(), html)).media).toMatchObject(expected);
  });

  it.each<[string, Buffer, string | undefined]>([
    [
      'its header',
      Buffer.from('<title>caf\xe9</title>', 'latin1'),
      'text/html; charset=ISO-8859-1',
    ],
    [
      'itself',
      Buffer.from('<meta charset="windows-1252"><title>caf\xe9</title>', 'latin1'),
      'text/html',
    ],
    [
      'http-equiv',
      Buffer.from(
        '<meta http-equiv="Content-Type" content="text/html; charset=iso-8859-15"><title>caf\xe9</title>',
        'latin1',
      ),
      'text/html',
    ],
    ['no declaration', Buffer.from('<title>caf\xe9</title>', 'latin1'), 'text/html'],
    ['no declaration, in UTF-8', Buffer.from('<title>café</title>'), undefined],
    ['an unknown label', Buffer.from('<title>café</title>'), 'text/html; charset=martian'],
    ['its mark', Buffer.from('\ufeff<title>café</title>', 'utf16le'), 'text/html; charset=utf-8'],
  ])('decodes a page whose charset comes from %s', async (_who, bytes, type) => {
    const answer: Answer = (_request, response) =>
      void response.writeHead(200, type ? { 'content-type': type } : {}).end(bytes);
    expect((await fetchFrom(services(), answer)).media.title).toBe('café');
  });

  it('asks the provider that a page names, and keeps only its frame', async () => {
    const answer: Answer = ({ url, headers }, response) => {
      const oembed = `http://${headers.host}/oembed?url=x`;
      const page = `<link rel="alternate" type="application/json+oembed" href="${oembed}"><title>T</title>`;
      const html =
        '<script>alert(1)</script><p onclick=x><iframe src="https://v.example/1?a=1&amp;b=2" width=640 height="360" onload="x" title=\'"><b>\'></iframe>';
      const json = {
        type: 'video',
        version: '1.0',
        html,
        width: '640',
        height: 360,
        duration: 91.4,
        thumbnail_url: 'https://v.example/t.jpg',
        thumbnail_width: 320,
        thumbnail_height: 180,
        title: 'Other',
      };
      response.end(url === '/' ? page : JSON.stringify(json));
    };
    const { media, body } = await fetchFrom(services(), answer);
    expect(media).toMatchObject({
      title: 'T',
      imageUrl: 'https://v.example/t.jpg',
      imageWidth: 320,
      imageHeight: 180,
      oembed: {
        type: 'video',
        url: null,
        width: 640,
        height: 360,
        durationSeconds: 91,
        html: '<iframe src="https://v.example/1?a=1&amp;b=2" width="640" height="360" title="&quot;&gt;&lt;b&gt;" frameborder="0" allowfullscreen></iframe>',
      },
    });
    expect(body).toMatchObject({
      oembed_type: 'video',
      oembed_available: true,
      oembed_duration: 91,
    });
  });

  it.each([
    ['what is no JSON', '<html>'],
    ['an array', '[]'],
    ['another type', '{"type":"script"}'],
    ['nothing', ''],
  ])('ignores a provider that responds with %s', async (_what, json) => {
    const answer: Answer = ({ url }, response) => {
      response.end(
        url === '/'
          ? `<link rel=alternate type=application/json+oembed href=/o><title>T</title>`
          : json,
      );
    };
    expect((await fetchFrom(services(), answer)).media).toMatchObject({ title: 'T', oembed: null });
  });

  it('asks no provider in the server’s own network', async () => {
    await withSite(
      () => undefined,
      async (inner) => {
        const page = `<link rel=alternate type=application/json+oembed href=${inner.url}/o><title>T</title>`;
        const { media } = await fetchPage(services(), page);
        expect([media.title, inner.requests.length]).toEqual(['T', 0]);
      },
    );
  });

  it('asks Vimeo about its videos without fetching their pages', async () => {
    const json = {
      type: 'video',
      title: 'A film',
      description: 'Of it',
      thumbnail_url: 'https://i.example/1.jpg',
    };
    const answer: Answer = (_request, response) => void response.end(JSON.stringify(json));
    const { media, paths, body } = await fetchFrom(services(), answer, {
      type: 'vimeo',
      url: 'https://vimeo.com/76979871',
    });
    expect(paths).toEqual(['/vimeo?url=https%3A%2F%2Fvimeo.com%2F76979871']);
    expect(media).toMatchObject({
      title: 'A film',
      description: 'Of it',
      imageUrl: 'https://i.example/1.jpg',
    });
    expect(body).toMatchObject({ embed: { embed_type: 'sc_vimeo', metadata: { type: 'video' } } });
  });

  it('uses a linked image as the image of the link', async () => {
    const answer: Answer = (_request, response) =>
      void response.writeHead(200, { 'content-type': 'image/png' }).end('png');
    const { media } = await fetchFrom(services(), answer);
    expect(media).toMatchObject({ imageUrl: media.url, title: null });
  });

  it('ignores other files, and reads only the start of an endless page', async () => {
    const pdf: Answer = (_request, response) =>
      void response.writeHead(200, { 'content-type': 'application/pdf' }).end('<title>x</title>');
    expect((await fetchFrom(services(), pdf)).media.title).toBeNull();
    const endless: Answer = (_request, response) => {
      response.write('<title>T</title>');
      const more = () => {
        if (!response.destroyed) response.write('x'.repeat(65_536), () => setImmediate(more));
      };
      more();
    };
    expect((await fetchFrom(services(), endless)).media.title).toBe('T');
  });

  it('parses a hostile page quickly', async () => {
    const deep = `<title>T</title>${'<b>'.repeat(150_000)}${'</x>'.repeat(100_000)}`;
    const startedAt = performance.now();
    const { media } = await fetchPage(services(), deep);
    expect(media.title).toBe('T');
    // Without a limit to the depth it takes half a minute.
    expect(performance.now() - startedAt).toBeLessThan(10_000);
  });

  it('leaves a link unchanged if its page cannot be fetched', async () => {
    const answer: Answer = (_request, response) => void response.writeHead(404).end();
    const ctx = services().as(SYSTEM);
    await withSite(answer, async (site) => {
      const media = await createMedia(ctx, { type: 'url', url: `${site.url}/` });
      const before = await findMedia(ctx, { id: media.id });
      const failure = run(services(), site, media.uuid);
      await expect(failure).rejects.toMatchObject({ message: 'The server answered 404.' });
      expect(await findMedia(ctx, { id: media.id })).toEqual(before);
    });
  });

  it('completes if the link has been deleted', async () => {
    await withSite(
      () => undefined,
      (site) => run(services(), site, services().newId()),
    );
  });
});

function fetchPage(services: TestServices, html: string, link: Partial<LinkInput> = {}) {
  const answer: Answer = (_request, response) =>
    void response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(html);
  return fetchFrom(services, answer, link);
}

/** Creates a link to a site, runs the job, and returns the resulting media item. */
async function fetchFrom(services: TestServices, answer: Answer, link: Partial<LinkInput> = {}) {
  const ctx = services.as(SYSTEM);
  return withSite(answer, async (site) => {
    const { id, uuid } = await createMedia(ctx, { type: 'url', url: `${site.url}/`, ...link });
    const changes: string[] = [];
    const stop = new AbortController();
    const watching = (async () => {
      const events = services.events.subscribe((event) => event.type === 'media', stop.signal);
      for await (const event of events) if (event.type === 'media') changes.push(event.kind);
    })();
    await run(services, site, uuid);
    // A second run changes nothing.
    await run(services, site, uuid);
    await new Promise(setImmediate);
    stop.abort();
    await watching;
    const media = await findMedia(ctx, { id });
    const body = toMediaBody(media!, [], (path) => path);
    const paths = [...new Set(site.requests.map((request) => request.url))];
    return { media: media!, changes, body, paths };
  });
}

async function run(services: TestServices, { url, port }: Site, media_uuid: string): Promise<void> {
  const settings = { ...services.settings, outboundAllowedHosts: [`127.0.0.1:${port}`] };
  const { signal } = new AbortController();
  const task = createFetchLink({ vimeo: `${url}/vimeo?url=` });
  await task(
    { ...services.as(SYSTEM), settings },
    { media_uuid },
    { jobId: 1, startedBy: null, signal, progress: () => undefined },
  );
}
