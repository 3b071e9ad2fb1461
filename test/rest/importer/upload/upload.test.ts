import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { withApp } from '../../../support/app.ts';
import { BACKENDS, describeEachBackend } from '../../../support/backend.ts';
import { fixtureBytes } from '../../../support/bytes.ts';
import { shareApp } from '../../../support/shared-app.ts';
import { call, download, file, PICTURE, problem, upload, VARIABLES } from '../call.ts';

const NOTE = fixtureBytes('note.txt');
const CLIP = fixtureBytes('clip.mp4');

describeEachBackend('an upload', (backend) => {
  const app = shareApp(backend, VARIABLES);
  const post = (path: string, body: RequestInit['body'], headers = {}) =>
    call(app(), `POST /medias/files/${path}`, { body, headers });
  const blobs = async () => {
    const keys = [];
    for await (const { key } of app().services.blobs.list()) keys.push(key);
    return keys.sort();
  };
  const rows = async () => {
    const { db } = app().services;
    const found = await db.selectFrom('file').select('blob_key').execute();
    return found.map(({ blob_key }) => blob_key).sort();
  };

  it.each(['media', 'file'])('§9.11: the field may be called %s', async (part) => {
    const resource = randomUUID();
    const { status, headers, body } = await upload(app(), resource, { part });
    expect([status, headers.get('content-type')]).toEqual([200, 'application/vnd.api+json']);
    const { body: info } = await call(app(), `GET /medias/info/${resource}`);
    expect(info).toEqual(body);
    expect(await download(app(), `/medias/files/${resource}`)).toEqual(PICTURE);
  });

  it('§4.1: a file has the name of its part, even `blob`, or that of its resource', async () => {
    const [named, nameless] = [randomUUID(), randomUUID()];
    const { body } = await upload(app(), named, { name: 'blob' });
    expect(body.data.attributes).toMatchObject({ filename: 'blob', mime_type: 'image/png' });
    const raw = await post(nameless, new Uint8Array(PICTURE), { 'content-type': 'image/png' });
    expect(raw.body.data.attributes.filename).toBe(nameless);
  });

  it('a resource with a name of its own is found by the uuid of its media item too', async () => {
    const resource = `named-${randomUUID()}`;
    await upload(app(), resource);
    const { db } = app().services;
    const { uuid } = await db
      .selectFrom('media')
      .select('uuid')
      .where('resource', '=', resource)
      .executeTakeFirstOrThrow();
    const byUuid = await call(app(), `GET /medias/info/${uuid}`);
    expect(byUuid.body.data.attributes.resource).toBe(resource);
    expect(await download(app(), `/medias/files/${uuid}`)).toEqual(PICTURE);
    // A further file joins it, instead of making another resource.
    await upload(app(), `${uuid}/a.txt`, { name: 'a.txt', bytes: NOTE });
    expect(await download(app(), `/medias/files/${resource}/a.txt`)).toEqual(NOTE);
  });

  it('§9.11: the key is in the path, in the form after the file, or in the query', async () => {
    const resource = randomUUID();
    const keyOf = async (path: string, fields = {}) => {
      const { body } = await upload(app(), path, { fields, name: 'a.txt', bytes: NOTE });
      return body.data.attributes.key;
    };
    expect(await keyOf(`${resource}/path.txt`, { key: 'form.txt' })).toBe('path.txt');
    expect(await keyOf(resource, { key: 'form.txt' })).toBe('form.txt');
    expect(await keyOf(`${resource}?key=query.txt`)).toBe('query.txt');
    expect(await keyOf(`${resource}/`)).toBe('');
  });

  it('project_id may be in the form or the query, and modality has no effect', async () => {
    const resource = randomUUID();
    const fields = { project_id: 'p1', modality: 'video' };
    const inForm = await upload(app(), resource, { fields });
    expect(inForm.body.data.attributes.project_id).toBe('p1');
    const inQuery = await upload(app(), `${resource}/a.png?project_id=p2`);
    expect(inQuery.body.data.attributes.project_id).toBe('p2');
    const list = await call(app(), 'GET /medias?filter[project_id]=p2&fields=key');
    expect(list.body.data.map((one: { attributes: object }) => one.attributes)).toEqual([
      { key: 'a.png' },
    ]);
  });

  it('§9.11: an upload to an existing key returns 422 and changes nothing', async () => {
    const resource = randomUUID();
    await upload(app(), resource);
    const before = await blobs();
    for (const path of [resource, `${resource}?key=`]) {
      const again = await upload(app(), path, { name: 'a.txt', bytes: NOTE });
      expect(again).toMatchObject(problem(422, 'already_exists'));
    }
    expect(await download(app(), `/medias/files/${resource}`)).toEqual(PICTURE);
    expect(await blobs()).toEqual(before);
  });

  it('§9.11: of eight concurrent uploads to one key, one succeeds and one blob remains', async () => {
    const resource = randomUUID();
    const before = await rows();
    const answers = await Promise.all(Array.from({ length: 8 }, () => upload(app(), resource)));
    const statuses = answers.map(({ status }) => status).sort();
    expect(statuses).toEqual([200, ...Array(7).fill(422)]);
    const lost = answers.filter(({ status }) => status === 422);
    expect(lost.every(({ body }) => body.errors[0].code === 'already_exists')).toBe(true);
    expect(await rows()).toHaveLength(before.length + 1);
    expect(await blobs()).toEqual(await rows());
  });

  it('concurrent uploads of different keys to a new resource all succeed', async () => {
    const resource = randomUUID();
    const keys = ['', 'a.png', 'b.png', 'c.png', 'd.png'];
    const answers = await Promise.all(keys.map((key) => upload(app(), `${resource}/${key}`)));
    expect(answers.map(({ status }) => status)).toEqual(keys.map(() => 200));
    const { body } = await call(app(), `GET /medias?filter[resource]=${resource}&sort=key`);
    expect(body.data.map((one: { attributes: { key: string } }) => one.attributes.key)).toEqual(
      keys,
    );
    const medias = await app()
      .services.db.selectFrom('media')
      .where('resource', '=', resource)
      .select('id')
      .execute();
    expect(medias).toHaveLength(1);
  });

  it('several files get their names as keys, and all or none are stored', async () => {
    const resource = randomUUID();
    const form = new FormData();
    form.append('media', file('a.txt', NOTE));
    form.append('file', file('b.png'));
    const { status, body } = await post(resource, form);
    expect(status).toBe(200);
    expect(body.data.map((one: { attributes: { key: string } }) => one.attributes.key)).toEqual([
      'a.txt',
      'b.png',
    ]);
    const more = new FormData();
    more.append('media', file('c.txt', NOTE));
    more.append('media', file('b.png'));
    expect(await post(resource, more)).toMatchObject(problem(422, 'already_exists'));
    expect((await call(app(), `GET /medias/info/${resource}/c.txt`)).status).toBe(404);
    const keyed = await post(`${resource}/k`, more);
    expect(keyed).toMatchObject(problem(422, 'conflict'));
    const same = new FormData();
    for (const part of ['media', 'file']) same.append(part, file('same.txt', NOTE));
    expect(await post(resource, same)).toMatchObject(problem(422, 'already_exists'));
    expect(await blobs()).toEqual(await rows());
  });

  it.each<[string, () => RequestInit['body']]>([
    ['no body', () => null],
    ['a form without a file', () => formOf({ key: 'a' })],
    ['text under the name of the file', () => formOf({ file: 'notafile' })],
    ['an empty file', () => formOf({ file: file('a.txt', '') })],
    ['fields in urlencoded', () => new URLSearchParams({ file: 'a' })],
  ])('§4.5: %s is 422', async (_, body) => {
    const answer = await post(randomUUID(), body());
    expect(answer.status).toBe(422);
    expect(answer.body.errors[0].source).toEqual({ pointer: '/file' });
  });

  it('§4.5: all faults of the fields are reported by name', async () => {
    const fields = { project_id: 'a\nb', key: 'k'.repeat(256) };
    const { status, body } = await upload(app(), randomUUID(), { fields });
    const sources = body.errors.map(({ source }: { source: object }) => source);
    expect([status, sources]).toEqual([422, [{ pointer: '/key' }, { pointer: '/project_id' }]]);
    expect(await blobs()).toEqual(await rows());
  });

  it('§4.5: a broken form returns 400 and stores nothing', async () => {
    const headers = { 'content-type': 'multipart/form-data; boundary=x' };
    const begin = '--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nabc';
    const full = `${begin}\r\n--x\r\nContent-Disposition: form-data; name="k`;
    for (const body of ['garbage', begin, full]) {
      expect(await post(randomUUID(), body, headers)).toMatchObject(problem(400, 'malformed_body'));
    }
    expect(await blobs()).toEqual(await rows());
  });

  it('a raw body is stored as a file', async () => {
    const resource = randomUUID();
    const headers = {
      'content-type': 'video/mp4',
      'content-disposition': `attachment; filename="clip.mp4"; filename*=UTF-8''cl%C3%AEp.mp4`,
    };
    const { status, body } = await post(`${resource}/240p.mp4`, Buffer.from(CLIP), headers);
    expect(status).toBe(200);
    expect(body.data.attributes).toMatchObject({ key: '240p.mp4', filename: 'clîp.mp4' });
    const plain = Buffer.from('attachment; filename="clîp €.mp4"').toString('latin1');
    const named = await post(`${resource}/c.mp4`, Buffer.from(CLIP), {
      'content-type': 'video/mp4',
      'content-disposition': plain,
    });
    expect(named.body.data.attributes.filename).toBe('clîp €.mp4');
    const nameless = await post(`${resource}/b.png`, Buffer.from(PICTURE), {
      'content-type': 'image/png',
    });
    expect(nameless.body.data.attributes.filename).toBe('b.png');
    expect(await download(app(), `/medias/files/${resource}/b.png`)).toEqual(PICTURE);
  });

  it('a file that is dangerous under its name is refused, as in every dialect', async () => {
    const answer = await upload(app(), randomUUID(), { name: 'a.html', bytes: CLIP });
    expect(answer).toMatchObject(problem(415, 'unsupported_media'));
    expect(await blobs()).toEqual(await rows());
  });

  it('only its creator and admins can add to a resource', async () => {
    const resource = randomUUID();
    const mine = await upload(app(), resource, { as: 'anna' });
    expect(mine.body.data.attributes).toMatchObject({ created_by: 'anna', created_role: 'editor' });
    const other = await upload(app(), `${resource}/a.png`, { as: 'bert' });
    expect(other).toMatchObject(problem(403, 'forbidden'));
    expect((await upload(app(), `${resource}/b.png`, { as: 'anna' })).status).toBe(200);
    expect((await upload(app(), `${resource}/c.png`)).status).toBe(200);
    expect((await upload(app(), randomUUID(), { as: '7' })).body.data.attributes.created_by).toBe(
      7,
    );
  });

  describe('and the other dialects', () => {
    const graphql = async (query: string, variables: object = {}) => {
      const response = await app().fetch('/graphql', {
        method: 'POST',
        asAdmin: true,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query, variables }),
      });
      return (await response.json()).data;
    };
    const FIELDS = 'type name file { key url } files { key filename url }';

    it('all uploads to one resource create one unfiled media item, and each file has its own URL', async () => {
      const resource = randomUUID();
      await upload(app(), `${resource}/thumbnail.webp`, { name: 'picture.png' });
      await upload(app(), `${resource}/Thumbnail.WEBP`, { name: 'note.txt', bytes: NOTE });
      await upload(app(), resource, { name: 'thumbnail.mp4', bytes: CLIP });
      const query = `query ($r: String!) { media(by: { resource: $r }) { ${FIELDS} folder { id } } }`;
      const { media } = await graphql(query, { r: resource });
      expect(media).toMatchObject({ type: 'VIDEO', name: 'thumbnail.mp4', folder: null });
      expect(media.file.key).toBe('');
      const urls: string[] = media.files.map(({ url }: { url: string }) => url);
      expect(new Set(urls).size).toBe(3);
      const sizes = await Promise.all(
        urls.map(async (url) => (await (await fetch(url)).arrayBuffer()).byteLength),
      );
      expect(sizes.sort()).toEqual([CLIP, NOTE, PICTURE].map(({ length }) => length).sort());
    });

    it('media of another dialect are found under their uuid, and accept variants', async () => {
      const form = new FormData();
      const query = `mutation ($f: Upload!) { uploadFile(input: { file: $f }) {
        ... on UploadFileSuccess { media { uuid } } } }`;
      form.set('operations', JSON.stringify({ query, variables: { f: null } }));
      form.set('map', '{"0":["variables.f"]}');
      form.set('0', file('picture.png'));
      const headers = { 'apollo-require-preflight': '1' };
      const options = { method: 'POST', asAdmin: true, headers, body: form };
      const { data } = await (await app().fetch('/graphql', options)).json();
      const { uuid } = data.uploadFile.media;
      expect(await download(app(), `/medias/files/${uuid}`)).toEqual(PICTURE);
      expect((await upload(app(), `${uuid}/n.txt`, { name: 'n.txt', bytes: NOTE })).status).toBe(
        200,
      );
      expect(await upload(app(), uuid)).toMatchObject(problem(422, 'already_exists'));
      const { body } = await call(app(), `GET /medias?filter[resource]=${uuid}&sort=key`);
      expect(body.data).toHaveLength(2);
    });

    it('an original cannot be uploaded to a link', async () => {
      const made =
        await graphql(`mutation { createMedia(input: { type: URL, url: "https://a.example/" }) {
        ... on CreateMediaSuccess { media { uuid } } } }`);
      const { uuid } = made.createMedia.media;
      expect(await upload(app(), uuid)).toMatchObject(problem(422, 'no_file'));
      expect((await upload(app(), `${uuid}/shot.png`)).status).toBe(200);
    });
  });
});

describe('the limits of an upload', () => {
  it('a file over the limit returns 413 and stores nothing', () =>
    withApp(
      BACKENDS[0]!,
      async (app) => {
        const bytes = Buffer.alloc(3000, 'a');
        expect(await upload(app, 'r', { name: 'a.txt', bytes })).toMatchObject(
          problem(413, 'too_large'),
        );
        const raw = await call(app, 'POST /medias/files/r', {
          body: bytes,
          headers: { 'content-type': 'text/plain' },
        });
        expect(raw).toMatchObject(problem(413, 'too_large'));
        const keys = [];
        for await (const { key } of app.services.blobs.list()) keys.push(key);
        expect(keys).toEqual([]);
      },
      { ...VARIABLES, TRIVIUM_FILE_BYTES_MAX: '2000' },
    ));
});

function formOf(fields: Record<string, string | File>): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.set(name, value);
  return form;
}
