import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { sql } from 'kysely';
import { expect, it } from 'vitest';
import { type Db, openDb } from '../../src/store/db.ts';
import { NewerDatabaseError } from '../../src/store/error.ts';
import { migrate } from '../../src/store/migrate.ts';
import { MIGRATIONS } from '../../src/store/migration.ts';
import { type Backend, describeEachBackend } from '../support/backend.ts';

describeEachBackend('migrate', (backend) => {
  it('an empty database gets all migrations, whose names are returned', () =>
    withEmptyDb(backend, async (db) => {
      expect(await migrate(db)).toEqual(Object.keys(MIGRATIONS));
      const tables = await db.introspection.getTables();
      const named = [
        'api_key',
        'file',
        'job',
        'job_attempt',
        'media',
        'media_tag',
        'rendition',
        'tag',
        'upload',
      ];
      expect(tables.map(({ name }) => name)).toEqual(expect.arrayContaining(named));
    }));

  it('a second run changes nothing', () =>
    withEmptyDb(backend, async (db) => {
      await migrate(db);
      expect(await migrate(db)).toEqual([]);
      const { rows } = await sql`select name from migration`.execute(db);
      expect(rows).toHaveLength(Object.keys(MIGRATIONS).length);
    }));

  it('a database of a newer version is refused with the names of its migrations, and not changed', () =>
    withEmptyDb(backend, async (db) => {
      await migrate(db);
      await sql`insert into migration (name, applied_at) values ('9999-next', 'then')`.execute(db);
      const refusal = migrate(db);
      await expect(refusal).rejects.toBeInstanceOf(NewerDatabaseError);
      await expect(refusal).rejects.toThrow('9999-next');
    }));

  it('a step that fails leaves the database as it was', () =>
    withEmptyDb(backend, async (db) => {
      // The last table of the first migration: all others exist when it fails.
      await sql`create table api_key (id integer)`.execute(db);
      await expect(migrate(db)).rejects.toThrow(/already exists/);
      const tables = await db.introspection.getTables();
      expect(tables.map(({ name }) => name)).toEqual(['api_key']);
    }));

  it('a process that dies in the middle leaves no trace', () =>
    backend.withUrl(async (url) => {
      const killed = spawn(process.execPath, [...SCRIPT, url, 'create table "job"']);
      expect(await once(killed, 'exit')).toEqual([null, 'SIGKILL']);
      await withOpenDb(url, async (db) => {
        expect(await migrate(db)).toEqual(Object.keys(MIGRATIONS));
      });
    }, 'empty'));

  it('when several processes start at once, one migrates and the others wait', () =>
    backend.withUrl(async (url) => {
      const run = () => promisify(execFile)(process.execPath, [...SCRIPT, url]);
      const outputs = (await Promise.all([run(), run(), run()])).map(({ stdout }) => stdout);
      expect(outputs.sort()).toEqual([JSON.stringify(Object.keys(MIGRATIONS)), '[]', '[]']);
    }, 'empty'));

  it('the root exists, has no parent, and no other node gets its id', () =>
    withEmptyDb(backend, async (db) => {
      await migrate(db);
      const root = await db.selectFrom('media').selectAll().executeTakeFirstOrThrow();
      expect(root).toMatchObject({ id: 1, type: 'folder', parent_id: null, level: 0, path: '/' });
      const columns = { type: 'image', level: 0, path: '', name: '', created_at: 0, updated_at: 0 };
      const { id } = await db
        .insertInto('media')
        .values({ ...columns, uuid: 'a', sort_order: 0, owner: null, is_public: 0 })
        .returning('id')
        .executeTakeFirstOrThrow();
      expect(id).toBe(2);
    }));
});

/** Migrates the database at the URL, and kills itself when it sees the given statement. */
const SCRIPT = [
  '--input-type=module',
  '--eval',
  `import { openDb } from './src/store/db.ts';
   import { migrate } from './src/store/migrate.ts';
   const [url, last] = process.argv.slice(1);
   const onQuery = (sql) => { if (last && sql.startsWith(last)) process.kill(process.pid, 'SIGKILL'); };
   const db = openDb({ url, onQuery });
   process.stdout.write(JSON.stringify(await migrate(db)));
   await db.destroy();`,
];

function withEmptyDb(backend: Backend, work: (db: Db) => Promise<void>): Promise<void> {
  return backend.withUrl((url) => withOpenDb(url, work), 'empty');
}

function withOpenDb(url: string, work: (db: Db) => Promise<void>): Promise<void> {
  const db = openDb({ url });
  return work(db).finally(() => db.destroy());
}
