import { join } from 'node:path';
import { seedMillion } from '../../bench/million-seed.ts';
import { createFileBlobStore } from '../../src/blob/file-blob-store.ts';
import { newBlobKey } from '../../src/domain/file/blob-key.ts';
import { openDb } from '../../src/store/db.ts';
import type { MovedTable } from '../../src/store/relocation/connection.ts';
import { listMovedTables } from '../../src/store/relocation/moved-table.ts';
import { openMoveConnection } from '../../src/store/relocation/open-connection.ts';
import { readRows } from '../../src/store/relocation/row.ts';
import { BACKENDS, type Backend } from './backend.ts';
import { md5Of } from './bytes.ts';
import { runInProcess } from './command.ts';
import { type GraphqlAnswer, graphql } from './graphql.ts';
import { withDataDir } from './process.ts';

/** The key of the administrator of the libraries below. */
export const ADMIN_KEY = 'tvm_the-admin-key-of-the-tests';

/** Where a library is, as environment variables of a server. */
export interface Place extends Record<string, string> {
  TRIVIUM_DATABASE_URL: string;
  TRIVIUM_DATA_DIR: string;
  TRIVIUM_STORAGE_URL: string;
  TRIVIUM_ADMIN_KEY: string;
}

/** Runs `work` with an empty database and directory, then deletes both. */
export function withPlace<T>(backend: Backend, work: (place: Place) => Promise<T>): Promise<T> {
  return backend.withUrl(
    (TRIVIUM_DATABASE_URL) =>
      withDataDir((TRIVIUM_DATA_DIR) =>
        work({
          TRIVIUM_DATABASE_URL,
          TRIVIUM_DATA_DIR,
          TRIVIUM_STORAGE_URL: `file:${join(TRIVIUM_DATA_DIR, 'blobs')}`,
          TRIVIUM_ADMIN_KEY: ADMIN_KEY,
        }),
      ),
    'empty',
  );
}

/** Returns the other database system, if it is there. */
export function otherThan({ name }: Backend): Backend {
  return BACKENDS.find((other) => other.name !== name) ?? BACKENDS[0]!;
}

/** Returns the arguments of `trivium move` from one place to another. */
export function moveArgs(from: Place, to: Place): string[] {
  return [
    'move',
    ...['--from', from.TRIVIUM_DATABASE_URL, '--from-storage', from.TRIVIUM_STORAGE_URL],
    ...['--to', to.TRIVIUM_DATABASE_URL, '--to-storage', to.TRIVIUM_STORAGE_URL],
  ];
}

/** Checks a library, with the digests of all bytes. Returns the differences. */
export async function fsck(place: Place): Promise<string> {
  const { code, output, errors } = await runInProcess(['fsck', '--rehash'], place);
  return code === 0 ? '' : `${output}${errors}`;
}

/** Fills an empty place with media, of which each file has bytes of its own. */
export async function seedLibrary(place: Place, count: number): Promise<void> {
  await seedMillion(place.TRIVIUM_DATABASE_URL, count);
  const directory = join(place.TRIVIUM_STORAGE_URL.slice('file:'.length), 'stored');
  const blobs = await createFileBlobStore({ directory });
  const db = openDb({ url: place.TRIVIUM_DATABASE_URL });
  try {
    const rows = await db.selectFrom('file').select('id').execute();
    await db.transaction().execute(async (db) => {
      for (const { id } of rows) {
        const blob_key = newBlobKey();
        const bytes = Buffer.from(`the bytes of file ${id}`);
        const columns = { blob_key, size_bytes: bytes.length, md5: md5Of(bytes) };
        await db.updateTable('file').set(columns).where('id', '=', id).execute();
        await blobs.put(blob_key, bytes.length, [bytes]);
      }
    });
  } finally {
    await db.destroy();
  }
}

/** Returns all rows of a database that a move copies, by table, in the order of their keys. */
export async function dumpDatabase({ TRIVIUM_DATABASE_URL }: Place): Promise<Dump> {
  const connection = await openMoveConnection(TRIVIUM_DATABASE_URL);
  const rowsOf = async (table: MovedTable) => {
    const rows: unknown[] = [];
    for await (const batch of readRows(connection, table)) rows.push(...batch);
    return rows;
  };
  try {
    const tables = await listMovedTables(connection);
    const dump: Dump = {};
    await connection.transact('snapshot', async () => {
      for (const table of tables) dump[table.name] = await rowsOf(table);
    });
    return dump;
  } finally {
    await connection.close();
  }
}

type Dump = Record<string, unknown[]>;

/** Sends an operation as the administrator. `files`: by the names of their fields of the input. */
export function asAdmin(
  server: { url: string },
  document: string,
  input: object = {},
  files: Readonly<Record<string, File>> = {},
): Promise<GraphqlAnswer> {
  const entries = Object.entries(files).map(([name, file]) => [`input.${name}`, file] as const);
  const authorization = `Bearer ${ADMIN_KEY}`;
  return graphql(
    server,
    document,
    { input },
    {
      authorization,
      ...(entries.length > 0 && { files: Object.fromEntries(entries) }),
    },
  );
}
