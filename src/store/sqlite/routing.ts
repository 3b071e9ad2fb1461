import type { CompiledQuery, DatabaseConnection, Driver, QueryResult } from 'kysely';
import type { Channels } from './channels.ts';
import type { Statement, StatementResult } from './connection.ts';
import type { TurnOptions, WriterTransaction } from './writer.ts';

/** Observes statements, with their milliseconds. */
export type OnQuery = (sql: string, ms: number) => void;

/**
 * Returns a signal that aborts when nobody waits for results any more. It is called only when a read leaves this
 * thread.
 */
export type GetSignal = () => AbortSignal;

/** How the statements of one Kysely run. */
export interface RouteOptions {
  onQuery?: OnQuery | undefined;
  getSignal?: GetSignal | undefined;
  /** How long changes wait. */
  patience?: TurnOptions['patience'];
}

/**
 * A connection of Kysely. A single SELECT goes to a reader, any other statement to the writer, and so does everything
 * in a transaction.
 */
export class RoutedConnection implements DatabaseConnection {
  readonly #channels: Channels;
  readonly #options: RouteOptions;
  #transaction: WriterTransaction | null = null;

  constructor(channels: Channels, options: RouteOptions) {
    this.#channels = channels;
    this.#options = options;
  }

  async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    return observed(this.#options, query.sql, () => this.#run(query));
  }

  async begin(): Promise<void> {
    await observed(this.#options, 'begin', async () => {
      this.#transaction = await this.#channels.writer.begin(this.#options);
    });
  }

  /** Ends a transaction. One whose commit fails is still to be rolled back. */
  async end(how: 'commit' | 'rollback'): Promise<void> {
    await observed(this.#options, how, async () => this.#transaction?.[how]());
  }

  // biome-ignore lint/correctness/useYield: Kysely asks for a generator.
  async *streamQuery(): AsyncIterableIterator<never> {
    throw new Error('SQLite reads lists whole.');
  }

  #run(query: CompiledQuery): Promise<StatementResult> {
    const statement: Statement = { sql: query.sql, parameters: query.parameters };
    if (this.#transaction !== null) return this.#transaction.run(statement);
    if (isRead(query)) return this.#channels.read(statement, this.#options.getSignal);
    return this.#channels.writer.run(statement, this.#options);
  }
}

/** Runs a read on this thread. */
export type InlineRead = (statement: Statement) => StatementResult;

/** Returns a reader that reports each statement when it has ended, also when it has failed. */
export function observedInline(read: InlineRead, onQuery: OnQuery | undefined): InlineRead {
  if (onQuery === undefined) return read;
  return (statement) => {
    const startedAt = performance.now();
    try {
      return read(statement);
    } finally {
      onQuery(statement.sql, performance.now() - startedAt);
    }
  };
}

/** A connection on this thread, for reads. */
export class InlineConnection implements DatabaseConnection {
  readonly #read: InlineRead;

  constructor(read: InlineRead) {
    this.#read = read;
  }

  async executeQuery<Row>({ sql, parameters }: CompiledQuery): Promise<QueryResult<Row>> {
    return this.#read({ sql, parameters }) as QueryResult<Row>;
  }

  // biome-ignore lint/correctness/useYield: Kysely asks for a generator.
  async *streamQuery(): AsyncIterableIterator<never> {
    throw new Error('SQLite reads lists whole.');
  }
}

/** Begins and ends transactions. Connections come from providers, not from here. */
export class RoutedDriver implements Driver {
  readonly #channels: Channels;

  constructor(channels: Channels) {
    this.#channels = channels;
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    return new RoutedConnection(this.#channels, {});
  }

  async releaseConnection(): Promise<void> {}

  async beginTransaction(connection: DatabaseConnection): Promise<void> {
    if (!(connection instanceof RoutedConnection))
      throw new Error('Inline reads have no transaction.');
    await connection.begin();
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await (connection as RoutedConnection).end('commit');
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    await (connection as RoutedConnection).end('rollback');
  }

  async destroy(): Promise<void> {
    await this.#channels.end();
  }
}

/** Reports a statement when it has ended, also when it has failed. */
async function observed<Row>(
  { onQuery }: RouteOptions,
  sql: string,
  run: () => Promise<unknown>,
): Promise<QueryResult<Row>> {
  const startedAt = performance.now();
  try {
    return (await run()) as QueryResult<Row>;
  } finally {
    onQuery?.(sql, performance.now() - startedAt);
  }
}

/**
 * Tells whether a statement only reads. Kysely knows it of its own queries; of a text that begins with `with`, only the
 * rest tells. When in doubt, treats it as a change for the writer, because a reader would refuse it.
 */
function isRead({ query, sql }: CompiledQuery): boolean {
  if (query.kind === 'SelectQueryNode') return true;
  if (query.kind !== 'RawNode') return false;
  if (/^\s*(select|values|explain)\b/i.test(sql)) return true;
  return /^\s*with\b/i.test(sql) && !/\b(insert|update|delete|replace)\b/i.test(sql);
}
