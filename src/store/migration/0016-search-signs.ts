import { sql } from 'kysely';
import { FIELD_END, foldText, toIndexedWords } from '../../lib/search-text.ts';
import type { Db } from '../db.ts';
import { dialectOf } from '../dialect.ts';

/** Writes the words of rows with ©, ® or the keys # and *, which searches did not find before. */
export async function up(db: Db): Promise<void> {
  await writeTagWords(db);
  await writeMediaWords(db);
}

const SIGNS = ['©', '®', '\u20e3'];

/** Returns whether one of the columns has a sign. */
function hasSign(...columns: readonly string[]) {
  const tests = columns.flatMap((column) =>
    SIGNS.map((sign) => sql`${sql.ref(column)} like ${`%${sign}%`}`),
  );
  return sql`(${sql.join(tests, sql` or `)})`;
}

/** Number of rows that are in memory at once. */
const ROWS = 1000;

interface TextRow {
  id: number;
  name: string;
  title: string | null;
  description: string | null;
  keywords: string | null;
}

async function* batches(read: (after: number) => Promise<{ rows: TextRow[] }>) {
  for (let after = 0; ; ) {
    const { rows } = await read(after);
    const last = rows.at(-1);
    if (last === undefined) return;
    yield* rows;
    after = last.id;
  }
}

async function writeTagWords(db: Db): Promise<void> {
  const join = sql.raw(dialectOf(db) === 'postgres' ? 'string_agg' : 'group_concat');
  const read = (after: number) =>
    sql<TextRow>`select id, name, description from tag
      where id > ${after} and ${hasSign('name', 'description')} order by id limit ${ROWS}`.execute(
      db,
    );
  for await (const { id, name, description } of batches(read)) {
    await sql`update tag set words = ${toIndexedWords(name)}, name_folded = ${foldText(name)},
      description_folded = ${foldText(description ?? '')} where id = ${id}`.execute(db);
    await sql`update media_words set tags = coalesce((
      select ${join}(tag.words, ${sql.lit(` ${FIELD_END} `)}) from media_tag
      join tag on tag.id = media_tag.tag_id where media_tag.media_id = media_words.media_id), '')
      where media_id in (select media_id from media_tag where tag_id = ${id})`.execute(db);
  }
}

async function writeMediaWords(db: Db): Promise<void> {
  const read = (after: number) =>
    sql<TextRow>`select id, name, title, description, keywords from media
      where type <> 'folder' and id > ${after}
      and ${hasSign('name', 'title', 'description', 'keywords')} order by id limit ${ROWS}`.execute(
      db,
    );
  for await (const { id, name, title, description, keywords } of batches(read)) {
    await sql`update media_words set name = ${toIndexedWords(name, title)},
      texts = ${toIndexedWords(description, keywords)} where media_id = ${id}`.execute(db);
  }
}
