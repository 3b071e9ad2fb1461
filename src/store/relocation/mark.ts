import type { Db } from '../db.ts';
import type { LibraryMoveRow } from '../table.ts';
import type { MoveConnection } from './connection.ts';

/** Returns the mark of a move that reads or fills this database; undefined: none. */
export function findMove(db: Db): Promise<LibraryMoveRow | undefined> {
  return db.selectFrom('library_move').selectAll().executeTakeFirst();
}

/** The values of a new mark. */
export type NewMark = Pick<
  LibraryMoveRow,
  'move_id' | 'from_database' | 'to_database' | 'from_storage' | 'to_storage'
>;

/** Returns the mark of a database. Throws an Error if it has no table for marks. */
export async function readMark(connection: MoveConnection): Promise<LibraryMoveRow | undefined> {
  const [row] = await connection.run<LibraryMoveRow>('select * from library_move');
  return row;
}

/** Writes a new mark. */
export async function insertMark(
  connection: MoveConnection,
  mark: NewMark,
  state: LibraryMoveRow['state'],
): Promise<void> {
  const { move_id, from_database, to_database, from_storage, to_storage } = mark;
  await connection.run(
    `insert into library_move
      (id, move_id, state, from_database, to_database, from_storage, to_storage, created_at)
      values (1, ?, ?, ?, ?, ?, ?, ${nowOf(connection)})`,
    [move_id, state, from_database, to_database, from_storage, to_storage],
  );
}

/** Sets columns of the mark. */
export async function updateMark(
  connection: MoveConnection,
  columns: Partial<Pick<LibraryMoveRow, 'state' | 'blobs_up_to' | 'dropped'>>,
): Promise<void> {
  const names = Object.keys(columns).map((name) => `${name} = ?`);
  await connection.run(`update library_move set ${names}`, Object.values(columns));
}

/** Deletes the mark and the noted changes. */
export async function deleteMark(connection: MoveConnection): Promise<void> {
  await connection.run('delete from library_move');
  await connection.run('delete from move_change');
}

/** Makes the source read-only for some time, by the clock of the database. */
export async function beginReadOnly(connection: MoveConnection, leaseMs: number): Promise<void> {
  await connection.run(
    `update library_move set state = 'read_only', read_only_until = ${nowOf(connection)} + ?
      where state in ('copying', 'read_only')`,
    [leaseMs],
  );
}

/** Makes the source writable again, unless it has been moved. */
export async function endReadOnly(connection: MoveConnection): Promise<void> {
  await connection.run(
    `update library_move set state = 'copying', read_only_until = null where state = 'read_only'`,
  );
}

/** Extends the time in which the source is read-only. Returns false, and changes nothing, if it is over. */
export async function extendReadOnly(
  connection: MoveConnection,
  leaseMs: number,
): Promise<boolean> {
  const rows = await connection.run(
    `update library_move set read_only_until = ${nowOf(connection)} + ?
      where state = 'read_only' and read_only_until > ${nowOf(connection)} returning id`,
    [leaseMs],
  );
  return rows.length > 0;
}

/**
 * Marks the source as moved, which makes it read-only for good. Returns false, and changes nothing, if it may have been
 * writable since `beginReadOnly`.
 */
export async function finishSource(connection: MoveConnection): Promise<boolean> {
  const rows = await connection.run(
    `update library_move set state = 'moved', read_only_until = null
      where state = 'read_only' and read_only_until > ${nowOf(connection)} returning id`,
  );
  return rows.length > 0;
}

/** Gives the changes that are noted so far to a round. Returns their number. */
export async function takeChanges(connection: MoveConnection, round: number): Promise<number> {
  await connection.run('update move_change set round = ? where round is null', [round]);
  const [row] = await connection.run<{ count: number }>(
    'select count(*) as count from move_change where round <= ?',
    [round],
  );
  return row?.count ?? 0;
}

/** Forgets the changes of a round that the target has. */
export async function deleteChanges(connection: MoveConnection, round: number): Promise<void> {
  await connection.run('delete from move_change where round <= ?', [round]);
}

/** Returns the number of a round that is later than all others. */
export async function nextRound(connection: MoveConnection): Promise<number> {
  const [row] = await connection.run<{ round: number | null }>(
    'select max(round) as round from move_change',
  );
  return (row?.round ?? 0) + 1;
}

function nowOf({ dialect }: MoveConnection): string {
  return dialect === 'postgres'
    ? '(extract(epoch from clock_timestamp()) * 1000)::bigint'
    : `cast(unixepoch('subsec') * 1000 as integer)`;
}
