import { promises as fs } from 'node:fs';
import SqliteDatabase from 'better-sqlite3';
import { BLOB_COLUMNS, type BlobRow, blobRowText } from './blob-row.ts';

/** Pages that are copied before other work of this process gets a turn: 4 MiB. */
const STEP_PAGES = 1000;

/**
 * Copies a SQLite database as it is at one moment into a new file, while others read and write it. A transaction holds
 * the moment: without one, SQLite would begin again after each change by another process. Calls `onProgress` with the
 * fraction that is done.
 */
export async function copySqlite(
  path: string,
  target: string,
  onProgress: (fraction: number) => void,
): Promise<void> {
  const source = new SqliteDatabase(path, { readonly: true, timeout: 5000 });
  try {
    source.exec('begin');
    // The moment is that of the first read.
    source.prepare('select count(*) from sqlite_master').get();
    await source.backup(target, {
      progress({ totalPages, remainingPages }) {
        if (totalPages > 0) onProgress(1 - remainingPages / totalPages);
        return STEP_PAGES;
      },
    });
  } finally {
    source.close();
  }
  await closeSqlite(target);
}

/** Makes a database that nobody uses one durable file, without a log beside it. */
export async function closeSqlite(path: string): Promise<void> {
  const database = new SqliteDatabase(path);
  database.pragma('journal_mode = DELETE');
  database.close();
  await fs.chmod(path, 0o600);
  const file = await fs.open(path, 'r+');
  await file.sync().finally(() => file.close());
}

/** Returns the names of the migrations of a database file. */
export function sqliteMigrations(path: string): string[] {
  const database = new SqliteDatabase(path, { readonly: true });
  try {
    const names = database.prepare<[], string>('select name from migration order by name');
    return names.pluck().all();
  } finally {
    database.close();
  }
}

/** Yields the blobs of a database file in the order of their keys. */
export function* sqliteBlobs(path: string): Generator<BlobRow> {
  const database = new SqliteDatabase(path, { readonly: true });
  try {
    const tables = database.prepare<[], { name: string; columns: string }>(
      `select m.name, group_concat(c.name) as columns from sqlite_master m, pragma_table_info(m.name) c
       where m.type = 'table' group by m.name`,
    );
    const text = blobRowText(
      tables.all().map(({ name, columns }) => ({ name, columns: columns.split(',') })),
    );
    yield* database.prepare<[], BlobRow>(`select ${BLOB_COLUMNS} from (${text})`).iterate();
  } finally {
    database.close();
  }
}
