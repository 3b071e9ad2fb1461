import { describe, expect, it } from 'vitest';
import type { TestApp } from '../../support/app.ts';
import { BACKENDS } from '../../support/backend.ts';
import { fixtureBytes } from '../../support/bytes.ts';
import { type Answer, download } from '../../support/request.ts';
import { shareApp } from '../../support/shared-app.ts';
import { call, file, invalid, makeFolder, makeImage, PICTURE } from './call.ts';

const IMAGE = { mediaTypeAlias: 'Image', name: 'Han Solo' };
const FILE = { mediaTypeAlias: 'File', name: 'Plans' };

/** Posts parts; pass `form` if their order or their number matters. */
async function post(app: TestApp, content: object, umbracoFile?: File): Promise<Answer> {
  const parts = { content, ...(umbracoFile && { umbracoFile }) };
  return call(app, 'POST /media', { parts });
}

function nameOf({ body }: Answer): string {
  return (
    String(body.umbracoFile?.src ?? body.umbracoFile)
      .split('/')
      .at(-1) ?? ''
  );
}

/** Returns the stored blobs that no file row refers to. */
async function orphans({ services }: TestApp): Promise<number> {
  const rows = await services.db.selectFrom('file').select('blob_key').execute();
  const jobs = await services.db
    .selectFrom('job')
    .where('job_class', '=', 'delete-blob')
    .select('arguments')
    .execute();
  const known = JSON.stringify([rows, jobs]);
  let count = 0;
  for await (const { key } of services.blobs.list()) if (!known.includes(key)) count++;
  return count;
}

