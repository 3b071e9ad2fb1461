import { expect, it } from 'vitest';
import {
  DomainError,
  ForbiddenError,
  InvalidInputError,
  NotFoundError,
  UnsupportedMediaError,
} from '../../../src/domain/error.ts';
import { filesByMediaIds } from '../../../src/domain/file/file.ts';
import { createThumbnail } from '../../../src/domain/rendition/thumbnail.ts';
import { createFolder } from '../../../src/domain/tree/folder.ts';
import { createMedia } from '../../../src/domain/tree/link.ts';
import { moveNodes } from '../../../src/domain/tree/move.ts';
import { TOP_LEVEL_ID } from '../../../src/domain/tree/place.ts';
import { createFiledMedia } from '../../../src/domain/upload/filed-media.ts';
import { changeNode } from '../../../src/domain/upload/node-change.ts';
import { stageFile } from '../../../src/domain/upload/staging.ts';
import { type TestServices, user, withServices } from '../../support/app.ts';
import { describeEachBackend } from '../../support/backend.ts';
import { fixtureBytes, inPieces } from '../../support/bytes.ts';

const POLICY = { type: 'image' } as const;

describeEachBackend('replacing a file', (backend) => {
  it('keeps uuid and dir, and deletes the thumbnail and the renditions of the old file', () =>
    withServices(backend, async (services) => {
      const ctx = services.as(user());
      const { id } = await makePicture(services, 'picture.png');
      const [old] = await filesOf(services, id);
      await createThumbnail(ctx, old!.uuid);
      const before = await services.db.selectFrom('file').orderBy('id').selectAll().execute();
      expect(before.map(({ key }) => key)).toEqual(['', 'thumbnail.webp']);
      services.advance(5);
      const staged = await stage(services, 'picture.webp');
      const changed = await changeNode(ctx, id, { name: 'new' }, { staged, policy: POLICY });
      expect(changed).toMatchObject({ id, name: 'new', title: 'new', level: 1 });
      const [file, ...others] = await filesOf(services, id);
      expect(others).toEqual([]);
      expect(file).toMatchObject({
        ...{ id: old!.id, uuid: old!.uuid, createdAt: old!.createdAt, mimeType: 'image/webp' },
        urlPath: old!.urlPath.replace('picture.png', 'picture.webp'),
        updatedAt: new Date(services.clock()),
        sizeBytes: fixtureBytes('picture.webp').length,
      });
      expect(await deletions(services)).toEqual([before[1]!.blob_key]);
      const made = await jobs(services, 'make-rendition');
      expect(made).toEqual([{ file_uuid: file!.uuid }, { file_uuid: file!.uuid }]);
    }));

  it('many times at once leaves one file, its versions, and no bytes without a row', () =>
    withServices(backend, async (services) => {
      const { id } = await makePicture(services, 'picture.png');
      const staged = await Promise.all(
        Array.from({ length: 6 }, () => stage(services, 'picture.webp')),
      );
      await Promise.all(
        staged.map((staged) => changeNode(services.as(user()), id, {}, { staged, policy: POLICY })),
      );
      const rows = await services.db.selectFrom('file').select('blob_key').execute();
      const versions = await services.db.selectFrom('file_version').select('blob_key').execute();
      const keys: string[] = [];
      for await (const { key } of services.blobs.list()) keys.push(key);
      expect([rows.length, versions.length]).toEqual([1, 5]);
      expect(keys).toHaveLength(7);
      const gone = await deletions(services);
      expect(
        [...rows, ...versions]
          .map((row) => row.blob_key)
          .concat(gone)
          .sort(),
      ).toEqual(keys.sort());
    }));

  it('does not deadlock with concurrent moves', () =>
    withServices(backend, async (services) => {
      const ctx = services.as(user());
      const { id } = await makePicture(services, 'picture.png');
      const folder = await createFolder(ctx, { name: 'A folder' });
      const changes = Array.from({ length: 4 }, async (_, index) => {
        const staged = await stage(services, 'picture.webp');
        const parentId = index % 2 === 0 ? folder.id : null;
        await changeNode(ctx, id, { parentId }, { staged, policy: POLICY });
        await moveNodes(ctx, { ids: [id], parentId: index % 2 === 0 ? null : folder.id });
      });
      await Promise.all(changes);
      expect(await filesOf(services, id)).toHaveLength(1);
    }));

  it('needs the creator, an existing file and an accepted type; otherwise only the new bytes are deleted', () =>
    withServices(backend, async (services) => {
      const { id } = await makePicture(services, 'picture.png');
      const link = await createMedia(services.as(user()), {
        type: 'url',
        url: 'https://example.org/',
      });
      const before = await filesOf(services, id);
      const replace = async (mediaId: number, name: string, viewer = user()) => {
        const staged = await stage(services, name);
        return changeNode(services.as(viewer), mediaId, {}, { staged, policy: POLICY }).catch(
          (error) => error,
        );
      };
      expect(await replace(id, 'picture.webp', user('bob'))).toBeInstanceOf(ForbiddenError);
      expect(await replace(id, 'document.pdf')).toBeInstanceOf(UnsupportedMediaError);
      expect(await replace(link.id, 'picture.webp')).toBeInstanceOf(InvalidInputError);
      expect(await replace(link.id + 99, 'picture.webp')).toBeInstanceOf(NotFoundError);
      expect(await filesOf(services, id)).toEqual(before);
      expect(await deletions(services)).toEqual([]);
      expect(await Array.fromAsync(services.blobs.list())).toHaveLength(1);
      expect(await Array.fromAsync(services.staging.list())).toEqual([]);
    }));

  it('is undone when the rest of the change fails', () =>
    withServices(backend, async (services) => {
      const ctx = services.as(user());
      const { id } = await makePicture(services, 'picture.png');
      const before = await filesOf(services, id);
      const staged = await stage(services, 'picture.webp');
      const refusal = changeNode(ctx, id, { parentId: 4711 }, { staged, policy: POLICY });
      await expect(refusal).rejects.toBeInstanceOf(DomainError);
      expect(await filesOf(services, id)).toEqual(before);
      expect(await deletions(services)).toEqual([]);
    }));

  it('updatedAt increases with every change, even if the clock stands still', () =>
    withServices(backend, async (services) => {
      const node = await makePicture(services, 'picture.png');
      const times = [node.updatedAt.getTime()];
      for (const name of ['a', 'b', 'c']) {
        times.push((await changeNode(services.as(user()), node.id, { name })).updatedAt.getTime());
      }
      expect(times.map((time) => time - times[0]!)).toEqual([0, 1, 2, 3]);
    }));
});

async function makePicture(services: TestServices, name: string) {
  const staged = await stage(services, name);
  const input = { name: 'A picture', folderId: TOP_LEVEL_ID, mediaTypeAlias: 'Image' };
  return createFiledMedia(services.as(user()), input, { staged, policy: POLICY });
}

async function stage(services: TestServices, filename: string) {
  const claim = { filename, declaredType: null };
  return stageFile(services.as(user()), inPieces(fixtureBytes(filename), 500), claim);
}

async function filesOf(services: TestServices, mediaId: number) {
  return (await filesByMediaIds(services.as(user()), [mediaId])).get(mediaId) ?? [];
}

async function deletions(services: TestServices): Promise<string[]> {
  return (await jobs(services, 'delete-blob')).flatMap(({ blob_keys }) => blob_keys);
}

async function jobs({ db }: TestServices, jobClass: string) {
  const rows = await db
    .selectFrom('job')
    .where('job_class', '=', jobClass)
    .orderBy('id')
    .select('arguments')
    .execute();
  return rows.map((row) => JSON.parse(row.arguments));
}
