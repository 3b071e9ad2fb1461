import { expect, it, vi } from 'vitest';
import { filesByMediaIds } from '../../../../src/domain/file/file.ts';
import { findMedia } from '../../../../src/domain/tree/media.ts';
import { importUrl, requestJob } from '../../../../src/domain/upload/import.ts';
import { user } from '../../../support/app.ts';
import { describeEachBackend } from '../../../support/backend.ts';
import { PNG } from '../../../support/bytes.ts';
import { makeMediaRow } from '../../../support/make.ts';
import { shareServices } from '../../../support/shared-app.ts';
import { withSite } from '../../../support/site.ts';
import { jobIn, readJob } from '../../../support/worker.ts';
import { importer, importFrom, send, work } from './import.ts';

const ATTRIBUTES = {
  ...{ name: 'The name', title: 'The title', description: 'A description', keywords: 'key words' },
  ...{ altText: 'An alternative', caption: 'A caption', credit: 'A credit' },
  metadata: { a: { b: [1] } },
  focalPoint: { left: 0.25, top: 0.75 },
  crops: [{ alias: 'square', width: 10, height: 10 }],
  sortOrder: 5,
  visibility: 'private' as const,
};

const url = 'https://example.org/a.png';

describeEachBackend('an import with attributes', (backend) => {
  const services = shareServices(backend);

  it('creates a media item that has them', async () => {
    const it = services();
    await withSite(send(PNG), async (site) => {
      const { media } = await importFrom(it, site, '/a.png', ATTRIBUTES);
      expect(media).toMatchObject(ATTRIBUTES);
      const rows = await it.db
        .selectFrom('media_metadata')
        .where('media_id', '=', media.id)
        .select(['key', 'value'])
        .execute();
      expect(rows).toEqual([{ key: 'a', value: '{"b":[1]}' }]);
    });
  });

  it('puts files under the keys of its resource, and each only once, also after a crash', async () => {
    const it = services();
    const ctx = it.as(importer);
    await withSite(send(PNG), async (site) => {
      const run = async (key: string, more = {}) => {
        const input = { url: `${site.url}/a.png`, resource: 'imported', key, ...more };
        const { id } = await importUrl(ctx, input);
        return work(it, site, () => jobIn(it, id, 'completed'));
      };
      const first = await run('large', { altText: 'x' });
      const second = await run('');
      expect(second.result).toEqual(first.result);
      const media = await findMedia(ctx, { resource: 'imported' });
      expect(media).toMatchObject({
        id: (first.result as { media_id: number }).media_id,
        altText: 'x',
      });
      const files = (await filesByMediaIds(ctx, [media!.id])).get(media!.id);
      expect(files?.map(({ key }) => key)).toEqual(['', 'large']);

      const lost = { status: 'running', lease_token: 'gone', leased_until: 0, result: null };
      await it.db
        .updateTable('job')
        .set({ ...lost, finished_at: null })
        .where('id', '=', second.id)
        .execute();
      it.advance(60_000);
      await work(it, site, async () => {
        await vi.waitFor(async () => expect((await readJob(it, second.id)).status).toBe('pending'));
      });
      it.advance(60_000);
      const again = await work(it, site, () => jobIn(it, second.id, 'completed'));
      expect(again.result).toEqual(second.result);
      expect(site.requests).toHaveLength(2);
    });
    // What cannot succeed does not begin.
    await expect(importUrl(ctx, { url, resource: 'imported', key: 'large' })).rejects.toMatchObject(
      {
        code: 'ALREADY_EXISTS',
      },
    );
    await expect(
      importUrl(it.as(user('bob')), { url, resource: 'imported', key: 'other' }),
    ).rejects.toMatchObject({ code: 'FORBIDDEN' });
    const more = { url, resource: 'imported', key: 'other', altText: 'y' };
    await expect(importUrl(ctx, more)).rejects.toMatchObject({
      issues: [{ path: ['altText'], code: 'CONFLICT' }],
    });
  });

  it('has a priority, a time and a unicity', async () => {
    const it = services();
    const ctx = it.as(importer);
    const scheduledAt = new Date(it.clock() + 3_600_000);
    const job = await importUrl(ctx, { url, priority: 7, unicity: 'once', scheduledAt });
    expect(job).toMatchObject({ priority: 7, unicity: 'once', scheduledAt, status: 'pending' });
    await expect(importUrl(ctx, { url, unicity: 'once' })).rejects.toMatchObject({
      ...{ code: 'ALREADY_EXISTS', holder: job.uuid },
    });
    await expect(importUrl(ctx, { url, unicity: 'sweep:x' })).rejects.toMatchObject({
      issues: [{ path: ['unicity'] }],
    });
    await it.db.deleteFrom('job').where('id', '=', job.id).execute();
  });

  it.each<[string, Record<string, unknown>, (string | number)[]]>([
    ['metadata that is too deep', { metadata: { a: [[[[[1]]]]] } }, ['metadata', 'a', 0, 0, 0, 0]],
    ['a text that is too long', { alt_text: 'x'.repeat(2001) }, ['alt_text']],
    ['a key without a resource', { key: 'k' }, ['resource']],
    ['a resource with other attributes', { resource: 'taken', sort_order: 1 }, ['sort_order']],
  ])('is refused for %s in the arguments of a job', async (_, args, path) => {
    const it = services();
    const ctx = it.as(importer);
    if (args.resource) {
      const row = { uuid: it.newId(), resource: 'taken', owner: importer.id };
      await makeMediaRow(it.db, row);
    }
    const started = requestJob(ctx, { jobClass: 'import-url', arguments: { url, ...args } });
    await expect(started).rejects.toMatchObject({ issues: [{ path: ['arguments', ...path] }] });
  });
});
