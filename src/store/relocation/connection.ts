import type { DialectName } from '../dialect.ts';

/** A value of a row as `rowText` reads it: bytes are hexadecimal text. */
export type Value = string | number | null;

/** A table whose rows a move copies. */
export interface MovedTable {
  name: string;
  /** The columns that are stored, in the order of their names. */
  columns: readonly MovedColumn[];
  /** The columns of the primary key. */
  key: readonly MovedColumn[];
}

/** A column, whose type has the same meaning in both databases. */
export interface MovedColumn {
  name: string;
  type: 'integer' | 'real' | 'text' | 'binary';
}

/**
 * One connection to a database, without the limits and the plans that serve requests. Statements have `?` for their
 * parameters. Use each connection for one thing at a time.
 */
export interface MoveConnection {
  readonly dialect: DialectName;
  /** Runs a statement. Returns its rows. */
  run<Row>(text: string, parameters?: readonly Value[]): Promise<Row[]>;
  /**
   * Yields the rows of a query in constant memory. Only inside of a transaction, one query at a time. `rowsMax`: rows that
   * are in memory at once. (Default: 1,000)
   */
  stream<Row>(text: string, parameters?: readonly Value[], rowsMax?: number): AsyncIterable<Row>;
  /**
   * Runs `work` in a transaction. `snapshot`: it only reads, and sees the database as it is at one moment. `write`: on
   * SQLite it holds the lock from its begin.
   */
  transact<T>(mode: 'snapshot' | 'write', work: () => Promise<T>): Promise<T>;
  insertRows(table: MovedTable, rows: readonly (readonly Value[])[]): Promise<void>;
  /** Deletes the rows with these keys. A key is the values of the primary key. */
  deleteRows(table: MovedTable, keys: readonly (readonly Value[])[]): Promise<void>;
  close(): Promise<void>;
}
