import { describe, expect, it } from 'vitest';
import { withApp } from '../../support/app.ts';
import { BACKENDS, describeEachBackend } from '../../support/backend.ts';
import { sendRaw } from '../../support/raw-request.ts';
import { download, WITH_USERS } from '../../support/request.ts';
import { shareApp } from '../../support/shared-app.ts';
import { call, file, invalid, makeFolder, makeImage, PICTURE, refusal } from './call.ts';

const UNKNOWN = '17fb8303-2b56-41bf-9681-1f0b087cad30';

describe('contract §14 on an empty server', () => {
  it('§14.1: GET /media is an empty list, then a list of one, and has no other keys', () =>
    withApp(BACKENDS[0]!, async (app) => {
      const empty = await call(app, 'GET /media');
      expect(empty.body).toEqual({
        _links: {
          self: { href: `${app.url}/media` },
          media: { href: `${app.url}/media/{id}`, templated: true },
          children: { href: `${app.url}/media/{id}/children{?page,pageSize}`, templated: true },
          mediatype: { href: `${app.url}/media/type/{alias}`, templated: true },
        },
        _embedded: { media: [] },
      });
      const folder = await makeFolder(app);
      const { body } = await call(app, 'GET /media');
      expect(Object.keys(body)).toEqual(['_links', '_embedded']);
      expect(body._embedded).toEqual({ media: [folder] });
      expect(body._links.media).toEqual([
        { href: `${app.url}/media/{id}`, templated: true },
        { href: `${app.url}/media/${folder._id}` },
      ]);
    }));
});

