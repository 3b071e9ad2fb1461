import { setTimeout as sleep } from 'node:timers/promises';
import { MOVE_REFUSAL, MOVE_SQLSTATE } from '../error.ts';
import type { MoveConnection, MovedTable } from './connection.ts';
import { isCounts } from './moved-table.ts';

/** The prefix of the triggers and functions that exist only during a move. */
const PREFIX = 'library_move_';

const EVENTS = ['insert', 'update', 'delete'] as const;

/**
 * Adds triggers to tables: they note the keys of rows that change in `move_change`, and refuse each change while the
 * library is read-only. Runs in the transaction of the caller, which `lockTables` began.
 */
export async function createTriggers(
  connection: MoveConnection,
  tables: readonly MovedTable[],
): Promise<void> {
  const statements = connection.dialect === 'postgres' ? onPostgres(tables) : onSqlite(tables);
  for (const statement of statements) await connection.run(statement);
}

/** Removes the triggers of a move. Runs in a transaction. */
export async function dropTriggers(connection: MoveConnection): Promise<void> {
  if (connection.dialect === 'sqlite') {
    const rows = await connection.run<{ name: string }>(
      `select name from sqlite_master where type = 'trigger' and name like '${PREFIX}%'`,
    );
    for (const { name } of rows) await connection.run(`drop trigger "${name}"`);
    return;
  }
  const functions = await connection.run<{ name: string }>(
    `select proname as name from pg_proc
      where pronamespace = current_schema()::regnamespace and proname like '${PREFIX}%'`,
  );
  for (const { name } of functions) await connection.run(`drop function "${name}" cascade`);
}

/** Less than PostgreSQL's time to look for deadlocks, which might end a transaction of a server. */
const LOCK_TIMEOUT_MS = 500;

/** Maximum wait for all tables. */
const LOCK_PATIENCE_MS = 60_000;

const LOCK_NOT_AVAILABLE = '55P03';

/**
 * Runs `work` in a transaction that begins when no other one is writing to the tables, and blocks others until it ends.
 * It gives up each time that it has waited for half a second, so that no reader or writer waits long behind it. Throws
 * the error of the last try after a minute.
 */
export async function withTablesLocked<T>(
  connection: MoveConnection,
  tables: readonly MovedTable[],
  mode: 'share row exclusive' | 'access exclusive',
  work: () => Promise<T>,
): Promise<T> {
  if (connection.dialect === 'sqlite') return connection.transact('write', work);
  const names = tables.map(({ name }) => `"${name}"`);
  const givesUpAt = performance.now() + LOCK_PATIENCE_MS;
  for (;;) {
    try {
      return await connection.transact('write', async () => {
        await connection.run(`set local lock_timeout = ${LOCK_TIMEOUT_MS}`);
        await connection.run(`lock table ${names} in ${mode} mode`);
        return work();
      });
    } catch (error) {
      const isLate = error instanceof Error && 'code' in error && error.code === LOCK_NOT_AVAILABLE;
      if (!isLate || performance.now() > givesUpAt) throw error;
      await sleep(Math.random() * LOCK_TIMEOUT_MS);
    }
  }
}

const isReadOnly = (now: string) =>
  `state = 'moved' or (state = 'read_only' and read_only_until > ${now})`;

const SQLITE_NOW = `cast(unixepoch('subsec') * 1000 as integer)`;

function onSqlite(tables: readonly MovedTable[]): string[] {
  return tables.flatMap((table) => EVENTS.flatMap((event) => sqliteTriggers(table, event)));
}

function sqliteTriggers(table: MovedTable, event: (typeof EVENTS)[number]): string[] {
  const { name } = table;
  const key = (row: string) => `json_array(${table.key.map((one) => `${row}."${one.name}"`)})`;
  const note = (row: string) =>
    `insert into move_change (name, key) values ('${name}', ${key(row)});`;
  const isSameKey = table.key.map((one) => `new."${one.name}" is old."${one.name}"`).join(' and ');
  const notes = {
    insert: note('new'),
    delete: note('old'),
    update: `${note('old')} insert into move_change (name, key)
      select '${name}', ${key('new')} where not (${isSameKey});`,
  };
  const [guard, noting] = [`${PREFIX}guard_${event}_${name}`, `${PREFIX}note_${event}_${name}`];
  return [
    `create trigger "${guard}" before ${event} on "${name}"
      when exists (select 1 from library_move where ${isReadOnly(SQLITE_NOW)})
      begin
        select raise(abort, '${MOVE_REFUSAL.moved}') from library_move where state = 'moved';
        select raise(abort, '${MOVE_REFUSAL.moving}');
      end`,
    // Sums are read anew in each round.
    ...(isCounts(table)
      ? []
      : [`create trigger "${noting}" after ${event} on "${name}" begin ${notes[event]} end`]),
  ];
}

function onPostgres(tables: readonly MovedTable[]): string[] {
  const guard = `${PREFIX}guard`;
  return [
    `create function "${guard}"() returns trigger language plpgsql as $$
      declare found_state text;
      begin
        select state into found_state from library_move
          where ${isReadOnly('extract(epoch from clock_timestamp()) * 1000')};
        if found_state is not null then
          raise exception using errcode = '${MOVE_SQLSTATE}', message =
            case found_state when 'moved' then '${MOVE_REFUSAL.moved}' else '${MOVE_REFUSAL.moving}' end;
        end if;
        return case tg_op when 'DELETE' then old else new end;
      end $$`,
    ...tables.flatMap((table) => [
      `create trigger "${guard}" before insert or update or delete on "${table.name}"
        for each row execute function "${guard}"()`,
      ...(isCounts(table) ? [] : postgresNotes(table)),
    ]),
  ];
}

function postgresNotes({ name, key }: MovedTable): string[] {
  const call = `${PREFIX}note_${name}`;
  const note = (row: string) => `insert into move_change (name, key)
    values ('${name}', json_build_array(${key.map((one) => `${row}."${one.name}"`)})::text);`;
  const fields = (row: string) => `(${key.map((one) => `${row}."${one.name}"`)})`;
  return [
    `create function "${call}"() returns trigger language plpgsql as $$
      begin
        if tg_op <> 'INSERT' then ${note('old')} end if;
        if tg_op = 'INSERT' then ${note('new')}
        elsif tg_op = 'UPDATE' and ${fields('new')} <> ${fields('old')} then ${note('new')}
        end if;
        return null;
      end $$`,
    `create trigger "${call}" after insert or update or delete on "${name}"
      for each row execute function "${call}"()`,
  ];
}

/** Tells whether the triggers of a move exist. */
export async function hasTriggers(connection: MoveConnection): Promise<boolean> {
  const text = {
    sqlite: `select 1 as found from sqlite_master where type = 'trigger' and name like '${PREFIX}%' limit 1`,
    postgres: `select 1 as found from pg_trigger join pg_class on pg_class.oid = tgrelid
      where relnamespace = current_schema()::regnamespace and tgname like '${PREFIX}%' limit 1`,
  };
  return (await connection.run(text[connection.dialect])).length > 0;
}
