import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { tagMedia } from '../../../src/domain/bulk/tagging.ts';
import { createFolder } from '../../../src/domain/tree/folder.ts';
import { updateMedia } from '../../../src/domain/tree/media-change.ts';
import { findPermittedNode } from '../../../src/domain/tree/node-list.ts';
import { uploadFile } from '../../../src/domain/upload/upload-file.ts';
import { resolveStartNodes } from '../../../src/domain/viewer/start-node.ts';
import { ANONYMOUS, type KnownViewer } from '../../../src/domain/viewer/viewer.ts';
import type { TestServices } from '../../support/app.ts';
import { describeEachBackend } from '../../support/backend.ts';
import { inPieces } from '../../support/bytes.ts';
import { makeFileRow, makeMediaRow, makeTag } from '../../support/make.ts';
import { shareServices } from '../../support/shared-app.ts';
import { READS, type Subtree } from './start-node-operation.ts';

/** The reads that find folders, which are never private, and one that finds only what the viewer may change. */
const OTHER_READS = [
  'asking whether it may be changed',
  'the number of a folder',
  'the uuid of a folder',
  'the path of a folder',
  'the numbers of folders',
  'the uuid of a node',
  'the children of a folder',
];

const user = (id: string, role: KnownViewer['role'] = 'editor'): KnownViewer => ({
  kind: 'user',
  id,
  role,
});

/** A folder with a folder in it, which has two private media of the owner. */
async function makePrivate(services: TestServices): Promise<Subtree> {
  const admin = services.as(user('admin', 'admin'));
  const word = `w${randomUUID().replaceAll('-', '')}`;
  const start = await createFolder(admin, { name: word });
  const folder = await createFolder(admin, { name: 'below', parentId: start.id });
  const owner = services.as(user('owner'));
  const media = await uploadFile(owner, {
    filename: `${word}.txt`,
    bytes: inPieces(Buffer.from(`This is ${word}.`)),
    title: word,
    folderId: folder.id,
    visibility: 'private',
  });
  const files = services.db.selectFrom('file').where('media_id', '=', media.id);
  const file = await files.select(['id', 'uuid', 'md5']).executeTakeFirstOrThrow();
  const privateUuid = randomUUID();
  const place = { parent_id: folder.id, level: 3, path: `/1/${start.id}/${folder.id}/` };
  const row = { ...place, uuid: privateUuid, owner: 'owner', is_public: -1 };
  await makeFileRow(services.db, await makeMediaRow(services.db, row));
  const tag = await makeTag(services.db);
  await tagMedia(admin, { mediaIds: [media.id], addTagIds: [tag.id] });
  return { start, folder, media, file, privateUuid, tagId: tag.id, word, path: `/${word}` };
}

describeEachBackend('private media', (backend) => {
  const shared = shareServices(backend);
  let made: Promise<Subtree> | undefined;

  it.each(Object.entries(READS).filter(([name]) => !OTHER_READS.includes(name)))(
    'by %s are found by their owner, by admins and by viewers whose start nodes contain them, and by nobody else',
    async (_, read) => {
      const services = shared();
      made ??= makePrivate(services);
      const subtree = await made;
      const limitedTo = async (uuid: string, viewer: KnownViewer) =>
        services.as({ ...viewer, startNodes: await resolveStartNodes(services, [uuid]) });
      const others = await createFolder(services.as(user('admin', 'admin')), { name: 'other' });
      const sees = {
        owner: await read(services.as(user('owner')), subtree),
        admin: await read(services.as(user('a', 'admin')), subtree),
        inside: await read(await limitedTo(subtree.start.uuid, user('b', 'editor')), subtree),
        stranger: await read(services.as(user('c')), subtree),
        outside: await read(await limitedTo(others.uuid, user('d', 'admin')), subtree),
      };
      expect(sees).toEqual({
        owner: true,
        admin: true,
        inside: true,
        stranger: false,
        outside: false,
      });
    },
  );

  it('are hidden from anonymous viewers of an open server', async () => {
    const services = shared();
    made ??= makePrivate(services);
    const anonymous = services.as(ANONYMOUS);
    for (const name of [
      'the newest media',
      'a search',
      'the media of a tag',
      'a part of the children',
    ]) {
      expect([name, await READS[name]!(anonymous, await made)]).toEqual([name, false]);
    }
  });

  it('do not exist for strangers in Heartcore: not even a refusal tells of them', async () => {
    const services = shared();
    made ??= makePrivate(services);
    const { privateUuid } = await made;
    expect(await findPermittedNode(services.as(user('c')), { uuid: privateUuid })).toBeNull();
    expect(
      await findPermittedNode(services.as(user('owner')), { uuid: privateUuid }),
    ).not.toBeNull();
  });

  it('are seen again by all when they are unlisted', async () => {
    const services = shared();
    const subtree = await makePrivate(services);
    const stranger = services.as(user('c'));
    const read = READS['the number of a media item']!;
    expect(await read(stranger, subtree)).toBe(false);
    await updateMedia(services.as(user('owner')), subtree.media.id, { visibility: 'unlisted' });
    expect(await read(stranger, subtree)).toBe(true);
  });
});
