import { buffer } from 'node:stream/consumers';
import { sql } from 'kysely';
import { expect, it, vi } from 'vitest';
import { newBlobKey } from '../../../src/domain/file/blob-key.ts';
import { digestFile } from '../../../src/domain/file/digest.ts';
import { openRendition } from '../../../src/domain/rendition/rendition.ts';
import { deleteMedia } from '../../../src/domain/tree/media-change.ts';
import { abortUpload, appendChunk, completeUpload } from '../../../src/domain/upload/upload.ts';
import { type TestServices, user, withServices } from '../../support/app.ts';
import { describeEachBackend } from '../../support/backend.ts';
import { inPieces, md5Of, PNG } from '../../support/bytes.ts';
import { makeFileRow, makeFolder, makeMediaRow, makeTag } from '../../support/make.ts';
import { corrupt, differencesOf, storeFile } from './library.ts';

const BYTES = Buffer.from('some bytes that nobody may lose');
const ALL = { rehash: true, repair: true };

describeEachBackend('fsck', (backend) => {
  it('finds nothing in a library with files, renditions, an open upload and a deletion', () =>
    withServices(backend, async (services) => {
      await storeFile(services, BYTES);
      await makeRendition(services);
      await startUpload(services);
      const { media_id } = await storeFile(services, BYTES);
      await deleteMedia(services.as(user()), media_id);
      expect(await differencesOf(services, { rehash: true })).toEqual([]);
      expect(await differencesOf(services, ALL)).toEqual([]);
    }));

  it.each([
    ['missing', false, (s: TestServices, key: string) => s.blobs.delete(key)],
    ['another size', false, shorten],
    ['their digest', true, corrupt],
  ] as const)('finds a file whose bytes are damaged: %s', (message, rehash, damage) =>
    withServices(backend, async (services) => {
      await storeFile(services, BYTES);
      const file = await storeFile(services, BYTES, 'lost\n.bin');
      await damage(services, file.blob_key);
      const expected = {
        kind: 'damaged-file',
        message: expect.stringContaining(message),
        mediaId: file.media_id,
        name: expect.stringContaining('lost'),
        blobKey: file.blob_key,
      };
      if (rehash) expect(await differencesOf(services)).toEqual([]);
      expect(await differencesOf(services, { rehash })).toEqual([{ ...expected, repair: null }]);
      expect(await isMarked(services, file.id)).toBe(false);
      const repaired = await differencesOf(services, { rehash, repair: true });
      expect(repaired).toEqual([{ ...expected, repair: expect.stringContaining('marked') }]);
      expect(await isMarked(services, file.id)).toBe(true);
      // Only a backup can repair it: it stays a difference, also for a check that reads nothing.
      for (const again of [false, true]) {
        const [left, ...others] = await differencesOf(services, { rehash: again, repair: true });
        expect([left?.kind, left?.repair, others]).toEqual(['damaged-file', null, []]);
      }
      await services.blobs.delete(file.blob_key);
      await services.blobs.put(file.blob_key, BYTES.length, inPieces(BYTES));
      expect(await differencesOf(services, ALL)).toMatchObject([
        { kind: 'stale-mark', blobKey: file.blob_key, repair: 'removed the mark' },
      ]);
      expect(await isMarked(services, file.id)).toBe(false);
      expect(await differencesOf(services, ALL)).toEqual([]);
    }),
  );

  it('deletes a damaged rendition, which is rendered again', () =>
    withServices(backend, async (services) => {
      const { open, row } = await makeRendition(services);
      await corrupt(services, row.blob_key);
      expect(await differencesOf(services)).toEqual([]);
      expect(await differencesOf(services, ALL)).toMatchObject([
        { kind: 'damaged-rendition', blobKey: row.blob_key, repair: expect.any(String) },
      ]);
      expect(await differencesOf(services, ALL)).toEqual([]);
      expect((await open())?.file.md5).toBe(row.md5);
    }));

  it('deletes bytes without a row, staged and stored, but not young ones', () =>
    withServices(backend, async (services) => {
      await storeFile(services, BYTES);
      const [stored, staged] = [newBlobKey(), newBlobKey()];
      await services.blobs.put(stored, BYTES.length, inPieces(BYTES));
      await services.staging.append(staged, 0, inPieces(BYTES));
      expect(await differencesOf(services, { graceMs: 3_600_000, repair: true })).toEqual([]);
      const found = await differencesOf(services);
      expect(found).toMatchObject([
        { kind: 'orphaned-staged', blobKey: staged, repair: null },
        { kind: 'orphaned-blob', blobKey: stored, repair: null },
      ]);
      const repaired = found.map((difference) => ({ ...difference, repair: 'deleted' }));
      expect(await differencesOf(services, { repair: true })).toEqual(repaired);
      expect(await differencesOf(services)).toEqual([]);
      expect(await services.blobs.stat(stored)).toBeNull();
      expect(await services.staging.stat(staged)).toBeNull();
    }));

  it('ends an upload session whose acknowledged bytes are missing', () =>
    withServices(backend, async (services) => {
      const kept = await startUpload(services);
      const lost = await startUpload(services);
      const { blob_key } = await uploadOf(services, lost.uploadId);
      await services.staging.discard(blob_key);
      expect(await differencesOf(services, { repair: true })).toMatchObject([
        { kind: 'lost-upload', name: 'a.bin', blobKey: blob_key, repair: expect.any(String) },
      ]);
      expect(await differencesOf(services)).toEqual([]);
      expect((await uploadOf(services, lost.uploadId)).status).toBe('expired');
      expect((await uploadOf(services, kept.uploadId)).status).toBe('open');
    }));

  it('reports no file that is deleted, and no upload that ends, at the moment at which it looks', () =>
    withServices(backend, async (services) => {
      const { blobs, staging } = services;
      const ctx = services.as(user());
      const { media_id, blob_key } = await storeFile(services, BYTES);
      const aborted = await startUpload(services);
      vi.spyOn(blobs, 'list').mockImplementation(async function* () {});
      const stored = vi.spyOn(blobs, 'stat').mockImplementation(async (key) => {
        if (key === blob_key) await deleteMedia(ctx, media_id).catch(() => undefined);
        return null;
      });
      const staged = vi.spyOn(staging, 'stat').mockImplementation(async () => {
        await abortUpload(ctx, aborted).catch(() => undefined);
        return null;
      });
      expect(await differencesOf(services, { repair: true })).toEqual([]);
      expect([stored, staged].map(({ mock }) => mock.calls.length > 0)).toEqual([true, true]);
    }));

  it('corrects usages, paths and copies of the visibility', () =>
    withServices(backend, async (services) => {
      const { db } = services;
      const outer = await makeFolder(db, { name: 'outer' });
      const at = { parent_id: outer, level: 2, path: `/1/${outer}/` };
      const inner = await makeFolder(db, { name: 'inner', ...at });
      const below = { parent_id: inner, level: 3, path: `${at.path}${inner}/` };
      const id = await makeMediaRow(db, below);
      const { id: tagId } = await makeTag(db);
      await db
        .insertInto('media_tag')
        .values({ media_id: id, tag_id: tagId } as never)
        .execute();
      await storeFile(services, BYTES);
      expect(await differencesOf(services)).toEqual([]);
      await db
        .updateTable('media')
        .set({ path: '/1/', level: 7 })
        .where('id', '=', inner)
        .execute();
      await db.updateTable('media').set({ path: '/9/' }).where('id', '=', id).execute();
      await db
        .updateTable('media_tag')
        .set({ is_public: 1 } as never)
        .execute();
      await db
        .updateTable('file')
        .set({ is_public: 1 } as never)
        .execute();
      await db.updateTable('usage').set({ items: 9 }).where('subject', '=', 'all').execute();
      const kinds = (await differencesOf(services)).map(({ kind }) => kind);
      expect(kinds).toEqual([
        'wrong-place',
        'wrong-place',
        'wrong-visibility',
        'wrong-visibility',
        'wrong-usage',
      ]);
      const repaired = await differencesOf(services, { repair: true });
      expect(repaired.every(({ repair }) => repair !== null)).toBe(true);
      expect(await differencesOf(services)).toEqual([]);
      const rows = await db
        .selectFrom('media')
        .where('id', 'in', [inner, id])
        .selectAll()
        .execute();
      const places = rows.map(({ path, level }) => ({ path, level }));
      expect(places).toEqual([at, below].map(({ path, level }) => ({ path, level })));
      expect(
        await db
          .selectFrom('usage')
          .select(({ fn }) => fn.sum('items').as('items'))
          .where('subject', '=', 'all')
          .executeTakeFirst(),
      ).toEqual({ items: 4 });
    }));

  it('does not mistake a move in progress for a wrong path', () =>
    withServices(backend, async (services) => {
      const { db } = services;
      const top = await makeFolder(db);
      const moved = await makeFolder(db, { parent_id: top, level: 2, path: `/1/${top}/` });
      await makeMediaRow(db, { parent_id: moved, level: 2, path: `/1/${moved}/` });
      expect(await differencesOf(services)).toHaveLength(1);
      const [stored, actual] = [`/1/${moved}/`, `/1/${top}/${moved}/`];
      await db.insertInto('path_move').values({ stored, actual }).execute();
      expect(await differencesOf(services)).toEqual([]);
    }));

  it('finds every difference among more rows and blobs than one page has', () =>
    withServices(backend, async (services) => {
      const { db, blobs } = services;
      const id = await makeMediaRow(db);
      const keys = Array.from({ length: 800 }, newBlobKey).sort();
      const part = (start: number) => keys.filter((_, index) => index % 3 === start);
      for (const key of [...part(0), ...part(1)]) {
        await makeFileRow(db, id, { key, url_name: key, blob_key: key, size_bytes: 4 });
      }
      for (const key of [...part(0), ...part(2)]) await blobs.put(key, 4, [Buffer.from('some')]);
      const found = await differencesOf(services);
      const keysOf = (kind: string) =>
        found.filter((one) => one.kind === kind).map(({ blobKey }) => blobKey);
      expect(keysOf('damaged-file')).toEqual(part(1));
      expect(keysOf('orphaned-blob')).toEqual(part(2));
      expect(found).toHaveLength(part(1).length + part(2).length);
    }));

  it('reports a broken SQLite file', { skip: backend.name !== 'sqlite' }, () =>
    withServices(backend, async (services) => {
      const { db } = services;
      await sql`pragma foreign_keys = off`.execute(db);
      await makeFileRow(db, await makeMediaRow(db));
      await sql`insert into session (token_sha256, user_id, created_at, expires_at)
        values ('a', 99, 0, 0)`.execute(db);
      const [first] = await differencesOf(services);
      expect(first).toMatchObject({ kind: 'broken-database' });
      expect(first?.message).toContain('session refers to a missing row of user_account');
    }),
  );
});

