import pg from 'pg';
import { DatabaseUnavailableError, type UnavailableReason } from '../error.ts';

/**
 * Codes of PostgreSQL (its appendix A) for failures that a later try may not meet. A code of two characters stands for
 * its class.
 */
const REASONS: Readonly<Record<string, UnavailableReason>> = {
  // Connection exceptions.
  '08': 'connection',
  // Insufficient resources: connections, memory, disk.
  53: 'busy',
  // The transaction was idle for too long, which happens only if this process was suspended.
  '25P03': 'connection',
  // The server is a standby: it was the primary, or is about to become it.
  '25006': 'connection',
  // A deadlock, or a conflict of transactions: this one was rolled back for the sake of the others.
  40001: 'busy',
  '40P01': 'busy',
  '55P03': 'busy',
  '57014': 'timeout',
  // Shutdown, crash, start, dropped database, idle session.
  '57P01': 'connection',
  '57P02': 'connection',
  '57P03': 'connection',
  '57P04': 'connection',
  '57P05': 'connection',
};

/** Returns a DatabaseUnavailableError for a failure of the database, and any other error of a statement as it is. */
export function statementError(error: unknown): unknown {
  const reason = isOfConnection(error) ? 'connection' : reasonOf(error);
  return reason === undefined ? error : new DatabaseUnavailableError(reason, { cause: error });
}

/** Returns the error of a connection that could not be opened, or that did not become free in time. */
export function connectError(error: unknown): DatabaseUnavailableError {
  const reason = isExhausted(error) ? 'busy' : (reasonOf(error) ?? 'connection');
  return new DatabaseUnavailableError(reason, { cause: error });
}

/** Tells whether the connection can be used after this error of a statement. */
export function leavesConnection(error: unknown): boolean {
  return error instanceof pg.DatabaseError && reasonOf(error) !== 'connection';
}

/** Tells whether the server has cancelled the statement, because of its timeout or of a request. */
export function isCancelled(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.code === '57014';
}

function reasonOf(error: unknown): UnavailableReason | undefined {
  if (!(error instanceof pg.DatabaseError)) return undefined;
  const { code = '', severity } = error;
  const isFatal = severity === 'FATAL' || severity === 'PANIC';
  return REASONS[code] ?? REASONS[code.slice(0, 2)] ?? (isFatal ? 'connection' : undefined);
}

/**
 * Tells whether the error is that of a socket, or of a client that has lost its socket: `pg` throws plain errors for
 * both. Mistakes in a query are errors of PostgreSQL, or of a subclass such as TypeError.
 */
function isOfConnection(error: unknown): boolean {
  return error instanceof Error && error.name === 'Error' && !(error instanceof pg.DatabaseError);
}

/** Tells whether all connections of the pool were in use for too long: `pg-pool` has no code for it. */
function isExhausted(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('timeout exceeded');
}
