import { type RawBuilder, sql } from 'kysely';
import type { Db } from '../db.ts';
import { dialectOf, isAnyOf } from '../dialect.ts';
import type { BlobKeyRange } from '../file/blob-key.ts';
import { blobKeysOf } from '../result.ts';
import { queuedBlobKeys } from './queued-deletion.ts';

/** A row that refers to stored bytes, and what it says about them. */
export interface BlobReference {
  kind: 'file' | 'file_version' | 'rendition' | 'trashed_row';
  /** Of the row. */
  id: number;
  blobKey: string;
  sizeBytes: number;
  md5: string;
  /** Null: not known. */
  sha256: string | null;
  /** When the bytes were marked as damaged; null: never, or the row has no mark. */
  damagedAt: number | null;
  mediaId: number;
  /** The file or version, in the library or in the trash, or the file that a rendition was rendered from. */
  fileUuid: string;
  filename: string;
}

interface Source {
  /** The table with the columns `id`, `blob_key`, `size_bytes` and `md5`. */
  table: BlobReference['kind'];
  /** The table, joined with the row of the file. */
  from: RawBuilder<unknown>;
  /** The table whose row names the file and its media item; null: the row has that of the file as JSON. */
  file: 'file' | 'file_version' | null;
  sha256: RawBuilder<unknown>;
  damagedAt: RawBuilder<unknown>;
}

/** Every table whose rows refer to stored bytes. What is not listed here counts as bytes without a row. */
const SOURCES: readonly Source[] = [
  {
    table: 'trashed_row',
    from: sql`trashed_row`,
    file: null,
    sha256: sql`trashed_row.sha256`,
    damagedAt: sql`trashed_row.damaged_at`,
  },
  ...(['file', 'file_version'] as const).map((table) => ({
    table,
    from: sql.table(table),
    file: table,
    sha256: sql.ref(`${table}.sha256`),
    damagedAt: sql.ref(`${table}.damaged_at`),
  })),
  {
    table: 'rendition',
    from: sql`rendition join file on file.id = rendition.file_id`,
    file: 'file',
    sha256: sql`cast(null as text)`,
    damagedAt: sql`cast(null as bigint)`,
  },
];

function referencesOf(
  db: Db,
  source: Source,
  where: RawBuilder<unknown>,
): RawBuilder<BlobReference> {
  const column = (name: string) => sql.ref(`${source.table}.${name}`);
  const { file } = source;
  const ofFile = (name: string) =>
    file === null ? jsonText(db, column('row'), name) : sql.ref(`${file}.${name}`);
  const mediaId = file === null ? column('node_id') : ofFile('media_id');
  return sql`select ${sql.lit(source.table)} as kind, ${column('id')} as id,
    ${column('blob_key')} as "blobKey", ${column('size_bytes')} as "sizeBytes", ${column('md5')} as md5,
    ${source.sha256} as sha256, ${source.damagedAt} as "damagedAt", ${mediaId} as "mediaId",
    ${ofFile('uuid')} as "fileUuid", ${ofFile('filename')} as filename from ${source.from} where ${where}`;
}

/** Returns a property of a JSON object as text. */
function jsonText(db: Db, object: RawBuilder<unknown>, name: string): RawBuilder<string> {
  return dialectOf(db) === 'postgres'
    ? sql`${object}::json ->> ${sql.lit(name)}`
    : sql`${object} ->> ${sql.lit(name)}`;
}

/** Lists the first `limit` rows whose blob keys are in a range, in the order of the keys. */
export async function listBlobReferences(
  db: Db,
  { after, upTo }: BlobKeyRange,
  limit: number,
): Promise<BlobReference[]> {
  const parts = SOURCES.map((source) => {
    const key = sql.ref(`${source.table}.blob_key`);
    const end = upTo === null ? sql`` : sql`and ${key} <= ${upTo}`;
    const rows = referencesOf(db, source, sql`${key} > ${after} ${end}`);
    return sql`select * from (${rows} order by ${key} limit ${sql.lit(limit)}) part`;
  });
  const { rows } =
    await sql<BlobReference>`select * from (${sql.join(parts, sql` union all `)}) part
    order by "blobKey" limit ${sql.lit(limit)}`.execute(db);
  return rows;
}

/** Returns the row again; undefined if it was deleted, or refers to other bytes by now. */
export async function findBlobReference(
  db: Db,
  { kind, id, blobKey }: Pick<BlobReference, 'kind' | 'id' | 'blobKey'>,
): Promise<BlobReference | undefined> {
  const source = SOURCES.find(({ table }) => table === kind);
  if (source === undefined) return undefined;
  const where = sql`${sql.ref(`${kind}.id`)} = ${id} and ${sql.ref(`${kind}.blob_key`)} = ${blobKey}`;
  return (await referencesOf(db, source, where).execute(db)).rows[0];
}

/**
 * Returns those of the given keys that belong to something: a row of one of the tables, an upload session that is open or
 * has expired after `expiredAfter`, or a job that will delete the bytes. One statement, so that bytes that pass from one
 * to the other meanwhile are found. `expiredAfter`: milliseconds since 1970.
 */
export async function listOwnedBlobKeys(
  db: Db,
  keys: readonly string[],
  expiredAfter: number,
): Promise<string[]> {
  if (keys.length === 0) return [];
  const isGiven = isAnyOf(db, 'blob_key', keys);
  const parts = [
    ...SOURCES.map(({ table }) => sql`select blob_key from ${sql.table(table)} where ${isGiven}`),
    sql`select blob_key from upload where ${isGiven}
      and (status = 'open' or (status = 'expired' and updated_at >= ${expiredAfter}))`,
    queuedBlobKeys(db, keys),
  ];
  return blobKeysOf({
    execute: async () =>
      (await sql<{ blob_key: string }>`${sql.join(parts, sql` union all `)}`.execute(db)).rows,
  });
}
