import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { deleteFolder } from '../../src/domain/tree/deletion.ts';
import { createFolder, findFolder } from '../../src/domain/tree/folder.ts';
import { createMedia } from '../../src/domain/tree/link.ts';
import { findMedia } from '../../src/domain/tree/media.ts';
import { type TestServices, user } from '../support/app.ts';
import { describeEachBackend } from '../support/backend.ts';
import { makeMediaRow } from '../support/make.ts';
import { shareServices } from '../support/shared-app.ts';

const EMBED = { type: 'embed', embedType: 'a', embedId: 'b' } as const;

/** A folder of alice, with a private media item of bob. */
async function makeFolderOf(services: TestServices) {
  const [alice, bob] = [services.as(user('alice')), services.as(user('bob'))];
  const folder = await createFolder(alice, { name: randomUUID() });
  const hidden = await createMedia(bob, { ...EMBED, folderId: folder.id, visibility: 'private' });
  return { alice, bob, folder, hidden };
}

describeEachBackend('a folder whose content its owner cannot see', (backend) => {
  const shared = shareServices(backend);

  test('is deleted as an empty one; the hidden media become unfiled, and lose nothing', async () => {
    const { alice, bob, folder, hidden } = await makeFolderOf(shared());
    await deleteFolder(alice, folder.id, { recursive: false });
    expect(await findFolder(alice, { id: folder.id })).toBeNull();
    const found = await findMedia(bob, { id: hidden.id });
    expect(found).toMatchObject({ id: hidden.id, parentId: null, level: 0, visibility: 'private' });
    expect(await findMedia(alice, { id: hidden.id })).toBeNull();
  });

  test('is not empty for those who see something in it', async () => {
    const services = shared();
    const { alice, bob, folder, hidden } = await makeFolderOf(services);
    await createMedia(bob, { ...EMBED, folderId: folder.id, visibility: 'unlisted' });
    for (const ctx of [alice, services.as(user('root', 'admin'))]) {
      const deletion = deleteFolder(ctx, folder.id, { recursive: false });
      await expect(deletion).rejects.toMatchObject({ code: 'FOLDER_NOT_EMPTY' });
    }
    expect((await findMedia(bob, { id: hidden.id }))?.parentId).toBe(folder.id);
  });

  test('is not deleted if there are more than 200 of them, as SECURITY.md says', async () => {
    const services = shared();
    const { alice, folder } = await makeFolderOf(services);
    const place = { parent_id: folder.id, level: 2, path: `/1/${folder.id}/` };
    for (let index = 0; index < 200; index++) {
      await makeMediaRow(services.db, { ...place, owner: 'bob', is_public: -1 });
    }
    const deletion = deleteFolder(alice, folder.id, { recursive: false });
    await expect(deletion).rejects.toMatchObject({ code: 'FOLDER_NOT_EMPTY' });
  });
});
