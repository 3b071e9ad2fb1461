import { sql } from 'kysely';
import { toIndexedWords } from '../../lib/search-text.ts';
import type { Db } from '../db.ts';
import { insertion } from '../prepared.ts';
import type { NodeRow } from '../table.ts';

/** The columns that a search finds media by. */
export const TEXT_COLUMNS = [
  'name',
  'title',
  'description',
  'keywords',
  'alt_text',
  'caption',
  'credit',
  'details',
] as const;

/** The texts of a media item that has words. */
type Texts = { [Column in (typeof TEXT_COLUMNS)[number]]?: string | null | undefined };

/** Returns the words of a media item. */
export function wordsOf({ name, title, ...texts }: Texts) {
  const { description, keywords, alt_text, caption, credit, details } = texts;
  const own = textsOf(details);
  return {
    name: toIndexedWords(name, title),
    texts: toIndexedWords(description, keywords, alt_text, caption, credit, ...own),
  };
}

/**
 * The details of a file that a search finds. The place is excluded, because a search would reveal it to viewers who may not
 * see it.
 */
const DETAILS = ['camera', 'lens', 'author', 'textSnippet'] as const;

function textsOf(details: string | null | undefined): string[] {
  // Most files have no details.
  if (!details || details === '{}') return [];
  const found = JSON.parse(details) as { [Name in (typeof DETAILS)[number]]?: string };
  return DETAILS.flatMap((name) => found[name] ?? []);
}

/** The insertion of the words of a new media item, given by its uuid. */
export const wordsInsertion = insertion<{ media_uuid: string; name: string; texts: string }, never>(
  (db, { media_uuid, ...words }) =>
    db.insertInto('media_words').values({
      ...words,
      media_id: sql<number>`(select id from media where uuid = ${media_uuid})`,
    }),
);

/**
 * Writes the search words of new nodes, or of nodes whose texts have changed: those of folders are of their names. Call
 * it with at most a thousand nodes wherever these columns are written.
 */
export async function writeWords(
  db: Db,
  nodes: readonly Pick<NodeRow, 'id' | 'type' | (typeof TEXT_COLUMNS)[number]>[],
): Promise<void> {
  await writeFolderWords(
    db,
    nodes.filter(({ type }) => type === 'folder'),
  );
  const rows = nodes
    .filter(({ type }) => type !== 'folder')
    .map((node) => ({ media_id: node.id, ...wordsOf(node) }));
  if (rows.length === 0) return;
  await db
    .insertInto('media_words')
    .values(rows)
    .onConflict((conflict) =>
      conflict.column('media_id').doUpdateSet((eb) => ({
        name: eb.ref('excluded.name'),
        texts: eb.ref('excluded.texts'),
      })),
    )
    .execute();
}

async function writeFolderWords(
  db: Db,
  folders: readonly Pick<NodeRow, 'id' | 'name'>[],
): Promise<void> {
  if (folders.length === 0) return;
  // A space before each word, also before the first one.
  const rows = folders.map(({ id, name }) => ({
    folder_id: id,
    words: ` ${toIndexedWords(name)}`,
  }));
  await db
    .insertInto('folder_words')
    .values(rows)
    .onConflict((conflict) =>
      conflict.column('folder_id').doUpdateSet((eb) => ({ words: eb.ref('excluded.words') })),
    )
    .execute();
}
