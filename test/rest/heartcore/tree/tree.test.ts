import { expect, it } from 'vitest';
import { describeEachBackend } from '../../../support/backend.ts';
import { graphql } from '../../../support/graphql.ts';
import { makeMediaRow } from '../../../support/make.ts';
import { download, WITH_USERS } from '../../../support/request.ts';
import { shareApp } from '../../../support/shared-app.ts';
import { call, file, invalid, makeFolder, makeImage, PICTURE, refusal } from '../call.ts';

const UNKNOWN = '17fb8303-2b56-41bf-9681-1f0b087cad30';

describeEachBackend('the tree in Heartcore’s dialect', (backend) => {
  const shared = shareApp(backend, WITH_USERS);
  const put = (id: string, json: object, options = {}) =>
    call(shared(), `PUT /media/${id}`, { json, ...options });
  const get = async (id: string) => (await call(shared(), `GET /media/${id}`)).body;

  it('§5.1: positions start at 0; a child comes last unless its position is given, and gaps stay', async () => {
    const app = shared();
    const { _id: parentId } = await makeFolder(app);
    const orders = [];
    for (const sortOrder of [undefined, undefined, 7, undefined, 7]) {
      orders.push((await makeFolder(app, { parentId, sortOrder })).sortOrder);
    }
    expect(orders).toEqual([0, 1, 7, 8, 7]);
    const { body } = await call(app, `GET /media/${parentId}/children`);
    const listed = body._embedded.media.map((item: { sortOrder: number }) => item.sortOrder);
    expect(listed).toEqual([0, 1, 7, 7, 8]);
    await call(app, `DELETE /media/${body._embedded.media[0]._id}`);
    expect((await makeFolder(app, { parentId })).sortOrder).toBe(9);
    const first = body._embedded.media[1]._id;
    expect((await put(first, { sortOrder: 0 })).body.sortOrder).toBe(0);
    expect((await get(body._embedded.media[2]._id)).sortOrder).toBe(7);
  });

  it('§5.3: only folders and the root accept children', async () => {
    const app = shared();
    const image = await makeImage(app);
    const json = { mediaTypeAlias: 'Folder', name: 'x', parentId: image._id };
    const refused = await call(app, 'POST /media', { json });
    expect(refused).toMatchObject(invalid('parentId'));
    expect(refused.body.error.details.errors.parentId).toEqual([
      'Only a folder can have children.',
    ]);
    const folder = await makeFolder(app);
    expect(await put(folder._id, { parentId: image._id })).toMatchObject(invalid('parentId'));
    for (const parentId of [UNKNOWN, 'x', '-1', '', 5, '00000000-0000-0000-0000-000000000001']) {
      expect(await put(folder._id, { parentId }), String(parentId)).toMatchObject(
        invalid('parentId'),
      );
    }
    expect(await get(folder._id)).toEqual(folder);
  });

  it('§5.5: a move changes the levels of the subtree; the new position is the last, or the given one', async () => {
    const app = shared();
    const target = await makeFolder(app, { name: 'target' });
    await makeFolder(app, { parentId: target._id });
    const moved = await makeFolder(app, { name: 'moved', sortOrder: 55 });
    const inner = await makeFolder(app, { parentId: moved._id });
    const image = await makeImage(app, { parentId: inner._id });
    const { body } = await put(moved._id, { ...moved, parentId: target._id.toUpperCase() });
    expect(body).toMatchObject({ _level: 2, parentId: target._id, sortOrder: 1, name: 'moved' });
    expect(await get(inner._id)).toMatchObject({ _level: 3, parentId: moved._id });
    expect(await get(image._id)).toMatchObject({ _level: 4, parentId: inner._id });
    const told = await put(inner._id, { parentId: target._id, sortOrder: 40 });
    expect(told.body).toMatchObject({ _level: 2, sortOrder: 40 });
    // Contract §12-A8: null is the root, and absent properties do not change.
    const root = await put(image._id, { parentId: null });
    expect(root.body._level).toBe(1);
    expect(root.body).not.toHaveProperty('parentId');
    expect((await put(told.body._id, { name: 'stays' })).body.parentId).toBe(target._id);
    const digits = target._id.replaceAll('-', '');
    expect((await put(image._id, { parentId: digits })).body.parentId).toBe(target._id);
  });

  it('§4.5: an item that is moved to its own parent keeps its position', async () => {
    const app = shared();
    const root = await makeFolder(app, { sortOrder: 3 });
    const inner = await makeFolder(app, { parentId: root._id, sortOrder: 3 });
    await makeFolder(app, { parentId: root._id });
    for (const [{ _id }, parentId] of [
      [root, null],
      [inner, root._id],
    ]) {
      expect((await put(_id, { parentId })).body).toMatchObject({ _id, sortOrder: 3 });
    }
  });

  it('§5.5: no item can be moved below itself', async () => {
    const app = shared();
    const outer = await makeFolder(app);
    const inner = await makeFolder(app, { parentId: outer._id });
    for (const parentId of [outer._id, inner._id]) {
      expect(await put(outer._id, { parentId, name: 'no' })).toMatchObject(invalid('parentId'));
    }
    expect(await get(outer._id)).toEqual({ ...outer, _hasChildren: true });
  });

  it('an id may be written in any case, and without hyphens', async () => {
    const app = shared();
    const { _id } = await makeFolder(app);
    for (const id of [_id.toUpperCase(), _id.replaceAll('-', '')]) {
      expect((await get(id))._id).toBe(_id);
    }
  });

  it('an unfiled media item is not found, and appears once it is filed', async () => {
    const app = shared();
    const uuid = crypto.randomUUID();
    const id = await makeMediaRow(app.services.db, {
      uuid,
      type: 'url',
      url: 'https://example.org/',
    });
    expect(await call(app, `GET /media/${uuid}`)).toMatchObject(refusal(404, 'NotFound'));
    const folder = await makeFolder(app);
    await graphql(
      app,
      `mutation { moveNodes(input: { ids: ["${btoa(`Media:${id}`)}"], parentId: "${await folderId(folder._id)}" }) { __typename } }`,
      {},
      { authorization: `Bearer ${app.adminKey}` },
    );
    expect(await get(uuid)).toMatchObject({ mediaTypeAlias: 'Link', url: 'https://example.org/' });
  });

  async function folderId(uuid: string): Promise<string> {
    const { data } = await graphql(shared(), `{ folder(by: { uuid: "${uuid}" }) { id } }`);
    return data.folder.id;
  }

  it('GraphQL finds an item under the same uuid, with its focal point and crops', async () => {
    const app = shared();
    const crops = [
      { alias: 'square', width: 9, height: 9, coordinates: { x1: 0, y1: 0.1, x2: 0.2, y2: 0 } },
    ];
    const focalPoint = { left: 0.25, top: 0.75 };
    const image = await makeImage(app, { umbracoFile: { src: 'a.png', focalPoint, crops } });
    expect(image.umbracoFile).toEqual({
      src: expect.stringMatching(/\/a\.png$/),
      focalPoint,
      crops,
    });
    const read = () =>
      graphql(
        app,
        `{ media(by: { uuid: "${image._id}" }) { type title name level parent { id } file { filename } image {
          focalPoint { left top } crops { alias coordinates { y1 } } } } }`,
      );
    expect((await read()).data.media).toEqual({
      ...{ type: 'IMAGE', title: 'Han Solo', name: 'Han Solo', level: 1, parent: null },
      file: { filename: 'a.png' },
      image: { focalPoint, crops: [{ alias: 'square', coordinates: { y1: 0.1 } }] },
    });
    const again = await put(image._id, {
      name: 'Leia',
      umbracoFile: { ...image.umbracoFile, crops: null },
    });
    expect(again.body.umbracoFile).toEqual({ ...image.umbracoFile, crops: null });
    expect((await read()).data.media).toMatchObject({
      title: 'Leia',
      name: 'Leia',
      image: { focalPoint, crops: [] },
    });
  });

  it('a document that GraphQL has put in a folder is a File, and can be replaced by another document', async () => {
    const app = shared();
    const folder = await makeFolder(app);
    const { data } = await graphql(
      app,
      `mutation ($file: Upload!) { uploadFile(input: { file: $file, folderId: "${await folderId(folder._id)}" }) {
        ... on UploadFileSuccess { media { uuid type } } } }`,
      { file: null },
      {
        authorization: `Bearer ${app.adminKey}`,
        files: { file: file('paper.pdf', '%PDF-1.4\n%%EOF\n', 'application/pdf') },
      },
    );
    const { uuid, type } = data.uploadFile.media;
    expect(type).toBe('DOCUMENT');
    const item = await get(uuid);
    expect(item).toMatchObject({
      mediaTypeAlias: 'File',
      parentId: folder._id,
      umbracoBytes: '15',
    });
    expect(item.umbracoFile).toMatch(/\/paper\.pdf$/);
    const parts = { content: {}, umbracoFile: file('notes.txt', 'Some text.') };
    const { status, body } = await call(app, `PUT /media/${uuid}`, { parts });
    expect({ status, body }).toMatchObject({ status: 200, body: { umbracoBytes: '10' } });
    expect(await download(app, body.umbracoFile)).toEqual(Buffer.from('Some text.'));
  });

  it('an image that is deleted during a read is returned as an image or not found, never as a link', async () => {
    const app = shared();
    const { _id: parentId } = await makeFolder(app);
    for (let round = 0; round < 8; round++) {
      const { _id } = await makeImage(app, { parentId });
      const looks = [`GET /media/${_id}`, `GET /media/${parentId}/children`];
      const lines = Array.from({ length: 12 }, (_, index) => looks[index % 2] ?? '');
      const [, ...answers] = await Promise.all(
        [`DELETE /media/${_id}`, ...lines].map((line) => call(app, line)),
      );
      for (const { status, body } of answers) {
        expect([200, 404]).toContain(status);
        for (const item of body._embedded?.media ?? (status === 200 ? [body] : [])) {
          expect(item.mediaTypeAlias).toBe('Image');
        }
      }
    }
  });

  it('lists cost the same number of statements, however long they are', async () => {
    const app = shared();
    const { _id } = await makeFolder(app);
    const count = async () => {
      app.statements.length = 0;
      await call(app, `GET /media/${_id}/children`);
      return app.statements.filter((sql) => sql.startsWith('select')).length;
    };
    await makeFolder(app, { parentId: _id });
    await makeImage(app, { parentId: _id });
    const short = await count();
    for (let index = 0; index < 3; index++) await makeImage(app, { parentId: _id });
    expect(await count()).toBe(short);
    expect(short).toBeLessThanOrEqual(5);
  });
});

