import { sql } from 'kysely';
import { cleanFilename } from '../../lib/filename.ts';
import { cleanName, removeInvisible, toNfc } from '../../lib/name.ts';
import { nameSortKey } from '../../lib/sort-key.ts';
import type { Db } from '../db.ts';
import { columnTypes, dialectOf, isAnyOf } from '../dialect.ts';
import type { Report } from '../migration.ts';

/**
 * Brings the names of existing rows into the form in which new ones are stored (`input.ts` of the domain), and gives
 * media and tags the key that lists order names by. Reports folders and tags whose names were different and are the same
 * now: both keep it, as names need not be unique. A client's key that is taken in its new form stays as it was, and is
 * still found as it was given; it is reported as well.
 */
export async function up(db: Db, report: Report): Promise<void> {
  const { text } = columnTypes(db);
  for (const table of ['media', 'tag']) {
    await db.schema
      .alterTable(table)
      .addColumn('name_sort', text, (c) => c.notNull().defaultTo(''))
      .execute();
  }
  await runAll(db, BEFORE);
  await changeMedias(db, report);
  await changeTags(db, report);
  await changeFiles(db, report);
  await changeKeys(db);
  await runAll(db, AFTERWARDS);
}

async function runAll(db: Db, statements: readonly string[]): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(db);
}

/** PostgreSQL writes each row anew, and would write it to these indexes as well. Folders are found by their names. */
const BEFORE = [
  'drop index media_name',
  'drop index media_parent_name',
  `create index media_folder_name on media (parent_id, name) where type = 'folder'`,
];

/** Lists are ordered by the keys. */
const AFTERWARDS = [
  'create index media_name on media (name_sort, id, type, is_public, owner)',
  'create index media_parent_name on media (parent_id, name_sort, id, type, is_public)',
  'create index tag_name_sort on tag (name_sort, id)',
];

/** Number of rows that are in memory at once. */
const BATCH_ROWS = 2000;

type Table = 'media' | 'tag' | 'file' | 'api_key';

/** Reads columns of a table in the order of the ids. */
async function* batchesOf<Row extends { id: number }>(
  db: Db,
  table: Table,
  columns: readonly (keyof Row & string)[],
  condition = 'true',
): AsyncGenerator<Row[]> {
  const selected = sql.join(columns.map((column) => sql.ref(column)));
  for (let after = 0, isLast = false; !isLast; ) {
    const { rows } = await sql<Row>`select ${selected} from ${sql.table(table)}
      where id > ${after} and ${sql.raw(condition)} order by id limit ${BATCH_ROWS}`.execute(db);
    yield rows;
    after = rows.at(-1)?.id ?? after;
    isLast = rows.length < BATCH_ROWS;
  }
}

/** The new values of one column, by the ids of the rows. */
type Values = readonly (readonly [id: number, value: string])[];

async function update(db: Db, table: Table, column: string, values: Values): Promise<void> {
  if (values.length === 0) return;
  const ids = values.map(([id]) => id);
  const texts = values.map(([, text]) => text);
  const part =
    dialectOf(db) === 'postgres'
      ? sql`unnest(${ids}::bigint[], ${texts}::text[]) part(id, value)`
      : sql`(select value ->> 0 as id, value ->> 1 as value from json_each(${JSON.stringify(values)})) part`;
  await sql`update ${sql.table(table)} set ${sql.ref(column)} = part.value
    from ${part} where ${sql.table(table)}.id = part.id`.execute(db);
}

/** Returns the values of a column that the function changes. */
function changesOf<Row extends { id: number }, Column extends keyof Row>(
  rows: readonly Row[],
  column: Column,
  change: (text: string) => string,
): [id: number, value: string][] {
  return rows.flatMap((row): [number, string][] => {
    const text = row[column];
    if (typeof text !== 'string') return [];
    const changed = change(text);
    return changed === text ? [] : [[row.id, changed]];
  });
}

// A name of invisible characters only stays: nobody can say what it should be.
const toName = (name: string) => cleanName(name) || name;
const toFilename = (name: string) => cleanFilename(name) || name;
const toTitle = (title: string) => toNfc(removeInvisible(title));

interface MediaRow {
  id: number;
  name: string;
  title: string | null;
  resource: string | null;
}

async function changeMedias(db: Db, report: Report): Promise<void> {
  const columns = ['id', 'name', 'title', 'resource'] as const;
  for await (const rows of batchesOf<MediaRow>(db, 'media', columns)) {
    const names = changesOf(rows, 'name', toName);
    await update(db, 'media', 'name', names);
    await update(db, 'media', 'title', changesOf(rows, 'title', toTitle));
    await update(db, 'media', 'name_sort', sortKeysOf(rows));
    await reportNamesakes(db, 'media', idsOf(names), report);
    for (const change of changesOf(rows, 'resource', toNfc))
      await renameResource(db, change, report);
  }
}

