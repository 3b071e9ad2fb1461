import { expect, it } from 'vitest';
import type { Context } from '../../../src/domain/context.ts';
import { sweep } from '../../../src/domain/file/sweep.ts';
import { expireUploads } from '../../../src/domain/upload/expire.ts';
import { appendChunk, completeUpload } from '../../../src/domain/upload/upload.ts';
import { type TestServices, withServices } from '../../support/app.ts';
import { describeEachBackend } from '../../support/backend.ts';
import { fixtureBytes, inPieces, leftovers, md5Of, NOTHING } from '../../support/bytes.ts';

const PDF = fixtureBytes('document.pdf');
const DAY_MS = 24 * 3_600_000;
const EVERYTHING = { modifiedBefore: Number.POSITIVE_INFINITY };

describeEachBackend('the expiry of uploads', (backend) => {
  it('ends expired uploads and deletes their bytes', () =>
    withServices(backend, async (services) => {
      const { uploadId } = await startUpload(services.as());
      services.advance(DAY_MS - 1);
      expect(await expireUploads(services)).toBe(0);
      services.advance(1);
      expect(await expireUploads(services)).toBe(1);
      expect(await leftovers(services)).toEqual(NOTHING);
      const complete = completeUpload(services.as(), { uploadId, md5: md5Of(PDF) });
      await expect(complete).rejects.toMatchObject({ code: 'UPLOAD_EXPIRED' });
    }));

  it('deletes bytes that a failed completion has promoted, once their upload expires', () =>
    withServices(backend, async (services) => {
      const { uploadId } = await startUpload(services.as(), PDF.length);
      const { blob_key } = await onlyUpload(services);
      await services.staging.promote(blob_key, PDF.length);
      expect(await sweep(services, EVERYTHING)).toEqual({ removed: 0, lost: 0 });
      services.advance(DAY_MS);
      expect(await expireUploads(services)).toBe(1);
      expect(await leftovers(services)).toEqual(NOTHING);
      expect(uploadId).toMatch(/^\w{32}$/);
    }));

  it('keeps the row of an expired upload for a week', () =>
    withServices(backend, async (services) => {
      await startUpload(services.as());
      services.advance(DAY_MS);
      await expireUploads(services);
      services.advance(7 * DAY_MS);
      await expireUploads(services);
      expect(await onlyUpload(services)).toMatchObject({ status: 'expired' });
      services.advance(1);
      await expireUploads(services);
      expect(await services.db.selectFrom('upload').selectAll().execute()).toEqual([]);
    }));

  it('counts from now for an upload that was created by a clock in the future', () =>
    withServices(backend, async (services) => {
      services.advance(400 * DAY_MS);
      await startUpload(services.as());
      services.advance(-400 * DAY_MS);
      expect(await expireUploads(services)).toBe(0);
      services.advance(DAY_MS - 1);
      expect(await expireUploads(services)).toBe(0);
      services.advance(1);
      expect(await expireUploads(services)).toBe(1);
      expect(await leftovers(services)).toEqual(NOTHING);
    }));
});

function startUpload(ctx: Context, sentBytes = 10) {
  const chunk = { bytes: inPieces(PDF.subarray(0, sentBytes)) };
  const place = { offsetBytes: 0, totalBytes: PDF.length };
  return appendChunk(ctx, { filename: 'a.pdf', ...place, chunk });
}

function onlyUpload({ db }: TestServices) {
  return db.selectFrom('upload').selectAll().executeTakeFirstOrThrow();
}
