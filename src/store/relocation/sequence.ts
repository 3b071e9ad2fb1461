import type { MoveConnection } from './connection.ts';

const LAST_VALUES = {
  sqlite: 'select name, seq as value from sqlite_sequence',
  postgres: `select c.relname::text as name,
      pg_sequence_last_value(pg_get_serial_sequence(c.oid::regclass::text, 'id')::regclass) as value
    from pg_class c join pg_attribute a on a.attrelid = c.oid
    where c.relkind = 'r' and c.relnamespace = current_schema()::regnamespace
      and a.attname = 'id' and a.attidentity <> ''`,
};

/** Tables whose ids are new in the target. */
const NUMBERED_ANEW = ['usage', 'move_change'];

/** Makes the target assign ids after those that the source has assigned, also to rows that are deleted by now. */
export async function copySequences(source: MoveConnection, target: MoveConnection): Promise<void> {
  const rows = await source.run<{ name: string; value: number | null }>(
    LAST_VALUES[source.dialect],
  );
  for (const { name, value } of rows) {
    if (value === null || value === 0 || NUMBERED_ANEW.includes(name)) continue;
    if (target.dialect === 'postgres') {
      await target.run(`select setval(pg_get_serial_sequence('${name}', 'id'), ?)`, [value]);
    } else {
      await target.run('delete from sqlite_sequence where name = ?', [name]);
      await target.run('insert into sqlite_sequence (name, seq) values (?, ?)', [name, value]);
    }
  }
}