describe('files in Heartcore’s dialect', () => {
  const shared = shareApp(BACKENDS[0]!, {
    TRIVIUM_FILE_BYTES_MAX: '100000',
    TRIVIUM_IMAGE_BYTES_MAX: '50000',
  });

  it.each([
    ['the source in the JSON', { src: 'Bl\u00e5 b\u00e6r.PNG' }, 'other.png', 'blaa-baer.png'],
    ['a bare string', 'bare.png', 'other.png', 'bare.png'],
    ['an object as text', '{"src":"text.png"}', 'other.png', 'text.png'],
    ['the last part of a path', { src: '/media/abcdefgh/deep.png' }, 'other.png', 'deep.png'],
    ['the part, if the JSON has no umbracoFile', undefined, 'C:\\photos\\part.png', 'part.png'],
    ['the part, if the source is empty', { src: '' }, 'part.png', 'part.png'],
    ['the part, if the JSON names no source', { focalPoint: null }, 'part.png', 'part.png'],
    ['the part, if the source contains no file name', { src: '../../..' }, 'part.png', 'part.png'],
  ])('are named by %s', async (_what, umbracoFile, filename, name) => {
    const app = shared();
    const answer = await post(app, { ...IMAGE, umbracoFile }, file(filename, PICTURE));
    expect(answer.status, JSON.stringify(answer.body)).toBe(201);
    expect(nameOf(answer)).toBe(name);
  });

  it.each([
    ['image/png', 'upload.png'],
    ['application/octet-stream', 'image.png'],
  ])('are named by their content type if nothing else names them: %s', async (type, name) => {
    const content = Buffer.from(JSON.stringify(IMAGE));
    const headers = { 'content-type': 'multipart/form-data; boundary=b' };
    const body = Buffer.concat([
      Buffer.from(
        `--b\r\nContent-Disposition: form-data; name="umbracoFile"\r\nContent-Type: ${type}\r\n\r\n`,
      ),
      PICTURE,
      Buffer.from(
        '\r\n--b\r\nContent-Disposition: form-data; name="content"; filename="c.json"\r\n\r\n',
      ),
      content,
      Buffer.from('\r\n--b--\r\n'),
    ]);
    const answer = await call(shared(), 'POST /media', { headers, body });
    expect({ status: answer.status, name: nameOf(answer) }).toEqual({ status: 201, name });
  });

  it.each([
    ['Image', 'picture.png', 'Image', 'image'],
    ['Image', 'drawing.svg', 'Image', 'vector'],
    ['fIlE', 'document.pdf', 'File', 'file'],
    ['File', 'picture.png', 'File', 'file'],
    ['umbracoMediaVideo', 'clip.mp4', 'umbracoMediaVideo', 'video'],
    ['umbracomediaaudio', 'sound.mp3', 'umbracoMediaAudio', 'audio'],
    ['umbracoMediaArticle', 'document.pdf', 'umbracoMediaArticle', 'doc'],
    ['umbracoMediaArticle', 'report.docx', 'umbracoMediaArticle', 'file'],
    ['umbracoMediaVectorGraphics', 'drawing.svg', 'umbracoMediaVectorGraphics', 'vector'],
  ])('%s accepts %s, and stays %s', async (alias, name, canonical, type) => {
    const app = shared();
    const bytes = fixtureBytes(name);
    const { status, body } = await post(app, { ...FILE, mediaTypeAlias: alias }, file(name, bytes));
    expect({ status, body }).toMatchObject({ status: 201, body: { mediaTypeAlias: canonical } });
    expect(body._links.mediatype.href).toBe(`${app.url}/media/type/${canonical}`);
    expect(await download(app, body.umbracoFile.src ?? body.umbracoFile)).toEqual(bytes);
    const { body: again } = await call(app, `PUT /media/${body._id}`, { json: body });
    expect(again).toEqual({ ...body, _updateDate: again._updateDate });
    const { db } = app.services;
    const row = await db
      .selectFrom('media')
      .where('uuid', '=', body._id)
      .selectAll()
      .executeTakeFirst();
    expect(row?.type).toBe(type);
  });

  it.each([
    ['a forbidden extension', FILE, file('shell.aspx', 'x')],
    ['one in capitals behind a dot', FILE, file('shell.png.ASHX.', 'x')],
    ['a forbidden name in the JSON', { ...FILE, umbracoFile: 'web.config' }, file('a.txt', 'x')],
    ['no extension', FILE, file('README', 'x')],
    [
      'a video of another extension',
      { ...FILE, mediaTypeAlias: 'umbracoMediaVideo' },
      file('a.avi', 'x'),
    ],
    [
      'an article of another type',
      { ...FILE, mediaTypeAlias: 'umbracoMediaArticle' },
      file('a.txt', 'x'),
    ],
    ['a page for an image', IMAGE, file('a.png', '<!doctype html><script>alert(1)</script>')],
    ['a drawing for an image', IMAGE, file('a.png', fixtureBytes('drawing.svg'))],
    [
      'a page for a file that is declared as an image',
      FILE,
      file('a.png', fixtureBytes('page.html')),
    ],
    ['a bomb', IMAGE, file('a.png', fixtureBytes('pixel-bomb.png'))],
    ['no bytes', IMAGE, file('a.png', '')],
    ['no file', IMAGE, undefined],
    ['a name and no file', { ...IMAGE, umbracoFile: { src: 'a.png' } }, undefined],
    ['a number for a file', { ...IMAGE, umbracoFile: 5 }, file('a.png')],
    ['a number for its source', { ...IMAGE, umbracoFile: { src: 5 } }, file('a.png')],
    [
      'a point outside',
      { ...IMAGE, umbracoFile: { focalPoint: { left: 2, top: 0 } } },
      file('a.png'),
    ],
    ['no crops', { ...IMAGE, umbracoFile: { crops: [{ alias: '' }] } }, file('a.png')],
  ])('with %s are refused, and leave nothing', async (_what, content, sent) => {
    const app = shared();
    const before = await orphans(app);
    const { body: roots } = await call(app, 'GET /media');
    const answer = await post(app, content, sent);
    expect(answer).toMatchObject({ status: 422 });
    expect(Object.keys(answer.body.error.details.errors)).toEqual(['umbracoFile']);
    expect(await orphans(app)).toBe(before);
    expect((await call(app, 'GET /media')).body).toEqual(roots);
  });

  it('§12-A6: JSON alone creates no image without a file', async () => {
    const json = { ...IMAGE, umbracoFile: { src: '/media/abcdefgh/a.png' } };
    expect(await call(shared(), 'POST /media', { json })).toMatchObject(invalid('umbracoFile'));
  });

  it('§5.9: an unreadable image has no dimensions, and an unknown format is served as unknown', async () => {
    const app = shared();
    const labels = { umbracoWidth: '', umbracoHeight: '', umbracoExtension: 'png' };
    for (const [bytes, type] of [
      [fixtureBytes('truncated.png'), 'image/png'],
      [Buffer.from([1, 2, 3]), 'application/octet-stream'],
      [Buffer.from('BINARY DATA'), 'text/plain; charset=utf-8'],
    ] as const) {
      const { status, body } = await post(app, IMAGE, file('a.png', bytes, 'image/png'));
      expect({ status, body }).toMatchObject({ status: 201, body: labels });
      const response = await app.fetch(body.umbracoFile.src);
      expect(response.headers.get('content-type')).toBe(type);
      expect(Buffer.from(await response.arrayBuffer())).toEqual(bytes);
    }
  });

  it('that exceed the limit of their kind are 413, and so is JSON of more than a megabyte', async () => {
    const app = shared();
    const tooLarge = { status: 413, body: { error: { code: 'PayloadTooLarge' } } };
    const padded = Buffer.concat([PICTURE, Buffer.alloc(60_000)]);
    expect(await post(app, IMAGE, file('a.png', padded))).toMatchObject(tooLarge);
    expect(await post(app, FILE, file('a.bin', Buffer.alloc(100_001)))).toMatchObject(tooLarge);
    const json = { ...FILE, name: 'x'.repeat(1024 * 1024) };
    expect(await call(app, 'POST /media', { json })).toMatchObject(tooLarge);
    expect(await post(app, json, file('a.txt', 'x'))).toMatchObject(tooLarge);
    expect(await orphans(app)).toBe(0);
  });

  it('several in one request: the last counts; parts with other names are ignored', async () => {
    const app = shared();
    const form = new FormData();
    form.append('umbracoFile', file('first.txt', 'one'));
    form.append('thumbnail', file('thumbnail.png'));
    form.append('umbracoFile', file('second.txt', 'two'));
    form.append('content', JSON.stringify(FILE));
    const { status, body } = await call(app, 'POST /media', { body: form });
    expect({ status, name: nameOf({ body } as Answer) }).toEqual({
      status: 201,
      name: 'second.txt',
    });
    expect(await download(app, body.umbracoFile)).toEqual(Buffer.from('two'));
    expect(await orphans(app)).toBe(0);
  });

  it('are ignored, even empty ones, for items whose type has no file', async () => {
    const app = shared();
    for (const sent of [file('a.png'), file('a.png', '')]) {
      const folder = await post(app, { mediaTypeAlias: 'Folder', name: 'x', umbracoFile: 5 }, sent);
      expect(folder.status).toBe(201);
      expect(folder.body).not.toHaveProperty('umbracoFile');
      const parts = { content: { name: 'y' }, umbracoFile: sent };
      const again = await call(app, `PUT /media/${folder.body._id}`, { parts });
      expect(again).toMatchObject({ status: 200, body: { name: 'y' } });
    }
    expect(await orphans(app)).toBe(0);
  });

  it('cannot be removed or replaced without a new file; sending the current name or URL keeps the file', async () => {
    const app = shared();
    const image = await makeImage(app);
    const put = (umbracoFile: unknown) =>
      call(app, `PUT /media/${image._id}`, { json: { umbracoFile } });
    for (const value of [
      null,
      '',
      { src: null },
      { src: 'other.png' },
      '/media/abcdefgh/han-solo2.png',
    ]) {
      expect(await put(value), JSON.stringify(value)).toMatchObject(invalid('umbracoFile'));
    }
    const { src } = image.umbracoFile;
    for (const value of [{ src }, src, `${app.url}${src}?width=5`, 'han-solo.png', {}]) {
      const { status, body } = await put(value);
      expect(status, JSON.stringify(value)).toBe(200);
      expect(body.umbracoFile).toEqual(image.umbracoFile);
    }
    expect(await download(app, src)).toEqual(PICTURE);
  });

  it('that replace others must be of the same kind; a refused file leaves the old one in place', async () => {
    const app = shared();
    const image = await makeImage(app);
    for (const sent of [
      file('a.pdf', fixtureBytes('document.pdf')),
      file('a.config', 'x'),
      file('a.png', ''),
    ]) {
      const parts = { content: { name: 'new' }, umbracoFile: sent };
      expect(await call(app, `PUT /media/${image._id}`, { parts })).toMatchObject(
        invalid('umbracoFile'),
      );
    }
    const parts = { content: { parentId: image._id }, umbracoFile: file('a.png') };
    expect(await call(app, `PUT /media/${image._id}`, { parts })).toMatchObject(
      invalid('parentId'),
    );
    expect((await call(app, `GET /media/${image._id}`)).body).toEqual(image);
    expect(await download(app, image.umbracoFile.src)).toEqual(PICTURE);
    expect(await orphans(app)).toBe(0);
  });

  it('take their name from the upload part, even if the JSON still holds the old URL', async () => {
    const app = shared();
    const content = await makeImage(app);
    const parts = { content, umbracoFile: file('leia.png') };
    const { body } = await call(app, `PUT /media/${content._id}`, { parts });
    const { src } = content.umbracoFile;
    expect(body.umbracoFile.src).toBe(src.replace('han-solo', 'leia'));
  });

  it('that replace a file of the same name keep its address, and get a new ETag for caches', async () => {
    const app = shared();
    const image = await makeImage(app, { umbracoFile: { src: 'a.webp' } });
    const tag = async () => (await app.fetch(image.umbracoFile.src)).headers.get('etag');
    const before = await tag();
    const content = { ...image, umbracoFile: { ...image.umbracoFile } };
    const parts = { content, umbracoFile: file('a.webp', fixtureBytes('picture.webp')) };
    const { body } = await call(app, `PUT /media/${image._id}`, { parts });
    expect(body.umbracoFile).toEqual(image.umbracoFile);
    expect(await download(app, image.umbracoFile.src)).toEqual(fixtureBytes('picture.webp'));
    expect(await tag()).not.toBe(before);
  });
});

