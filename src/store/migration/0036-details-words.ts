import { sql } from 'kysely';
import { toIndexedWords } from '../../lib/search-text.ts';
import type { Db } from '../db.ts';
import { dialectOf } from '../dialect.ts';
import type { OnlineStep } from '../migration.ts';

/** Number of rows that are in memory at once. */
const BATCH_ROWS = 1000;

interface Row {
  id: number;
  description: string | null;
  keywords: string | null;
  alt_text: string | null;
  caption: string | null;
  credit: string | null;
  details: string;
}

/**
 * Adds the camera, the lens, the author and the text that originals name to the words by which a search finds their
 * media. Media whose originals name none of these are not touched.
 */
export async function up(db: Db): Promise<void> {
  for (let after = 0, isLast = false; !isLast; ) {
    const { rows } =
      await sql<Row>`select id, description, keywords, alt_text, caption, credit, details
      from media where type <> 'folder' and id > ${after} and (details like '%"camera":%'
        or details like '%"lens":%' or details like '%"author":%' or details like '%"textSnippet":%')
      order by id limit ${BATCH_ROWS}`.execute(db);
    await writeTexts(db, rows);
    after = rows.at(-1)?.id ?? after;
    isLast = rows.length < BATCH_ROWS;
  }
}

async function writeTexts(db: Db, rows: readonly Row[]): Promise<void> {
  if (rows.length === 0) return;
  const json = JSON.stringify(rows.map((row) => [row.id, textsOf(row)]));
  const given =
    dialectOf(db) === 'postgres'
      ? sql`json_array_elements(${json}::json) given`
      : sql`json_each(${json}) given`;
  await sql`update media_words set texts = given.value ->> 1 from ${given}
    where media_words.media_id = cast(given.value ->> 0 as bigint)`.execute(db);
}

function textsOf({ description, keywords, alt_text, caption, credit, details }: Row): string {
  const { camera, lens, author, textSnippet } = JSON.parse(details);
  const own = [camera, lens, author, textSnippet];
  return toIndexedWords(description, keywords, alt_text, caption, credit, ...own);
}

/** The same, while others use the tables: each batch is a transaction. */
export const online: readonly OnlineStep[] = [{ isAlone: true, run: up }];
