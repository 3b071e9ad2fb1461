import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import type { Context, Settings } from '../../../src/domain/context.ts';
import { deleteNodes } from '../../../src/domain/trash/delete-nodes.ts';
import { deleteFolder } from '../../../src/domain/tree/deletion.ts';
import { createFolder } from '../../../src/domain/tree/folder.ts';
import { expireUploads } from '../../../src/domain/upload/expire.ts';
import { abortUpload, appendChunk, completeUpload } from '../../../src/domain/upload/upload.ts';
import { replaceFile, uploadFile } from '../../../src/domain/upload/upload-file.ts';
import { mergeUsages, storageUsage } from '../../../src/domain/viewer/quota.ts';
import { openDb } from '../../../src/store/db.ts';
import { createTestServices, type TestServices, user, withServices } from '../../support/app.ts';
import { describeEachBackend } from '../../support/backend.ts';
import { leftovers } from '../../support/bytes.ts';
import { md5Of } from '../../support/selfcommunity.ts';

async function* bytesOf(text: string) {
  yield Buffer.from(text);
}

const FILE = { filename: 'a.txt', declaredType: 'text/plain' };
const ADMIN = user('root', 'admin');

/** Settings whose quotas are changed. */
function quotas(services: TestServices, changes: Partial<Settings['quotas']>): Partial<Settings> {
  return { quotas: { ...services.settings.quotas, ...changes } };
}

function startUpload(ctx: Context, totalBytes = 10) {
  return appendChunk(ctx, { offsetBytes: 0, totalBytes, ...FILE, chunk: { bytes: bytesOf('a') } });
}

/** The usage of everybody, and what the rows say. */
async function totals(services: TestServices) {
  const { quota: _, ...usage } = await storageUsage(services.as(ADMIN));
  const { db } = services;
  const nodes = await db.selectFrom('media').where('id', '!=', 1).select('id').execute();
  const current = db.selectFrom('file').select('size_bytes');
  const files = await current
    .unionAll(db.selectFrom('file_version').select('size_bytes'))
    .execute();
  const open = await db.selectFrom('upload').where('status', '=', 'open').selectAll().execute();
  const rows = {
    uploads: open.length,
    promisedBytes: open.reduce((sum, { total_bytes }) => sum + total_bytes, 0),
    storedBytes: files.reduce((sum, { size_bytes }) => sum + size_bytes, 0),
    items: nodes.length,
  };
  return { usage, rows };
}

