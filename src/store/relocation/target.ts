import { promises as fs } from 'node:fs';
import { sql } from 'kysely';
import { isPostgresEmpty } from '../backup/postgres-load.ts';
import { type Db, openDb } from '../db.ts';
import { dialectOf } from '../dialect.ts';
import { migrate } from '../migrate.ts';
import type { LibraryMoveRow } from '../table.ts';
import { inTransaction } from '../transaction.ts';
import { findMove, type NewMark } from './mark.ts';

const SQLITE_PREFIX = 'sqlite:';

/** What a database is to a move that wants to fill it. */
export type TargetMark = Pick<LibraryMoveRow, 'move_id' | 'state'>;

/**
 * Prepares the database that a move fills: creates the tables in an empty one, with the mark. Returns the mark that it
 * has now. Returns null, and changes nothing, if it has tables and no mark: somebody else has filled it.
 */
export async function prepareTarget(url: string, mark: NewMark): Promise<TargetMark | null> {
  if (url.startsWith(SQLITE_PREFIX)) await createFile(url.slice(SQLITE_PREFIX.length));
  const db = openDb({ url });
  try {
    if (!(await isEmpty(db))) return (await hasMarks(db)) ? ((await findMove(db)) ?? null) : null;
    return await inTransaction(db, async (db) => {
      await migrate(db);
      const state = 'filling';
      const values = { ...mark, id: 1, state, created_at: Date.now(), blobs_up_to: '' } as const;
      await db.insertInto('library_move').values(values).execute();
      return { move_id: mark.move_id, state };
    });
  } finally {
    await db.destroy();
  }
}

/** Returns the mark of a database that a move may have filled; null: it has none. */
export async function findTarget(url: string): Promise<TargetMark | null> {
  const db = openDb({ url });
  try {
    return (await hasMarks(db)) ? ((await findMove(db)) ?? null) : null;
  } finally {
    await db.destroy();
  }
}

/** Creates the file of a SQLite database. Only the owner may read it. */
async function createFile(path: string): Promise<void> {
  const file = await fs.open(path, 'a', 0o600);
  await file.close();
}

async function isEmpty(db: Db): Promise<boolean> {
  if (dialectOf(db) === 'postgres') return isPostgresEmpty(db);
  const { rows } = await sql`select 1 from sqlite_master limit 1`.execute(db);
  return rows.length === 0;
}

async function hasMarks(db: Db): Promise<boolean> {
  const tables = await db.introspection.getTables();
  return tables.some(({ name }) => name === 'library_move');
}
