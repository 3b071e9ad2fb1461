/** A file of the corpus. */
export interface CorpusFile {
  /** What it is, for the name of its test. */
  what: string;
  filename: string;
  /** The declared type; empty: none. */
  declared: string;
  bytes: Buffer;
  /** The type and the MIME type, as in `image image/png`; null: it is refused. */
  verdict: string | null;
}

/** The bytes of a file whose name is its description, and its verdict. */
export type Row = readonly [filename: string, bytes: Buffer | string, verdict: string | null];

/** Returns the files of rows. A string is text in UTF-8. */
export function toFiles(what: string, rows: readonly Row[]): CorpusFile[] {
  return rows.map(([filename, bytes, verdict]) => ({
    what: `${what}: ${filename}`,
    filename,
    declared: '',
    bytes: Buffer.from(bytes as Buffer),
    verdict,
  }));
}
