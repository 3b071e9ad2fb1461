import { expect, it } from 'vitest';
import { NotAuthenticatedError } from '../../../src/domain/error.ts';
import { createFolder } from '../../../src/domain/tree/folder.ts';
import type { MediaFilter } from '../../../src/domain/tree/media-filter.ts';
import { listMedias } from '../../../src/domain/tree/media-list.ts';
import { moveNodes } from '../../../src/domain/tree/move.ts';
import { user, withServices } from '../../support/app.ts';
import { describeEachBackend } from '../../support/backend.ts';
import { makeMediaRow } from '../../support/make.ts';

const NEAR = { latitude: 52.5, longitude: 13.4, radiusM: 1000 };

describeEachBackend('a filter of media', (backend) => {
  it.each<[string, MediaFilter]>([
    ['itself', { near: NEAR }],
    ['in a filter in it', { not: { or: [{ near: NEAR }] } }],
  ])('that names a place %s needs a credential if the server requires one', (_where, filter) =>
    withServices(
      backend,
      async ({ as }) => {
        expect((await listMedias(as(user()), {}, filter)).nodes).toEqual([]);
        // The same filter: what one viewer may do says nothing of another one.
        await expect(listMedias(as(), {}, filter)).rejects.toThrow(NotAuthenticatedError);
      },
      { auth: 'required' },
    ),
  );

  it('finds what is below a folder after the folder has moved', () =>
    withServices(backend, async ({ as, db }) => {
      const ctx = as(user());
      const [top, folder] = [
        await createFolder(ctx, { name: 'top' }),
        await createFolder(ctx, { name: 'folder' }),
      ];
      const id = await makeMediaRow(db, {
        parent_id: folder.id,
        path: `/1/${folder.id}/`,
        level: 2,
      });
      const filter = { underFolderId: folder.id };
      const found = async () =>
        (await listMedias(as(user()), {}, filter)).nodes.map(({ id }) => id);
      expect(await found()).toEqual([id]);
      await moveNodes(ctx, { ids: [folder.id], parentId: top.id });
      expect(await found()).toEqual([id]);
    }));
});
