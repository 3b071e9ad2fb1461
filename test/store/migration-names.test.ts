import { sql } from 'kysely';
import { expect, it } from 'vitest';
import { nameSortKey } from '../../src/lib/sort-key.ts';
import { type Db, openDb } from '../../src/store/db.ts';
import { MIGRATIONS } from '../../src/store/migration.ts';
import { inTransaction } from '../../src/store/transaction.ts';
import { describeEachBackend } from '../support/backend.ts';

const NFD = 'Sen\u0303or';
const NFC = 'Señor';
const NAMES = '0015-names';

async function runMigrations(db: Db, isRun: (name: string) => boolean): Promise<string[]> {
  const reports: string[] = [];
  for (const [name, migration] of Object.entries(MIGRATIONS)) {
    if (isRun(name)) {
      await inTransaction(db, (db) => migration.up(db, (report) => reports.push(report)));
    }
  }
  return reports;
}

interface Old {
  id: number;
  type?: string;
  parent?: number | null;
  name: string;
  title?: string;
  resource?: string;
}

async function insertNode(db: Db, { id, type = 'folder', parent = 1, ...old }: Old): Promise<void> {
  await sql`insert into media (id, uuid, type, parent_id, level, path, name, title, resource, created_at, updated_at)
    values (${id}, ${`uuid-${id}`}, ${type}, ${parent}, 1, '/1/', ${old.name}, ${old.title ?? null},
      ${old.resource ?? null}, 0, 0)`.execute(db);
}

async function insertFile(db: Db, id: number, mediaId: number, key: string): Promise<void> {
  await sql`insert into file (id, uuid, media_id, key, filename, mime_type, size_bytes, md5, dir, url_name, blob_key,
      resource, created_at, updated_at)
    values (${id}, ${`file-${id}`}, ${mediaId}, ${key}, ${`${NFD}.png`}, 'image/png', 1, '', ${`dir-${mediaId}`}, ${`u${id}`},
      ${`blob-${id}`}, 'r', 0, 0)`.execute(db);
}

async function insertTag(db: Db, id: number, name: string): Promise<void> {
  await sql`insert into tag (id, type, name, color, visible, active, visibility_boost, created_at, updated_at)
    values (${id}, 'user', ${name}, '', 1, 1, 0, 0, 0)`.execute(db);
}

describeEachBackend('the migration of names', (backend) => {
  const withOldRows = (
    insert: (db: Db) => Promise<void>,
    check: (db: Db, reports: string[]) => Promise<void>,
  ) =>
    backend.withUrl(async (url) => {
      const db = openDb({ url });
      try {
        await runMigrations(db, (name) => name < NAMES);
        await insert(db);
        await check(db, await runMigrations(db, (name) => name >= NAMES));
      } finally {
        await db.destroy();
      }
    }, 'empty');

  it('brings names into NFC, without invisible characters, and gives each its key', () =>
    withOldRows(
      async (db) => {
        await insertNode(db, { id: 10, name: NFD });
        await insertNode(db, {
          id: 11,
          type: 'image',
          name: 'a\u202egnp',
          title: `${NFD}\n\u200f`,
        });
        await insertNode(db, { id: 12, name: '\u200b' });
        await insertNode(db, { id: 13, type: 'image', parent: null, name: 'b', resource: NFD });
        await insertFile(db, 1, 13, NFD);
        await insertTag(db, 1, NFD);
        // More than one batch.
        for (let id = 100; id < 4200; id += 50) {
          const values = Array.from({ length: 50 }, (_, index) => {
            const own = id + index;
            return sql`(${own}, ${`uuid-${own}`}, 'image', null, 0, '', ${`${NFD} ${own}`}, 0, 0)`;
          });
          await sql`insert into media (id, uuid, type, parent_id, level, path, name, created_at, updated_at)
            values ${sql.join(values)}`.execute(db);
        }
      },
      async (db, reports) => {
        expect(reports).toEqual([]);
        const nodes = await db.selectFrom('media').selectAll().orderBy('id').execute();
        const [, folder, image, invisible, named, ...others] = nodes;
        expect(folder).toMatchObject({ name: NFC });
        expect(image).toMatchObject({ name: 'agnp', title: `${NFC}\n` });
        expect(invisible).toMatchObject({ name: '\u200b' });
        expect(named).toMatchObject({ resource: NFC });
        expect(others.map(({ name }) => name)).toEqual(others.map(({ id }) => `${NFC} ${id}`));
        const tags = await db.selectFrom('tag').selectAll().execute();
        for (const { name, name_sort } of [...nodes, ...tags]) {
          expect(name_sort).toBe(nameSortKey(name));
        }
        expect(tags).toMatchObject([{ name: NFC }]);
        const file = await db.selectFrom('file').selectAll().executeTakeFirstOrThrow();
        expect(file).toMatchObject({ filename: `${NFC}.png`, key: NFC, resource: NFC });
      },
    ));

  it('reports folders and tags that have the same name now', () =>
    withOldRows(
      async (db) => {
        await insertNode(db, { id: 10, name: NFD });
        await insertNode(db, { id: 11, name: NFC });
        await insertNode(db, { id: 12, name: `${NFC}\u200b` });
        await insertNode(db, { id: 13, name: NFD, parent: 10 });
        await insertNode(db, { id: 14, name: NFD, parent: 10, type: 'image' });
        await insertTag(db, 1, NFC);
        await insertTag(db, 2, NFD);
      },
      async (_, reports) => {
        expect(reports).toEqual([
          'The folders 10 and 11 now have the same name: "Señor".',
          'The folders 10 and 12 now have the same name: "Señor".',
          'The folders 11 and 12 now have the same name: "Señor".',
          'The tags 1 and 2 now have the same name: "Señor".',
        ]);
      },
    ));

  it('keeps the spelling of keys that are taken, and reports them', () =>
    withOldRows(
      async (db) => {
        await insertNode(db, { id: 10, type: 'image', name: 'a', parent: null, resource: NFC });
        await insertNode(db, { id: 11, type: 'image', name: 'a', parent: null, resource: NFD });
        await insertFile(db, 1, 10, NFD);
        await insertFile(db, 2, 10, NFC);
      },
      async (db, reports) => {
        expect(reports).toEqual([
          'The resource of media item 11 keeps its spelling: media item 10 has "Señor".',
          'The key of file 1 keeps its spelling: file 2 has "Señor".',
        ]);
        const { resource } = await db
          .selectFrom('media')
          .select('resource')
          .where('id', '=', 11)
          .executeTakeFirstOrThrow();
        expect(resource).toBe(NFD);
      },
    ));
});
