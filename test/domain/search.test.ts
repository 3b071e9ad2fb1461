import { expect, it } from 'vitest';
import { withApp } from '../support/app.ts';
import { describeEachBackend } from '../support/backend.ts';
import { graphql } from '../support/graphql.ts';
import { makeTag } from '../support/make.ts';

const words = (count: number) => Array.from({ length: count }, (_, n) => `w${n}`).join(' ');

describeEachBackend('a search', (backend) => {
  it.each([
    ['10 words', words(10), true],
    ['11 words', words(11), false],
    ['1,100 words', words(1100), false],
    ['500 characters', 'x'.repeat(500), true],
    ['501 characters', 'x'.repeat(501), false],
    ['a word, repeated', 'a '.repeat(11), false],
    ['marks between words', '/ * - '.repeat(80), true],
  ])('of %s is allowed or refused', (_title, text, isAllowed) =>
    withApp(backend, async (app) => {
      await makeTag(app.services.db);
      const query =
        'query ($text: String) { medias(filter: { search: $text }) { totalCount nodes { id } } }';
      const { errors } = await graphql(app, query, { text });
      expect(errors?.map(({ extensions }) => extensions?.code) ?? []).toEqual(
        isAllowed ? [] : expect.arrayContaining(['INVALID_INPUT']),
      );
    }),
  );

  it('of tags has the same bounds, over GraphQL and SelfCommunity', () =>
    withApp(backend, async (app) => {
      await makeTag(app.services.db);
      const query = 'query ($text: String) { tags(filter: { search: $text }) { nodes { id } } }';
      const page = (text: string) =>
        app.fetch(`/api/v2/tag/?search=${encodeURIComponent(text).slice(0, 7000)}`);
      expect((await graphql(app, query, { text: words(10) })).errors).toBeUndefined();
      expect((await page(words(10))).status).toBe(200);
      for (const text of [words(11), words(1100), 'x'.repeat(501)]) {
        const { errors } = await graphql(app, query, { text });
        expect(errors?.[0]?.extensions).toMatchObject({
          code: 'INVALID_INPUT',
          issues: [{ path: ['filter', 'search'], code: 'TOO_BIG' }],
        });
        const answer = await page(text);
        expect(answer.status).toBe(400);
        expect(await answer.json()).toMatchObject({ search: [{}] });
      }
    }));

  it('names at most 50 tags', () =>
    withApp(backend, async (app) => {
      const tag = await makeTag(app.services.db);
      const id = Buffer.from(`Tag:${tag.id}`).toString('base64url');
      const list = async (count: number) => {
        const query = 'query ($ids: [ID!]) { medias(filter: { tagIds: $ids }) { nodes { id } } }';
        return (await graphql(app, query, { ids: Array(count).fill(id) })).errors?.[0]?.extensions;
      };
      expect(await list(50)).toBeUndefined();
      expect(await list(51)).toMatchObject({
        code: 'INVALID_INPUT',
        issues: [{ path: ['filter', 'tagIds'] }],
      });
    }));
});
