import { sql } from 'kysely';
import { afterEach, describe, expect, it } from 'vitest';
import { type Db, openDb } from '../../../src/store/db.ts';
import { migrate } from '../../../src/store/migrate.ts';
import { MIGRATIONS } from '../../../src/store/migration.ts';
import { BACKENDS, describeEachBackend } from '../../support/backend.ts';

const POSTGRES = BACKENDS.find(({ name }) => name === 'postgres');
const NAMES = Object.keys(MIGRATIONS);
/** The last migration of the old server, which knows nothing of those that follow. */
const OLD = '0024-blob-hold';
const SLOW = { timeout: 60_000, interval: 20 };

let open: Db[] = [];
afterEach(async () => {
  await Promise.all(open.map((db) => db.destroy()));
  open = [];
});

function connect(url: string): Db {
  const db = openDb({ url });
  open.push(db);
  return db;
}

/** Runs `work` with an old database of a few thousand media, and closes its connections. */
function withOld(work: (url: string, db: Db) => Promise<void>, last = OLD): Promise<void> {
  return POSTGRES!.withUrl(async (url) => {
    const db = connect(url);
    await migrate(db, undefined, NAMES.slice(0, NAMES.indexOf(last) + 1));
    await sql`insert into media (uuid, type, parent_id, level, path, name, title, owner, is_public, created_at, updated_at)
      select 'uuid-' || n, case when n % 10 = 0 then 'folder' else 'image' end, 1, 1, '/1/', 'name ' || n, 'Title ' || n,
        'ann', 1, n, n from generate_series(1, 5000) n`.execute(db);
    await sql`insert into file (uuid, media_id, key, filename, mime_type, size_bytes, md5, dir, url_name, blob_key, created_at, updated_at)
      select 'file-' || id, id, '', 'a', 'image/png', id, 'x', 'd' || id, 'a', 'blob-' || id, 0, 0
      from media where type = 'image'`.execute(db);
    try {
      await work(url, db);
    } finally {
      await Promise.all(open.map((db) => db.destroy()));
      open = [];
    }
  }, 'empty');
}

describe.skipIf(POSTGRES === undefined)('a database of an old server on postgres', () => {
  it('is migrated while the old server reads and writes: nobody waits for a change that waits', () =>
    withOld(async (url, db) => {
      const old = connect(url);
      const reports: string[] = [];
      // A change of the table waits until this transaction ends.
      const reader = Promise.withResolvers<void>();
      const reading = old.transaction().execute(async (db) => {
        await sql`select count(*) from media`.execute(db);
        await reader.promise;
      });
      const migrating = migrate(db, (message) => reports.push(message));
      await expect.poll(() => isWaiting(old), SLOW).toBe(true);
      // Behind a change that waits for as long as it takes, these would wait for the reader, which waits for them.
      for (let count = 0; count < 5; count++) await useAsBefore(old, `first ${count}`);
      reader.resolve();
      await reading;
      await expect
        .poll(() => reports.some((text) => text.includes('media_size,')), SLOW)
        .toBe(true);
      // The build of an index waits for transactions that write. Others go on.
      const writer = Promise.withResolvers<void>();
      const writing = old.transaction().execute(async (db) => {
        await insertAsBefore(db, 'second');
        await writer.promise;
      });
      for (let count = 0; count < 5; count++) await useAsBefore(old, `third ${count}`);
      writer.resolve();
      await writing;
      expect(await migrating).toEqual(NAMES.slice(NAMES.indexOf(OLD) + 1));
      await useAsBefore(old, 'last');
      const { rows } =
        await sql`select 1 from media left join file on file.media_id = media.id and file.key = ''
        where media.size_bytes <> coalesce(file.size_bytes, -1)
          or (title_sort = '' and title is not null and title not like 'new %')`.execute(db);
      expect(rows).toEqual([]);
    }));

  it('ends with the tables and indexes of a new one', () =>
    withOld(async (_url, db) => {
      await migrate(db);
      const upgraded = await schemaOf(db);
      await POSTGRES!.withDb(async (db) => expect(upgraded).toEqual(await schemaOf(db)));
    }, '0011-path-move'));

  it('gets an index anew whose build was interrupted', () =>
    withOld(async (_url, db) => {
      await sql`create index media_alt_text on media (id) where id < 0`.execute(db);
      await sql`update pg_index set indisvalid = false where indexrelid = 'media_alt_text'::regclass`.execute(
        db,
      );
      await migrate(db);
      const { rows } =
        await sql`select indisvalid, pg_get_indexdef(indexrelid) like '%alt_text <>%' as is_new
        from pg_index where indexrelid = 'media_alt_text'::regclass`.execute(db);
      expect(rows).toEqual([{ indisvalid: true, is_new: true }]);
    }, '0027-list-keys'));

  it('is migrated once by two servers that start at the same time', () =>
    withOld(async (url, db) => {
      const applied = await Promise.all([migrate(db), migrate(connect(url))]);
      expect(applied.flat()).toEqual(NAMES.slice(NAMES.indexOf(OLD) + 1));
    }));
});