describeEachBackend('permissions in Heartcore’s dialect', (backend) => {
  const shared = shareApp(backend, WITH_USERS);
  const forbidden = refusal(
    403,
    'Forbidden',
    'You are not authorized to access the given resource.',
  );

  it('only the creator and admins change and delete items; everyone sees them', async () => {
    const app = shared();
    const image = await makeImage(app, {}, { as: 'jane' });
    const folder = await makeFolder(app, {}, { as: 'jane' });
    for (const { _id } of [image, folder]) {
      expect((await call(app, `GET /media/${_id}`, { as: 'joe' })).status).toBe(200);
      // Also if the body has faults.
      const broken = { as: 'joe', headers: { 'content-type': 'application/json' }, body: '{' };
      expect(await call(app, `PUT /media/${_id}`, broken)).toMatchObject(forbidden);
      expect(await call(app, `DELETE /media/${_id}`, { as: 'joe' })).toMatchObject(forbidden);
      expect((await call(app, `PUT /media/${_id}`, { as: 'jane', json: {} })).status).toBe(200);
      expect((await call(app, `PUT /media/${_id}`, { json: { name: 'x' } })).status).toBe(200);
      expect((await call(app, `DELETE /media/${_id}`, { as: 'jane' })).status).toBe(200);
    }
  });

  it('the creator of a folder can delete it with another user’s item; a refused DELETE deletes nothing', async () => {
    const app = shared();
    const folder = await makeFolder(app, {}, { as: 'jane' });
    const image = await makeImage(app, { parentId: folder._id }, { as: 'joe' });
    expect(await call(app, `DELETE /media/${folder._id}`, { as: 'joe' })).toMatchObject(forbidden);
    expect(await download(app, image.umbracoFile.src)).toEqual(PICTURE);
    expect((await call(app, `DELETE /media/${folder._id}`, { as: 'jane' })).status).toBe(200);
    expect(await download(app, image.umbracoFile.src)).toBe(404);
  });

  it('a reader can read, and cannot create anything', async () => {
    const app = shared();
    const reader = { as: 'ruth', claims: { role: 'reader' } };
    expect((await call(app, 'GET /media', reader)).status).toBe(200);
    const json = { mediaTypeAlias: 'Folder', name: 'x' };
    expect(await call(app, 'POST /media', { ...reader, json })).toMatchObject(forbidden);
    const { _id } = await makeFolder(app);
    expect(await call(app, `PUT /media/${_id}`, { ...reader, json })).toMatchObject(forbidden);
  });
});
