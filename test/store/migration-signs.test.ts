import { sql } from 'kysely';
import { expect, it } from 'vitest';
import { type Db, openDb } from '../../src/store/db.ts';
import { MIGRATIONS } from '../../src/store/migration.ts';
import { inTransaction } from '../../src/store/transaction.ts';
import { describeEachBackend } from '../support/backend.ts';

const SIGNS = '0016-search-signs';

async function runMigrations(db: Db, isRun: (name: string) => boolean): Promise<void> {
  for (const [name, migration] of Object.entries(MIGRATIONS)) {
    if (isRun(name)) await inTransaction(db, (db) => migration.up(db, () => undefined));
  }
}

describeEachBackend('the migration of signs', (backend) => {
  it('writes the words of media and tags that have one', () =>
    backend.withUrl(async (url) => {
      const db = openDb({ url });
      try {
        for (const [id, name] of [
          [7, 'Acme®'],
          [8, 'plain'],
        ] as const) {
          await sql`insert into media (id, uuid, type, parent_id, level, path, name, description, created_at, updated_at)
            values (${id}, ${`u${id}`}, 'file', 1, 1, '/1/', ${name}, '#️⃣', 0, 0)`.execute(db);
          await sql`insert into media_words (media_id, name, texts) values (${id}, 'old', '')`.execute(
            db,
          );
        }
        await sql`insert into tag (id, type, name, color, visible, active, visibility_boost, created_at, updated_at)
          values (3, 'user', '© us', '', 1, 1, 0, 0, 0)`.execute(db);
        await sql`insert into media_tag (media_id, tag_id) values (7, 3)`.execute(db);
        await runMigrations(db, (name) => name === SIGNS);
        const { rows } =
          await sql`select name, texts, tags from media_words where media_id in (7, 8) order by media_id`.execute(
            db,
          );
        expect(rows).toEqual([
          { name: 'acme ®', texts: '＃\u20e3', tags: '© us' },
          { name: 'plain', texts: '＃\u20e3', tags: '' },
        ]);
      } finally {
        await db.destroy();
      }
    }));
});
