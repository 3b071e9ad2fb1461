import { expect, it } from 'vitest';
import { BITE_ROWS } from '../../../src/domain/job/bite.ts';
import { deleteTag, deleteTagRest, resumeTags } from '../../../src/domain/tag/deletion.ts';
import { indexRest } from '../../../src/domain/tag/search-words.ts';
import {
  countTags,
  listTags,
  tagNewMedia,
  tagsByIds,
  tagsByMediaIds,
  updateTag,
} from '../../../src/domain/tag/tag.ts';
import { countMedias, listMedias } from '../../../src/domain/tree/media-list.ts';
import { SYSTEM } from '../../../src/domain/viewer/viewer.ts';
import { type TestServices, user, withServices } from '../../support/app.ts';
import { describeEachBackend } from '../../support/backend.ts';
import { makeBranch, tagAll } from '../../support/branch.ts';
import { makeTag } from '../../support/make.ts';

const COUNT = 2 * BITE_ROWS + 50;
const admin = user('root', 'admin');

describeEachBackend('a tag on many media', (backend) => {
  it('is gone from tags, media and filters at once, and in bites from rows and search words', () =>
    withServices(backend, async (services) => {
      const { tagId, mediaIds } = await makeSite(services);
      const ctx = services.as(admin);
      await deleteTag(ctx, tagId);
      expect(await countLinks(services)).toBe(2 * COUNT);
      expect(await tagsByIds(ctx, [tagId])).toEqual([]);
      expect((await listTags(ctx, {}, {})).edges.map(({ node }) => node.name)).toEqual(['other']);
      expect(await countTags(ctx, { name: 'pin' })).toBe(0);
      const tags = await tagsByMediaIds(ctx, mediaIds.slice(0, 1));
      expect(tags.get(mediaIds[0]!)?.map(({ name }) => name)).toEqual(['other']);
      expect(await countMedias(ctx, { tagIds: [tagId] })).toBe(0);
      expect((await listMedias(ctx, {}, { tagIds: [tagId] })).edges).toEqual([]);
      for (const change of [updateTag(ctx, tagId, { name: 'x' }), deleteTag(ctx, tagId)]) {
        await expect(change).rejects.toMatchObject({ code: 'NOT_FOUND' });
      }
      await expect(tagNewMedia(ctx, mediaIds[0]!, [tagId])).rejects.toMatchObject({ noun: 'tag' });

      const { bites, rows } = await runInBites((onProgress) =>
        deleteTagRest(services.as(SYSTEM), tagId, { onProgress }),
      );
      expect(rows).toBe(COUNT);
      expect(Math.max(...bites)).toBeLessThanOrEqual(BITE_ROWS);
      expect(await countLinks(services)).toBe(COUNT);
      expect(await services.db.selectFrom('tag').select('name').execute()).toEqual([
        { name: 'other' },
      ]);
      expect(await countMedias(ctx, { search: 'pin' })).toBe(0);
      expect(await countMedias(ctx, { search: 'other needle' })).toBe(COUNT);
      expect(services.pending.current.tagIds.size).toBe(0);
    }));

  it('has its new name at once, and is found by it after bites; a third name starts anew', () =>
    withServices(backend, async (services) => {
      const { tagId, mediaIds } = await makeSite(services);
      const ctx = services.as(admin);
      expect(await updateTag(ctx, tagId, { name: 'clip' })).toMatchObject({ name: 'clip' });
      const tags = await tagsByMediaIds(ctx, mediaIds.slice(0, 1));
      expect(tags.get(mediaIds[0]!)?.map(({ name }) => name)).toEqual(['clip', 'other']);
      const abort = new AbortController();
      const stop = () => abort.abort(new Error('The server stops.'));
      const run = indexRest(services.as(SYSTEM), tagId, {
        signal: abort.signal,
        onProgress: stop,
      });
      await expect(run).rejects.toThrow('The server stops.');
      const indexed = await countMedias(ctx, { search: 'clip' });
      expect(indexed).toBeGreaterThan(0);
      expect(indexed).toBeLessThan(COUNT);

      await updateTag(ctx, tagId, { name: 'staple' });
      const { bites, rows } = await runInBites((onProgress) =>
        indexRest(services.as(SYSTEM), tagId, { onProgress }),
      );
      expect(rows).toBe(COUNT);
      expect(Math.max(...bites)).toBeLessThanOrEqual(BITE_ROWS);
      const found = (search: string) => countMedias(ctx, { search });
      expect(await Promise.all(['staple', 'clip', 'pin'].map(found))).toEqual([COUNT, 0, 0]);
      expect(await indexRest(services.as(SYSTEM), tagId)).toBe(0);
    }));

  it('may be deleted while its media are indexed; a lost job is enqueued again', () =>
    withServices(backend, async (services) => {
      const { tagId } = await makeSite(services);
      const ctx = services.as(admin);
      await updateTag(ctx, tagId, { name: 'clip' });
      await deleteTag(ctx, tagId);
      expect(await indexRest(services.as(SYSTEM), tagId)).toBe(0);
      await services.db.deleteFrom('job').execute();
      await resumeTags(services.as(SYSTEM));
      await resumeTags(services.as(SYSTEM));
      const jobs = await services.db.selectFrom('job').select(['job_class', 'arguments']).execute();
      const args = JSON.stringify({ tag_id: tagId });
      expect(jobs).toEqual([{ job_class: 'delete-tag', arguments: args }]);
      await deleteTagRest(services.as(SYSTEM), tagId);
      expect(await countMedias(ctx, { search: 'clip' })).toBe(0);
      expect(await countMedias(ctx, { search: 'pin' })).toBe(0);
    }));
});

/** Runs a large change; returns the rows of each of its bites, as fractions of all tell them, and of all together. */
async function runInBites(run: (onProgress: (fraction: number) => void) => Promise<number>) {
  const totals = [0];
  const rows = await run((fraction) => void totals.push(Math.round(fraction * COUNT)));
  return { rows, bites: totals.slice(1).map((total, index) => total - totals[index]!) };
}

/** Media with two tags each, `pin` and `other`. */
async function makeSite({ db }: TestServices): Promise<{ tagId: number; mediaIds: number[] }> {
  const { mediaIds } = await makeBranch(db, COUNT);
  const tag = await makeTag(db, { name: 'pin' });
  const other = await makeTag(db, { name: 'other' });
  for (const { id } of [tag, other]) await tagAll(db, id, mediaIds);
  return { tagId: tag.id, mediaIds };
}

async function countLinks({ db }: TestServices): Promise<number> {
  return (await db.selectFrom('media_tag').select('tag_id').execute()).length;
}
