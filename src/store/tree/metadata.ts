import { createHash } from 'node:crypto';
import { type CompiledQuery, sql } from 'kysely';
import type { Db } from '../db.ts';
import { isAnyOf } from '../dialect.ts';
import type { NodeRow } from '../table.ts';

/** Maximum length of a value in `media_metadata`, in characters. Longer ones are stored as their digest. */
export const METADATA_VALUE_MAX = 200;

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

/**
 * Returns the text that stands for the value of a custom field in `media_metadata`: JSON with sorted keys, so that equal
 * values have equal texts, or `sha256:` and its digest if it is longer than `METADATA_VALUE_MAX`.
 */
export function metadataValue(value: unknown): string {
  const json = toCanonicalJson(value);
  if (json.length <= METADATA_VALUE_MAX) return json;
  return `sha256:${createHash('sha256').update(json).digest('hex')}`;
}

function toCanonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(toCanonicalJson).join()}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const members = Object.keys(value)
    .sort()
    .map((key) => `${JSON.stringify(key)}:${toCanonicalJson(value[key as keyof typeof value])}`);
  return `{${members.join()}}`;
}