async function changeTags(db: Db, report: Report): Promise<void> {
  const columns = ['id', 'name'] as const;
  for await (const rows of batchesOf<{ id: number; name: string }>(db, 'tag', columns)) {
    const names = changesOf(rows, 'name', toName);
    await update(db, 'tag', 'name', names);
    await update(db, 'tag', 'name_sort', sortKeysOf(rows));
    await reportNamesakes(db, 'tag', idsOf(names), report);
  }
}

function sortKeysOf(rows: readonly { id: number; name: string }[]): Values {
  return rows.map(({ id, name }) => [id, nameSortKey(toName(name))] as const);
}

function idsOf(values: Values): number[] {
  return values.map(([id]) => id);
}

/**
 * Reports the rows that have the same name as one of these. If both are changed, the later one finds the earlier one.
 */
async function reportNamesakes(
  db: Db,
  table: 'media' | 'tag',
  ids: readonly number[],
  report: Report,
): Promise<void> {
  if (ids.length === 0) return;
  const isSibling = sql.raw(
    table === 'tag'
      ? 'true'
      : `other.type = 'folder' and own.type = 'folder' and other.parent_id = own.parent_id`,
  );
  const { rows } = await sql<{ id: number; other: number; name: string }>`
    select own.id, other.id as other, own.name from ${sql.table(table)} own
    join ${sql.table(table)} other on other.name = own.name and other.id <> own.id and ${isSibling}
    where ${isAnyOf(db, 'own.id', ids)} order by own.id, other.id`.execute(db);
  const changed = new Set(ids);
  const noun = table === 'tag' ? 'tag' : 'folder';
  for (const { id, other, name } of rows) {
    if (other > id && changed.has(other)) continue;
    report(
      `The ${noun}s ${Math.min(id, other)} and ${Math.max(id, other)} now have the same name: ${quote(name)}.`,
    );
  }
}

/** A name may hold anything: the report is one line of a log. */
function quote(text: string): string {
  return JSON.stringify(text);
}

async function renameResource(
  db: Db,
  [id, resource]: readonly [number, string],
  report: Report,
): Promise<void> {
  const { rows } = await sql<{ id: number }>`
    select id from media where coalesce(resource, uuid) = ${resource}`.execute(db);
  const [taken] = rows;
  if (taken !== undefined) {
    report(
      `The resource of media item ${id} keeps its spelling: media item ${taken.id} has ${quote(resource)}.`,
    );
    return;
  }
  await sql`update media set resource = ${resource} where id = ${id}`.execute(db);
  await sql`update file set resource = ${resource} where media_id = ${id}`.execute(db);
}

interface FileRow {
  id: number;
  filename: string;
  key: string;
  project_id: string | null;
}

async function changeFiles(db: Db, report: Report): Promise<void> {
  const columns = ['id', 'filename', 'key', 'project_id'] as const;
  const beyondAscii = columns
    .slice(1)
    .map((column) =>
      dialectOf(db) === 'postgres' ? `${column} ~ '[^ -~]'` : `${column} glob '*[^ -~]*'`,
    );
  const condition = `(${beyondAscii.join(' or ')})`;
  for await (const rows of batchesOf<FileRow>(db, 'file', columns, condition)) {
    await update(db, 'file', 'filename', changesOf(rows, 'filename', toFilename));
    await update(db, 'file', 'project_id', changesOf(rows, 'project_id', toNfc));
    for (const [id, key] of changesOf(rows, 'key', toNfc)) await renameKey(db, id, key, report);
  }
}

async function renameKey(db: Db, id: number, key: string, report: Report): Promise<void> {
  const { rows } = await sql<{ id: number }>`
    select other.id from file own join file other on other.media_id = own.media_id
    where own.id = ${id} and other.key = ${key}`.execute(db);
  const [taken] = rows;
  if (taken !== undefined) {
    report(`The key of file ${id} keeps its spelling: file ${taken.id} has ${quote(key)}.`);
    return;
  }
  await sql`update file set key = ${key} where id = ${id}`.execute(db);
}

async function changeKeys(db: Db): Promise<void> {
  const columns = ['id', 'name'] as const;
  for await (const rows of batchesOf<{ id: number; name: string }>(db, 'api_key', columns)) {
    await update(db, 'api_key', 'name', changesOf(rows, 'name', toName));
  }
}
