import { type KyselyPlugin, sql } from 'kysely';
import { expect, it } from 'vitest';
import { toSearchWords } from '../../../src/lib/search-text.ts';
import { withSortKey } from '../../../src/store/columns.ts';
import { keysetBy } from '../../../src/store/cursor.ts';
import { type Db, openDb } from '../../../src/store/db.ts';
import { migrate } from '../../../src/store/migrate.ts';
import { MIGRATIONS } from '../../../src/store/migration.ts';
import { SAMPLED_EVERY, sampledWithWords } from '../../../src/store/plan.ts';
import { EVERYTHING } from '../../../src/store/scope.ts';
import { insertMediaTags } from '../../../src/store/tag/tag.ts';
import { listNodes, updateNode } from '../../../src/store/tree/node.ts';
import { writeWords } from '../../../src/store/tree/words.ts';
import { describeEachBackend } from '../../support/backend.ts';
import { makeMediaRow, makeTag } from '../../support/make.ts';

/** Returns the number of media of the sample that a search finds, up to ten. */
async function sampled(db: Db, search: string, isInName = false): Promise<number> {
  const match = { words: toSearchWords(search), isWhole: false, isInName };
  const { rows } = await sql<{ n: number }>`select ${sampledWithWords(db, match, 10)} as n`.execute(
    db,
  );
  return Number(rows[0]?.n);
}

describeEachBackend('the sample of words', (backend) => {
  it('has the words of one media item in 64, as they are now', () =>
    backend.withDb(async (db) => {
      const ids = [1, 2, 3].map((n) => n * SAMPLED_EVERY);
      for (const id of ids) await makeMediaRow(db, { id, name: `Blue ${id}`, title: 'sky' });
      await makeMediaRow(db, { id: SAMPLED_EVERY + 1, name: 'Blue sea' });
      expect(await sampled(db, 'blu')).toBe(3);
      expect(await sampled(db, 'sea')).toBe(0);

      const [first = 0, second = 0] = ids;
      await updateNode(db, EVERYTHING, first, { name: 'Red', description: 'blue' });
      expect(await sampled(db, 'blue')).toBe(3);
      expect(await sampled(db, 'blue', true)).toBe(2);

      const tag = await makeTag(db, { name: 'Holiday' });
      await insertMediaTags(db, [second, SAMPLED_EVERY + 1], [tag.id]);
      expect(await sampled(db, 'blue holi')).toBe(1);

      await db.deleteFrom('media').where('id', '=', second).execute();
      expect(await sampled(db, 'blue')).toBe(2);
      expect(await sampled(db, 'holiday')).toBe(0);
    }));

  it('leaves a frequent word out of the index if another one is rare', () =>
    backend.withDb(async (db) => {
      const rows = Array.from({ length: 420 }, (_, at) => ({
        id: (at + 1) * SAMPLED_EVERY,
        name: at === 100 ? 'common seldom' : 'common',
      }));
      await insertMedias(db, rows);
      const queries: string[] = [];
      const byId = keysetBy('id', { name: 'id', type: 'number' });
      const page = { limit: 10, backward: false };
      const search = (text: string) =>
        listNodes(db.withPlugin(recorder(db, queries)), EVERYTHING, { search: text }, byId, page);
      const found = [101 * SAMPLED_EVERY];
      expect((await search('common seldom')).rows.map(({ id }) => id)).toEqual(found);
      expect((await search('common absent')).rows).toEqual([]);
      expect(queries).toEqual([
        expect.stringMatching(/^[^a-z]*seldom[^a-z]*$/),
        expect.stringMatching(/^[^a-z]*absent[^a-z]*$/),
      ]);
    }));

  it('is filled from the media that exist when it is created', () =>
    backend.withUrl(async (url) => {
      const db = openDb({ url });
      try {
        await migrateBefore(db, '0016-search-sample');
        await sql`insert into media (id, uuid, type, level, path, name, is_public, created_at, updated_at)
          values (64, 'a', 'image', 0, '', 'm', 0, 1, 1), (65, 'b', 'image', 0, '', 'm', 0, 1, 1)`.execute(
          db,
        );
        await sql`insert into media_words (media_id, name, texts) values (64, 'old', ''), (65, 'old', '')`.execute(
          db,
        );
        await migrate(db);
        expect(await sampled(db, 'old')).toBe(1);
      } finally {
        await db.destroy();
      }
    }, 'empty'));
});

async function insertMedias(db: Db, medias: { id: number; name: string }[]): Promise<void> {
  const rows = medias.map((media) =>
    withSortKey({
      ...media,
      uuid: `00000000-0000-4000-8000-${String(media.id).padStart(12, '0')}`,
      type: 'image',
      level: 0,
      path: '',
      sort_order: 0,
      is_public: 0,
      created_at: 1,
      updated_at: 1,
    }),
  );
  await writeWords(db, await db.insertInto('media').values(rows).returningAll().execute());
}

/** Records what statements look up in the index of all words. */
function recorder(db: Db, queries: string[]): KyselyPlugin {
  return {
    transformQuery: ({ node, queryId }) => {
      const query = db.getExecutor().compileQuery(node, queryId);
      const isOfIndex = /from media_with_words|from media_search where/.test(query.sql);
      const texts = query.parameters.filter((one) => typeof one === 'string');
      if (isOfIndex) queries.push(String(texts[0]));
      return node;
    },
    transformResult: async ({ result }) => result,
  };
}

async function migrateBefore(db: Db, end: string): Promise<void> {
  await sql`create table migration (name text primary key, applied_at text not null)`.execute(db);
  for (const [name, migration] of Object.entries(MIGRATIONS)) {
    if (name >= end) return;
    await migration.up(db, () => undefined);
    await sql`insert into migration values (${name}, 'then')`.execute(db);
  }
}
