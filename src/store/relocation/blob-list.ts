import type { MoveConnection, MovedTable, Value } from './connection.ts';

/** A blob that a library refers to. */
export interface MovedBlob {
  key: string;
  sizeBytes: number;
  /** Lower-case hex. */
  md5: string;
  /** Lower-case hex; null: not known. */
  sha256: string | null;
}

/** An open upload session, with the bytes of it that are staged and acknowledged. */
export interface StagedUpload {
  uploadId: string;
  blobKey: string;
  filename: string;
  offsetBytes: number;
  totalBytes: number;
}

/** The tables that name bytes that are staged, not stored. */
const STAGED = /^(upload|staged|staged_part|staged_piece)$/;

/** Lists the tables that name blobs, so that a new one cannot be forgotten. */
export function tablesWithBlobs(tables: readonly MovedTable[]): MovedTable[] {
  return tables.filter(({ name, columns }) => !STAGED.test(name) && has(columns, 'blob_key'));
}

/** Yields all blobs of a library, each key once, in the order of the keys. Only in a transaction. */
export function readBlobs(
  connection: MoveConnection,
  tables: readonly MovedTable[],
): AsyncIterable<MovedBlob> {
  const selections = tablesWithBlobs(tables).map(({ name, columns }) => {
    const sha256 = has(columns, 'sha256') ? 'sha256' : 'cast(null as text)';
    return `select blob_key as key, size_bytes, md5, ${sha256} as sha256 from "${name}"`;
  });
  return connection.stream<MovedBlob>(
    `select key, max(size_bytes) as "sizeBytes", max(md5) as md5, max(sha256) as sha256
      from (${selections.join(' union all ')}) named where key is not null group by key order by key`,
  );
}

/** Returns the blob that a row of a table names; null: none. */
export function blobOf({ columns }: MovedTable, row: readonly Value[]): MovedBlob | null {
  const value = (name: string) => row[columns.findIndex((column) => column.name === name)] ?? null;
  const key = value('blob_key');
  if (key === null) return null;
  const sha256 = value('sha256');
  return {
    key: String(key),
    sizeBytes: Number(value('size_bytes')),
    md5: String(value('md5')),
    sha256: sha256 === null ? null : String(sha256),
  };
}

/**
 * Returns what a blob is to people, such as the names of its file; null: no row refers to it. A blob may belong to several
 * rows.
 */
export async function describeBlob(
  connection: MoveConnection,
  tables: readonly MovedTable[],
  key: string,
): Promise<string | null> {
  for (const { name, columns } of tablesWithBlobs(tables)) {
    const label = has(columns, 'filename') ? 'filename' : 'cast(null as text)';
    const [row] = await connection.run<{ label: string | null }>(
      `select ${label} as label from "${name}" where blob_key = ? limit 1`,
      [key],
    );
    if (row !== undefined)
      return row.label === null ? name : `${name} ${JSON.stringify(row.label)}`;
  }
  return null;
}

/** Yields the open upload sessions that have staged bytes, in the order of their ids. Only in a transaction. */
export function readStagedUploads(connection: MoveConnection): AsyncIterable<StagedUpload> {
  return connection.stream<StagedUpload>(
    `select upload_id as "uploadId", blob_key as "blobKey", filename, offset_bytes as "offsetBytes",
      total_bytes as "totalBytes" from upload where status = 'open' and offset_bytes > 0 order by upload_id`,
  );
}

/** Tells whether an upload session with these staged bytes is open. */
export async function isUploadOpen(connection: MoveConnection, blobKey: string): Promise<boolean> {
  const rows = await connection.run(
    `select 1 as found from upload where status = 'open' and blob_key = ?`,
    [blobKey],
  );
  return rows.length > 0;
}

function has(columns: MovedTable['columns'], name: string): boolean {
  return columns.some((column) => column.name === name);
}
