import { expect, it } from 'vitest';
import { FolderCycleError, ForbiddenError } from '../../../src/domain/error.ts';
import type { MediaEvent } from '../../../src/domain/event/event.ts';
import { placeNodes } from '../../../src/domain/placement/place-nodes.ts';
import { moveNodes } from '../../../src/domain/tree/move.ts';
import type { Db } from '../../../src/store/db.ts';
import { ROOT_ID } from '../../../src/store/tree/folder.ts';
import { SORT_ORDER_MAX } from '../../../src/store/tree/node.ts';
import { type TestServices, user, withServices } from '../../support/app.ts';
import { describeEachBackend } from '../../support/backend.ts';
import { makeFolder, makeMediaRow } from '../../support/make.ts';
import { createRandom } from '../../support/random.ts';
import { childrenOf, makeSiblings } from '../../support/siblings.ts';

const admin = ({ as }: TestServices) => as(user('root', 'admin'));
const idsOf = async (db: Db, folderId: number) =>
  (await childrenOf(db, folderId)).map(({ id }) => id);

/** Returns how many children of a folder have another position than before. */
async function countRenumbered(
  db: Db,
  folderId: number,
  work: () => Promise<unknown>,
): Promise<number> {
  const before = new Map(
    (await childrenOf(db, folderId)).map(({ id, sort_order }) => [id, sort_order]),
  );
  await work();
  const after = await childrenOf(db, folderId);
  return after.filter(({ id, sort_order }) => before.get(id) !== sort_order).length;
}

/** Positions of children that a folder may have. */
const FOLDERS = {
  'consecutive positions': Array.from({ length: 40 }, (_, index) => index),
  'one position for all': Array.from({ length: 40 }, () => 0),
  'some shared positions': Array.from({ length: 40 }, (_, index) => Math.floor(index / 5)),
  'negative positions': Array.from({ length: 40 }, (_, index) => -3 * index - 7),
  'the highest position': Array.from({ length: 40 }, () => SORT_ORDER_MAX),
  'the lowest positions': Array.from({ length: 40 }, (_, index) => -(2 ** 31) + (index >> 1)),
  'more than 200 beside it': Array.from({ length: 900 }, (_, index) => index),
  'more than 200 at one position': Array.from({ length: 900 }, () => 5),
  'more than 200 at the highest position': Array.from({ length: 500 }, () => SORT_ORDER_MAX),
};

