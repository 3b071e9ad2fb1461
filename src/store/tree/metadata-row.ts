import { type CompiledQuery, sql } from 'kysely';
import type { Db } from '../db.ts';
import { isAnyOf } from '../dialect.ts';
import type { NodeRow } from '../table.ts';
import { metadataValue } from './metadata.ts';

/** A media item, and its custom fields as `media.metadata` holds them. */
type WithMetadata = Pick<NodeRow, 'id' | 'metadata'>;

/** Rows of one statement: SQLite allows 32,766 parameters. */
const ROWS = 500;

/** Writes the rows of `media_metadata` of media whose `metadata` has been inserted or changed, at most a thousand. */
export async function writeMetadata(db: Db, medias: readonly WithMetadata[]): Promise<void> {
  const ids = medias.map(({ id }) => id);
  await db
    .deleteFrom('media_metadata')
    .where(isAnyOf(db, 'media_id', ids))
    .execute();
  await insertMetadata(db, medias);
}

/** Inserts the rows of `media_metadata` of new media. */
export async function insertMetadata(db: Db, medias: readonly WithMetadata[]): Promise<void> {
  const rows = medias.flatMap(({ id, metadata }) =>
    fieldsOf(metadata).map((field) => ({ media_id: id, ...field })),
  );
  for (let from = 0; from < rows.length; from += ROWS) {
    const values = rows.slice(from, from + ROWS);
    await db.insertInto('media_metadata').values(values).execute();
  }
}

/** Returns the insertion for a media item that the same transaction inserts, given by its uuid. None without fields. */
export function newMetadataInsertions(
  db: Db,
  { uuid, metadata = null }: { uuid: string; metadata?: string | null | undefined },
): CompiledQuery[] {
  const media_id = sql<number>`(select id from media where uuid = ${uuid})`;
  const rows = fieldsOf(metadata).map((field) => ({ media_id, ...field }));
  return rows.length === 0 ? [] : [db.insertInto('media_metadata').values(rows).compile()];
}

/** Sets the `metadata` of many media, at most a thousand, each to a value of its own. */
export async function updateMetadata(
  db: Db,
  byId: ReadonlyMap<number, string | null>,
): Promise<void> {
  if (byId.size === 0) return;
  const medias = [...byId].map(([id, metadata]) => ({ id, metadata }));
  const cases = medias.map(
    ({ id, metadata }) => sql`when ${sql.lit(id)} then cast(${metadata} as text)`,
  );
  await db
    .updateTable('media')
    .set({ metadata: sql<string | null>`case id ${sql.join(cases, sql` `)} end` })
    .where(isAnyOf(db, 'id', [...byId.keys()]))
    .execute();
  await writeMetadata(db, medias);
}

function fieldsOf(metadata: string | null): { key: string; value: string }[] {
  const fields = metadata === null ? {} : (JSON.parse(metadata) as Record<string, unknown>);
  return Object.entries(fields).map(([key, value]) => ({ key, value: metadataValue(value) }));
}
