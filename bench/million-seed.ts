import { createHash } from 'node:crypto';
import SqliteDatabase from 'better-sqlite3';
import { sql } from 'kysely';
import pg from 'pg';
import { openDb } from '../src/store/db.ts';
import { migrate } from '../src/store/migrate.ts';
import { MIGRATIONS } from '../src/store/migration.ts';
import { print } from './report.ts';

/** The folder that holds a tenth of all media directly. */
export const BIG_FOLDER_ID = 2;
/** The tag on half of all media. */
export const BIG_TAG_ID = 1;
export const TAG_COUNT = 200;
const TOP_FOLDER_COUNT = 20;

/**
 * Fills an empty database with media: a folder of a tenth of them, a tag on half of them, and files, tags and jobs with
 * frequencies as people produce them. The rows are inserted into the first version of the schema, and all other
 * migrations run on them: triggers would take ten times as long, and so a migration shows how long it takes on a large
 * database.
 */
export async function seedMillion(url: string, mediaCount: number): Promise<void> {
  await createFirstSchema(url);
  const statements = insertsOf(mediaCount);
  if (url.startsWith('sqlite:')) fillSqlite(url.slice('sqlite:'.length), statements);
  else await fillPostgres(url, statements);
  await migrateAll(url);
}

/** Runs the migrations that a seeded database lacks, and prints how long they take. */
export async function migrateAll(url: string): Promise<void> {
  const db = openDb({ url });
  const startedAt = performance.now();
  try {
    const names = await migrate(db);
    if (names.length === 0) return;
    const seconds = (performance.now() - startedAt) / 1000;
    print(`  migrations ${names[0]} to ${names.at(-1)}: ${seconds.toFixed(1)} s`);
  } finally {
    await db.destroy();
  }
}

const FIRST = '0001-init';

async function createFirstSchema(url: string): Promise<void> {
  const db = openDb({ url });
  try {
    await MIGRATIONS[FIRST]?.up(db, print);
    await sql`create table migration (name text primary key, applied_at text not null)`.execute(db);
    await sql`insert into migration values (${FIRST}, '2026-01-01T00:00:00.000Z')`.execute(db);
  } finally {
    await db.destroy();
  }
}

function fillSqlite(path: string, statements: readonly string[]): void {
  const database = new SqliteDatabase(path);
  database.pragma('synchronous = OFF');
  database.pragma('cache_size = -500000');
  database.function('md5', { deterministic: true }, (text) =>
    createHash('md5').update(String(text)).digest('hex'),
  );
  const numbers = `with recursive number(n) as (select 0 union all select n + 1 from number where n < (select max from size))
    select n from number`;
  database.exec('begin');
  for (const statement of statements) database.exec(statement.replaceAll('{numbers}', numbers));
  database.exec('commit');
  database.close();
}

async function fillPostgres(url: string, statements: readonly string[]): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const numbers = 'select n from generate_series(0, (select max::bigint from size)) number(n)';
  try {
    await client.query('begin; set local synchronous_commit = off');
    for (const statement of statements) {
      await client.query(statement.replaceAll('{numbers}', numbers));
    }
    for (const table of ['media', 'file', 'tag', 'job']) {
      await client.query(
        `select setval(pg_get_serial_sequence('${table}', 'id'), (select max(id) from ${table}))`,
      );
    }
    await client.query('commit');
  } finally {
    await client.end();
  }
}

