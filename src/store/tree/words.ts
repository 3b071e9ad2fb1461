import { toIndexedWords } from '../../lib/search-text.ts';
import type { Db } from '../db.ts';
import type { NodeRow } from '../table.ts';

/** The columns that a search finds media by. */
export const TEXT_COLUMNS = ['name', 'title', 'description', 'keywords'] as const;

/**
 * Writes the search words of new media, or of media whose texts have changed; folders have none. Call it with at most
 * a thousand media wherever these columns are written.
 */
export async function writeWords(
  db: Db,
  nodes: readonly Pick<NodeRow, 'id' | 'type' | (typeof TEXT_COLUMNS)[number]>[],
): Promise<void> {
  const rows = nodes
    .filter(({ type }) => type !== 'folder')
    .map(({ id, name, title, description, keywords }) => ({
      media_id: id,
      name: toIndexedWords(name, title),
      texts: toIndexedWords(description, keywords),
    }));
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
