import { expect, it } from 'vitest';
import { tagMedia } from '../../../src/domain/bulk/tagging.ts';
import { InvalidInputError, NotFoundError } from '../../../src/domain/error.ts';
import { deleteTag } from '../../../src/domain/tag/deletion.ts';
import {
  checkTags,
  countTags,
  createTag,
  listTags,
  tagNewMedia,
  tagsByIds,
  tagsByMediaIds,
  updateTag,
} from '../../../src/domain/tag/tag.ts';
import { deleteMedia, updateMedia } from '../../../src/domain/tree/media-change.ts';
import { user, withServices } from '../../support/app.ts';
import { describeEachBackend } from '../../support/backend.ts';
import { makeMediaRow, makeTag } from '../../support/make.ts';

describeEachBackend('tags', (backend) => {
  it('a new tag is visible, active and white unless it says otherwise', () =>
    withServices(backend, async (services) => {
      const plain = await createTag(services.as(), { name: ' Logos ' });
      expect(plain).toMatchObject({
        name: 'Logos',
        description: null,
        color: '#ffffff',
        visible: true,
        active: true,
        createdAt: new Date(services.clock()),
      });
      const given = { description: 'of us', color: 'red', visible: false, active: false };
      expect(await createTag(services.as(), { name: 'Logos', ...given })).toMatchObject(given);
    }));

  it.each([
    { name: '' },
    { name: ' ' },
    { name: 'a\0' },
    { name: 'x'.repeat(65) },
    { name: 'x', description: 'a\0' },
    { name: 'x', description: 'x'.repeat(501) },
    { name: 'x', color: 'a\0' },
  ])('%j is refused', (input) =>
    withServices(backend, async ({ as }) => {
      await expect(createTag(as(), input)).rejects.toThrow(InvalidInputError);
      expect(await countTags(as(), {})).toBe(0);
    }),
  );

  it('every issue of the input is reported with its field', () =>
    withServices(backend, async ({ as }) => {
      const input = { name: '', description: 'a\0' };
      await expect(createTag(as(), input)).rejects.toMatchObject({
        issues: [{ path: ['name'] }, { path: ['description'] }],
      });
    }));

  it('a list and its count are narrowed to an exact name', () =>
    withServices(backend, async ({ db, as }) => {
      for (const name of ['a', 'A', 'ab', 'a']) await makeTag(db, { name });
      const { edges } = await listTags(as(), { name: 'a' }, {});
      expect(edges.map(({ node }) => node.name)).toEqual(['a', 'a']);
      expect(await countTags(as(), { name: 'a' })).toBe(2);
      expect(await countTags(as(), {})).toBe(4);
    }));

  it('no tag has a name that the database cannot hold', () =>
    withServices(backend, async ({ as }) => {
      expect((await listTags(as(), { name: 'a\0' }, {})).edges).toEqual([]);
      expect(await countTags(as(), { name: 'a\0' })).toBe(0);
    }));

  it('by ids, existing tags are returned', () =>
    withServices(backend, async ({ db, as }) => {
      const { id } = await makeTag(db);
      expect(await tagsByIds(as(), [id, id, 404])).toMatchObject([{ id }]);
      expect(await tagsByIds(as(), [])).toEqual([]);
    }));

  it('the tags of many media are read at once, by name', () =>
    withServices(backend, async ({ db, as, statements }) => {
      const [b, a] = [await makeTag(db, { name: 'b' }), await makeTag(db, { name: 'a' })];
      const [one, two, none] = [await makeMediaRow(db), await makeMediaRow(db), 404];
      await tagNewMedia(as(), one, [b.id, a.id]);
      await tagNewMedia(as(), two, [b.id]);
      statements.length = 0;
      const tags = await tagsByMediaIds(as(), [one, two, none]);
      const names = [one, two, none].map((id) => tags.get(id)?.map(({ name }) => name));
      expect(names).toEqual([['a', 'b'], ['b'], undefined]);
      expect(statements).toHaveLength(1);
    }));

  it('a media item gets a tag once, however often the tag is named', () =>
    withServices(backend, async ({ db, as }) => {
      const { id } = await makeTag(db);
      const mediaId = await makeMediaRow(db);
      await tagNewMedia(as(), mediaId, [id, id]);
      await tagNewMedia(as(), mediaId, [id]);
      expect((await tagsByMediaIds(as(), [mediaId])).get(mediaId)).toHaveLength(1);
    }));

  it('the error names the first tag that does not exist', () =>
    withServices(backend, async ({ db, as }) => {
      const { id } = await makeTag(db);
      await expect(checkTags(as(), [id, 404, 405])).rejects.toMatchObject({
        noun: 'tag',
        id: '404',
      });
      const mediaId = await makeMediaRow(db);
      await expect(tagNewMedia(as(), mediaId, [id, 404])).rejects.toThrow(NotFoundError);
      expect(await tagsByMediaIds(as(), [mediaId])).toEqual(new Map());
    }));

  it('simultaneous changes and deletions of tags and media succeed or find nothing, without another error', () =>
    withServices(backend, async (services) => {
      const ctx = services.as(user('root', 'admin'));
      for (let round = 0; round < 8; round++) {
        const names = ['a', 'b', 'c', 'd'];
        const tags = await Promise.all(names.map((name) => createTag(ctx, { name })));
        const medias = await Promise.all(names.map(() => makeMediaRow(services.db)));
        const [kept = 0, ...others] = tags.map(({ id }) => id);
        const outcomes = await Promise.allSettled(
          others.flatMap((id, index) => [
            tagMedia(ctx, { mediaIds: medias, addTagIds: [kept, id] }),
            deleteTag(ctx, id),
            tagMedia(ctx, { mediaIds: medias.slice(index), addTagIds: [kept] }),
            updateTag(ctx, kept, { name: `e${index}` }),
            tagMedia(ctx, { mediaIds: medias.slice(index), removeTagIds: [kept] }),
            deleteMedia(ctx, medias[index] ?? 0),
            updateMedia(ctx, medias[index + 1] ?? 0, { name: 'f' }),
          ]),
        );
        const failures = outcomes.flatMap((one) => (one.status === 'rejected' ? one.reason : []));
        for (const failure of failures) expect(failure).toBeInstanceOf(NotFoundError);
      }
    }));
});