/** Returns statements in the SQL that both databases understand. `{numbers}` selects 0 to `size.max`. */
function insertsOf(mediaCount: number): string[] {
  const folderCount = Math.max(TOP_FOLDER_COUNT * 2, mediaCount / 500);
  return [
    `create temporary table size as select ${mediaCount - 1} as max`,
    `create temporary table item (n bigint primary key, h bigint, g bigint, id bigint, parent_id bigint)`,
    // Two numbers that look random, below 1,000,003 and 999,983.
    `insert into item select n, n * 7368787 % 1000003, n * 5915587 % 999983, n + ${folderCount + 2}, null from ({numbers}) number`,
    `update item set parent_id = case when g % 10 = 0 then ${BIG_FOLDER_ID} when g % 10 < 4 then null
      else 2 + ${TOP_FOLDER_COUNT} + h % ${folderCount - TOP_FOLDER_COUNT} end`,
    ...foldersOf(folderCount),
    MEDIAS(mediaCount),
    ORIGINALS,
    VARIANTS,
    ...tagsOf(),
    'update size set max = max / 3',
    JOBS,
    'drop table item',
    'drop table size',
  ];
}

const STARTED_AT = Date.UTC(2025, 0, 1);

function foldersOf(count: number): string[] {
  const columns = `insert into media
    (id, uuid, type, parent_id, level, path, sort_order, name, is_public, owner, created_at, updated_at)`;
  const rest = `'folder ' || n, n % 2, 'user-' || (n % 100), ${STARTED_AT} + n, ${STARTED_AT} + n
    from (select n from item where n < ${count}) folder`;
  return [
    `${columns} select n + 2, ${uuid('folder')}, 'folder', 1, 1, '/1/', n, ${rest} where n < ${TOP_FOLDER_COUNT}`,
    `${columns} select n + 2, ${uuid('folder')}, 'folder', n % ${TOP_FOLDER_COUNT} + 2, 2,
      '/1/' || (n % ${TOP_FOLDER_COUNT} + 2) || '/', n, ${rest} where n >= ${TOP_FOLDER_COUNT}`,
  ];
}

/** Times are distinct and not in the order of the ids. */
const createdAt = (count: number) => `${STARTED_AT} + n * 7919 % ${count} * 30000`;

const MEDIAS = (count: number) => `insert into media
  (id, uuid, type, parent_id, level, path, sort_order, name, title, description, resource, owner, is_public, created_at, updated_at)
  select item.id, ${uuid('media')},
    case when h % 100 < 70 then 'image' when h % 100 < 85 then 'doc' when h % 100 < 92 then 'video' when h % 100 < 95 then 'file' else 'url' end,
    item.parent_id, case when item.parent_id is null then 0 else folder.level + 1 end,
    case when item.parent_id is null then '' else folder.path || folder.id || '/' end,
    g, ${word('h')} || ' ' || ${word('g')} || ' ' || n,
    case when h % 4 = 0 then ${words(3)} end, case when h % 2 = 0 then ${words(8)} end,
    case when g % 10 < 3 then 'resource-' || n end, 'user-' || (h % 100), g % 2,
    ${createdAt(count)}, ${createdAt(count)} + h * 1000
  from item left join media folder on folder.id = item.parent_id`;

const FILE_COLUMNS = `insert into file
  (uuid, media_id, key, filename, extension, mime_type, size_bytes, md5, dir, url_name, blob_key, created_by, created_role, project_id, created_at, updated_at)`;

const ORIGINALS = `${FILE_COLUMNS}
  select ${uuid('file')}, item.id, '', media.name || '.' || extension, extension, mime_type, g * 5 + h % 5, md5('bytes' || n),
    substr(md5('dir' || n), 1, 12), 'n' || n, 'b' || n, media.owner, case when h % 100 < 90 then 'editor' else 'admin' end,
    case when g % 5 = 0 then 'project-' || (h % 50) end, media.created_at, media.updated_at
  from (select item.*,
    case when n % 99991 = 17 then 'bmp' when h % 100 < 50 then 'jpg' when h % 100 < 68 then 'png' when h % 100 < 70 then 'webp'
      when h % 100 < 84 then 'pdf' when h % 100 < 85 then 'txt' when h % 100 < 92 then 'mp4' else 'zip' end as extension,
    case when n % 99991 = 17 then 'image/bmp' when h % 100 < 50 then 'image/jpeg' when h % 100 < 68 then 'image/png' when h % 100 < 70 then 'image/webp'
      when h % 100 < 84 then 'application/pdf' when h % 100 < 85 then 'text/plain' when h % 100 < 92 then 'video/mp4' else 'application/zip' end as mime_type
    from item where h % 100 < 95) item
  join media on media.id = item.id`;