describe('bodies in Heartcore’s dialect', () => {
  const shared = shareApp(BACKENDS[0]!);
  const bad = (body: string, headers: Record<string, string>) =>
    call(shared(), 'POST /media', { body, headers });

  it.each([
    ['broken JSON', 'application/json', '{"name":', 400, 'BadRequest'],
    ['a list', 'application/json', '[]', 400, 'BadRequest'],
    ['text', 'application/json', '"x"', 400, 'BadRequest'],
    ['broken multipart', 'multipart/form-data; boundary=b', '--b\r\n', 400, 'BadRequest'],
    ['multipart without a boundary', 'multipart/form-data', '--b--', 400, 'BadRequest'],
    ['multipart with nothing', 'multipart/form-data; boundary=b', '--b--\r\n', 400, 'BadRequest'],
    ['a form', 'application/x-www-form-urlencoded', 'name=x', 415, 'UnsupportedMediaType'],
    ['no media type at all', 'nonsense', '{}', 415, 'UnsupportedMediaType'],
  ])('%s is refused', async (_what, type, body, status, code) => {
    const answer = await bad(body, { 'content-type': type });
    expect(answer).toMatchObject({ status, body: { error: { code } } });
    expect(answer.headers.get('content-type')).toBe('application/hal+json; charset=utf-8');
  });

  it('JSON may have HAL’s content types, and any version, alias and Accept header is accepted', async () => {
    const folder = '{"mediaTypeAlias":"Folder","name":"x"}';
    for (const type of [
      'application/hal+json',
      'application/json+hal',
      'text/json; charset=utf-8',
    ]) {
      const headers = { 'api-version': '99', 'umb-project-alias': 'any', accept: 'text/csv' };
      expect((await bad(folder, { 'content-type': type, ...headers })).status).toBe(201);
    }
  });

  it('keys that begin with an underscore, labels, and unknown keys change nothing', async () => {
    const app = shared();
    const image = await makeImage(app);
    const { status, body } = await call(app, 'POST /media', {
      parts: { content: { ...image, _level: 9, other: [{}] }, umbracoFile: file('a.png') },
    });
    expect(status).toBe(201);
    expect(Object.keys(body)).toEqual(Object.keys(image));
    expect(body._id).not.toBe(image._id);
    const json = {
      _id: 'x',
      _deleteDate: 'y',
      umbracoWidth: '1',
      umbracoBytes: null,
      __proto__: 5,
    };
    const changed = await call(app, `PUT /media/${image._id}`, { json });
    expect(changed.body).toEqual({ ...image, _updateDate: changed.body._updateDate });
  });

  it.each([
    [{ name: ' ' }, 'name'],
    [{ name: 5 }, 'name'],
    [{ name: 'x'.repeat(256) }, 'name'],
    [{ mediaTypeAlias: 'none' }, 'mediaTypeAlias'],
    [{ mediaTypeAlias: 5 }, 'mediaTypeAlias'],
    [{ mediaTypeAlias: 'File' }, 'mediaTypeAlias'],
    [{ sortOrder: '1' }, 'sortOrder'],
    [{ sortOrder: 2 ** 31 }, 'sortOrder'],
    [{ sortOrder: 0.5 }, 'sortOrder'],
  ])('%j is refused by the name of the property', async (json, alias) => {
    const app = shared();
    const folder = await makeFolder(app);
    expect(await call(app, `PUT /media/${folder._id}`, { json })).toMatchObject(invalid(alias));
    expect((await call(app, `GET /media/${folder._id}`)).body).toEqual(folder);
  });

  it('null counts as absent, except for the parent', async () => {
    const app = shared();
    const folder = await makeFolder(app);
    const json = { mediaTypeAlias: null, name: null, sortOrder: null };
    expect((await call(app, `PUT /media/${folder._id}`, { json })).body).toMatchObject({
      name: 'Design',
      sortOrder: folder.sortOrder,
    });
    expect(await call(app, 'POST /media', { json })).toMatchObject(
      invalid('name', 'mediaTypeAlias'),
    );
  });

  it('a link is created from an address, which cannot change', async () => {
    const app = shared();
    const { _id: parentId } = await makeFolder(app);
    const url = 'https://example.org/a';
    const json = { mediaTypeAlias: 'link', name: 'There', parentId, url, sortOrder: 4 };
    const { status, body } = await call(app, 'POST /media', { json });
    expect({ status, body }).toMatchObject({
      status: 201,
      body: { mediaTypeAlias: 'Link', name: 'There', parentId, url, sortOrder: 4, _level: 2 },
    });
    expect(body).not.toHaveProperty('umbracoFile');
    const put = (change: object) => call(app, `PUT /media/${body._id}`, { json: change });
    expect((await put({ ...body, name: 'Here' })).body).toMatchObject({ name: 'Here', url });
    expect(await put({ url: 'https://example.org/b' })).toMatchObject(invalid('url'));
    expect(await put({ url: null })).toMatchObject(invalid('url'));
    for (const wrong of [undefined, null, '', 5, 'ftp://example.org', 'x']) {
      const answer = await call(app, 'POST /media', { json: { ...json, url: wrong } });
      expect(answer, String(wrong)).toMatchObject(invalid('url'));
    }
  });
});
