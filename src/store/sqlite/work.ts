import { DatabaseUnavailableError, type UnavailableReason } from '../error.ts';
import type { Connection, Statement, StatementResult } from './connection.ts';

/**
 * The place of a statement in its transaction: `single` has one of its own, `first` begins one unless an earlier
 * `first` has begun it, `next` continues one, `commit` ends one, and `rollback` ends one if there is one.
 */
export type Step = 'single' | 'first' | 'next' | 'commit' | 'rollback';

/** A statement to run. */
export interface Work extends Statement {
  step: Step;
  /** A change that takes longer is undone. (Default: unlimited) */
  limitMs?: number;
}

/** Runs statements one after the other. */
export interface Runner {
  run(work: Work): Promise<StatementResult>;
  end(): Promise<void>;
}

/** Runs a statement on a connection. */
export function perform(connection: Connection, work: Work): StatementResult {
  switch (work.step) {
    case 'single':
      return work.limitMs !== undefined && isChange(work.sql)
        ? performAlone(connection, work)
        : connection.run(work);
    case 'first':
      // Immediate: a transaction that reads before it writes would otherwise fail, instead of waiting, when another
      // process has written in between.
      if (!connection.inTransaction) connection.run(BEGIN);
      return performTimed(connection, work);
    case 'next':
      checkBegun(connection);
      return performTimed(connection, work);
    case 'commit':
      checkBegun(connection);
      return connection.run(COMMIT);
    case 'rollback':
      return connection.inTransaction ? connection.run(ROLLBACK) : { rows: [] };
  }
}

const BEGIN: Statement = { sql: 'begin immediate', parameters: [] };
const COMMIT: Statement = { sql: 'commit', parameters: [] };
const ROLLBACK: Statement = { sql: 'rollback', parameters: [] };

/** Throws if another thread has begun the transaction, and died. */
function checkBegun(connection: Connection): void {
  if (!connection.inTransaction) throw new DatabaseUnavailableError('connection');
}

/** Changes rows in a transaction of its own: what took too long can then be undone. */
function performAlone(connection: Connection, work: Work): StatementResult {
  connection.run(BEGIN);
  try {
    const result = performTimed(connection, work);
    connection.run(COMMIT);
    return result;
  } catch (error) {
    if (connection.inTransaction) connection.run(ROLLBACK);
    throw error;
  }
}

function performTimed(connection: Connection, work: Work): StatementResult {
  const startedAt = performance.now();
  const result = connection.run(work);
  const { limitMs = Number.POSITIVE_INFINITY } = work;
  if (performance.now() - startedAt > limitMs) throw new DatabaseUnavailableError('timeout');
  return result;
}

/** Tells whether a statement changes rows. Others, such as `vacuum`, may not run in a transaction. */
function isChange(sql: string): boolean {
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