/** A thumbnail of a tenth of the images. */
const VARIANTS = `${FILE_COLUMNS}
  select ${uuid('thumbnail')}, media_id, 'thumbnail', 'thumbnail.webp', 'webp', 'image/webp', size_bytes / 100 + 1, md5('thumbnail' || n),
    dir, 't' || n, 't' || n, null, 'processor', project_id, created_at + 500, created_at + 500
  from (select file.*, media_id as n from file where media_id % 10 = 0 and mime_type like 'image/%') original`;

function tagsOf(): string[] {
  const tag = `power(${TAG_COUNT}, cast(h % 1000 as double precision) / 1000)`;
  const other = `power(${TAG_COUNT}, cast(g % 1000 as double precision) / 1000)`;
  return [
    `insert into tag (id, type, name, description, color, visible, active, visibility_boost, created_at, updated_at)
      select n + 1, case when h % 3 = 0 then 'user' else 'category' end, ${word('h')} || ' tag ' || n, null, '#ffffff', g % 2, h % 2, 0,
        ${STARTED_AT} + h, ${STARTED_AT} + h from item where n < ${TAG_COUNT}`,
    `insert into media_tag (media_id, tag_id) select id, ${BIG_TAG_ID} from item where h % 2 = 0
      union select id, cast(floor(${tag}) as bigint) + 1 from item where n % 2 = 0
      union select id, cast(floor(${other}) as bigint) + 1 from item where n % 4 < 2`,
  ];
}

/** A third as many as media: most are completed, as after months of retention. */
const JOBS = `insert into job
  (uuid, job_class, arguments, media_id, priority, status, progress, retry_count, max_retries, error, scheduled_at, created_at, updated_at, started_at, finished_at)
  select ${uuid('job')}, 'class-' || (h % 7), '{}', item.id, h % 3, case when h % 100 < 96 then 'completed' when h % 100 < 98 then 'errored'
      when h % 100 = 98 then 'cancelled' else 'pending' end,
    1, g % 3, 3, case when h % 100 in (96, 97) then 'It failed.' end, ${STARTED_AT} + h * 30000 + 4000000000000 * (h % 100 / 99),
    ${STARTED_AT} + n * 30000, ${STARTED_AT} + g * 30000, null, case when h % 100 < 99 then ${STARTED_AT} + g * 30000 end
  from item join size on item.n <= size.max`;

function uuid(of: string): string {
  const md5 = `md5('${of}' || n)`;
  const part = (at: number, length: number) => `substr(${md5}, ${at}, ${length})`;
  return [
    part(1, 8),
    part(9, 4),
    `'4' || ${part(14, 3)}`,
    `'8' || ${part(18, 3)}`,
    part(21, 12),
  ].join(` || '-' || `);
}

const SYLLABLES = 'bacodifugehajikolumenopuqarasitovuwixyzabeciduf';
const WORD_COUNT = 8000;

/** A word by a number below a million. The frequency of a word is about the inverse of its rank. */
function word(number: string): string {
  const rank = `cast(floor(power(${WORD_COUNT}, cast(${number} % 100003 as double precision) / 100003)) as bigint)`;
  const syllable = (divisor: number) =>
    `substr('${SYLLABLES}', cast(1 + ${rank} / ${divisor} % 20 * 2 as integer), 2)`;
  return `(${syllable(1)} || ${syllable(20)} || ${syllable(400)})`;
}

function words(count: number): string {
  return Array.from({ length: count }, (_, index) =>
    word(`((h + 1) * ${2 * index + 3} + g * ${index + 7})`),
  ).join(` || ' ' || `);
}