describeEachBackend('contract §14', (backend) => {
  const shared = shareApp(backend, WITH_USERS);

  it('§14.2: an unknown id is 404 in the envelope, which repeats the id as given', async () => {
    for (const id of [UNKNOWN, UNKNOWN.toUpperCase(), 'no-guid', '%E2%82%AC', 'abcdefgh']) {
      const message = `Media with id '${decodeURIComponent(id)}' could not be found.`;
      const lines = [`GET /media/${id}`, `PUT /media/${id}`, `DELETE /media/${id}`];
      // With eight letters it would be the path of a file.
      if (id !== 'abcdefgh') lines.push(`GET /media/${id}/children`);
      for (const line of lines) {
        const answer = await call(shared(), line, line.startsWith('PUT') ? { json: {} } : {});
        expect(answer, line).toMatchObject(refusal(404, 'NotFound', message));
        expect(answer.body.error).not.toHaveProperty('details');
      }
    }
  });

  it('§14.3: a folder is 201; a folder in it is on level 2, and its parent has children', async () => {
    const app = shared();
    const folder = await makeFolder(app);
    expect(folder).toMatchObject({ _level: 1, _hasChildren: false, mediaTypeAlias: 'Folder' });
    expect(folder).not.toHaveProperty('parentId');
    const inner = await makeFolder(app, { parentId: folder._id });
    expect(inner).toMatchObject({ _level: 2, parentId: folder._id, sortOrder: 0 });
    const { body } = await call(app, `GET /media/${folder._id}`);
    expect(body).toEqual({ ...folder, _hasChildren: true });
  });

  it('§14.4: an image is 201 with its path and text labels, and its bytes come back', async () => {
    const app = shared();
    const image = await makeImage(app, { umbracoFile: { src: 'han-solo.png' } });
    expect(image).toMatchObject({
      umbracoFile: { focalPoint: { left: 0.5, top: 0.5 }, crops: null },
      umbracoWidth: '20',
      umbracoHeight: '16',
      umbracoBytes: String(PICTURE.length),
      umbracoExtension: 'png',
    });
    expect(image.umbracoFile.src).toMatch(/^\/media\/[a-z0-5]{8}\/han-solo\.png$/);
    expect(await download(app, image.umbracoFile.src)).toEqual(PICTURE);
  });

  it('§14.7: PUT with the response of GET changes only the date; PUT with three keys keeps the file', async () => {
    const app = shared();
    const folder = await makeFolder(app);
    const image = await makeImage(app, { parentId: folder._id, sortOrder: 3 });
    const again = await call(app, `PUT /media/${image._id}`, { json: image });
    expect(again.status).toBe(200);
    expect(again.body).toEqual({ ...image, _updateDate: again.body._updateDate });
    expect(Date.parse(again.body._updateDate)).toBeGreaterThan(Date.parse(image._updateDate));
    const json = { name: 'Leia', mediaTypeAlias: 'Image', parentId: folder._id };
    const { body } = await call(app, `PUT /media/${image._id}`, { json });
    expect(body).toEqual({ ...image, name: 'Leia', _updateDate: body._updateDate });
    expect(await download(app, image.umbracoFile.src)).toEqual(PICTURE);
  });

  it('§14.8: PUT with a file replaces the file in the same dir, and the old URL serves the new file', async () => {
    const app = shared();
    const image = await makeImage(app);
    const leia = Buffer.concat([PICTURE, Buffer.from('\0')]);
    const content = { umbracoFile: { src: 'Leia Organa.png' } };
    const parts = { content, umbracoFile: file('x.png', leia) };
    const { body } = await call(app, `PUT /media/${image._id}`, { parts });
    const dir = image.umbracoFile.src.split('/')[2];
    expect(body).toEqual({
      ...image,
      _updateDate: expect.any(String),
      umbracoFile: { ...image.umbracoFile, src: `/media/${dir}/leia-organa.png` },
      umbracoBytes: String(leia.length),
    });
    // Umbraco answers 404: pages that embed the image would break.
    expect(await download(app, image.umbracoFile.src)).toEqual(leia);
    expect(await download(app, body.umbracoFile.src)).toEqual(leia);
  });

  it('§14.9: children come in pages numbered from 1, and an empty page is not an error', async () => {
    const app = shared();
    const { _id } = await makeFolder(app);
    const ids: string[] = [];
    for (const name of ['a', 'b', 'c'])
      ids.push((await makeFolder(app, { name, parentId: _id }))._id);
    const page = async (query: string) =>
      (await call(app, `GET /media/${_id}/children${query}`)).body;
    const numbers = ({ _totalItems, _totalPages, _page, _pageSize, _embedded }: never) => [
      ...[_totalItems, _totalPages, _page, _pageSize],
      (_embedded as { media: { _id: string }[] }).media.map((item) => ids.indexOf(item._id)),
    ];
    expect(numbers((await page('')) as never)).toEqual([3, 1, 1, 10, [0, 1, 2]]);
    expect(numbers((await page('?pageSize=2&page=2')) as never)).toEqual([3, 2, 2, 2, [2]]);
    expect(numbers((await page('?page=0')) as never)).toEqual([3, 1, 1, 10, [0, 1, 2]]);
    expect(numbers((await page('?page=9&pageSize=2')) as never)).toEqual([3, 2, 9, 2, []]);
    const odd = [3, 1, 1, 10, [0, 1, 2]];
    for (const query of ['?page=x&pageSize=y', '?page=-1&pageSize=0', '?page=1&page=2']) {
      expect(numbers((await page(query)) as never), query).toEqual(odd);
    }
    expect(numbers((await page('?pageSize=1000')) as never)).toEqual([3, 1, 1, 1000, [0, 1, 2]]);
    const empty = (await call(app, `GET /media/${ids[0]}/children`)).body;
    expect(empty).toMatchObject({ _totalItems: 0, _totalPages: 0, _embedded: { media: [] } });
    expect(empty._links).toEqual({ self: { href: `${app.url}/media/${ids[0]}/children?page=1` } });
  });

  it('§14.10: DELETE with a content type but no body returns the item; its subtree and files are gone', async () => {
    const app = shared();
    const folder = await makeFolder(app);
    const image = await makeImage(app, { parentId: folder._id });
    const before = (await call(app, `GET /media/${folder._id}`)).body;
    const headers = { 'content-type': 'application/json' };
    const { status, body } = await call(app, `DELETE /media/${folder._id}`, { headers });
    expect({ status, body }).toEqual({
      status: 200,
      body: { ...before, _hasChildren: true, _deleteDate: expect.stringMatching(/Z$/) },
    });
    for (const { _id } of [folder, image]) {
      expect(await call(app, `GET /media/${_id}`)).toMatchObject(refusal(404, 'NotFound'));
    }
    expect(await download(app, image.umbracoFile.src)).toBe(404);
  });

  it('§14.11: without a valid credential everything is 401; Api-Key, Basic and Bearer are accepted', async () => {
    const app = shared();
    const denied = refusal(401, 'Unauthorized', 'Authorization has been denied for this request.');
    const lines = [
      'GET /media',
      `GET /media/${UNKNOWN}`,
      `DELETE /media/${UNKNOWN}`,
      'GET /media/type',
    ];
    for (const line of [...lines, 'POST /media', 'GET /media/type/none', 'PATCH /media']) {
      expect(await call(app, line, { as: null }), line).toMatchObject(denied);
    }
    const nonsense = { as: null, body: '{', headers: { 'content-type': 'a/b/c' } };
    expect(await call(app, 'POST /media', nonsense)).toMatchObject(denied);
    const wrong = { as: null, headers: { 'api-key': 'wrong' } };
    expect(await call(app, 'GET /media', wrong)).toMatchObject(denied);
    const basic = `Basic ${Buffer.from(`${app.adminKey}:`).toString('base64')}`;
    for (const headers of [
      { 'Api-Key': app.adminKey },
      { authorization: basic },
      { authorization: `Bearer ${app.adminKey}` },
    ]) {
      expect((await call(app, 'GET /media', { as: null, headers })).status).toBe(200);
    }
    expect((await call(app, 'GET /media', { as: 'jane' })).status).toBe(200);
  });

  it('§14.12: 422 lists the faults by property, in an object; a missing body is 400', async () => {
    const app = shared();
    const json = { parentId: UNKNOWN, sortOrder: 1.5 };
    expect(await call(app, 'POST /media', { json })).toMatchObject(
      invalid('name', 'mediaTypeAlias', 'parentId', 'sortOrder'),
    );
    const empty = refusal(400, 'BadRequest', 'Body cannot be empty.');
    const headers = { 'content-type': 'application/json' };
    expect(await call(app, 'POST /media', { headers })).toMatchObject(empty);
    expect(await call(app, 'POST /media', { json: null })).toMatchObject(empty);
    expect(await call(app, 'POST /media', { parts: { umbracoFile: file('a.png') } })).toMatchObject(
      empty,
    );
    const { _id } = await makeFolder(app);
    expect(await call(app, `PUT /media/${_id}`, { headers })).toMatchObject(empty);
  });

  it('§14.13: a target may be a whole URL, whose host then appears in the links', async () => {
    const app = shared();
    const lines = [
      'GET https://api.umbraco.io/media HTTP/1.1',
      'Host: 127.0.0.1',
      `api-key: ${app.adminKey}`,
    ];
    const answer = await sendRaw(app, Buffer.from(`${lines.join('\r\n')}\r\n\r\n`));
    expect(answer?.status).toBe(200);
    expect(JSON.parse(answer?.body ?? '')._links.self.href).toBe('https://api.umbraco.io/media');
  });
});
