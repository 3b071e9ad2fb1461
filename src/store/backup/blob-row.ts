/** A blob that a database refers to. */
export interface BlobRow {
  key: string;
  sizeBytes: number;
  /** Lower-case hex. */
  md5: string;
}

/** A table and its columns. */
export interface TableColumns {
  name: string;
  columns: readonly string[];
}

/** What a query over `blobRowText` selects. Quoted, because PostgreSQL folds other names to lower case. */
export const BLOB_COLUMNS = 'key, "sizeBytes", md5';

/** Tables whose blobs can be made again, or are not stored yet. */
const WITHOUT_BACKUP: readonly string[] = [
  'rendition',
  'upload',
  'staged',
  'staged_part',
  'staged_piece',
];

const NEEDED = ['blob_key', 'size_bytes', 'md5'];

/**
 * Returns the query for all blobs that are worth a backup, each key once, in the order of the keys. These are the blobs
 * of every table that names some, so that a new table cannot be forgotten.
 */
export function blobRowText(tables: readonly TableColumns[]): string {
  const naming = tables.filter(
    ({ name, columns }) => columns.includes('blob_key') && !WITHOUT_BACKUP.includes(name),
  );
  const selections = naming.map(({ name, columns }) => {
    if (NEEDED.every((column) => columns.includes(column)))
      return `select blob_key as key, size_bytes as "sizeBytes", md5 from ${name}`;
    throw new Error(`The table ${name} names blobs, but not their sizes and digests.`);
  });
  // `union` would compare whole rows; here the key alone decides.
  return `select key, max("sizeBytes") as "sizeBytes", max(md5) as md5 from (${selections.join(' union all ')}) blob
    where key is not null group by key order by key`;
}
