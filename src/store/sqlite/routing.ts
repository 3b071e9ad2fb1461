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
  /** Who waits for the reads: see `Asker` of the reader pool. */
  owner?: string | undefined;
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
  /** Checks that the next message of the transaction takes along. */
  #checks: Check[] = [];

  constructor(channels: Channels, options: RouteOptions) {
    this.#channels = channels;
    this.#options = options;
  }

  async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    if (query instanceof Check) {
      this.#checks.push(query);
      return { rows: [] };
    }
    if (this.#checks.length === 0 && !(query instanceof Together)) {
      return observed(this.#options, query.sql, () => this.#run(query));
    }
    const results = await this.#runTogether(query instanceof Together ? query.queries : [query]);
    return (query instanceof Together ? { rows: results } : results[0]) as QueryResult<Row>;
  }

  async begin(): Promise<void> {
    await observed(this.#options, 'begin', async () => {
      this.#transaction = await this.#channels.writer.begin(this.#options);
    });
  }

  /** Ends a transaction. One whose commit fails is still to be rolled back. */
  async end(how: 'commit' | 'rollback'): Promise<void> {
    if (how === 'commit' && this.#checks.length > 0) await this.#runTogether([]);
    await observed(this.#options, how, async () => this.#transaction?.[how]());
  }

  // biome-ignore lint/correctness/useYield: Kysely asks for a generator.
  async *streamQuery(): AsyncIterableIterator<never> {
    throw new Error('SQLite reads lists whole.');
  }

  /**
   * Runs the waiting checks and these queries by one message; outside of a transaction, in one of their own. Returns the
   * results of the queries.
   */
  async #runTogether(queries: readonly CompiledQuery[]): Promise<StatementResult[]> {
    const transaction = this.#transaction;
    const checks = this.#checks;
    this.#checks = [];
    const statements = [...checks, ...queries].map(({ sql, parameters }) => ({ sql, parameters }));
    const text = statements.map(({ sql }) => sql);
    const results = await observed<StatementResult[]>(this.#options, text, () =>
      transaction === null
        ? this.#channels.writer.runAll(statements, this.#options)
        : transaction.runAll(statements),
    );
    checks.forEach(({ check }, index) => void check(results[index]?.rows ?? []));
    return results.slice(checks.length);
  }

  #run(query: CompiledQuery): Promise<StatementResult> {
    const statement: Statement = { sql: query.sql, parameters: query.parameters };
    if (this.#transaction !== null) return this.#transaction.run(statement);
    if (isRead(query)) return this.#channels.read(statement, this.#options);
    return this.#channels.writer.run(statement, this.#options);
  }
}

/** Changes of one transaction that do not depend on each other's results. Their results are its rows. */
export class Together implements CompiledQuery {
  readonly query;
  readonly queryId;
  readonly sql = '';
  readonly parameters = [];
  readonly queries: readonly CompiledQuery[];

  constructor(queries: readonly [CompiledQuery, ...CompiledQuery[]]) {
    this.queries = queries;
    this.query = queries[0].query;
    this.queryId = queries[0].queryId;
  }
}

/** A query of a transaction that runs just before the next one. Its error fails the next one, or the commit. */
export class Check implements CompiledQuery {
  readonly query;
  readonly queryId;
  readonly sql;
  readonly parameters;
  /** Throws if the rows do not permit the transaction to continue. */
  readonly check: (rows: unknown[]) => void;

  constructor(
    { query, queryId, sql, parameters }: CompiledQuery,
    check: (rows: unknown[]) => void,
  ) {
    this.query = query;
    this.queryId = queryId;
    this.sql = sql;
    this.parameters = parameters;
    this.check = check;
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

/** Reports a statement when it has ended, also when it has failed; of several, each with the time of all. */
async function observed<Result>(
  { onQuery }: RouteOptions,
  text: string | readonly string[],
  run: () => Promise<unknown>,
): Promise<Result> {
  const startedAt = performance.now();
  try {
    return (await run()) as Result;
  } finally {
    const ms = performance.now() - startedAt;
    for (const sql of typeof text === 'string' ? [text] : text) onQuery?.(sql, ms);
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
