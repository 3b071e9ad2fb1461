import { expect, it } from 'vitest';
import { EVERYTHING, isInScope, type Scope } from '../../../src/store/scope.ts';
import type { NodeFilter } from '../../../src/store/tree/condition.ts';
import { countFacets, type FacetGroup, type FacetRows } from '../../../src/store/tree/facet.ts';
import { describeEachBackend } from '../../support/backend.ts';
import { makeListData, type TestNode } from '../../support/list-data.ts';
import { filtersOf, matches } from '../../support/list-filter.ts';
import { createRandom } from '../../support/random.ts';

const ALL = { types: true, months: true, size: true, tags: 2 };

describeEachBackend('facets', (backend) => {
  it('are those of a plain filter, whichever way the list is read', () =>
    backend.withDb(async (db, statements) => {
      const data = await makeListData(db);
      const { giantFolder, smallFolder, smallTag } = data;
      const tags = await db.selectFrom('tag').selectAll().execute();
      const tagNames = new Map(tags.map(({ id, name }) => [id, name]));
      const start = (id: number) => ({ subtrees: [{ id, below: `/1/${id}/` }], owner: 'bob' });
      const scopes: Scope[] = [
        EVERYTHING,
        { ...EVERYTHING, publicOnly: true },
        { ...EVERYTHING, hiding: { exceptOf: 'bob' } },
        { ...EVERYTHING, within: start(smallFolder) },
      ];
      const groups: (FacetGroup | undefined)[] = [
        undefined,
        { by: 'folder', id: giantFolder },
        { by: 'tag', id: smallTag },
      ];
      await db.updateTable('media').set({ is_public: -1 }).where('id', '>', 8900).execute();
      for (const node of data.nodes) if (node.id > 8900) node.is_public = -1;
      const random = createRandom(3);
      for (const [name, filter] of Object.entries(filtersOf(data)).filter(isOfMedia)) {
        const scope = scopes[random(scopes.length)]!;
        const group = groups[random(groups.length)];
        statements.length = 0;
        const facets = await countFacets(db, scope, { filter, group }, ALL);
        // The last one is that of the facets; those before it choose its plan.
        expect(statements.length, name).toBeLessThanOrEqual(2);
        const nodes = data.nodes.filter(
          (node) =>
            matches(filter, node, tagNames) &&
            isInScope(scope, node) &&
            (group?.by !== 'folder' || node.parent_id === group.id) &&
            (group?.by !== 'tag' || node.tagIds.includes(group.id)),
        );
        expect(sorted(facets), `${name} ${JSON.stringify({ scope, group })}`).toEqual({
          types: counted(nodes, ({ type }) => [type]).sort(byName),
          days: nodes.length === 0 ? [] : [{ day: 0, count: nodes.length }],
          tags: counted(nodes, ({ tagIds }) => tagIds)
            .map(({ name, count }) => ({ id: name, count }))
            .sort((a, b) => b.count - a.count || byTagName(tagNames, a.id, b.id))
            .slice(0, 2),
          sizeBytes: nodes.reduce((sum, { size_bytes }) => sum + Math.max(size_bytes, 0), 0),
        });
      }
    }));

  it('have only the parts that are requested', () =>
    backend.withDb(async (db, statements) => {
      const none = { types: false, months: false, size: false, tags: 0 };
      await countFacets(db, EVERYTHING, { filter: {} }, { ...none, months: true });
      expect(statements).toHaveLength(1);
      expect(statements[0]).not.toMatch(/media_tag|file|group by type/);
    }));
});

const isOfMedia = ([, { kind = 'media' }]: [string, NodeFilter]) => kind === 'media';

function counted<Key>(nodes: readonly TestNode[], keysOf: (node: TestNode) => readonly Key[]) {
  const counts = new Map<Key, number>();
  for (const key of nodes.flatMap(keysOf)) counts.set(key, (counts.get(key) ?? 0) + 1);
  return [...counts].map(([name, count]) => ({ name, count }));
}

const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);

const byTagName = (names: Map<number, string>, a: number, b: number) =>
  names.get(a)! < names.get(b)! ? -1 : 1;

function sorted({ types, tags, ...facets }: FacetRows) {
  return {
    ...facets,
    types: types.sort(byName),
    tags: tags.map(({ tag, count }) => ({ id: tag.id, count })),
  };
}
