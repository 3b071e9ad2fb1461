import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { type Db, openDb } from '../../../src/store/db.ts';
import * as store from '../../../src/store/upload/upload.ts';
import { describeEachBackend } from '../../support/backend.ts';
import { makeMediaRow } from '../../support/make.ts';

const NOW = 1_000_000;
const STATE = new Uint8Array([1, 2, 3]);

describeEachBackend('upload rows', (backend) => {
  it('the offset advances if it has the expected value', () =>
    backend.withDb(async (db) => {
      const uploadId = await makeUpload(db);
      expect(await advance(db, uploadId, 10, 20)).toBe(true);
      expect(await store.findUpload(db, uploadId)).toMatchObject({ offset_bytes: 20 });
    }));

  it('the offset does not change otherwise', () =>
    backend.withDb(async (db) => {
      const uploadId = await makeUpload(db);
      expect(await advance(db, uploadId, 0, 30)).toBe(false);
      expect(await store.findUpload(db, uploadId)).toMatchObject({ offset_bytes: 10 });
    }));

  it('exactly one of many concurrent moves of an offset succeeds', () =>
    backend.withUrl(async (url) => {
      const dbs = Array.from({ length: 4 }, () => openDb({ url }));
      try {
        const uploadId = await makeUpload(dbs[0]!);
        const moves = dbs.flatMap((db, index) =>
          [1, 2, 3].map((step) => advance(db, uploadId, 10, 20 + index * 3 + step)),
        );
        const won = (await Promise.all(moves)).filter(Boolean);
        expect(won).toHaveLength(1);
      } finally {
        await Promise.all(dbs.map((db) => db.destroy()));
      }
    }));

  it('an upload is completed once', () =>
    backend.withDb(async (db) => {
      const uploadId = await makeUpload(db);
      const mediaId = await makeMediaRow(db);
      const complete = () =>
        store.updateUploadCompleted(db, { uploadId, fence: 0, mediaId, now: NOW });
      expect([await complete(), await complete()]).toEqual([true, false]);
    }));

  it('a completed upload is neither advanced nor deleted', () =>
    backend.withDb(async (db) => {
      const uploadId = await makeUpload(db, { status: 'completed' });
      expect(await advance(db, uploadId, 10, 20)).toBe(false);
      expect(await store.deleteUpload(db, { uploadId, fence: 0 })).toBe(false);
    }));

  it('open uploads expire at their expiry, not before; completed ones never', () =>
    backend.withDb(async (db) => {
      const late = await makeUpload(db, { expires_at: NOW });
      const early = await makeUpload(db, { expires_at: NOW + 1 });
      const done = await makeUpload(db, { expires_at: NOW, status: 'completed' });
      await store.updateUploadsExpired(db, NOW);
      const statuses = await Promise.all([late, early, done].map((id) => statusOf(db, id)));
      expect(statuses).toEqual(['expired', 'open', 'completed']);
    }));

  it('closed uploads are deleted after a while, open ones are not', () =>
    backend.withDb(async (db) => {
      const old = await makeUpload(db, { expires_at: NOW - 1, status: 'expired' });
      const recent = await makeUpload(db, { expires_at: NOW, status: 'expired' });
      const open = await makeUpload(db, { expires_at: NOW - 1 });
      await store.deleteClosedUploads(db, NOW);
      const statuses = await Promise.all([old, recent, open].map((id) => statusOf(db, id)));
      expect(statuses).toEqual([undefined, 'expired', 'open']);
    }));

  it('only the bytes of open uploads are in use', () =>
    backend.withDb(async (db) => {
      await makeUpload(db, { blob_key: 'open' });
      await makeUpload(db, { blob_key: 'expired', status: 'expired' });
      const keys = await store.listOpenUploadBlobKeys(db, ['open', 'expired', 'unknown']);
      expect(keys).toEqual(['open']);
    }));
});

async function makeUpload(db: Db, columns: Partial<Parameters<typeof store.insertUpload>[1]> = {}) {
  const uploadId = randomBytes(16).toString('hex');
  await store.insertUpload(db, {
    upload_id: uploadId,
    owner: null,
    filename: 'a.png',
    declared_type: null,
    total_bytes: 100,
    offset_bytes: 10,
    digest_state: STATE,
    blob_key: randomBytes(16).toString('hex'),
    status: 'open',
    media_id: null,
    expires_at: NOW + 1000,
    created_at: NOW,
    updated_at: NOW,
    ...columns,
  });
  return uploadId;
}

function advance(db: Db, uploadId: string, fromBytes: number, toBytes: number): Promise<boolean> {
  return store.advanceUpload(db, {
    uploadId,
    fromBytes,
    toBytes,
    fence: 0,
    digestState: STATE,
    now: NOW,
  });
}

async function statusOf(db: Db, uploadId: string): Promise<string | undefined> {
  return (await store.findUpload(db, uploadId))?.status;
}
