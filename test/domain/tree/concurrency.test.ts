import { expect, it } from 'vitest';
import { NotFoundError } from '../../../src/domain/error.ts';
import { deleteFolder } from '../../../src/domain/tree/deletion.ts';
import { createFolder } from '../../../src/domain/tree/folder.ts';
import { createMedia } from '../../../src/domain/tree/link.ts';
import { deleteMedia } from '../../../src/domain/tree/media-change.ts';
import { moveNodes } from '../../../src/domain/tree/move.ts';
import { childrenByOffset, nodesByIds } from '../../../src/domain/tree/node-list.ts';
import { TOP_LEVEL_ID } from '../../../src/domain/tree/place.ts';
import { changeNode } from '../../../src/domain/upload/node-change.ts';
import { type TestServices, user, withServices } from '../../support/app.ts';
import { describeEachBackend } from '../../support/backend.ts';

/** Rounds of a race: in most of them one of the two overtakes the other. */
const ROUNDS = 8;

const LINK = { type: 'url', url: 'https://example.org/' } as const;

describeEachBackend('concurrent changes of the tree', (backend) => {
  it('nodes that are added to one folder at once get different positions', () =>
    withServices(backend, async (services) => {
      const ctx = services.as(user());
      const folder = await createFolder(ctx, { name: 'A' });
      for (const folderId of [folder.id, TOP_LEVEL_ID]) {
        const made = await Promise.all([
          ...Array.from({ length: 5 }, () => createFolder(ctx, { name: 'B', parentId: folderId })),
          ...Array.from({ length: 5 }, () => createMedia(ctx, { ...LINK, folderId })),
        ]);
        const places = made.map(({ sortOrder }) => sortOrder);
        const [first = 0] = places.sort((a, b) => a - b);
        expect(places).toEqual(Array.from({ length: 10 }, (_, index) => first + index));
      }
    }));

  it('a node that is added below a moving folder moves with it', () =>
    withServices(backend, async (services) => {
      const ctx = services.as(user());
      for (let round = 0; round < ROUNDS; round++) {
        const { a, b, inner } = await makeTree(services);
        await Promise.all([
          moveNodes(ctx, { ids: [a], parentId: b }),
          ...Array.from({ length: 4 }, () => createFolder(ctx, { name: 'D', parentId: inner })),
        ]);
        const { nodes } = await childrenByOffset(ctx, inner, { offset: 0, limit: 9 });
        expect(nodes.map(({ level }) => level)).toEqual([4, 4, 4, 4]);
        await deleteFolder(ctx, b, { recursive: true });
        expect(await nodesByIds(ctx, [a, inner, ...nodes.map(({ id }) => id)])).toEqual([]);
      }
    }));

  it('a node that is added below a folder during its deletion is deleted with it, or refused', () =>
    withServices(backend, async (services) => {
      const ctx = services.as(user());
      for (let round = 0; round < ROUNDS; round++) {
        const { a, inner } = await makeTree(services);
        const adding = Array.from({ length: 4 }, () =>
          createFolder(ctx, { name: 'D', parentId: inner }).catch((error) => error),
        );
        await deleteFolder(ctx, a, { recursive: true });
        const made = await Promise.all(adding);
        const ids = made.flatMap((one) => (one instanceof NotFoundError ? [] : [one.id]));
        expect(ids.every(Number.isInteger)).toBe(true);
        expect(await nodesByIds(ctx, [inner, ...ids])).toEqual([]);
      }
    }));

  it('one of two deletions of a node succeeds; a simultaneous change succeeds or finds nothing', () =>
    withServices(backend, async (services) => {
      const ctx = services.as(user());
      for (let round = 0; round < ROUNDS; round++) {
        const folder = await createFolder(ctx, { name: 'A' });
        const { id } = await createMedia(ctx, { ...LINK, folderId: TOP_LEVEL_ID });
        const removeFolder = () => deleteFolder(ctx, folder.id, { recursive: true });
        const removeMedia = () => deleteMedia(ctx, id);
        const outcomes = await Promise.allSettled([
          changeNode(ctx, folder.id, { name: 'B' }),
          changeNode(ctx, id, { name: 'B' }),
          ...[removeFolder(), removeMedia(), removeFolder(), removeMedia()],
        ]);
        const failures = outcomes.flatMap((one) => (one.status === 'rejected' ? one.reason : []));
        for (const failure of failures) expect(failure).toBeInstanceOf(NotFoundError);
        const deletions = outcomes.slice(2).filter(({ status }) => status === 'fulfilled');
        expect(deletions).toHaveLength(2);
      }
    }));
});

/** Creates folder A with a folder in it, and folder B. */
async function makeTree(services: TestServices) {
  const ctx = services.as(user());
  const a = await createFolder(ctx, { name: 'A' });
  const inner = await createFolder(ctx, { name: 'C', parentId: a.id });
  const b = await createFolder(ctx, { name: 'B' });
  return { a: a.id, b: b.id, inner: inner.id };
}
