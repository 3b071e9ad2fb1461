import { expect, it } from 'vitest';
import type { TestApp } from '../../support/app.ts';
import { describeEachBackend } from '../../support/backend.ts';
import { request, WITH_USERS } from '../../support/request.ts';
import { shareApp } from '../../support/shared-app.ts';
import {
  type CallOptions,
  call,
  file,
  invalid,
  makeFolder,
  makeImage,
  refusal,
  toForm,
} from './call.ts';

const FORBIDDEN = refusal(403, 'Forbidden', 'You are not authorized to access the given resource.');
const UNKNOWN = '17fb8303-2b56-41bf-9681-1f0b087cad30';

/**
 * Creates a folder that is the viewer's start node, not at top level, and nodes around it. The viewer owns all of them,
 * so that only the limit can refuse a request.
 */
async function makeTree(app: TestApp) {
  const own = { as: 'jane' };
  const outside = await makeFolder(app, { name: 'outside' }, own);
  const start = await makeFolder(app, { name: 'start', parentId: outside._id }, own);
  const inside = await makeImage(app, { parentId: start._id }, own);
  const other = await makeFolder(app, { name: 'other', parentId: outside._id }, own);
  const jane = { as: 'jane', claims: { start_nodes: [start._id.toUpperCase()] } };
  return { outside, start, inside, other, jane };
}

/** Returns the answers to every request about an item. */
async function answersFor(app: TestApp, id: string, parentId: string, viewer: CallOptions) {
  const json = { name: 'mine', mediaTypeAlias: 'Folder' };
  const requests: [string, CallOptions][] = [
    [`GET /media/${id}`, {}],
    [`GET /media/${id}/children`, {}],
    [`PUT /media/${id}`, { json: { name: 'mine', parentId } }],
    [`PUT /media/${id}`, { parts: { content: { name: 'mine' }, umbracoFile: file('a.png') } }],
    [`DELETE /media/${id}`, {}],
    ['POST /media', { json: { ...json, parentId: id } }],
  ];
  const answers: [number, unknown][] = [];
  for (const [line, options] of requests) {
    const { status, body } = await call(app, line, { ...viewer, ...options });
    answers.push([status, body]);
  }
  expect(answers.map(([status]) => status)).toEqual([404, 404, 404, 404, 404, 422]);
  return { answers };
}

