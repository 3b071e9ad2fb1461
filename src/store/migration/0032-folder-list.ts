import { sql } from 'kysely';
import { toIndexedWords } from '../../lib/search-text.ts';
import type { Db } from '../db.ts';
import { columnTypes, dialectOf } from '../dialect.ts';
import type { OnlineStep } from '../migration.ts';
import { createAllIndexes, indexStep } from './index-migration.ts';

/**
 * Adds what a list of all folders needs: the words of their names, in a table of their own, because the index of words
 * of media has media only, and indexes that pass over no media.
 */
export async function up(db: Db): Promise<void> {
  await createTable(db);
  await writeWords(db);
  await createAllIndexes(db, INDEXES);
}

async function createTable(db: Db): Promise<void> {
  const { integer, text } = columnTypes(db);
  await db.schema
    .createTable('folder_words')
    .ifNotExists()
    .addColumn('folder_id', integer, (c) =>
      c.primaryKey().notNull().references('media.id').onDelete('cascade'),
    )
    .addColumn('words', text, (c) => c.notNull())
    .execute();
}

const INDEXES = {
  media_folder_sort: `media (name_sort, id) where type = 'folder'`,
  media_parent_folder_created: `media (parent_id, created_at, id) where type = 'folder'`,
  media_parent_folder_sort: `media (parent_id, name_sort, id) where type = 'folder'`,
} as const;

/** Number of rows that are in memory at once. */
const BATCH_ROWS = 2000;

async function writeWords(db: Db): Promise<void> {
  for (let after = 0, isLast = false; !isLast; ) {
    const { rows } = await sql<{ id: number; name: string }>`select id, name from media
      where type = 'folder' and id > ${after} order by id limit ${BATCH_ROWS}`.execute(db);
    // A space before each word, also before the first one.
    const words = rows.map(({ id, name }) => [id, ` ${toIndexedWords(name)}`]);
    const given =
      dialectOf(db) === 'postgres'
        ? sql`json_array_elements(${JSON.stringify(words)}::json) given`
        : sql`json_each(${JSON.stringify(words)}) given`;
    await sql`insert into folder_words (folder_id, words)
      select cast(given.value ->> 0 as bigint), given.value ->> 1 from ${given} where true
      on conflict do nothing`.execute(db);
    after = rows.at(-1)?.id ?? after;
    isLast = rows.length < BATCH_ROWS;
  }
}

/** The same, while others use the tables. */
export const online: readonly OnlineStep[] = [
  { run: createTable },
  { isAlone: true, run: writeWords },
  indexStep(INDEXES),
];
