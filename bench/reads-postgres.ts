import { sql } from 'kysely';
import { openDb } from '../src/store/db.ts';
import { administer } from './million.ts';
import { seedDatabase } from './seed.ts';

const NAME = 'trivium_bench_reads';

/** Creates the data of the reads in a database at `TEST_POSTGRES_URL`. Returns its URL; null if there is no server. */
export async function createPostgres(): Promise<string | null> {
  const server = process.env.TEST_POSTGRES_URL;
  if (!server) return null;
  await dropPostgres();
  await administer(server, (client) => client.query(`create database ${NAME}`));
  const url = new URL(server);
  url.pathname = NAME;
  await seedDatabase(url.href);
  const db = openDb({ url: url.href });
  await sql`vacuum analyze`.execute(db);
  await db.destroy();
  return url.href;
}

/** Deletes that database. */
export async function dropPostgres(): Promise<void> {
  const server = process.env.TEST_POSTGRES_URL;
  if (!server) return;
  await administer(server, (client) =>
    client.query(`drop database if exists ${NAME} with (force)`),
  );
}
