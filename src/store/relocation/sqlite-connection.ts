import SqliteDatabase from 'better-sqlite3';
import type { MoveConnection, MovedColumn, MovedTable, Value } from './connection.ts';

/** Maximum wait for a transaction of a server. It blocks this process only. */
const BUSY_MS = 10_000;

/** Opens a connection to a SQLite file. It blocks the thread, and reads and writes faster than any other way. */
export async function openSqliteConnection(path: string): Promise<MoveConnection> {
  const database = new SqliteDatabase(path, { fileMustExist: true, timeout: BUSY_MS });
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = FULL');
  // A move writes the tables in any order, and checks the references at its end.
  database.pragma('foreign_keys = OFF');
  return {
    dialect: 'sqlite',
    async run<Row>(text: string, parameters: readonly Value[] = []) {
      const statement = database.prepare<unknown[], Row>(text);
      if (statement.reader) return statement.all(...parameters);
      statement.run(...parameters);
      return [];
    },
    async *stream<Row>(text: string, parameters: readonly Value[] = []) {
      yield* database.prepare<unknown[], Row>(text).iterate(...parameters);
    },
    async transact(mode, work) {
      database.exec(mode === 'write' ? 'begin immediate' : 'begin');
      try {
        // The moment is that of the first read.
        if (mode === 'snapshot') database.prepare('select count(*) from sqlite_master').get();
        const result = await work();
        database.exec('commit');
        return result;
      } catch (error) {
        if (database.inTransaction) database.exec('rollback');
        throw error;
      }
    },
    insertRows: async (table, rows) => insertRows(database, table, rows),
    deleteRows: async (table, keys) => deleteRows(database, table, keys),
    close: async () => void database.close(),
  };
}

function insertRows(
  database: SqliteDatabase.Database,
  { name, columns }: MovedTable,
  rows: readonly (readonly Value[])[],
): void {
  const names = columns.map((column) => `"${column.name}"`);
  const insertion = database.prepare(
    `insert into "${name}" (${names}) values (${names.map(() => '?')})`,
  );
  for (const row of rows) insertion.run(...toBound(columns, row));
}

function deleteRows(
  database: SqliteDatabase.Database,
  { name, key }: MovedTable,
  keys: readonly (readonly Value[])[],
): void {
  const conditions = key.map((column) => `"${column.name}" = ?`);
  const deletion = database.prepare(`delete from "${name}" where ${conditions.join(' and ')}`);
  for (const values of keys) deletion.run(...toBound(key, values));
}

function toBound(columns: readonly MovedColumn[], values: readonly Value[]): unknown[] {
  return values.map((value, index) =>
    columns[index]?.type === 'binary' && value !== null ? Buffer.from(`${value}`, 'hex') : value,
  );
}
