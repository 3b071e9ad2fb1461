import { copyFileSync } from 'node:fs';
import { sql } from 'kysely';
import { type Db, openDb } from '../src/store/db.ts';
import { administer, databaseName, sqliteUrl } from './million.ts';
import type { Places } from './million-lists.ts';
import { BIG_FOLDER_ID, BIG_TAG_ID, migrateAll, seedMillion } from './million-seed.ts';
import { readPlaces } from './million-server.ts';
import type { Scratch } from './scratch.ts';

const POSTGRES_NAME = 'trivium_bench_neighbours';
/** The folder that is deleted holds at most so many media, and the tag so many. */
const IN_FOLDER = 50_000;
const OF_TAG = 100_000;

export interface NeighbourDatabase {
  url: string;
  places: Places;
  drop: () => Promise<void>;
}

/** Returns a new database with media, of which one folder holds up to 50,000 directly and one tag is on up to 100,000. */
export async function createDatabase(
  scratch: Scratch,
  { size, server, dir }: { size: number; server: string | null; dir: string },
): Promise<NeighbourDatabase> {
  const url =
    server === null
      ? await copySqlite(scratch.path('neighbours.db'), size, dir)
      : await createPostgres(server, size);
  const db = openDb({ url, statementTimeoutMs: 600_000 });
  try {
    await arrange(db, size, server === null);
    return { url, places: await readPlaces(db), drop: () => dropPostgres(server) };
  } finally {
    await db.destroy();
  }
}

async function copySqlite(path: string, size: number, dir: string): Promise<string> {
  const seeded = await sqliteUrl(dir, size);
  if (seeded.isNew) await seedMillion(seeded.url, size);
  seeded.publish();
  const { url } = await sqliteUrl(dir, size);
  const db = openDb({ url });
  await sql`pragma wal_checkpoint(truncate)`.execute(db);
  await db.destroy();
  copyFileSync(url.slice('sqlite:'.length), path);
  await migrateAll(`sqlite:${path}`);
  return `sqlite:${path}`;
}

async function createPostgres(server: string, size: number): Promise<string> {
  await dropPostgres(server);
  const isSeeded = await administer(server, async (client) => {
    const seeded = databaseName(size);
    const found = await client.query('select 1 from pg_database where datname = $1', [seeded]);
    const template = found.rowCount === 0 ? '' : ` template ${seeded}`;
    await client.query(`create database ${POSTGRES_NAME}${template}`);
    return template !== '';
  });
  const url = new URL(server);
  url.pathname = POSTGRES_NAME;
  await (isSeeded ? migrateAll(url.href) : seedMillion(url.href, size));
  return url.href;
}

async function dropPostgres(server: string | null): Promise<void> {
  if (server === null) return;
  await administer(server, (client) =>
    client.query(`drop database if exists ${POSTGRES_NAME} with (force)`),
  );
}

async function arrange(db: Db, size: number, isSqlite: boolean): Promise<void> {
  const media = sql`select id from media where type <> 'folder' order by id`;
  await sql`update media set parent_id = ${BIG_FOLDER_ID}, level = 2, path = ${`/1/${BIG_FOLDER_ID}/`}
    where id in (${media} limit ${Math.min(IN_FOLDER, size / 2)})`.execute(db);
  await sql`delete from media_tag where tag_id = ${BIG_TAG_ID} and media_id > ${OF_TAG * 2}`.execute(
    db,
  );
  await sql`insert into media_tag (media_id, tag_id) select id, ${BIG_TAG_ID} from (${media} limit ${OF_TAG}) media
    where true on conflict do nothing`.execute(db);
  await (isSqlite ? sql`analyze` : sql`vacuum analyze`).execute(db);
}