describeEachBackend('placing nodes', (backend) => {
  it.each(Object.entries(FOLDERS))('keeps any order that is asked for: %s', (_name, positions) =>
    withServices(backend, async (services) => {
      const { db } = services;
      const ctx = admin(services);
      const random = createRandom(positions.length + positions[0]!);
      const { folderId, ids } = await makeSiblings(db, positions);
      const elsewhere = (await makeSiblings(db, [1, 2, 3, 4, 5, 6])).ids;
      let order = await idsOf(db, folderId);
      const pick = () => order[random(order.length)]!;
      const rounds = positions.length > 100 ? 12 : 40;
      for (let round = 0; round < rounds; round++) {
        const own = Array.from({ length: 1 + random(4) }, pick);
        const placed = [...new Set(round % 5 === 0 ? [...own, ...elsewhere.splice(0, 1)] : own)];
        const rest = order.filter((id) => !placed.includes(id));
        const sibling = rest[random(rest.length)]!;
        const at = rest.indexOf(sibling);
        const choices = [
          { input: { afterId: sibling }, at: at + 1 },
          { input: { beforeId: sibling }, at },
          { input: { parentId: folderId }, at: rest.length },
        ];
        const choice = choices[random(3)]!;
        await placeNodes(ctx, { ids: placed, ...choice.input });
        order = rest.toSpliced(choice.at, 0, ...placed);
        expect(await idsOf(db, folderId)).toEqual(order);
        const places = new Map(
          (await childrenOf(db, folderId)).map(({ id, sort_order }) => [id, sort_order]),
        );
        const shared = order.filter(
          (id, index) => places.get(id) === places.get(order[index + 1]!),
        );
        expect(shared.filter((id) => placed.includes(id))).toEqual([]);
      }
      expect(order).toEqual(expect.arrayContaining(ids));
      const last = await childrenOf(db, folderId);
      expect(last.every(({ sort_order }) => Math.abs(sort_order) <= 2 ** 31)).toBe(true);
      expect(last.at(-1)!.sort_order).toBeLessThanOrEqual(SORT_ORDER_MAX);
    }),
  );

  it('leaves no shared positions around the place', () =>
    withServices(backend, async (services) => {
      const { db } = services;
      const { folderId, ids } = await makeSiblings(db, [0, 0, 0, 0, 0, 0]);
      await placeNodes(admin(services), { ids: [ids[5]!], afterId: ids[1]! });
      const places = (await childrenOf(db, folderId)).map(({ sort_order }) => sort_order);
      expect(new Set(places).size).toBe(6);
    }));

  it('renumbers few of 5,000 siblings, however often it is asked', () =>
    withServices(backend, async (services) => {
      const { db } = services;
      const ctx = admin(services);
      const consecutive = Array.from({ length: 5000 }, (_, index) => index);
      const { folderId, ids } = await makeSiblings(db, consecutive);
      const random = createRandom(5);
      // One place has to get room first: half of the siblings are in its way, on either side.
      const [first, second] = [ids[2500]!, ids[4000]!];
      expect(
        await countRenumbered(db, folderId, () =>
          placeNodes(ctx, { ids: [second], afterId: first }),
        ),
      ).toBeLessThan(2600);
      const renumbered = [];
      for (let round = 0; round < 60; round++) {
        const [id, afterId] = [ids[random(1000)]!, ids[2501 + random(round < 30 ? 1400 : 1)]!];
        const place = () => placeNodes(ctx, { ids: [id], afterId });
        renumbered.push(await countRenumbered(db, folderId, place));
      }
      expect(Math.max(...renumbered)).toBeLessThanOrEqual(201);
      expect(renumbered.reduce((a, b) => a + b, 0)).toBeLessThan(60 * 10);
    }));

  it('never renumbers more than a thousand siblings in one transaction', () =>
    withServices(backend, async (services) => {
      const { db, statements } = services;
      const { folderId, ids } = await makeSiblings(
        db,
        Array.from({ length: 5000 }, () => 0),
      );
      statements.length = 0;
      await placeNodes(admin(services), { ids: [ids[0]!], afterId: ids[2500]! });
      const updates = statements.filter((sql) => sql.startsWith('update media set sort_order'));
      expect(updates).toHaveLength(4);
      const order = [...ids.slice(1, 2501), ids[0], ...ids.slice(2501)];
      expect(await idsOf(db, folderId)).toEqual(order);
    }));

  it('needs a fixed number of statements for many siblings', () =>
    withServices(backend, async (services) => {
      const { db, statements } = services;
      const counts = [];
      for (const count of [10, 150]) {
        const { ids } = await makeSiblings(
          db,
          Array.from({ length: count }, () => 0),
        );
        statements.length = 0;
        await placeNodes(admin(services), { ids: [ids[1]!], beforeId: ids[0]! });
        counts.push(statements.length);
      }
      expect(counts[1]).toBe(counts[0]);
    }));

  it('does nothing if the nodes have that place already', () =>
    withServices(backend, async (services) => {
      const { db, events } = services;
      const ctx = admin(services);
      const { folderId, ids } = await makeSiblings(db, [3, 9, 11, 12]);
      const [a, b, c, d] = ids as [number, number, number, number];
      const kinds: string[] = [];
      const abort = new AbortController();
      const watch = (async () => {
        const all = events.subscribe(
          (event): event is MediaEvent => event.type === 'media',
          abort.signal,
        );
        for await (const { kind, id } of all) kinds.push(`${kind} ${ids.indexOf(id)}`);
      })();
      const input = { ids: [d], afterId: a };
      await placeNodes(ctx, input);
      const after = await childrenOf(db, folderId);
      expect(await placeNodes(ctx, input)).toMatchObject([{ id: d }]);
      await placeNodes(ctx, { ids: [d, b], afterId: a });
      await placeNodes(ctx, { ids: [c], parentId: folderId });
      await placeNodes(ctx, { ids: [c] });
      expect(await childrenOf(db, folderId)).toEqual(after);
      const entries = await db.selectFrom('audit_entry').select(['action', 'target_id']).execute();
      expect(entries).toEqual([{ action: 'move', target_id: d }]);
      abort.abort();
      await watch.catch(() => undefined);
      expect(kinds).toEqual(['moved 3']);
    }));

  it('reports siblings as moved whose position changes, and keeps the time of their last change', () =>
    withServices(backend, async (services) => {
      const { db, events } = services;
      const { ids } = await makeSiblings(db, [0, 1, 2]);
      const [a, b, c] = ids as [number, number, number];
      const abort = new AbortController();
      const moved: number[] = [];
      const watch = (async () => {
        const all = events.subscribe(
          (event): event is MediaEvent => event.type === 'media',
          abort.signal,
        );
        for await (const { id } of all) moved.push(id);
      })();
      services.advance(60_000);
      await placeNodes(admin(services), { ids: [c], afterId: a });
      const row = await db
        .selectFrom('media')
        .where('id', '=', b)
        .select(['sort_order', 'updated_at', 'created_at'])
        .executeTakeFirstOrThrow();
      expect(row.updated_at).toBe(row.created_at);
      abort.abort();
      await watch.catch(() => undefined);
      expect(moved.sort()).toEqual([b, c].sort());
    }));

  it('moves nodes from other folders, folders with everything below them, in the given order', () =>
    withServices(backend, async (services) => {
      const { db } = services;
      const ctx = admin(services);
      const { folderId, ids } = await makeSiblings(db, [0, 1]);
      const folder = await makeFolder(db);
      const place = { parent_id: folder, level: 2, path: `/1/${folder}/` };
      const inner = await makeMediaRow(db, place);
      const unfiled = await makeMediaRow(db);
      const nodes = await placeNodes(ctx, { ids: [unfiled, folder], beforeId: ids[1]! });
      expect(nodes).toMatchObject([
        { id: unfiled, parentId: folderId },
        { id: folder, level: 2 },
      ]);
      expect(await idsOf(db, folderId)).toEqual([ids[0], unfiled, folder, ids[1]]);
      const { path } = await db
        .selectFrom('media')
        .where('id', '=', inner)
        .select('path')
        .executeTakeFirstOrThrow();
      expect(path).toBe(`/1/${folderId}/${folder}/`);
      await placeNodes(ctx, { ids: [folder], afterId: folderId, parentId: null });
      expect(await idsOf(db, ROOT_ID)).toEqual([folderId, folder]);
    }));

  it.each([
    ['both siblings', { afterId: 0, beforeId: 1 }, 'beforeId'],
    ['one of the nodes as its own sibling', { afterId: 2 }, 'afterId'],
    ['a sibling in another folder', { afterId: 'other' }, 'afterId'],
    ['a sibling that is not in the given folder', { beforeId: 0, parentId: null }, 'beforeId'],
    ['a sibling that is unfiled', { beforeId: 'unfiled' }, 'beforeId'],
    ['a sibling that does not exist', { beforeId: 'none' }, 'beforeId'],
    ['a sibling of the other kind', { beforeId: 'kind' }, 'beforeId'],
    ['no folder for nodes of several', { also: 'unfiled' }, 'parentId'],
  ])('refuses %s', (_name, { also, ...input }: Record<string, number | string | null>, field) =>
    withServices(backend, async (services) => {
      const { db } = services;
      const { folderId, ids } = await makeSiblings(db, [0, 1, 2]);
      const others: Record<string, unknown> = {
        unfiled: await makeMediaRow(db),
        other: (await makeSiblings(db, [0])).ids[0],
        none: 99_999_999,
        kind: { id: ids[0], kind: 'folder' },
      };
      const toId = (value: number | string | null) =>
        typeof value === 'number' ? ids[value] : value === null ? null : others[value];
      const given = Object.fromEntries(
        Object.entries(input).map(([name, value]) => [name, toId(value)]),
      );
      const placed = [ids[2]!, ...(also ? [others[also] as number] : [])];
      const parentId = given.afterId === others.other && folderId;
      await expect(
        placeNodes(admin(services), { ids: placed, ...(parentId && { parentId }), ...given }),
      ).rejects.toMatchObject({ issues: [{ path: [field] }] });
      expect(await idsOf(db, folderId)).toEqual(ids);
    }),
  );

  it('needs the creator of the nodes, but not of their siblings, and refuses all or nothing', () =>
    withServices(backend, async (services) => {
      const { db, as } = services;
      const { folderId, ids } = await makeSiblings(db, [0, 0, 0, 0], 'bob');
      const alice = as(user('alice'));
      const own = await makeMediaRow(db, { owner: 'alice' });
      const refused = placeNodes(alice, { ids: [own, ids[0]!], afterId: ids[1]! });
      await expect(refused).rejects.toThrow(ForbiddenError);
      await expect(refused).rejects.toMatchObject({ failed: { id: ids[0] } });
      await expect(placeNodes(as(), { ids: [own], afterId: ids[1]! })).rejects.toMatchObject({
        code: 'NOT_AUTHENTICATED',
      });
      await expect(placeNodes(as(user('r', 'reader')), { ids: [own] })).rejects.toThrow(
        ForbiddenError,
      );
      await expect(
        placeNodes(alice, { ids: [own, 99_999_999], afterId: ids[1]! }),
      ).rejects.toMatchObject({
        code: 'NOT_FOUND',
        failed: { id: 99_999_999 },
      });
      expect(await childrenOf(db, folderId)).toEqual(ids.map((id) => ({ id, sort_order: 0 })));
      await placeNodes(alice, { ids: [own], afterId: ids[1]! });
      expect(await idsOf(db, folderId)).toEqual([ids[0], ids[1], own, ids[2], ids[3]]);
    }));

  it('refuses to put a folder below itself', () =>
    withServices(backend, async (services) => {
      const { folderId, ids } = await makeSiblings(services.db, [0]);
      const input = { ids: [folderId], afterId: ids[0]! };
      await expect(placeNodes(admin(services), input)).rejects.toThrow(FolderCycleError);
    }));

  it('keeps every placement of many at once, beside moves to the same folder', () =>
    withServices(backend, async (services) => {
      const { db } = services;
      const ctx = admin(services);
      const { folderId, ids } = await makeSiblings(
        db,
        Array.from({ length: 20 }, () => 0),
      );
      const others = (
        await makeSiblings(
          db,
          Array.from({ length: 10 }, () => 0),
        )
      ).ids;
      await Promise.all(
        others.map((id, index) =>
          index % 2
            ? moveNodes(ctx, { ids: [id], parentId: folderId })
            : placeNodes(ctx, { ids: [id], afterId: ids[index]! }),
        ),
      );
      const order = await idsOf(db, folderId);
      expect(order.filter((id) => ids.includes(id))).toEqual(ids);
      for (const index of [0, 2, 4, 6, 8]) {
        expect(order.indexOf(others[index]!)).toBe(order.indexOf(ids[index]!) + 1);
      }
    }));
});
