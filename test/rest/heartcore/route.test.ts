import { describe, expect, it } from 'vitest';
import { BACKENDS } from '../../support/backend.ts';
import { sendRaw } from '../../support/raw-request.ts';
import { shareApp } from '../../support/shared-app.ts';
import { call, makeFolder, makeImage, refusal } from './call.ts';

describe('Heartcore’s routes', () => {
  const shared = shareApp(BACKENDS[0]!);

  it('answer other methods with 405 and Allow, and unknown paths with 404', async () => {
    const app = shared();
    const { _id } = await makeFolder(app);
    for (const [line, allow] of [
      ['PUT /media', 'GET, POST, HEAD, OPTIONS'],
      [`POST /media/${_id}`, 'GET, PUT, DELETE, HEAD, OPTIONS'],
      [`POST /media/${_id}/children`, 'GET, HEAD, OPTIONS'],
      ['DELETE /media/type', 'GET, HEAD, OPTIONS'],
      ['PUT /media/type/Image', 'GET, HEAD, OPTIONS'],
    ] as const) {
      const answer = await call(app, line);
      expect(answer, line).toMatchObject(refusal(405, 'MethodNotAllowed'));
      expect(answer.headers.get('allow')).toBe(allow);
    }
    const unknown = [
      `GET /media/${_id}/parent`,
      `GET /media/${_id}/children/x`,
      'GET /media/type/a/b',
    ];
    for (const line of [...unknown, 'GET /content', 'POST /member/x', 'GET /content/type/a']) {
      for (const as of ['admin', null]) {
        expect(await call(app, line, { as }), line).toMatchObject(refusal(404, 'NotFound'));
      }
    }
  });

  it('tell where a new item is, to pages of other origins too', async () => {
    const app = shared();
    const body = JSON.stringify({ mediaTypeAlias: 'Folder', name: 'Located' });
    const headers = { 'content-type': 'application/json', origin: 'http://localhost:5173' };
    const answer = await call(app, 'POST /media', { body, headers });
    const location = answer.headers.get('location');
    expect(location).toBe(answer.body._links.self.href);
    expect(answer.headers.get('access-control-expose-headers')).toContain('location');
  });

  it('read the names of their queries in any case', async () => {
    const app = shared();
    const { _id } = await makeFolder(app);
    const { body } = await call(app, `GET /media/${_id}/children?Page=2&PAGESIZE=3`);
    expect([body._page, body._pageSize]).toEqual([2, 3]);
  });

  it('leave files below the same paths to the content route, without a credential', async () => {
    const app = shared();
    const { umbracoFile } = await makeImage(app);
    expect((await app.fetch(umbracoFile.src)).status).toBe(200);
    expect((await app.fetch(umbracoFile.src, { method: 'HEAD' })).status).toBe(200);
    expect((await app.fetch(umbracoFile.src, { method: 'PUT' })).status).toBe(405);
  });

  it('§2.6: return 404 for an id that cannot be decoded', async () => {
    const app = shared();
    for (const id of ['50%', '%E0%A4%A', '%ff']) {
      const message = `Media with id '${id}' could not be found.`;
      for (const line of [`GET /media/${id}`, `GET /media/${id}/children`, `DELETE /media/${id}`]) {
        expect(await call(app, line), line).toMatchObject(refusal(404, 'NotFound', message));
      }
    }
  });

  it('link to the address of the connection if the client sends no Host', async () => {
    const app = shared();
    for (const head of ['GET /media HTTP/1.0', 'GET /media HTTP/1.1\r\nHost:']) {
      const bytes = Buffer.from(`${head}\r\nApi-Key: ${app.adminKey}\r\n\r\n`);
      const { body = '' } = (await sendRaw(app, bytes)) ?? {};
      expect(JSON.parse(body)._links.self).toEqual({ href: `${app.url}/media` });
    }
  });

  it('return HAL, also with a trailing slash and for HEAD', async () => {
    const app = shared();
    for (const [path, method] of [
      ['/media', 'GET'],
      ['/media/', 'GET'],
      ['/media', 'HEAD'],
    ] as const) {
      const { status, headers } = await app.fetch(path, { method, asAdmin: true });
      expect(status).toBe(200);
      expect(headers.get('content-type')).toBe('application/hal+json; charset=utf-8');
    }
  });

  it('§7: list the seven types of Umbraco, and return each by its alias in any case', async () => {
    const app = shared();
    const { body } = await call(app, 'GET /media/type');
    const aliases = [
      ...['Folder', 'Image', 'File', 'umbracoMediaVideo', 'umbracoMediaAudio'],
      ...['umbracoMediaArticle', 'umbracoMediaVectorGraphics'],
    ];
    const links = aliases.map((alias) => ({ href: `${app.url}/media/type/${alias}` }));
    const self = { href: `${app.url}/media/type` };
    expect(Object.keys(body)).toEqual(['_links', '_embedded']);
    expect(body._links).toEqual({ self, root: self, mediatypes: links });
    const types = body._embedded.mediatypes;
    expect(types.map(({ alias }: { alias: string }) => alias)).toEqual(aliases);
    for (const [index, alias] of aliases.entries()) {
      const one = await call(app, `GET /media/type/${alias.toUpperCase()}`);
      expect(one.body).toEqual(types[index]);
      expect(one.body._links).toEqual({ self: links[index] });
    }
    expect(types[0]).toMatchObject({ groups: [], _id: 'f38bd2d7-65d0-48e6-95dc-87ce06ec2d3d' });
    expect(Object.keys(types[1])).toEqual([
      ...['alias', 'compositions', 'groups', 'name', '_createDate', '_id', '_updateDate', '_links'],
    ]);
    const label = { propertyEditorAlias: 'Umbraco.Label', validation: { required: false } };
    expect(types[2].groups).toEqual([
      {
        name: 'File',
        sortOrder: 1,
        properties: [
          {
            ...{ alias: 'umbracoFile', label: 'Upload file', sortOrder: 0 },
            propertyEditorAlias: 'Umbraco.UploadField',
            validation: { required: true },
          },
          { alias: 'umbracoExtension', label: 'Type', sortOrder: 1, ...label },
          { alias: 'umbracoBytes', description: 'in bytes', label: 'Size', sortOrder: 2, ...label },
        ],
      },
    ]);
    expect(types[6].groups[0].name).toBe('Vector Graphics');
  });

  it('return a type for links by its alias, and 404 for unknown aliases', async () => {
    const app = shared();
    const json = { mediaTypeAlias: 'Link', name: 'x', url: 'https://example.org/' };
    const { body } = await call(app, 'POST /media', { json });
    const path = body._links.mediatype.href.replace(app.url, '');
    expect((await call(app, `GET ${path}`)).body).toMatchObject({
      alias: 'Link',
      groups: [{ properties: [{ alias: 'url' }] }],
    });
    const message = "Media Type with alias 'none' could not be found.";
    expect(await call(app, 'GET /media/type/none')).toMatchObject(
      refusal(404, 'NotFound', message),
    );
  });

  it('name the configured address, or the host that the client named', async () => {
    const app = shared();
    const { body } = await call(app, 'GET /media', {
      headers: { 'x-forwarded-host': 'evil.test' },
    });
    expect(body._links.self.href).toBe(`${app.url}/media`);
  });
});