describeEachBackend('a viewer with start nodes in Heartcore’s dialect', (backend) => {
  const shared = shareApp(backend, WITH_USERS);

  it('sees them as the root, and can read their subtrees', async () => {
    const app = shared();
    const { start, inside, other, jane } = await makeTree(app);
    const shown = { ...start, _hasChildren: true };
    const { parentId: _, ...withoutParent } = shown;
    const { body } = await call(app, 'GET /media', jane);
    // The place of the folder must not be revealed either.
    expect(body._embedded.media).toEqual([withoutParent]);
    expect((await call(app, `GET /media/${start._id}`, jane)).body).toEqual(withoutParent);
    expect((await call(app, `GET /media/${inside._id}`, jane)).body).toEqual(inside);
    const children = (await call(app, `GET /media/${start._id}/children`, jane)).body;
    expect(children).toMatchObject({ _totalItems: 1, _embedded: { media: [inside] } });
    const two = { as: 'jane', claims: { start_nodes: [other._id, inside._id] } };
    const roots = (await call(app, 'GET /media', two)).body._embedded.media;
    expect(roots.map((item: { _id: string }) => item._id).sort()).toEqual(
      [other._id, inside._id].sort(),
    );
  });

  it('gets 403 for every operation outside of them, and 404 for a missing item', async () => {
    const app = shared();
    const { outside, other, jane } = await makeTree(app);
    for (const { _id } of [outside, other]) {
      for (const line of [
        `GET /media/${_id}`,
        `GET /media/${_id}/children`,
        `DELETE /media/${_id}`,
      ]) {
        expect(await call(app, line, jane), line).toMatchObject(FORBIDDEN);
      }
      const json = { name: 'mine' };
      expect(await call(app, `PUT /media/${_id}`, { ...jane, json })).toMatchObject(FORBIDDEN);
      expect((await call(app, `GET /media/${_id}`)).body.name).not.toBe('mine');
    }
    expect(await call(app, `GET /media/${UNKNOWN}`, jane)).toMatchObject(refusal(404, 'NotFound'));
  });

  it('gets 404 for an unfiled item, as everybody does', async () => {
    const app = shared();
    const { start, jane } = await makeTree(app);
    const resource = `unfiled-${start._id}`;
    const body = toForm({ media: file('a.png') });
    expect((await request(app, `POST /medias/files/${resource}`, { body })).status).toBe(200);
    const { uuid } = await app.services.db
      .selectFrom('media')
      .where('resource', '=', resource)
      .select('uuid')
      .executeTakeFirstOrThrow();
    const missing = { path: UNKNOWN, ...(await answersFor(app, UNKNOWN, start._id, jane)) };
    for (const viewer of [jane, {}]) {
      const answers = await answersFor(app, uuid, start._id, viewer);
      const text = JSON.stringify({ path: uuid, ...answers }).replaceAll(uuid, UNKNOWN);
      expect(JSON.parse(text)).toEqual(missing);
    }
    const { count } = await app.services.db
      .selectFrom('media')
      .where('uuid', '=', uuid)
      .select((eb) => eb.fn.countAll<number>().as('count'))
      .executeTakeFirstOrThrow();
    expect(Number(count)).toBe(1);
  });

  it('cannot create or move anything outside of them, and leaves no bytes behind', async () => {
    const app = shared();
    const { start, inside, other, jane } = await makeTree(app);
    for (const parentId of [other._id, null]) {
      const json = { mediaTypeAlias: 'Folder', name: 'x', parentId };
      expect(await call(app, 'POST /media', { ...jane, json })).toMatchObject(FORBIDDEN);
      await expect(makeImage(app, { parentId }, jane)).rejects.toThrow('Forbidden');
      const move = { ...jane, json: { parentId } };
      expect(await call(app, `PUT /media/${inside._id}`, move)).toMatchObject(FORBIDDEN);
      expect(await call(app, `PUT /media/${start._id}`, move)).toMatchObject(FORBIDDEN);
    }
    expect((await call(app, `GET /media/${inside._id}`)).body).toEqual(inside);
    const unknown = { ...jane, json: { parentId: UNKNOWN } };
    expect(await call(app, `PUT /media/${inside._id}`, unknown)).toMatchObject(invalid('parentId'));
    const rows = await app.services.db.selectFrom('file').select('blob_key').execute();
    let blobs = 0;
    for await (const _ of app.services.blobs.list()) blobs++;
    expect(blobs).toBe(rows.length);
  });

  it('can create, change, move and delete nodes inside of them', async () => {
    const app = shared();
    const { start, inside, jane } = await makeTree(app);
    const folder = await makeFolder(app, { parentId: start._id }, jane);
    expect(folder).toMatchObject({ parentId: start._id, _level: 3 });
    const json = { ...inside, name: 'new', parentId: folder._id };
    const moved = await call(app, `PUT /media/${inside._id}`, { ...jane, json });
    expect(moved).toMatchObject({ status: 200, body: { name: 'new', parentId: folder._id } });
    const whole = (await call(app, `GET /media/${start._id}`, jane)).body;
    const renamed = { ...jane, json: { ...whole, name: 'renamed' } };
    expect((await call(app, `PUT /media/${start._id}`, renamed)).body.name).toBe('renamed');
    expect((await call(app, `DELETE /media/${folder._id}`, jane)).status).toBe(200);
    expect(await call(app, `GET /media/${inside._id}`, jane)).toMatchObject(
      refusal(404, 'NotFound'),
    );
  });

  it('sees an empty root if none of them exists', async () => {
    const app = shared();
    const { start } = await makeTree(app);
    const nowhere = { as: 'jane', claims: { start_nodes: [UNKNOWN] } };
    expect((await call(app, 'GET /media', nowhere)).body._embedded.media).toEqual([]);
    expect(await call(app, `GET /media/${start._id}`, nowhere)).toMatchObject(FORBIDDEN);
  });
});