describeEachBackend('each migration', (backend) => {
  it('leaves the tables so that a server of the version before can still write to them', () =>
    backend.withUrl(async (url) => {
      const db = connect(url);
      const demanding: string[] = [];
      let before = await columnsOf(db);
      for (const [at, name] of NAMES.entries()) {
        await migrate(db, undefined, NAMES.slice(0, at + 1));
        const after = await columnsOf(db);
        for (const [table, columns] of before) {
          for (const [column, isDemanded] of after.get(table) ?? []) {
            if (isDemanded && !columns.has(column)) demanding.push(`${name}: ${table}.${column}`);
          }
          const lost = [...columns.keys()].filter((column) => !after.get(table)?.has(column));
          demanding.push(...lost.map((column) => `${name}: no ${table}.${column}`));
        }
        before = after;
      }
      // These are older than the rule.
      expect(demanding.filter((line) => line > OLD)).toEqual([]);
      await db.destroy();
    }, 'empty'));
});

/** Returns the columns of each table, and whether an insertion has to name them. */
async function columnsOf(db: Db): Promise<Map<string, Map<string, boolean>>> {
  const tables = await db.introspection.getTables();
  return new Map(
    tables.map(({ name, columns }) => [
      name,
      new Map(
        columns.map((column) => [
          column.name,
          !column.isNullable && !column.hasDefaultValue && !column.isAutoIncrementing,
        ]),
      ),
    ]),
  );
}

async function isWaiting(db: Db): Promise<boolean> {
  const { rows } = await sql`select 1 from pg_stat_activity where datname = current_database()
    and wait_event_type = 'Lock' and query ilike 'alter table%'`.execute(db);
  return rows.length > 0;
}

async function useAsBefore(db: Db, name: string): Promise<void> {
  await insertAsBefore(db, name);
  await sql`update media set title = 'new title' where name = ${name}`.execute(db);
  const { rows } = await sql`select title from media where name = ${name}`.execute(db);
  expect(rows).toEqual([{ title: 'new title' }]);
}

async function insertAsBefore(db: Db, name: string): Promise<void> {
  await sql`insert into media (uuid, type, parent_id, level, path, name, owner, is_public, created_at, updated_at)
    values (${`old ${name}`}, 'image', 1, 1, '/1/', ${name}, 'ann', 1, 1, 1)`.execute(db);
}

async function schemaOf(db: Db): Promise<string[]> {
  const { rows } = await sql<{ line: string }>`
    select indexdef || (case when indisvalid then '' else ' invalid' end) as line
      from pg_indexes join pg_index on indexrelid = indexname::regclass where schemaname = 'public'
    union all select table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable
      || coalesce(column_default, '') from information_schema.columns where table_schema = 'public'
    union all select tgrelid::regclass || ' ' || pg_get_triggerdef(oid) from pg_trigger where not tgisinternal`.execute(
    db,
  );
  return rows.map(({ line }) => line).toSorted();
}
