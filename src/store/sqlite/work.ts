import { DatabaseUnavailableError, type UnavailableReason } from '../error.ts';
import type { Connection, Statement, StatementResult } from './connection.ts';

/**
 * Work for a connection: to begin a transaction, to run statements, and to end the transaction, or only some of these.
 * Without a transaction, each statement runs by itself.
 */
export interface Work {
  begin?: Begin;
  /** Each runs only if those before it have succeeded. */
  statements?: readonly Statement[];
  end?: End;
  /** The batch of the transaction: the transactions that are committed together. */
  batch?: number;
  /** Statements of a transaction that take longer together fail. (Default: unlimited) */
  limitMs?: number;
}

/** `open`: as the first transaction of its batch. `join`: after others, whose changes it sees. */
export type Begin = 'open' | 'join';

/**
 * `leave`: keeps the changes in the batch, uncommitted. `commit`: commits the batch. `rollback`: undoes the changes of
 * this transaction, but not of others.
 */
export type End = 'leave' | 'commit' | 'rollback';

/** Runs work in the order of its calls. */
export interface Runner {
  /** Returns the result of each statement. */
  run(work: Work): Promise<StatementResult[]>;
  end(): Promise<void>;
}

/**
 * Where SQLite keeps what it needs to undo one transaction of a batch. It is small for a transaction with a time limit,
 * and a file costs a fifth of the time of inserting a media item. Others, such as those that create indexes, may sort
 * more than the memory holds.
 */
const TEMP_STORES = {
  memory: { sql: 'pragma temp_store = memory', parameters: [] },
  file: { sql: 'pragma temp_store = default', parameters: [] },
} satisfies Record<string, Statement>;

// Immediate: a transaction that reads before it writes would otherwise fail, instead of waiting, when another process
// has written in between.
const BEGIN: Statement = { sql: 'begin immediate', parameters: [] };
const COMMIT: Statement = { sql: 'commit', parameters: [] };
const ROLLBACK: Statement = { sql: 'rollback', parameters: [] };
const SAVE: Statement = { sql: 'savepoint joined', parameters: [] };
const RELEASE: Statement = { sql: 'release joined', parameters: [] };
const ROLLBACK_TO: Statement = { sql: 'rollback to joined', parameters: [] };

/** Runs all work of a connection. */
export class Performer {
  readonly #connection: Connection;
  /** The batch of the open transaction of SQLite. */
  #batch: number | undefined;
  #tempStore: keyof typeof TEMP_STORES = 'file';
  /** Whether the last transaction of the batch has a savepoint. */
  #hasJoined = false;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Returns the result of each statement. Throws the error of the first that fails, or DatabaseUnavailableError. */
  perform(work: Work): StatementResult[] {
    const { statements = [], batch } = work;
    if (batch === undefined) this.#useTempStore('file');
    if (work.begin) this.#begin(work);
    else if (statements.length > 0 && batch !== undefined) this.#checkOpen(work, 'connection');
    try {
      const results = this.#runTimed(statements, work);
      this.#end(work);
      return results;
    } catch (error) {
      // Nobody else would end a transaction that is one piece of work.
      if (work.begin && work.end) this.#rollback(work);
      throw error;
    }
  }

  #begin(work: Work): void {
    if (work.begin === 'open') {
      this.#useTempStore(
        Number.isFinite(work.limitMs ?? Number.POSITIVE_INFINITY) ? 'memory' : 'file',
      );
      this.#connection.run(BEGIN);
      this.#batch = work.batch;
      this.#hasJoined = false;
      return;
    }
    this.#checkOpen(work, 'lost');
    this.#leave();
    this.#connection.run(SAVE);
    this.#hasJoined = true;
  }

  #useTempStore(store: keyof typeof TEMP_STORES): void {
    if (store !== this.#tempStore) this.#connection.run(TEMP_STORES[store]);
    this.#tempStore = store;
  }

  #runTimed(
    statements: readonly Statement[],
    { batch, limitMs = Number.POSITIVE_INFINITY }: Work,
  ): StatementResult[] {
    const startedAt = performance.now();
    return statements.map((statement) => {
      const result = this.#connection.run(statement);
      const isLate = batch !== undefined && performance.now() - startedAt > limitMs;
      if (isLate) throw new DatabaseUnavailableError('timeout');
      return result;
    });
  }

  #end(work: Work): void {
    if (work.end === 'leave') this.#leave();
    else if (work.end === 'rollback') this.#rollback(work);
    else if (work.end === 'commit') this.#commit(work);
  }

  /** Ends a transaction within its batch. */
  #leave(): void {
    if (this.#hasJoined) this.#connection.run(RELEASE);
    this.#hasJoined = false;
  }

  #commit(work: Work): void {
    this.#checkOpen(work, 'connection');
    this.#hasJoined = false;
    try {
      this.#connection.run(COMMIT);
    } catch (error) {
      if (this.#connection.inTransaction) this.#connection.run(ROLLBACK);
      throw error;
    }
  }

  #rollback(work: Work): void {
    if (!this.#isOpen(work)) return;
    this.#connection.run(this.#hasJoined ? ROLLBACK_TO : ROLLBACK);
    this.#leave();
  }

  /** Throws if SQLite has ended the transaction after an error, or if another thread had begun it, and died. */
  #checkOpen(work: Work, reason: UnavailableReason): void {
    if (!this.#isOpen(work)) throw new DatabaseUnavailableError(reason);
  }

  #isOpen({ batch }: Work): boolean {
    return this.#connection.inTransaction && this.#batch === batch;
  }
}

/** Returns the result of work with one statement. */
export function onlyResult([result, ...others]: readonly StatementResult[]): StatementResult {
  if (result === undefined || others.length > 0) throw new Error('Expected one result.');
  return result;
}

/** Tells whether a statement changes rows. Others, such as `vacuum`, may not run in a transaction. */
export function isChange({ sql }: Statement): boolean {
  return /^\s*(insert|update|delete|replace|with)\b/i.test(sql);
}

/** A failure, in a form that passes between threads and processes. */
export interface Failure {
  message: string;
  /** Code of SQLite, such as `SQLITE_BUSY`; null if the error is not SQLite's. */
  code: string | null;
  /** Set for a DatabaseUnavailableError. */
  reason: UnavailableReason | null;
}

/** Returns the form of an error that passes between threads and processes. */
export function toFailure(error: unknown): Failure {
  if (!(error instanceof Error)) return { message: String(error), code: null, reason: null };
  const code = 'code' in error && typeof error.code === 'string' ? error.code : null;
  const reason = error instanceof DatabaseUnavailableError ? error.reason : null;
  return { message: error.message, code, reason };
}
