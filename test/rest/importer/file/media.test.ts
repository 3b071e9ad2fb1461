import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { EVERYTHING } from '../../../../src/store/scope.ts';
import { updateNode } from '../../../../src/store/tree/node.ts';
import { describeEachBackend } from '../../../support/backend.ts';
import { fixtureBytes } from '../../../support/bytes.ts';
import { makeFolder } from '../../../support/make.ts';
import { shareApp } from '../../../support/shared-app.ts';
import { badParameter, call, download, PICTURE, problem, upload, VARIABLES } from '../call.ts';

const NOTE = fixtureBytes('note.txt');
const PAGE = fixtureBytes('page.html');

interface Media {
  attributes: { resource: string };
}

describeEachBackend('medias', (backend) => {
  const app = shareApp(backend, VARIABLES);
  /** A resource with an original and a variant, of a name that no other test has. */
  const makeResource = async () => {
    const resource = randomUUID();
    await upload(app(), resource);
    await upload(app(), `${resource}/note.txt`, { name: 'nöte.txt', bytes: NOTE });
    return resource;
  };
  const get = (path: string, headers = {}) => call(app(), `GET ${path}`, { headers });
  const publish = async (resource: string) => {
    const { body } = await get(`/medias/info/${resource}`);
    const row = await app()
      .services.db.selectFrom('media')
      .where('resource', '=', body.data.attributes.resource)
      .select('id')
      .executeTakeFirstOrThrow();
    await updateNode(app().services.db, EVERYTHING, row.id, { is_public: 1 });
  };

  it('a UUID is found in upper and lower case, as the name of the resource and as its own', async () => {
    const { db } = app().services;
    const named = await makeResource();
    const media = db.selectFrom('media').select('uuid').where('resource', '=', named);
    const { uuid } = await media.executeTakeFirstOrThrow();
    for (const id of [named, named.toUpperCase(), uuid, uuid.toUpperCase()]) {
      expect((await get(`/medias/info/${id}`)).status, id).toBe(200);
      expect((await get(`/medias/files/${id}`)).status, id).toBe(200);
    }
    expect((await get(`/medias/info/${randomUUID().toUpperCase()}`)).status).toBe(404);
  });

  it('§9.10: info returns everything known about a file, with and without a key', async () => {
    const resource = await makeResource();
    const { status, headers, body } = await get(`/medias/info/${resource}`);
    expect([status, headers.get('content-type')]).toEqual([200, 'application/vnd.api+json']);
    expect(body).toEqual({
      data: {
        type: 'media:medias',
        id: expect.stringMatching(/^[0-9a-f]{32}\.png$/),
        attributes: {
          resource,
          key: '',
          filename: 'picture.png',
          size: PICTURE.length,
          mime_type: 'image/png',
          created_by: 'key:admin',
          created_role: 'admin',
          public: false,
          created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
          updated_at: expect.stringMatching(/Z$/),
          project_id: null,
          checksum: expect.stringMatching(/^[0-9a-f]{32}$/),
          meta: { width: 20, height: 16 },
        },
      },
    });
    const variant = { key: 'note.txt', filename: 'nöte.txt', mime_type: 'text/plain' };
    for (const path of ['/note.txt', '?key=note.txt', '/note.txt?key=other']) {
      const { body } = await get(`/medias/info/${resource}${path}`);
      expect(body.data.attributes).toMatchObject(variant);
    }
    const slash = await get(`/medias/info/${resource}/`);
    expect(slash.body.data.attributes.key).toBe('');
  });

  it('§9.10: an unknown file returns 404', async () => {
    const resource = await makeResource();
    for (const path of [`${resource}/b`, `${resource}/a/b`, `${resource}/a%2Fb`, 'nothing', '']) {
      expect(await get(`/medias/info/${path}`), path).toMatchObject(problem(404, 'not_found'));
      expect(await get(`/medias/files/${path}`), path).toMatchObject(problem(404, 'not_found'));
    }
  });

  it('§9.10: names may be any Unicode, and a key may contain %2F', async () => {
    const resource = `Größe ${randomUUID()}`;
    for (const key of ['日本/100% "a"+b.txt', '%2F', 'a?b#c']) {
      const path = `${encodeURIComponent(resource)}/${encodeURIComponent(key)}`;
      const made = await upload(app(), path, { name: 'note.txt', bytes: NOTE });
      expect(made.body.data.attributes).toMatchObject({ resource, key });
      expect(await download(app(), `/medias/files/${path}`)).toEqual(NOTE);
    }
  });

  it('§9.10: info has an ETag, and is 304 for a client that has it', async () => {
    const resource = await makeResource();
    const path = `/medias/info/${resource}`;
    const etag = (await get(path)).headers.get('etag')!;
    expect(etag).toMatch(/^"[\w-]{43}"$/);
    const known = await get(path, { 'if-none-match': `"other", ${etag}` });
    expect([known.status, known.body, known.headers.get('etag')]).toEqual([304, '', etag]);
    expect((await get(`${path}?fields=key`, { 'if-none-match': etag })).status).toBe(200);
    await upload(app(), `${resource}/more.txt`, { name: 'a.txt', bytes: NOTE });
    expect((await get(path, { 'if-none-match': etag })).status).toBe(304);
    await publish(resource);
    expect((await get(path, { 'if-none-match': etag })).status).toBe(200);
  });

  it('info accepts fields and include as a list does', async () => {
    const resource = await makeResource();
    const { body } = await get(`/medias/info/${resource}?fields[media:medias]=size,key&include=`);
    expect(body.data.attributes).toEqual({ key: '', size: PICTURE.length });
    expect(body.included).toEqual([]);
    const refused = await get(`/medias/info/${resource}?included[]=a`);
    expect(refused).toMatchObject(badParameter('included'));
  });

  it('§9.10: a download supports everything that browsers and players request', async () => {
    const resource = await makeResource();
    const path = `/medias/files/${resource}/note.txt`;
    const whole = await app().fetch(path, { asAdmin: true });
    const { headers } = whole;
    const tag = headers.get('etag')!;
    expect(Buffer.from(await whole.arrayBuffer())).toEqual(NOTE);
    expect(Object.fromEntries(headers)).toMatchObject({
      'content-type': 'text/plain; charset=utf-8',
      'content-length': String(NOTE.length),
      'accept-ranges': 'bytes',
      'cache-control': 'private, max-age=0, must-revalidate',
      'content-disposition': `inline; filename="note.txt"; filename*=UTF-8''n%C3%B6te.txt`,
      'last-modified': expect.stringMatching(/GMT$/),
      vary: 'Origin, Authorization, Api-Key, Cookie, Accept',
    });
    const part = await get(path, { range: 'bytes=1-3' });
    expect([part.status, part.body, part.headers.get('content-range')]).toEqual([
      206,
      NOTE.subarray(1, 4).toString(),
      `bytes 1-3/${NOTE.length}`,
    ]);
    expect((await get(path, { range: 'bytes=0-0,2-2' })).status).toBe(200);
    expect((await get(path, { range: 'bytes=0-0', 'if-range': '"old"' })).status).toBe(200);
    expect((await get(path, { 'if-none-match': tag })).status).toBe(304);
    const past = await get(path, { range: 'bytes=9999-' });
    expect(past).toMatchObject(problem(416, 'range_not_satisfiable'));
    expect(past.headers.get('content-range')).toBe(`bytes */${NOTE.length}`);
    expect(await get(path, { 'if-match': '"old"' })).toMatchObject(
      problem(412, 'precondition_failed'),
    );
    const head = await call(app(), `HEAD ${path}`);
    expect([head.status, head.headers.get('content-length'), head.body]).toEqual([
      200,
      String(NOTE.length),
      '',
    ]);
  });

  it.each([
    ['', 'inline'],
    ['?download=1', 'attachment'],
    ['?download', 'attachment'],
    ['?download=0', 'inline'],
    ['?key=note.txt&download=true', 'attachment'],
  ])('§4.4: a download with %s is %s', async (query, expected) => {
    const answer = await get(`/medias/files/${await makeResource()}${query}`);
    expect(answer.headers.get('content-disposition')).toMatch(new RegExp(`^${expected};`));
  });

  it('an uploaded HTML page is sandboxed and downloaded, so it cannot run scripts on this origin', async () => {
    const resource = randomUUID();
    await upload(app(), `${resource}/page.html`, { name: 'page.html', bytes: PAGE });
    const { headers } = await get(`/medias/files/${resource}/page.html`);
    expect(headers.get('content-security-policy')).toMatch(/^sandbox/);
    expect(headers.get('content-disposition')).toMatch(/^attachment/);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
  });

  describe('the list', () => {
    it('has an entry for each file, all filters and all orders', async () => {
      const resource = await makeResource();
      const { body: info } = await get(`/medias/info/${resource}`);
      const { id, attributes } = info.data;
      const of = async (query: string) => {
        const answer = await get(`/medias?filter[resource]=${resource}&${query}`);
        expect(answer.status, JSON.stringify(answer.body)).toBe(200);
        return answer.body.data.map((one: typeof info.data) => one.attributes.key);
      };
      expect(await of('sort=key')).toEqual(['', 'note.txt']);
      expect(await of('filter[key]=')).toEqual(['']);
      expect(await of('filter[key]=null')).toEqual([]);
      expect(await of('filter[key__in][]=&filter[key__in][]=note.txt&sort=-key')).toEqual([
        'note.txt',
        '',
      ]);
      expect(await of(`filter[id]=${id}`)).toEqual(['']);
      expect(await of(`filter[id]=${id.slice(0, 32)}`)).toEqual([]);
      expect(await of('filter[filename__suffix]=.PNG')).toEqual(['']);
      expect(await of(`filter[size]=${PICTURE.length}`)).toEqual(['']);
      expect(await of('filter[size__gte]=0&sort=size')).toEqual(['note.txt', '']);
      expect(await of('filter[mime_type__prefix]=text/')).toEqual(['note.txt']);
      expect(await of('filter[created_by]=key:admin&sort=mime_type')).toEqual(['', 'note.txt']);
      expect(await of('filter[created_role]=processor')).toEqual([]);
      expect(await of('filter[public]=true')).toEqual([]);
      expect(await of('filter[public]=0&filter[key]=')).toEqual(['']);
      expect(await of('filter[public__match]=fal&filter[key]=')).toEqual(['']);
      expect(await of(`filter[created_at]=${attributes.created_at}&filter[key]=`)).toEqual(['']);
      expect(await of(`filter[updated_at__lt]=${attributes.updated_at}`)).toEqual([]);
      expect(await of('filter[project_id]&sort=-filename')).toEqual(['', 'note.txt']);
      expect(await of('filter[project_id__exists]=1')).toEqual([]);
      expect(await of(`filter[checksum]=${attributes.checksum}`)).toEqual(['']);
      for (const key of Object.keys(attributes).filter((name) => name !== 'meta')) {
        expect(await of(`sort=-${key},id`), key).toHaveLength(2);
      }
      const ids = (await get(`/medias?filter[resource]=${resource}`)).body.data;
      expect(ids.map((one: { id: string }) => one.id)).toEqual(
        ids.map((one: { id: string }) => one.id).sort(),
      );
    });

    it.each([
      ['filter[size]=abc', 'filter[size]'],
      ['filter[public]=maybe', 'filter[public]'],
      ['filter[updated_at]=x', 'filter[updated_at]'],
    ])('§9.7: %s is 422', async (query, parameter) => {
      expect(await get(`/medias?${query}`)).toMatchObject(badParameter(parameter));
    });

    it('takes a fixed number of statements', async () => {
      await makeResource();
      app().statements.length = 0;
      await get('/medias?count=true&sort=-size&page[size]=50');
      expect(app().statements).toHaveLength(2);
    });
  });

  describe('permissions', () => {
    it('§9.12: every path needs a credential, whether or not it exists', async () => {
      const resource = await makeResource();
      const paths = ['info', 'files'].flatMap((kind) =>
        [resource, `${resource}/note.txt`, 'nothing'].map((name) => `/medias/${kind}/${name}`),
      );
      for (const path of ['/jobs', `/jobs/${randomUUID()}`, '/medias', ...paths]) {
        const answer = await call(app(), `GET ${path}`, { as: null });
        expect(answer, path).toMatchObject(problem(401, 'not_authenticated'));
        expect(answer.headers.get('www-authenticate')).toBe('Bearer');
        expect(answer.headers.get('content-type')).toBe('application/vnd.api+json');
      }
      const upload = await call(app(), 'POST /medias/files/r', { as: null });
      expect(upload).toMatchObject(problem(401, 'not_authenticated'));
    });

    it('§9.12: an invalid credential is 401', async () => {
      for (const authorization of ['Bearer a.b.c', 'Bearer nobody', 'Digest x']) {
        const answer = await call(app(), 'GET /jobs', { as: null, headers: { authorization } });
        expect(answer).toMatchObject(problem(401, 'not_authenticated'));
      }
    });

    it('§9.12: a reader can read, but not upload or delete', async () => {
      const resource = await makeResource();
      const reader = { as: 'rosa', role: 'reader' };
      expect((await call(app(), `GET /medias/info/${resource}`, reader)).status).toBe(200);
      expect((await call(app(), 'GET /jobs', reader)).status).toBe(200);
      expect(await upload(app(), 'mine', reader)).toMatchObject(problem(403, 'forbidden'));
      const id = randomUUID();
      expect(await call(app(), `DELETE /jobs/${id}`, { as: 'eva' })).toMatchObject(
        problem(403, 'forbidden'),
      );
    });

    it('start nodes limit lists, reads and uploads', async () => {
      const { db } = app().services;
      const [inside, outside] = [await makeResource(), await makeResource()];
      const uuid = randomUUID();
      const folderId = await makeFolder(db, { uuid });
      const place = { parent_id: folderId, path: `/1/${folderId}/`, level: 2 };
      await db.updateTable('media').set(place).where('resource', '=', inside).execute();
      const viewer = { as: 'limited', claims: { start_nodes: [uuid] } };
      const { body } = await call(app(), 'GET /medias?count=true&sort=key', viewer);
      const resources = body.data.map((one: Media) => one.attributes.resource);
      expect([resources, body.meta.count]).toEqual([[inside, inside], 2]);
      expect((await call(app(), `GET /medias/info/${inside}`, viewer)).status).toBe(200);
      for (const line of ['GET /medias/info/', 'GET /medias/files/']) {
        const answer = await call(app(), `${line}${outside}`, viewer);
        expect(answer).toMatchObject(problem(404, 'not_found'));
      }
      const refused = await upload(app(), `${outside}/x.png`, viewer);
      expect(refused).toMatchObject(problem(403, 'forbidden'));
    });

    it('§9.12: the cookie auth-token counts', async () => {
      const resource = await makeResource();
      const headers = { cookie: `a=b; auth-token=${app().adminKey}` };
      expect(await download(app(), `/medias/files/${resource}`, { as: null, headers })).toEqual(
        PICTURE,
      );
    });

    it('§9.12: only public files can be read without a credential', async () => {
      const resource = await makeResource();
      await publish(resource);
      const nobody = { as: null };
      expect((await call(app(), `GET /medias/info/${resource}`, nobody)).status).toBe(200);
      expect(await download(app(), `/medias/files/${resource}`, nobody)).toEqual(PICTURE);
      expect((await call(app(), `HEAD /medias/files/${resource}`, nobody)).status).toBe(200);
      expect((await call(app(), `GET /medias/files/${resource}/no`, nobody)).status).toBe(401);
      expect((await call(app(), 'GET /medias', nobody)).status).toBe(401);
      expect((await upload(app(), `${resource}/a`, nobody)).status).toBe(401);
    });
  });
});
