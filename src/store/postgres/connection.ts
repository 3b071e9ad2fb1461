import { CompiledQuery, type DatabaseConnection, type QueryResult } from 'kysely';
import type { QueryResult as PgResult, PoolClient, QueryConfig } from 'pg';
import { DatabaseUnavailableError } from '../error.ts';
import { keepsPlan, type QueryOptions, queryOptions } from '../query-option.ts';
import { cancelStatement } from './cancel.ts';
import { isCancelled, leavesConnection, statementError } from './failure.ts';
import { createLimit } from './limit.ts';
import type { Pool } from './pool.ts';
import { forgetNames, isNameFailure, statementName } from './statement-name.ts';

/** Time that the server gets beyond its statement timeout. If it is silent for longer, it or the network hangs. */
const SILENCE_MS = 3000;

/** A connection while one statement or one transaction uses it. The pool is asked for it by the first statement. */
export class PostgresConnection implements DatabaseConnection {
  readonly #pool: Pool;
  #client: PoolClient | null = null;
  #endTurn: (() => void) | null = null;
  #isBroken = false;
  /** Set by the driver. A connection that is released in a transaction is closed. */
  isInTransaction = false;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  /**
   * Runs a query. If the connection is lost, a read outside of a transaction runs once more, on a new connection; so
   * does a `begin`, before which nothing has been done. Throws DatabaseUnavailableError.
   */
  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    this.#client ??= await this.#acquire(query);
    const isRepeatable = !this.isInTransaction && isHarmless(query.sql);
    const run = () => this.#runNamed(query);
    return toQueryResult(await (isRepeatable ? this.#runTwice(run) : run()));
  }

  /** Rolls back. Never throws: the server rolls back itself when the connection closes. */
  async rollback(): Promise<void> {
    try {
      if (!this.#isBroken) await this.executeQuery(CompiledQuery.raw('rollback'));
    } catch {
      this.#isBroken = true;
    }
    this.isInTransaction = false;
  }

  /** Returns the connection to its pool, which closes a broken one. */
  release(): void {
    this.#releaseClient();
    this.#endTurn?.();
    this.#endTurn = null;
  }

  #releaseClient(): void {
    const client = this.#client;
    this.#client = null;
    if (client !== null) this.#pool.release(client, this.#isBroken || this.isInTransaction);
  }

  /** Waits for a turn before a read that may take long, so that other requests find a connection. */
  async #acquire(query: CompiledQuery): Promise<PoolClient> {
    const { readingTurns, statementTimeoutMs } = this.#pool;
    const { owner, signal } = queryOptions(query);
    if (owner !== undefined && !keepsPlan(query) && LIST.test(query.sql)) {
      this.#endTurn = await readingTurns.take({ group: owner, patienceMs: statementTimeoutMs });
      // Nobody waits for it any more.
      if (signal?.aborted) throw new DatabaseUnavailableError('cancelled');
    }
    return this.#pool.acquire();
  }

  // biome-ignore lint/correctness/useYield: Kysely's interface has it, and no statement of ours is streamed
  async *streamQuery(): AsyncIterableIterator<never> {
    throw new Error('Streaming is not supported.');
  }

  async #runTwice(run: () => Promise<PgResult>): Promise<PgResult> {
    try {
      return await run();
    } catch (error) {
      const isLost = error instanceof DatabaseUnavailableError && error.reason === 'connection';
      if (!isLost) throw error;
      const lostAt = performance.now();
      this.#releaseClient();
      this.#client = await this.#pool.acquireNewer(lostAt);
      this.#isBroken = false;
      return run();
    }
  }

  /** Runs a look-up by its name. A transaction uses no names, because it could not run a failed statement again. */
  async #runNamed(query: CompiledQuery): Promise<PgResult> {
    const client = this.#client;
    const options = queryOptions(query);
    const plain = { text: query.sql, values: [...query.parameters] };
    const isNamed = client !== null && !this.isInTransaction;
    const name = isNamed ? statementName(client, query) : undefined;
    if (name === undefined) return this.#run(plain, options);
    try {
      return await this.#run({ ...plain, name }, options);
    } catch (error) {
      if (client === null || !isNameFailure(error)) throw error;
      forgetNames(client);
      return this.#run(plain, options);
    }
  }

  async #run(
    config: QueryConfig,
    { signal, hasNoTimeout = false }: QueryOptions,
  ): Promise<PgResult> {
    const client = this.#client;
    if (client === null || this.#isBroken) throw new DatabaseUnavailableError('connection');
    if (signal?.aborted) throw new DatabaseUnavailableError('cancelled');
    const limit = createLimit(hasNoTimeout ? null : this.#pool.statementTimeoutMs + SILENCE_MS);
    let cancelling: Promise<void> | undefined;
    const cancel = () => {
      cancelling = cancelStatement(client, this.#pool.config);
      limit.set(SILENCE_MS);
    };
    signal?.addEventListener('abort', cancel, { once: true });
    let isUnsure = true;
    try {
      return await Promise.race([client.query(config), limit.passed]);
    } catch (error) {
      this.#isBroken = !leavesConnection(error);
      isUnsure = !isCancelled(error);
      throw signal?.aborted
        ? new DatabaseUnavailableError('cancelled', { cause: error })
        : statementError(error);
    } finally {
      limit.stop();
      signal?.removeEventListener('abort', cancel);
      // A late cancel request could cancel the next statement of this connection.
      if (cancelling !== undefined && isUnsure) this.#isBroken = true;
      if (!this.#isBroken) await cancelling;
    }
  }
}

/**
 * Tells whether a statement may run a second time. One that calls a function with an effect, or changes rows in its
 * `with`, may not.
 */
function isHarmless(text: string): boolean {
  return READ.test(text) && !EFFECT.test(text);
}

const LIST = /^\s*(select|with)\b/i;
const READ = /^\s*(select|with|begin)\b/i;
const EFFECT = /\b(insert|update|delete|merge|nextval|setval|pg_notify|pg_(try_)?advisory\w*)\b/i;

function toQueryResult<R>({ command, rowCount, rows }: PgResult): QueryResult<R> {
  // As Kysely's own driver does, for the driver's `commit`.
  if (command === 'COMMIT' || command === 'ROLLBACK') return { rows: [{ command } as R] };
  return CHANGES.has(command) ? { numAffectedRows: BigInt(rowCount ?? 0), rows } : { rows };
}

const CHANGES = new Set(['INSERT', 'UPDATE', 'DELETE', 'MERGE']);
