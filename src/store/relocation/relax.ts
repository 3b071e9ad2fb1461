import type { MoveConnection, MovedTable } from './connection.ts';
import { readMark, updateMark } from './mark.ts';

/**
 * The table whose triggers fill the search index, which a move does not copy. They concern no other table that it
 * copies.
 */
const INDEXED = 'media_words';

/**
 * Makes a target take rows in any order, as they are: without references, and without the triggers that derive other
 * rows from them, which are copied too. The mark keeps what `restoreTarget` creates again. May be repeated.
 */
export async function relaxTarget(
  connection: MoveConnection,
  tables: readonly MovedTable[],
): Promise<void> {
  await connection.transact('write', async () => {
    const mark = await readMark(connection);
    if (mark === undefined || mark.dropped !== null) return;
    const dropped =
      connection.dialect === 'postgres'
        ? await relaxPostgres(connection, tables)
        : await relaxSqlite(connection);
    await updateMark(connection, { dropped: JSON.stringify(dropped) });
  });
}

/** Gives the target its references and triggers back. The references are checked later, by `validateTarget`. */
export async function restoreTarget(
  connection: MoveConnection,
  tables: readonly MovedTable[],
): Promise<void> {
  await connection.transact('write', async () => {
    const mark = await readMark(connection);
    if (!mark?.dropped) return;
    if (connection.dialect === 'postgres') {
      // The rows of the sample are deleted by a reference.
      await connection.run(`delete from media_words_sample where media_id not in
        (select media_id from media_words where media_id % 64 = 0)`);
      await setTriggers(connection, tables, 'enable');
    }
    for (const statement of JSON.parse(mark.dropped)) await connection.run(statement);
    await updateMark(connection, { dropped: null });
  });
}

/** Returns the statements that create again what it has dropped. */
async function relaxSqlite(connection: MoveConnection): Promise<string[]> {
  const triggers = await connection.run<{ name: string; sql: string }>(
    `select name, sql from sqlite_master where type = 'trigger' and tbl_name <> ?`,
    [INDEXED],
  );
  for (const { name } of triggers) await connection.run(`drop trigger "${name}"`);
  return triggers.map(({ sql }) => sql);
}

async function relaxPostgres(
  connection: MoveConnection,
  tables: readonly MovedTable[],
): Promise<string[]> {
  const references = await connection.run<{ table: string; name: string; definition: string }>(
    `select conrelid::regclass::text as table, conname::text as name, pg_get_constraintdef(oid) as definition
      from pg_constraint where contype = 'f' and connamespace = current_schema()::regnamespace`,
  );
  for (const { table, name } of references) {
    await connection.run(`alter table ${table} drop constraint "${name}"`);
  }
  await setTriggers(connection, tables, 'disable');
  return references.map(
    ({ table, name, definition }) =>
      `alter table ${table} add constraint "${name}" ${definition} not valid`,
  );
}

async function setTriggers(
  connection: MoveConnection,
  tables: readonly MovedTable[],
  state: 'enable' | 'disable',
): Promise<void> {
  for (const { name } of tables) {
    if (name !== INDEXED) await connection.run(`alter table "${name}" ${state} trigger user`);
  }
}

/** Checks all references of a target that is full. Throws the database's error for a row that refers to nothing. */
export async function validateTarget(connection: MoveConnection): Promise<void> {
  if (connection.dialect === 'sqlite') {
    const wrong = await connection.run<{ table: string; rowid: number; parent: string }>(
      'pragma foreign_key_check',
    );
    const [first] = wrong;
    if (first === undefined) return;
    throw new Error(
      `The row ${first.rowid} of ${first.table} refers to no row of ${first.parent}.`,
    );
  }
  const references = await connection.run<{ table: string; name: string }>(
    `select conrelid::regclass::text as table, conname::text as name from pg_constraint
      where contype = 'f' and not convalidated and connamespace = current_schema()::regnamespace`,
  );
  for (const { table, name } of references) {
    await connection.run(`alter table ${table} validate constraint "${name}"`);
  }
}
