import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import type { Context } from '../../../src/domain/context.ts';
import type { File } from '../../../src/domain/file/file.ts';
import { deleteFolder } from '../../../src/domain/tree/deletion.ts';
import { createFolder } from '../../../src/domain/tree/folder.ts';
import { deleteMedia } from '../../../src/domain/tree/media-change.ts';
import { moveNodes } from '../../../src/domain/tree/move.ts';
import { replaceFile } from '../../../src/domain/upload/upload-file.ts';
import { type Db, openDb } from '../../../src/store/db.ts';
import { deleteFiles, findFileById, updateFile } from '../../../src/store/file/file.ts';
import { EVERYTHING } from '../../../src/store/scope.ts';
import { updateNode } from '../../../src/store/tree/node.ts';
import { type TestApp, user, withApp } from '../../support/app.ts';
import { type Backend, describeEachBackend } from '../../support/backend.ts';
import { inPieces } from '../../support/bytes.ts';
import { storeFile, storeFixture } from './stored-file.ts';

/** Runs `work` with a stored file that has been read twice, so that what is kept of it is in memory. */
function withRead(
  backend: Backend,
  work: (app: TestApp, file: File, ctx: Context) => Promise<void>,
): Promise<void> {
  return withApp(backend, async (app) => {
    const file = await storeFile(app, 'note.txt', Buffer.from('first'));
    expect(await get(app, file)).toEqual([200, 'first']);
    expect(await get(app, file)).toEqual([200, 'first']);
    await work(app, file, { ...app.services, viewer: user(), log: app.app.log });
  });
}

async function get(app: TestApp, { urlPath }: File, headers = {}): Promise<[number, string]> {
  const response = await app.fetch(urlPath, { headers });
  return [response.status, await response.text()];
}

/** Runs `work` with the database as another process would open it. */
async function elsewhere({ databaseUrl: url }: TestApp, work: (db: Db) => Promise<unknown>) {
  const db = openDb({ url });
  await work(db).finally(() => db.destroy());
}

describeEachBackend('a file that has been read', (backend) => {
  test('comes from memory the next time, whole and in part', () =>
    withRead(backend, async (app, file) => {
      await rm(join(app.dataDir, 'blobs/stored'), { recursive: true });
      expect(await get(app, file)).toEqual([200, 'first']);
      expect(await get(app, file, { range: 'bytes=1-3' })).toEqual([206, 'irs']);
      expect((await app.fetch(file.urlPath, { method: 'HEAD' })).status).toBe(200);
    }));

  test('is 404 at once after its deletion, also for a cache that asks whether it has changed', () =>
    withRead(backend, async (app, file, ctx) => {
      await deleteMedia(ctx, file.mediaId);
      expect((await get(app, file))[0]).toBe(404);
      expect((await get(app, file, { 'if-none-match': `"${file.md5}"` }))[0]).toBe(404);
    }));

  test('is 404 at once after another process has deleted it', () =>
    withRead(backend, async (app, file) => {
      await elsewhere(app, (db) => deleteFiles(db, [file.id]));
      expect((await get(app, file))[0]).toBe(404);
    }));

  test('is 404 at once after the deletion of its folder', () =>
    withRead(backend, async (app, file, ctx) => {
      const { id: parentId } = await createFolder(ctx, { name: 'folder' });
      await moveNodes(ctx, { ids: [file.mediaId], parentId });
      expect(await get(app, file)).toEqual([200, 'first']);
      await deleteFolder(ctx, parentId, { recursive: true });
      expect((await get(app, file))[0]).toBe(404);
    }));

  test('has its new bytes at once after it was replaced', () =>
    withRead(backend, async (app, file, ctx) => {
      const bytes = inPieces(Buffer.from('second'));
      await replaceFile(ctx, file.mediaId, { filename: 'note.txt', bytes });
      expect(await get(app, file)).toEqual([200, 'second']);
      const headers = { 'if-none-match': `"${file.md5}"` };
      expect(await get(app, file, headers)).toEqual([200, 'second']);
    }));

  test('has its new bytes at once after another process has replaced it', () =>
    withRead(backend, async (app, file) => {
      const other = await storeFile(app, 'other.txt', Buffer.from('elsewhere'));
      expect(await get(app, file)).toEqual([200, 'first']);
      await elsewhere(app, async (db) => {
        const row = await findFileById(db, EVERYTHING, other.id);
        const { blob_key, size_bytes, md5 } = row!;
        await deleteFiles(db, [other.id]);
        await updateFile(db, file.id, { blob_key, size_bytes, md5 });
      });
      expect(await get(app, file)).toEqual([200, 'elsewhere']);
    }));

  test('needs a credential at once after another process has made it private', () =>
    withRead(backend, async (app, file) => {
      const path = `/medias/files/${file.resource}`;
      const publish = (is_public: 0 | 1) =>
        elsewhere(app, (db) => updateNode(db, EVERYTHING, file.mediaId, { is_public }));
      await publish(1);
      for (const _ of [1, 2]) expect((await app.fetch(path)).status).toBe(200);
      await publish(0);
      expect((await app.fetch(path)).status).toBe(401);
    }));

  test('has renditions of its new bytes at once after it was replaced', () =>
    withApp(backend, async (app) => {
      const ctx = { ...app.services, viewer: user(), log: app.app.log };
      const file = await storeFixture(app, 'picture.png');
      const etag = async () => {
        const response = await app.fetch(`${file.urlPath}?width=10`);
        expect(response.headers.get('content-type')).toBe('image/png');
        return response.headers.get('etag');
      };
      const before = await etag();
      expect(await etag()).toBe(before);
      const other = { width: 40, height: 30, channels: 3, background: '#f00' } as const;
      const bytes = inPieces(await sharp({ create: other }).png().toBuffer());
      await replaceFile(ctx, file.mediaId, { filename: 'picture.png', bytes });
      expect(await etag()).not.toBe(before);
    }));
});
