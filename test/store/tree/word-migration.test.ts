import { sql } from 'kysely';
import { expect, it } from 'vitest';
import { keysetBy } from '../../../src/store/cursor.ts';
import { type Db, openDb } from '../../../src/store/db.ts';
import { migrate } from '../../../src/store/migrate.ts';
import { MIGRATIONS } from '../../../src/store/migration.ts';
import { EVERYTHING } from '../../../src/store/scope.ts';
import { insertMediaTags, listTags } from '../../../src/store/tag/tag.ts';
import { countNodes, listNodes } from '../../../src/store/tree/node.ts';
import { describeEachBackend } from '../../support/backend.ts';

const NAME = '0014-search-words';

/** More than two batches. */
const COUNT = 2300;

const NAMES = ['Україна', '한국어문서', 'ガラス', 'ΟΔΟΣ', 'हिन्दी', 'Été', '東京タワー写真'];

/** Runs the migrations before the words, and inserts rows as they were then. */
async function fillOld(db: Db): Promise<void> {
  await sql`create table migration (name text primary key, applied_at text not null)`.execute(db);
  for (const [name, migration] of Object.entries(MIGRATIONS)) {
    if (name >= NAME) break;
    await migration.up(db, () => undefined);
    await sql`insert into migration values (${name}, 'then')`.execute(db);
  }
  const rows = Array.from({ length: COUNT }, (_, index) => {
    const id = 10 + index;
    const title = index === 5 ? '"quoted" \\ ¦ «title' : null;
    return sql`(${id}, ${`u${id}`}, ${index === 0 ? 'folder' : 'image'}, 0, '', ${NAMES[index % NAMES.length]},
      ${title}, ${index === 6 ? 'Straße' : null}, 0, 1, 1)`;
  });
  for (let at = 0; at < rows.length; at += 500) {
    await sql`insert into media (id, uuid, type, level, path, name, title, description, is_public, created_at, updated_at)
      values ${sql.join(rows.slice(at, at + 500))}`.execute(db);
  }
  await sql`insert into tag (id, type, name, description, color, visible, active, visibility_boost, created_at, updated_at)
    values (1, 'user', 'ภาษาไทย', 'Ørsted', '', 1, 1, 0, 1, 1)`.execute(db);
  await sql`insert into media_tag (media_id, tag_id) values (20, 1), (21, 1)`.execute(db);
}

describeEachBackend('the migration to common words', (backend) => {
  it('writes the words of all media and tags, which searches and triggers then use', () =>
    backend.withUrl(async (url) => {
      const db = openDb({ url });
      try {
        await fillOld(db);
        expect(await migrate(db)).toContain(NAME);
        const count = (search: string) => countNodes(db, EVERYTHING, { search });
        for (const [index, name] of NAMES.entries()) {
          const all = Array.from({ length: COUNT - 1 }, (_, at) => at + 1);
          expect(await count(name)).toBe(all.filter((at) => at % NAMES.length === index).length);
        }
        expect(await count('strasse')).toBe(1);
        expect(await count('quoted title')).toBe(1);
        expect(await count('ไทย')).toBe(2);
        const byId = keysetBy('id', { name: 'id', type: 'number' });
        const page = { limit: 5, backward: false };
        expect((await listTags(db, { terms: ['orsted'] }, byId, page)).rows).toHaveLength(1);
        await insertMediaTags(db, [22], [1]);
        expect(await count('ไทย')).toBe(3);
        await db.deleteFrom('media').where('id', '=', 20).execute();
        expect(await count('ไทย')).toBe(2);
        const { rows } = await listNodes(db, EVERYTHING, { search: 'ไทย' }, byId, page);
        expect(rows.map(({ id }) => id)).toEqual([21, 22]);
      } finally {
        await db.destroy();
      }
    }, 'empty'));

  it('reads a bounded number of rows at a time', () =>
    backend.withUrl(async (url) => {
      const statements: string[] = [];
      const db = openDb({ url, onQuery: (statement) => statements.push(statement) });
      try {
        await fillOld(db);
        statements.length = 0;
        await migrate(db);
        const reads = statements.filter((text) => /^select id, name, .* from media/s.test(text));
        expect(reads).toHaveLength(Math.ceil(COUNT / 1000) + 1);
        for (const text of reads) expect(text).toMatch(/limit /);
      } finally {
        await db.destroy();
      }
    }, 'empty'));
});

describeEachBackend('the migration to words of details', (backend) => {
  it('writes them for media whose originals name a camera, a lens, an author or a text', () =>
    backend.withUrl(async (url) => {
      const db = openDb({ url });
      try {
        await sql`create table migration (name text primary key, applied_at text not null)`.execute(
          db,
        );
        for (const [name, migration] of Object.entries(MIGRATIONS)) {
          if (name >= '0036') break;
          await migration.up(db, () => undefined);
          await sql`insert into migration values (${name}, 'then')`.execute(db);
        }
        await fillDetails(db);
        await migrate(db);
        const count = (search: string) => countNodes(db, EVERYTHING, { search });
        expect(await count('leica')).toBe(COUNT);
        expect([await count('summi'), await count('sea'), await count('48.1')]).toEqual([1, 1, 0]);
        expect([await count('nothing'), await count('note')]).toEqual([1, 1]);
      } finally {
        await db.destroy();
      }
    }, 'empty'));
});

async function fillDetails(db: Db): Promise<void> {
  const leica = { camera: 'Leica Q3', latitude: 48.1 };
  const details = [
    ...Array.from({ length: COUNT - 1 }, () => leica),
    { ...leica, lens: 'Summilux', author: 'Ann', textSnippet: 'By the sea' },
    { author: 'Nothing else' },
    {},
  ];
  for (let at = 0; at < details.length; at += 500) {
    const rows = details.slice(at, at + 500).map((one, index) => {
      const id = 10 + at + index;
      const note = at + index === details.length - 1 ? 'note' : null;
      return sql`(${id}, ${`u${id}`}, 'image', 1, '/1/', 'a', 'a', ${note}, ${JSON.stringify(one)}, 0, 1, 1)`;
    });
    await sql`insert into media (id, uuid, type, level, path, name, name_sort, description, details, is_public, created_at,
      updated_at) values ${sql.join(rows)}`.execute(db);
  }
  await sql`insert into media_words (media_id, name, texts)
    select id, 'a', coalesce(description, '') from media where id >= 10`.execute(db);
}