describeEachBackend('the mark of a damaged file', (backend) => {
  it('is removed when the file gets other bytes', () =>
    withServices(backend, async ({ db }) => {
      const { id } = await makeFileRow(db, await makeMediaRow(db), { damaged_at: 5 });
      const file = () => db.selectFrom('file').where('id', '=', id).selectAll().executeTakeFirst();
      await db.updateTable('file').set({ width: 7 }).where('id', '=', id).execute();
      expect(await file()).toMatchObject({ width: 7, damaged_at: 5 });
      await db.updateTable('file').set({ blob_key: newBlobKey() }).where('id', '=', id).execute();
      expect(await file()).toMatchObject({ damaged_at: null });
    }));

  it('is set instead of a SHA-256 of wrong bytes', () =>
    withServices(backend, async (services) => {
      const { uploadId } = await startUpload(services);
      const ctx = services.as(user());
      const chunk = { bytes: inPieces(BYTES.subarray(10)) };
      await appendChunk(ctx, { uploadId, offsetBytes: 10, totalBytes: BYTES.length, chunk });
      await completeUpload(ctx, { uploadId, md5: md5Of(BYTES) });
      const file = () => services.db.selectFrom('file').selectAll().executeTakeFirstOrThrow();
      const { uuid, blob_key } = await file();
      await corrupt(services, blob_key);
      await digestFile(ctx, uuid);
      expect(await file()).toMatchObject({ sha256: null, damaged_at: services.clock() });
    }));
});

