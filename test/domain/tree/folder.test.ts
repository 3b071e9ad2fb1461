import { expect, it } from 'vitest';
import { InvalidInputError, NotFoundError } from '../../../src/domain/error.ts';
import { createFolder, findFolder, foldersByIds } from '../../../src/domain/tree/folder.ts';
import { placeIn } from '../../../src/domain/tree/place.ts';
import { ROOT_ID } from '../../../src/store/tree/folder.ts';
import { user, withServices } from '../../support/app.ts';
import { describeEachBackend } from '../../support/backend.ts';
import { makeFolder, makeMediaRow } from '../../support/make.ts';

describeEachBackend('folders', (backend) => {
  it('a new folder is at top level, belongs to its creator and has no ancestors', () =>
    withServices(backend, async (services) => {
      const folder = await createFolder(services.as(user()), { name: ' Design ' });
      expect(folder).toEqual({
        type: 'folder',
        id: expect.any(Number),
        uuid: '00000000-0000-4000-8000-000000000001',
        name: 'Design',
        parentId: null,
        ancestorIds: [],
        level: 1,
        sortOrder: 0,
        createdAt: new Date(services.clock()),
        updatedAt: new Date(services.clock()),
        deletedAt: null,
        owner: 'alice',
      });
    }));

  it('a folder in a folder is one level down and lists all its ancestors', () =>
    withServices(backend, async ({ as }) => {
      const ctx = as(user());
      const top = await createFolder(ctx, { name: 'top' });
      const middle = await createFolder(ctx, { name: 'middle', parentId: top.id });
      const low = await createFolder(ctx, { name: 'low', parentId: middle.id });
      expect(low).toMatchObject({
        level: 3,
        parentId: middle.id,
        ancestorIds: [top.id, middle.id],
      });
    }));

  it('a folder comes after its siblings, media included, unless a position is given', () =>
    withServices(backend, async ({ db, as }) => {
      const ctx = as(user());
      const orders: number[] = [];
      const add = async (sortOrder?: number) =>
        orders.push((await createFolder(ctx, { name: 'x', sortOrder })).sortOrder);
      await add();
      await add();
      await makeMediaRow(db, { parent_id: ROOT_ID, level: 1, path: '/1/', sort_order: 7 });
      await add();
      await add(-3);
      await add();
      expect(orders).toEqual([0, 1, 8, -3, 9]);
    }));

  it('no position exceeds the range of GraphQL’s Int', () =>
    withServices(backend, async ({ as }) => {
      const last = 2 ** 31 - 1;
      await createFolder(as(user()), { name: 'a', sortOrder: last });
      expect((await createFolder(as(user()), { name: 'b' })).sortOrder).toBe(last);
    }));

  it.each([
    ['that is not there', async () => 404],
    ['that is a media item', async (db: Parameters<typeof makeMediaRow>[0]) => makeMediaRow(db)],
  ])('a parent %s is not found', (_, makeParent) =>
    withServices(backend, async ({ db, as }) => {
      const parentId = await makeParent(db);
      const folder = createFolder(as(user()), { name: 'x', parentId });
      await expect(folder).rejects.toMatchObject({ code: 'NOT_FOUND', noun: 'folder' });
      await expect(placeIn(as(), parentId)).rejects.toThrow(NotFoundError);
    }),
  );

  it.each([
    ['', 'blank'],
    ['  ', 'blank'],
    ['a\0b', 'NUL'],
    ['a\nb', 'a line break'],
    ['x'.repeat(256), 'too long'],
  ])('the name %j is refused: %s', (name) =>
    withServices(backend, async ({ as, db }) => {
      const folder = createFolder(as(user()), { name });
      await expect(folder).rejects.toThrow(InvalidInputError);
      expect(await db.selectFrom('media').select('id').execute()).toEqual([{ id: ROOT_ID }]);
    }),
  );

  it.each([2 ** 31, 1.5, Number.NaN])('the position %d is refused', (sortOrder) =>
    withServices(backend, async ({ as }) => {
      const folder = createFolder(as(user()), { name: 'x', sortOrder });
      await expect(folder).rejects.toThrow(InvalidInputError);
    }),
  );

  it('is found by id, by uuid in any case, and by the path of names', () =>
    withServices(backend, async ({ as }) => {
      const ctx = as(user());
      const top = await createFolder(ctx, { name: 'Größe' });
      const low = await createFolder(ctx, { name: '100 %', parentId: top.id });
      expect(await findFolder(ctx, { id: low.id })).toEqual(low);
      expect(await findFolder(ctx, { uuid: low.uuid.toUpperCase() })).toEqual(low);
      for (const path of ['/Größe/100 %', 'Größe/100 %', '/Größe//100 %/']) {
        expect(await findFolder(ctx, { path })).toEqual(low);
      }
    }));

  it.each(['', '/', '/none', '/top/none', '/low', '/top/low/none', '/TOP', '/top/media', '/a\0b'])(
    'no folder is found at the path %j',
    (path) =>
      withServices(backend, async ({ db, as }) => {
        const top = await makeFolder(db, { name: 'top' });
        const inTop = { parent_id: top, level: 2, path: `/1/${top}/` };
        await makeFolder(db, { name: 'low', ...inTop });
        await makeMediaRow(db, { name: 'media', ...inTop });
        expect(await findFolder(as(), { path })).toBeNull();
      }),
  );

  it('a path that matches two folders finds the first in order', () =>
    withServices(backend, async ({ db, as }) => {
      await makeFolder(db, { name: 'twin', sort_order: 2 });
      const first = await makeFolder(db, { name: 'twin', sort_order: 1 });
      await makeFolder(db, { name: 'twin', sort_order: 1 });
      expect(await findFolder(as(), { path: '/twin' })).toMatchObject({ id: first });
    }));

  it('a path finds its folder below any folder of the same name, and only a folder that the viewer may see', () =>
    withServices(backend, async ({ db, as }) => {
      const below = (id: number) => ({ parent_id: id, level: 2, path: `/1/${id}/` });
      const first = await makeFolder(db, { name: 'twin', sort_order: 1 });
      const second = await makeFolder(db, { name: 'twin', sort_order: 2 });
      const logos = await makeFolder(db, { ...below(second), name: 'logos', sort_order: 0 });
      expect(await findFolder(as(), { path: '/twin/logos' })).toMatchObject({ id: logos });
      expect(await findFolder(as(), { path: '/twin/none/logos' })).toBeNull();
      const earlier = await makeFolder(db, { ...below(first), name: 'logos', sort_order: 9 });
      expect(await findFolder(as(), { path: '/twin/logos' })).toMatchObject({ id: earlier });
      const limited = as({
        ...{ kind: 'user', id: 'a', role: 'editor' },
        startNodes: [{ id: second, below: `/1/${second}/` }],
      });
      expect(await findFolder(limited, { path: '/twin/logos' })).toMatchObject({ id: logos });
    }));

  it('the root is never shown', () =>
    withServices(backend, async ({ as }) => {
      const uuid = '00000000-0000-0000-0000-000000000001';
      expect(await findFolder(as(), { id: ROOT_ID })).toBeNull();
      expect(await findFolder(as(), { uuid })).toBeNull();
      expect(await foldersByIds(as(), [ROOT_ID])).toEqual([]);
    }));

  it('by ids, existing folders are returned once each, in one statement', () =>
    withServices(backend, async ({ db, as, statements }) => {
      const ids = [await makeFolder(db), await makeFolder(db)];
      const mediaId = await makeMediaRow(db);
      statements.length = 0;
      const found = await foldersByIds(as(), [...ids, ...ids, mediaId, 404]);
      expect(found.map(({ id }) => id).sort()).toEqual(ids);
      expect(statements).toHaveLength(1);
    }));
});
