import { expect, it } from 'vitest';
import { type NodeOrder, orderKeyset } from '../../src/domain/tree/order.ts';
import type { PageRequest } from '../../src/store/cursor.ts';
import type { Db } from '../../src/store/db.ts';
import { EVERYTHING, isInScope, type Scope } from '../../src/store/scope.ts';
import type { NodeFilter } from '../../src/store/tree/condition.ts';
import { countNodesOfEach, type Groups, listNodesOfEach } from '../../src/store/tree/group.ts';
import { countNodes, listNodes, listNodesInOrder } from '../../src/store/tree/node.ts';
import { describeEachBackend } from '../support/backend.ts';
import { type ListData, makeListData, type TestNode } from '../support/list-data.ts';
import { filtersOf, matches } from '../support/list-filter.ts';
import { createRandom } from '../support/random.ts';

const FIELDS = ['id', 'created_at', 'updated_at', 'name', 'sort_order'] as const;
/** Of lists of media only. */
const MEDIA_FIELDS = [...FIELDS, 'size', 'title', 'taken_at', 'type'] as const;
const LIMIT = 7;
/** The number of random orders, scopes and places for each filter. */
const ROUNDS = 2;
const SCOPES = 5;

function scopesOf({ giantFolder, smallFolder }: ListData): Scope[] {
  const start = (id: number, owner: string) => ({
    subtrees: [{ id, below: `/1/${id}/` }],
    owner,
  });
  return [
    EVERYTHING,
    { ...EVERYTHING, publicOnly: true },
    { ...EVERYTHING, within: start(giantFolder, 'bob') },
    { ...EVERYTHING, publicOnly: true, within: start(smallFolder, 'carol') },
    { ...EVERYTHING, excluding: start(giantFolder, '').subtrees },
  ];
}

function inOrder({ field: by, descending }: NodeOrder) {
  const field = orderKeyset({ field: by, descending }).columns[0]?.name as 'id';
  const compare = (a: TestNode, b: TestNode) =>
    a[field] < b[field] ? -1 : a[field] > b[field] ? 1 : a.id - b.id;
  return (a: TestNode, b: TestNode) => (descending ? compare(b, a) : compare(a, b));
}

function idsOf(rows: readonly { id: number }[] | undefined): number[] {
  return (rows ?? []).map(({ id }) => id);
}

describeEachBackend('a list of nodes', (backend) => {
  it('is that of a plain filter and sort, whichever way it is read', () =>
    backend.withDb(async (db) => {
      const data = await makeListData(db);
      const tags = await db.selectFrom('tag').selectAll().execute();
      const tagNames = new Map(tags.map(({ id, name }) => [id, name]));
      const random = createRandom(5);
      for (const [name, filter] of Object.entries(filtersOf(data))) {
        const all = data.nodes.filter((node) => matches(filter, node, tagNames));
        for (let round = 0; round < ROUNDS; round++) {
          const scope = scopesOf(data)[random(SCOPES)] as Scope;
          const listed = all.filter((node) => isInScope(scope, node));
          const place = random(listed.length);
          const list = { db, scope, filter, order: orderOf(random, filter), listed };
          await expectPages({ ...list, label: `${name} in scope ${JSON.stringify(scope)}` }, place);
          await expectGroups({ ...list, label: name }, groupsOf(data)[random(GROUPINGS)] as Groups);
          expect(await countNodes(db, scope, filter), `number of ${name}`).toBe(listed.length);
        }
      }
    }));
});

interface List {
  db: Db;
  scope: Scope;
  filter: NodeFilter;
  order: NodeOrder;
  listed: TestNode[];
  label: string;
}

function orderOf(random: (below: number) => number, { kind }: NodeFilter): NodeOrder {
  const fields = kind === undefined ? MEDIA_FIELDS : FIELDS;
  const field = fields[random(fields.length)] as NodeOrder['field'];
  return { field, descending: random(2) === 1 };
}

const GROUPINGS = 4;

function groupsOf({ giantFolder, smallFolder, giantTag, smallTag, rareTag }: ListData): Groups[] {
  return [
    { by: 'folder', ids: [giantFolder, smallFolder, 77] },
    { by: 'tag', ids: [giantTag, smallTag, rareTag, 77] },
    { by: 'folder', ids: [giantFolder] },
    { by: 'tag', ids: [giantTag] },
  ];
}

/** Compares the first page and the last one, and those around a place. */
async function expectPages(list: List, middle: number): Promise<void> {
  const { db, scope, filter, order, label } = list;
  const keyset = orderKeyset(order);
  const listed = list.listed.toSorted(inOrder(order));
  const page = async (request: PageRequest) => {
    const { rows, hasMore } = await listNodes(db, scope, filter, keyset, request);
    return [idsOf(rows), hasMore];
  };
  const place = keyset.columns.map(({ name }) => listed[middle]?.[name as 'id'] ?? 0);
  const part = (from: number, to: number) => idsOf(listed.slice(Math.max(from, 0), to));
  const forward = { limit: LIMIT, backward: false };
  const backward = { limit: LIMIT, backward: true };
  const size = listed.length;
  expect(await page(forward), label).toEqual([part(0, LIMIT), size > LIMIT]);
  expect(await page(backward), label).toEqual([part(size - LIMIT, size), size > LIMIT]);
  if (size === 0) return;
  expect(await page({ ...forward, after: place }), `${label}, after`).toEqual([
    part(middle + 1, middle + 1 + LIMIT),
    size - middle - 1 > LIMIT,
  ]);
  expect(await page({ ...backward, before: place }), `${label}, before`).toEqual([
    part(middle - LIMIT, middle),
    middle > LIMIT,
  ]);
}

/** Compares the pages and the numbers of folders or tags. */
async function expectGroups(list: List, groups: Groups): Promise<void> {
  const { db, scope, filter, order, listed } = list;
  const label = `${list.label} of each ${groups.by} by ${order.field}`;
  const request = { limit: LIMIT, backward: false };
  const pages = await listNodesOfEach(db, scope, groups, filter, orderKeyset(order), request);
  const counts = await countNodesOfEach(db, scope, groups, filter);
  for (const id of groups.ids) {
    const members = listed
      .filter(({ parent_id, tagIds }) =>
        groups.by === 'folder' ? parent_id === id : tagIds.includes(id),
      )
      .sort(inOrder(order));
    expect(idsOf(pages.get(id)?.rows), label).toEqual(idsOf(members.slice(0, LIMIT)));
    expect(pages.get(id)?.hasMore, label).toBe(members.length > LIMIT);
    expect(counts.get(id) ?? 0, `number of ${label}`).toBe(members.length);
  }
}

describeEachBackend('a list by offset', (backend) => {
  it('is a window of the nodes by their position', () =>
    backend.withDb(async (db) => {
      const data = await makeListData(db);
      const filter = { kind: 'any', folderId: data.giantFolder } as const;
      const listed = data.nodes
        .filter((node) => node.parent_id === data.giantFolder)
        .sort(inOrder({ field: 'sort_order', descending: false }));
      const rows = await listNodesInOrder(db, EVERYTHING, filter, { limit: 9, offset: 4000 });
      expect(idsOf(rows)).toEqual(idsOf(listed.slice(4000, 4009)));
      expect(idsOf(await listNodesInOrder(db, EVERYTHING, filter))).toEqual(idsOf(listed));
      const none = await listNodesInOrder(db, EVERYTHING, filter, { limit: 0, offset: 0 });
      expect(none).toEqual([]);
    }));
});