describeEachBackend('a usage', (backend) => {
  it('equals the rows after each change, and returns to nothing', () =>
    withServices(backend, async (services) => {
      const ctx = { ...services.as(user()), client: { hash: 'h' } };
      const check = async () => {
        const { usage, rows } = await totals(services);
        expect(usage).toEqual(rows);
        return usage;
      };
      const { id } = await createFolder(ctx, { name: 'A' });
      const media = await uploadFile(ctx, { ...FILE, folderId: id, bytes: bytesOf('abc') });
      expect(await check()).toEqual({ uploads: 0, promisedBytes: 0, storedBytes: 3, items: 2 });
      await replaceFile(ctx, media.id, { ...FILE, bytes: bytesOf('abcdef') });
      // The replaced file counts as well.
      expect((await check()).storedBytes).toBe(9);
      const { uploadId } = await startUpload(ctx, 1);
      await startUpload(ctx);
      const aborted = await startUpload(ctx);
      expect(await check()).toMatchObject({ uploads: 3, promisedBytes: 21 });
      await completeUpload(ctx, { uploadId, md5: md5Of(Buffer.from('a')), folderId: id });
      expect(await check()).toEqual({ uploads: 2, promisedBytes: 20, storedBytes: 10, items: 3 });
      await abortUpload(ctx, aborted);
      services.advance(100 * 3_600_000);
      await expireUploads(services);
      await mergeUsages(services);
      expect(await check()).toMatchObject({ uploads: 0, promisedBytes: 0 });
      const { usage } = await totals(services);
      await deleteFolder(ctx, id, { recursive: true });
      // What is in the trash counts.
      expect((await totals(services)).usage).toEqual(usage);
      await deleteNodes(ctx, { ids: [id], permanently: true });
      expect(await check()).toEqual({ uploads: 0, promisedBytes: 0, storedBytes: 0, items: 0 });
      const { quota: _, ...own } = await storageUsage(ctx);
      expect(own).toEqual({ uploads: 0, promisedBytes: 0, storedBytes: 0, items: 0 });
    }));

  it('counts what is in the trash, and the refusal says so', () =>
    withServices(backend, async (services) => {
      const ctx = createTestServices(services, quotas(services, { itemsMax: 1 })).as(user());
      const { id } = await createFolder(ctx, { name: 'first' });
      await deleteNodes(ctx, { ids: [id] });
      const refused = createFolder(ctx, { name: 'second' });
      await expect(refused).rejects.toMatchObject({ code: 'QUOTA_EXCEEDED' });
      await expect(refused).rejects.toThrow('empty the trash');
      await deleteNodes(ctx, { ids: [id], permanently: true });
      await createFolder(ctx, { name: 'second' });
    }));

  it('is read in a bounded number of rows, however many changes it has', () =>
    withServices(backend, async (services) => {
      const ctx = services.as(user());
      for (const name of ['A', 'B']) await createFolder(ctx, { name });
      const { db } = services;
      const rows = () =>
        db.selectFrom('usage').where('subject', '=', 'viewer:alice').selectAll().execute();
      // SQLite changes one row.
      expect(await rows()).toHaveLength(backend.name === 'sqlite' ? 1 : 2);
      if (backend.name === 'postgres') {
        const more = Array.from({ length: 250 }, () => ({ subject: 'viewer:alice', items: 1 }));
        await db.insertInto('usage').values(more).execute();
      }
      const items = backend.name === 'sqlite' ? 2 : 252;
      expect((await storageUsage(ctx)).items).toBe(items);
      expect(await rows()).toHaveLength(1);
      expect((await storageUsage(ctx)).items).toBe(items);
    }));

  it('of an address counts all its viewers, and anonymous clients of one address are one viewer', () =>
    withServices(backend, async (services) => {
      const limited = createTestServices(
        services,
        quotas(services, { uploadsMax: 1, addressFactor: 3 }),
      );
      const from = (hash: string, viewer?: ReturnType<typeof user>) => ({
        ...limited.as(viewer),
        newId: randomUUID,
        client: { hash },
      });
      await startUpload(from('h'));
      await expect(startUpload(from('h'))).rejects.toMatchObject({ code: 'TOO_MANY_REQUESTS' });
      await startUpload(from('other'));
      await startUpload(from('h', user('ann')));
      await startUpload(from('h', user('bob')));
      const fourth = startUpload(from('h', user('eve')));
      await expect(fourth).rejects.toMatchObject({ exceeded: { limit: 3 } });
      await startUpload(from('other', user('eve')));
    }));

  it('has exactly the room of the quota for simultaneous requests of several processes', () =>
    backend.withUrl(async (url) => {
      await withServices(backend, async (parts) => {
        // Two connections of one process would block each other on SQLite, which serves one process anyway.
        const processes = (backend.name === 'sqlite' ? [1] : [1, 2]).map(() => {
          const db = openDb({ url });
          const services = createTestServices(
            { ...parts, db },
            quotas(parts, { uploadsMax: 5, itemsMax: 8 }),
          );
          return { ...services, newId: randomUUID };
        });
        const run = (work: (ctx: Context) => Promise<unknown>) =>
          Promise.allSettled(
            Array.from({ length: 16 }, (_, index) => {
              const services = processes[index % processes.length]!;
              return work({
                ...services,
                ...services.as(user()),
                db: services.db,
                newId: services.newId,
              });
            }),
          );
        const kept = (results: PromiseSettledResult<unknown>[]) =>
          results.filter(({ status }) => status === 'fulfilled').length;
        const sessions = await run((ctx) => startUpload(ctx));
        expect(kept(sessions)).toBe(5);
        const codes = sessions.flatMap((one) => (one.status === 'rejected' ? one.reason.code : []));
        expect(new Set(codes)).toEqual(new Set(['TOO_MANY_REQUESTS']));
        // Five items are reserved for the sessions.
        expect(kept(await run((ctx) => uploadFile(ctx, { ...FILE, bytes: bytesOf('abc') })))).toBe(
          3,
        );
        // What was refused has left neither rows nor bytes.
        const openAt = [1, 1, 1, 1, 1];
        const left = { medias: 3, files: 3, openAt, staged: 5, stored: 3 };
        expect(await leftovers(processes[0]!)).toEqual(left);
        for (const { db } of processes) await db.destroy();
      });
    }));
});
