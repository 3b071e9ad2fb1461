import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { vi } from 'vitest';

/** What copies are made of. `url` is one to connect with, and not the template's own. */
export interface PostgresTemplate {
  url: string;
  name: string;
}

/** A copy of the template, and a connection that puts it back as it was. */
interface Copy {
  url: string;
  admin: pg.Pool;
  /** The hidden root of the tree, as JSON. */
  root: string;
}

/** Copies that no test is using. */
const spare: Copy[] = [];

/**
 * Runs work with a migrated database. It is emptied afterwards and used again: that takes 15 ms on a
 * slow disk, where a fresh copy takes 250. The run's end drops them all.
 */
export async function withMigrated<T>(
  template: PostgresTemplate,
  work: (url: string) => Promise<T>,
): Promise<T> {
  const copy = spare.pop() ?? (await makeCopy(template));
  const result = await work(copy.url);
  await reset(copy);
  spare.push(copy);
  return result;
}

/** Runs work with an empty database, and drops it. */
export async function withEmpty<T>(
  { url, name }: PostgresTemplate,
  work: (url: string) => Promise<T>,
): Promise<T> {
  const empty = copyName(name);
  await administer(url, `create database ${empty}`);
  try {
    return await work(withName(url, empty));
  } finally {
    // Without `force`: a connection that somebody has left open fails the test.
    await administer(url, `drop database ${empty}`);
  }
}

/** The same server, another database. */
export function withName(url: string, name: string): string {
  const target = new URL(url);
  target.pathname = name;
  return target.href;
}

async function makeCopy({ url, name }: PostgresTemplate): Promise<Copy> {
  const copy = copyName(name);
  await administer(url, `create database ${copy} template ${name}`);
  // Nothing here has to outlive a power cut.
  await administer(url, `alter database ${copy} set synchronous_commit = off`);
  const admin = new pg.Pool({
    connectionString: withName(url, copy),
    max: 1,
    idleTimeoutMillis: 0,
    allowExitOnIdle: true,
  });
  const { rows } = await admin.query<{ root: string }>(
    'select row_to_json(media)::text as root from media',
  );
  return { url: withName(url, copy), admin, root: rows[0]!.root };
}

/** Begins with the template's name, so that the end of the run knows it. */
function copyName(template: string): string {
  return `${template}_${randomBytes(4).toString('hex')}`;
}

async function reset({ admin, root }: Copy): Promise<void> {
  // What has been closed is gone a moment later; what has not fails the test.
  await vi.waitFor(async () => {
    const others = await admin.query(OTHERS);
    if (others.rowCount !== 0) throw new Error('A connection to the database was left open.');
  });
  const { rows } = await admin.query<{ tables: string }>(TABLES);
  await admin.query(`truncate ${rows[0]!.tables} restart identity`);
  await admin.query('insert into media select * from json_populate_record(null::media, $1)', [
    root,
  ]);
  await admin.query(`select setval(pg_get_serial_sequence('media', 'id'), max(id)) from media`);
}

const OTHERS = `select pid from pg_stat_activity
  where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'`;
const TABLES = `select string_agg(quote_ident(tablename), ', ') as tables from pg_tables
  where schemaname = 'public' and tablename <> 'migration'`;

async function administer(url: string, statement: string): Promise<void> {
  const admin = new pg.Client({ connectionString: url });
  await admin.connect();
  await admin.query(statement).finally(() => admin.end());
}