async function isMarked({ db }: TestServices, id: number): Promise<boolean> {
  const query = db.selectFrom('file').where('id', '=', id).select('damaged_at');
  return (await query.executeTakeFirstOrThrow()).damaged_at !== null;
}

async function shorten({ blobs }: TestServices, key: string): Promise<void> {
  const bytes = await buffer(await blobs.read(key, { start: 0, end: 4 }));
  await blobs.delete(key);
  await blobs.put(key, bytes.length, [bytes]);
}

async function startUpload(services: TestServices) {
  const chunk = { bytes: inPieces(BYTES.subarray(0, 10)) };
  const place = { offsetBytes: 0, totalBytes: BYTES.length };
  return appendChunk(services.as(user()), { filename: 'a.bin', ...place, chunk });
}

function uploadOf({ db }: TestServices, uploadId: string) {
  const query = db.selectFrom('upload').where('upload_id', '=', uploadId).selectAll();
  return query.executeTakeFirstOrThrow();
}

/** Renders an image. Returns the row, and the function that opens it. */
async function makeRendition(services: TestServices) {
  const { id } = await storeFile(services, PNG, 'picture.png');
  const query = services.db.selectFrom('file').where('id', '=', id).select(['dir', 'url_name']);
  const { dir, url_name } = await query.executeTakeFirstOrThrow();
  const open = () => openRendition(services.as(user()), dir, url_name, { format: 'webp' });
  await open();
  const row = await services.db.selectFrom('rendition').selectAll().executeTakeFirstOrThrow();
  return { open, row };
}
